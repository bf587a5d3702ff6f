"""What may be said in a turn, and what is understood of it: phrases, templates, choices, intents."""
