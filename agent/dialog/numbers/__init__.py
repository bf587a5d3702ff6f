"""Number capture: what number a caller means, how sure that is, and when to ask."""
