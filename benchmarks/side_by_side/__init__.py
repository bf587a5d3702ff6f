"""Orderline next to what would be put together from public samples today: same callers, same shop, same measure."""
