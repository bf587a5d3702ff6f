"""Rules a whole number must pass beyond its shape: check digits, and what postcodes exist at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_UK_POSTCODE = re.compile(
    r"(?:[A-PR-UWYZ][1-9][0-9]?"  # M1, M60
    r"|[A-PR-UWYZ][A-HK-Y](?:[1-9][0-9]?|0)"  # LS1, SE10, BS0
    r"|[A-PR-UWYZ][0-9][ABCDEFGHJKPSTUW]"  # W1A
    r"|[A-PR-UWYZ][A-HK-Y][0-9][ABEHMNPRVWXY])"  # SW1A
    r"[0-9][ABD-HJLNP-UW-Z]{2}"
)
"""Which letters stand where: the postcode annex of BS 7666. It knows the shape, not whether the code is in use."""


def passes(rule: str, value: str) -> bool:
    """Return whether a canonical number passes the rule named ``rule`` (a key of :data:`RULES`)."""
    return RULES[rule](value)


def _luhn(value: str) -> bool:
    """Luhn's rule (ISO/IEC 7812-1, annex B) over the digits."""
    total = 0
    for index, char in enumerate(reversed([char for char in value if char.isdigit()])):
        digit = int(char) * (1 + index % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _uk_postcode(value: str) -> bool:
    return _UK_POSTCODE.fullmatch("".join(char for char in value if char.isalnum())) is not None


RULES: Mapping[str, Callable[[str], bool]] = {"": lambda _: True, "luhn": _luhn, "uk_postcode": _uk_postcode}
"""The rules a format may name as its ``check``."""
