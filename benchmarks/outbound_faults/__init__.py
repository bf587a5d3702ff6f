"""The hard cases of calls to customers, as real calls: what may go wrong, and what must come of it."""
