"""Settings: read, checked, typed; one file a family."""
