"""Orderline: an on-prem voice agent for Asterisk that answers an online shop's calls."""

import os

__version__ = "0.1.0"

# onnxruntime, which runs the voice, reports its use to its maker unless it is told not to before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
