"""Finished calls: an index of them, searching and exporting it, and PostgreSQL for several nodes."""
