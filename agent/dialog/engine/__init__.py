"""The dialog engine: events in, turns out. No files, no clock, no I/O."""
