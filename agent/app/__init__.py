"""The composition root: builds the agent's parts and joins them. The only room that knows all others."""
