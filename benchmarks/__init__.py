"""Orderline's benchmarks: real calls through a real Asterisk, measured at the caller's end (docs/benchmarks)."""
