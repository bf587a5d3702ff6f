"""Where an installation keeps its settings and its state."""

from __future__ import annotations

from pathlib import Path

CONFIG_DIRECTORY = Path("/etc/orderline")
"""Directory of ``orderline.yaml``."""
STATE_DIRECTORY = Path("/var/lib/orderline")
"""Records, caches, installed models."""
