"""Bring order numbers, postcodes and phone numbers to one form before they are compared or searched for. Pure."""

from __future__ import annotations

import re
import unicodedata

from agent.common.constant_time import same_secret
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
    return same_secret(postcode(given), postcode(known))


_SPOKEN_SYMBOLS = {
    "at": "@",
    **dict.fromkeys(("dot", "point", "period", "underscore", "dash", "hyphen", "minus"), ""),
}
_SPOKEN_DIGITS = dict(
    zip(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), "0123456789", strict=True)
)
_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "sir", "madam"))
_EMAIL_CHARS = re.compile(r"[^a-z0-9@]+")


def email(text: str) -> str:
    """Return an e-mail address, typed, spoken or spelled, as letters, digits and one ``@``; ``""`` when it is none.

    ``"j a n e dot doe at example dot com"`` and ``"Jane.Doe@example.com"`` are both ``"janedoe@examplecom"``.
    """
    words = unicodedata.normalize("NFKC", text).casefold().replace("@", " @ ").split()
    joined = "".join(_SPOKEN_SYMBOLS.get(word, _SPOKEN_DIGITS.get(word, word)) for word in words)
    plain = _EMAIL_CHARS.sub("", joined)
    return plain if plain.count("@") == 1 and not plain.startswith("@") and not plain.endswith("@") else ""


def same_email(given: str, known: str) -> bool:
    """Compare two e-mail addresses in one form, in time that does not tell where they differ; empty equals nothing."""
    return same_secret(email(given), email(known))


def name(text: str) -> str:
    """Return the parts of a person's name in one order, without title and accents; ``""`` for fewer than two parts."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    parts = sorted({part for part in re.split(r"[\W\d_]+", plain) if part and part not in _TITLES})
    return " ".join(parts) if len(parts) > 1 else ""


def same_name(given: str, known: str) -> bool:
    """Compare two whole names; a first name alone equals nothing."""
    return same_secret(name(given), name(known))
