"""What the agent tells of itself: events, logs, metrics, health."""
