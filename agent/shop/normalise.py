"""Bring order numbers, postcodes and phone numbers to one form before they are compared or searched for. Pure."""

from __future__ import annotations

import hmac
import re
import unicodedata

from agent.common.phone_numbers import e164 as phone
from agent.common.phone_numbers import same_phone

__all__ = ["order_number", "phone", "postcode", "same_number", "same_phone", "same_postcode", "without_prefix"]

_ZIP_PLUS_FOUR = re.compile(r"\d{9}")
_PREFIX = re.compile(r"^[^\W\d]+(?=\d)")
_SEPARATORS = re.compile(r"[\W_]+")


def order_number(text: str) -> str:
    """Return letters and digits only, upper case: ``" ab-10473 "`` becomes ``AB10473``."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def same_number(given: str, known: str) -> bool:
    """Compare two order numbers in one form; the letters before the first digit may be missing from one of them.

    Shops put their own in front (``WEB-10011``, ``#10011``), and callers leave that out.
    """
    left, right = order_number(given), order_number(known)
    if not left or not right:
        return False
    if left == right:
        return True
    short_left, short_right = without_prefix(left), without_prefix(right)
    return short_left == short_right and (left == short_left or right == short_right)


def without_prefix(number: str) -> str:
    """Return an order number in its one form without the letters before its first digit."""
    number = order_number(number)
    return _PREFIX.sub("", number) or number


def postcode(text: str) -> str:
    """Return letters and digits only, upper case; a US ZIP+4 is cut to its ZIP."""
    code = order_number(text)
    return code[:5] if _ZIP_PLUS_FOUR.fullmatch(code) else code


def same_postcode(given: str, known: str) -> bool:
    """Compare two postcodes in one form, in time that does not depend on where they differ; empty equals nothing."""
    left, right = postcode(given).encode(), postcode(known).encode()
    return hmac.compare_digest(left, right) and bool(left)
