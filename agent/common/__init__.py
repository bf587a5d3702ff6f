"""Small tools without opinions: files, signals, privileges, systemd, YAML with lines, SQLite, Redis."""
