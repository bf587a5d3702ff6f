"""The dialog: what to say, what to listen for, what to do next. Pure, synchronous, deterministic."""
