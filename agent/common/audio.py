"""Sample rate and frame size of all audio inside the product."""

from __future__ import annotations

SAMPLE_RATE = 8000
"""Samples per second of all audio inside the product: 16-bit signed little-endian mono."""
FRAME_MS = 20
FRAME_BYTES = SAMPLE_RATE * FRAME_MS // 1000 * 2
"""320 bytes: one 20 ms frame."""
