"""Hearing and speaking: recognition, voice activity, level, synthesis, wording."""
