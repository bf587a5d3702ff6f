"""Faults of one of several instances of the agent: who had it goes on elsewhere, and the others notice nothing."""
