"""Speech synthesis: one adapter per engine, all speaking 8 kHz 16-bit mono at the same level."""
