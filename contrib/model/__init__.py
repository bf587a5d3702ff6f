"""Trains the bundled speech model further and writes it as a Vosk model directory (README.md)."""
