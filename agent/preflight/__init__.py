"""orderline check: everything that must be true before calls are sent here, each with the exact fix."""
