"""Changes are taken from our own pages only: by what the browser says of their origin, and by the session's token."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from agent.common.constant_time import same_secret
from agent.console.hosts import Origin

HEADER = "X-Orderline-Token"
FIELD = "csrf_token"
"""Of a plain HTML form, which can send no header."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing."""


def csrf_token(session_token: str) -> str:
    """Return the token that pages of a session send with changes; it does not tell the session's own."""
    return hashlib.sha256(b"orderline csrf " + session_token.encode()).hexdigest()


def own_origin(headers: Mapping[str, str], origin: Origin) -> bool:
    """Return whether the browser says that the request comes from our own pages."""
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return same_secret(headers.get("Origin", ""), origin.url)


def has_token(given: str, session_token: str) -> bool:
    """Return whether a change carries the token of its session."""
    return same_secret(given, csrf_token(session_token))
