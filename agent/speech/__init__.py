"""Speech: recognition, voice activity, level, echo, synthesis, wording."""
