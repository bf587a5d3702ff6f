"""What the agent is worth: staff, waiting, lost callers and cost with and without it, and the import of volumes."""
