"""What is kept of every call."""
