"""Rehearsals: scripted callers ring a real Asterisk and measure what they hear."""
