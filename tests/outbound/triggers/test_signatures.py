from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from agent.outbound.triggers.signatures import SCHEMES, is_signed

BODY = b'{"status": "delivered", "name": "Mar\xc3\xada"}'
SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes or more").decode()
NOW = 1_780_000_000.0


def headers_of(scheme: str, body: bytes, secret: str, at: float = NOW) -> dict[str, str]:
    """What a sender of this scheme puts into its headers."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256)
    of_body = base64.b64encode(digest.digest()).decode()
    if scheme == "standard":
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = hmac.new(key, f"msg_1.{at:.0f}.".encode() + body, hashlib.sha256).digest()
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": f"{at:.0f}",
            "webhook-signature": f"v1,AAAA v1,{base64.b64encode(signed).decode()}",
        }
    return {
        "shopify": {"x-shopify-hmac-sha256": of_body},
        "woocommerce": {"x-wc-webhook-signature": of_body},
        "aftership": {"aftership-hmac-sha256": of_body},
        "easypost": {"x-hmac-signature": f"hmac-sha256-hex={digest.hexdigest()}"},
    }[scheme]


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_what_is_signed_with_a_secret_is_taken_and_nothing_else(scheme: str) -> None:
    headers = headers_of(scheme, BODY, SECRET)
    other = "whsec_" + base64.b64encode(b"another secret of such a length").decode()
    assert is_signed(scheme, headers, BODY, [SECRET], NOW)
    assert is_signed(scheme, headers, BODY, [other, SECRET], NOW), "while a secret is being changed"
    assert not is_signed(scheme, headers, BODY + b" ", [SECRET], NOW)
    assert not is_signed(scheme, headers, BODY, [other], NOW)
    assert not is_signed(scheme, {}, BODY, [SECRET], NOW)
    assert not is_signed(scheme, dict.fromkeys(headers, ""), BODY, [SECRET], NOW)
    assert not is_signed(scheme, headers, BODY, [], NOW)


@pytest.mark.parametrize(("late", "taken"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)])
def test_a_signed_time_must_be_within_five_minutes(late: int, taken: bool) -> None:
    headers = headers_of("standard", BODY, SECRET, NOW - late)
    assert is_signed("standard", headers, BODY, [SECRET], NOW) is taken


@pytest.mark.parametrize("sent", ["", "now", "1e9", "-1", "٣", "9" * 400])
def test_a_time_that_is_none_is_refused(sent: str) -> None:
    headers = headers_of("standard", BODY, SECRET) | {"webhook-timestamp": sent}
    assert not is_signed("standard", headers, BODY, [SECRET], NOW)


def test_an_easypost_secret_is_taken_in_its_normal_form() -> None:
    composed, decomposed = "caf\u00e9-secret", "cafe\u0301-secret"
    headers = headers_of("easypost", BODY, decomposed)
    assert is_signed("easypost", headers, BODY, [composed], NOW)
