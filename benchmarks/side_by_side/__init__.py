"""Compares Orderline with a Vosk bot put together from public samples: same callers, shop and measures."""
