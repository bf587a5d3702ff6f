"""The optional second factor: six digits that change every 30 seconds (RFC 6238, SHA-1, as all apps have it). Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

from agent.common.constant_time import same_secret

STEP_SECONDS = 30
DIGITS = 6
SLACK_STEPS = 1
"""Codes of the step before and the one after are taken as well: clocks differ."""


def new_secret() -> str:
    """Return a new secret of 160 bits, as apps take it (base32)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of a step. Raises ValueError for what is no secret."""
    try:
        key = base64.b32decode(secret)
    except binascii.Error as error:
        raise ValueError("no secret of a second factor") from error
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def accepted_step(secret: str, code: str, now: float, last_step: int) -> int | None:
    """Return the step that a code is of, None where it is none; a step up to ``last_step`` was used already.

    ``now`` is in seconds since 1970.
    """
    given = code.replace(" ", "")
    current = int(now) // STEP_SECONDS
    for step in range(current - SLACK_STEPS, current + SLACK_STEPS + 1):
        if step > last_step and same_secret(given, code_at(secret, step)):
            return step
    return None


def app_address(secret: str, name: str, issuer: str) -> str:
    """Return the ``otpauth:`` address that an app reads, as text or from a QR code."""
    label = quote(f"{issuer}:{name}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer})}"
