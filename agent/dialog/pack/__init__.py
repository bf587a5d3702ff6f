"""Flow packs on disk: reading, checking, compiling, reloading."""
