"""Text of callers and business systems as it may stand in an Asterisk channel variable."""

from __future__ import annotations

import re


def channel_variable_text(text: str, length: int) -> str:
    """Text that may stand in a channel variable and a SIP header: one line, no quotes, no dialplan syntax."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w .,:;+@#()/'-]", " ", text)).strip()[:length]
