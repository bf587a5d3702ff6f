"""Telephone numbers said with their country code: "plus four four seven seven double oh" is 07700 at home. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import phonenumbers

from agent.dialog.numbers.format import NumberFormat
from agent.languages.number_words import ZERO_OR_O, NumberWords

PLUS = "+"
"""Stands before the symbols of a number that was said with "plus"."""
_LONGEST_PREFIX = 5
"""So many symbols more than at home: an exit code ("00", "011") and a country code of three digits."""
_EXIT_CODES = ("00", "011")
_NORTH_AMERICA = 1


def longest_reading(number_format: NumberFormat) -> int:
    """Return how many symbols a number of this format may be said with, its country code included."""
    return number_format.max_length + (_LONGEST_PREFIX if number_format.may_be_telephone else 0)


def begins_with_plus(words: Sequence[str], vocabulary: NumberWords) -> bool:
    """Return whether "plus" comes before the first symbol of the number."""
    first = next((word for word in words if word not in vocabulary.fillers), "")
    return first in vocabulary.plus


def at_home(symbols: str, number_format: NumberFormat) -> str:
    """Return the digits as they are dialled in their own country, ``""`` for what has no country code or does not fit.

    ``447700900123`` and ``0044...`` become ``07700...``. A 3-3-4 format takes the country code 1 alone; where the
    country code is part of the format (``[9-]999-999-9999``) it stays.
    """
    digits = symbols.replace(ZERO_OR_O, "0")
    if not number_format.may_be_telephone or not digits.isdigit():
        return ""
    for code in ("", *_EXIT_CODES):
        whole = digits.removeprefix(code)
        home = _national(whole, north_american=number_format.is_north_american) if digits.startswith(code) else ""
        if home and number_format.fit(home):
            return whole if whole.endswith(home) and number_format.fit(whole) else home
    return ""


def may_go_on(symbols: str, number_format: NumberFormat) -> bool:
    """Return whether symbols said after "plus" may be the beginning of a number that fits."""
    other_country = number_format.is_north_american and symbols[:1] != str(_NORTH_AMERICA)
    return not other_country and 0 < len(symbols) < number_format.max_length + 2


@lru_cache(4096)
def _national(digits: str, *, north_american: bool) -> str:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return ""
    if (north_american and number.country_code != _NORTH_AMERICA) or not phonenumbers.is_possible_number(number):
        return ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(char for char in written if char.isdigit())
