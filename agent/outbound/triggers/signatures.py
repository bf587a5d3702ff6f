"""Checks who sent a webhook: the signatures of shops, carriers and the Standard Webhooks specification.

All are HMAC-SHA256 over the raw bytes of the body, compared in constant time. Where a scheme signs a time, an old or
future one is refused; the others rely on their event's id, of which a repetition does no harm.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from agent.common.constant_time import same_secret

CLOCK_SECONDS = 300
_STANDARD_PREFIX = "whsec_"

Headers = Mapping[str, str]
"""Names in lower case."""


def is_signed(scheme: str, headers: Headers, body: bytes, secrets: Sequence[str], now: float) -> bool:
    """Return whether one of the secrets signed this body; ``now`` is seconds since 1970."""
    check = SCHEMES[scheme]
    return any(check(headers, body, secret, now) for secret in secrets)  # all of them, whichever fits


def _base64_of_body(header: str) -> Callable[[Headers, bytes, str, float], bool]:
    def check(headers: Headers, body: bytes, secret: str, now: float) -> bool:
        signed = base64.b64encode(_hmac(secret.encode(), body)).decode()
        return same_secret(headers.get(header, "").strip(), signed)

    return check


def _easypost(headers: Headers, body: bytes, secret: str, now: float) -> bool:
    key = unicodedata.normalize("NFKD", secret).encode()
    signed = f"hmac-sha256-hex={_hmac(key, body).hex()}"
    return same_secret(headers.get("x-hmac-signature", "").strip(), signed)


def _standard(headers: Headers, body: bytes, secret: str, now: float) -> bool:
    """Standard Webhooks: ``webhook-id.webhook-timestamp.body``; several signatures with spaces between."""
    message, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message or not (sent.isascii() and sent.isdecimal()) or abs(now - int(sent[:12])) > CLOCK_SECONDS:
        return False
    try:
        key = base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    signed = "v1," + base64.b64encode(_hmac(key, f"{message}.{sent}.".encode() + body)).decode()
    return any(same_secret(given, signed) for given in headers.get("webhook-signature", "").split()[:10])


def _hmac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


SCHEMES: Mapping[str, Callable[[Headers, bytes, str, float], bool]] = {
    "shopify": _base64_of_body("x-shopify-hmac-sha256"),
    "woocommerce": _base64_of_body("x-wc-webhook-signature"),
    "aftership": _base64_of_body("aftership-hmac-sha256"),
    "easypost": _easypost,
    "standard": _standard,
}
