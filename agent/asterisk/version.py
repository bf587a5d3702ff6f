"""Asterisk versions: parses a version string and knows what came with which release."""

from __future__ import annotations

import re

AsteriskVersion = tuple[int, int, int]


def parse_version(text: str) -> AsteriskVersion | None:
    """Return (major, minor, patch) of an Asterisk version as Debian or ``asterisk -V`` writes it, or None."""
    found = re.search(r"(?:^|[\s:/])(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def supports_transfer_handling(release: AsteriskVersion) -> bool:
    """True when a SIP channel's transfers can be left to the ARI program (20.21, 22.11, 23.5 and later).

    It came with 20.13, 21.8 and 22.3, but until these releases a REFER with ``Refer-Sub: false`` made Asterisk crash
    (asterisk/asterisk issue 2021).
    """
    return release[0] > 23 or {20: 21, 22: 11, 23: 5}.get(release[0], 10**6) <= release[1]


def supports_media_marks(release: AsteriskVersion) -> bool:
    """True when chan_websocket of this release has MARK_MEDIA (it came with 20.18, 22.8 and 23.2)."""
    return release[0] > 23 or {20: 18, 22: 8, 23: 2}.get(release[0], 10**6) <= release[1]
