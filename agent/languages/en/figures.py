"""Digits, counts, ordinals, dates, times and amounts as spoken English words. Pure, from typed values."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_name, get_currency_precision
from num2words import num2words

MAX_SPELLED = 40
"""Longest number that is read out digit by digit."""
MAX_CARDINAL = 10**12
"""Whole numbers from here on are read digit by digit."""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_GROUPS = {5: (3, 2), 6: (3, 3), 7: (3, 4), 8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4), 11: (1, 3, 3, 4)}
"""How one reads back a number of so many characters; up to four are one group."""
_LETTER_A = "eigh"
"""Voices read a lone "A" as the article and "ay" as "eye"; this one hibari and espeak-ng both say right (measured)."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONEY = {
    **dict.fromkeys(("USD", "CAD", "AUD", "NZD", "SGD", "HKD"), ("dollar", "dollars", "cent", "cents")),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
}
"""What callers call the currency and its hundredth, one and several."""
_MILLIONTH = Decimal("0.000001")
_WEEK_DAYS = 7
_FORTNIGHT_DAYS = 14
_HALF_YEAR_DAYS = 183


def spoken_digits(number: object, groups: Sequence[int] | None = None) -> str:
    """Read a number out in groups: ``10473`` is "one zero four, seven three".

    Gaps and hyphens in the number start a new group; otherwise it is cut in the usual way (5 characters 3-2, a
    telephone number 3-3-4). ``groups`` (sizes, the last one repeated) overrides both. Letters are said by their names,
    all else is left out. Reads at most ``MAX_SPELLED`` characters.
    """
    chunks = _ascii(text(number)[: MAX_SPELLED * 2]).upper().split()
    characters = "".join(chunks)[:MAX_SPELLED]
    if groups:
        sizes = [size for size in groups if size > 0] or [MAX_SPELLED]
        return _in_groups(characters, [*sizes, *(sizes[-1:] * MAX_SPELLED)])
    spoken = []
    left = MAX_SPELLED
    for chunk in chunks:
        part = chunk[:left]
        left -= len(part)
        spoken += [_in_groups(run, _sizes(len(run))) for run in _runs(part)]
    return ", ".join(spoken)


def text(value: object) -> str:
    """Return the value as text; ``""`` for None and for integers of thousands of digits."""
    if value is None:
        return ""
    try:
        return str(value)
    except ValueError:  # Python refuses to write such integers out
        return ""


def cardinal(value: int) -> str:
    """Say a whole number: "a hundred and twenty", "minus five"; huge ones digit by digit."""
    if value < 0:
        return f"minus {cardinal(-value)}"
    if value >= MAX_CARDINAL:
        return spoken_digits(value) or "very many"
    words = str(num2words(value)).replace(",", "")
    if 100 <= value < 200 or 1000 <= value < 1100:
        return "a" + words.removeprefix("one")
    return words


def ordinal(value: int) -> str:
    """Say a place in a row: "twelfth", "twenty-first"."""
    if not 0 <= value < MAX_CARDINAL:
        return cardinal(value)
    return str(num2words(value, to="ordinal")).replace(",", "")


def plural(noun: str) -> str:
    """Return the noun's plural by the common rules."""
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def date(value: dt.date, *, year: bool = False) -> str:
    """Say a date: "the third of March", with its year if wanted."""
    words = f"the {ordinal(value.day)} of {_MONTHS[value.month - 1]}"
    return f"{words} {spoken_year(value.year)}" if year else words


def spoken_year(value: int) -> str:
    """Say a year: "twenty twenty-six"."""
    return str(num2words(value, to="year")).replace(",", "")


def relative_day(value: dt.date, today: dt.date) -> str:
    """Say a date as seen from today: "tomorrow", "Thursday", "Thursday the twelfth", "the third of March"."""
    days = (value - today).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in near:
        return near[days]
    weekday = _WEEKDAYS[value.weekday()]
    if abs(days) < _WEEK_DAYS:
        return weekday
    if abs(days) < _FORTNIGHT_DAYS:
        return f"{weekday} the {ordinal(value.day)}"
    return date(value, year=value.year != today.year and abs(days) > _HALF_YEAR_DAYS)


def time(value: dt.time) -> str:
    """Say a time of day: "nine in the morning", "two thirty in the afternoon", "noon"."""
    return hour(value) if (value.hour % 12, value.minute) == (0, 0) else f"{hour(value)} {part_of_day(value)}"


def hour(value: dt.time) -> str:
    """Say a time of day without its part of day: "nine", "two thirty", "nine oh five", "noon", "midnight"."""
    if value.minute == 0 and value.hour in (0, 12):
        return "noon" if value.hour else "midnight"
    words = cardinal(value.hour % 12 or 12)
    if value.minute == 0:
        return words
    return f"{words} oh {cardinal(value.minute)}" if value.minute < 10 else f"{words} {cardinal(value.minute)}"


def part_of_day(value: dt.time) -> str:
    """Return "in the morning", "in the afternoon", "in the evening" or "at night"."""
    if 4 <= value.hour < 12:
        return "in the morning"
    if 12 <= value.hour < 17:
        return "in the afternoon"
    return "in the evening" if 17 <= value.hour < 22 else "at night"


def money(amount: Decimal, currency: str) -> str:
    """Say an amount: "forty-nine dollars fifty", "a hundred and twenty euros", "five cents".

    ``currency`` is an ISO 4217 code. ``amount`` must be finite and below ``MAX_CARDINAL``.
    """
    if amount < 0:
        return f"minus {money(-amount, currency)}"
    names = _MONEY.get(currency)
    if names is None:
        return _other_money(amount, currency)
    one, several, small_one, small_several = names
    hundredths = int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))
    whole, small = divmod(hundredths, 100)
    small_words = f"{cardinal(small)} {small_one if small == 1 else small_several}"
    if small and not whole:
        return small_words
    words = f"{cardinal(whole)} {one if whole == 1 else several}"
    if not small:
        return words
    return f"{words} and {small_words}" if small < 10 else f"{words} {cardinal(small)}"


def decimal(amount: Decimal) -> str:
    """Say a number below ``MAX_CARDINAL`` with its decimals, six at most, one by one: "one point five"."""
    if amount < 0:
        return f"minus {decimal(-amount)}"
    whole, _, decimals = f"{amount.quantize(_MILLIONTH):f}".partition(".")
    decimals = decimals.rstrip("0")
    words = cardinal(int(whole))
    return f"{words} point {' '.join(_DIGITS[int(digit)] for digit in decimals)}" if decimals else words


def _other_money(amount: Decimal, currency: str) -> str:
    amount = amount.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), ROUND_HALF_UP)
    name = get_currency_name(currency, count=1 if amount == 1 else 2, locale="en")
    if name == currency or not name.replace(" ", "").replace("-", "").isalpha():
        name = spoken_digits(currency)
    return f"{decimal(amount)} {_ascii(name)}".strip()


def _ascii(text: str) -> str:
    """Return letters without accents and digits as 0-9; everything else is a gap."""
    characters = []
    for character in unicodedata.normalize("NFKD", text):
        if character.isascii() and character.isalnum():
            characters.append(character)
        elif (digit := unicodedata.decimal(character, None)) is not None:
            characters.append(str(digit))
        elif not unicodedata.combining(character):
            characters.append(" ")
    return "".join(characters)


def _runs(chunk: str) -> list[str]:
    """Cut a long chunk where letters meet digits: ``AB10473`` is read "A B, one zero four, seven three"."""
    if len(chunk) <= 4:
        return [chunk] if chunk else []
    runs = [chunk[0]]
    for character in chunk[1:]:
        if character.isdigit() == runs[-1][-1].isdigit():
            runs[-1] += character
        else:
            runs.append(character)
    return runs


def _sizes(length: int) -> Sequence[int]:
    if length <= 4:
        return (length,)
    if length in _GROUPS:
        return _GROUPS[length]
    # Threes, without a lone character at the end.
    threes, rest = divmod(length, 3)
    return (*(3,) * (threes - 1), 4) if rest == 1 else (*(3,) * threes, *((rest,) if rest else ()))


def _in_groups(characters: str, sizes: Sequence[int]) -> str:
    groups = []
    for size in sizes:
        if not characters:
            break
        groups.append(" ".join(_name(character) for character in characters[:size]))
        characters = characters[size:]
    return ", ".join(groups)


def _name(character: str) -> str:
    if character.isdigit():
        return _DIGITS[int(character)]
    return _LETTER_A if character == "A" else character
