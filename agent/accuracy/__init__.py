"""Measures how well callers are understood: `orderline accuracy` (docs/accuracy.md)."""
