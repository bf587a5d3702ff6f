"""Sentence vectors, and the files in which fitted scores of open requests are kept."""
