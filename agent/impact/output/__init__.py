"""Prints what the impact model says: sentences and tables for a terminal, a page with charts, JSON and CSV."""
