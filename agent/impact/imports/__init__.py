"""Reads what a shop already has: Asterisk's queue log, call detail records, volumes from a spreadsheet."""
