"""The jinja sandbox of prompts and expressions, within the bounds of what can be said on a telephone. Pure."""

from __future__ import annotations

from agent.common.bounded_sandbox import BoundedSandbox


class DataSandbox(BoundedSandbox):
    """Renders prompts and computes expressions: no text is longer than a quarter of an hour of speaking."""

    most_chars = 20_000
