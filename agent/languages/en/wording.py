"""Numbers, dates, money, places and items of an order as a person says them, in English, for prompts. Pure.

Everything here takes what the order system holds (text, numbers, ISO dates, None), never raises, and returns words
only: letters, spaces, ``'`` ``-`` ``,`` ``.`` ``?`` ``!``, bounded in length. What it does not understand is cleaned
and said as it stands.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from agent.languages.en import figures, regions
from agent.languages.en.cleaning import MAX_CHARS, clean, cut
from agent.languages.en.figures import spoken_digits

MAX_ITEMS = 3
"""So many items of an order are named, the others are counted."""
MAX_LISTED = 12
"""Longest list that is read out."""
_MAX_EXPONENT = 11
"""Amounts have twelve digits at most before the point."""

_WINDOW = re.compile(r"\s*(\d{1,2}(?::\d\d)?)\s*(?:-|–|to)\s*(\d{1,2}(?::\d\d)?)\s*")
_INTEGER = re.compile(r"\s*[+-]?\d{1,40}\s*")
_US = ("US", "USA")
_POSTCODE = re.compile(r"\b\d{4,}(?:-\d+)?\b")
_HEAD = re.compile(r"(.*?[A-Za-z])( (?:in|with|for|of|and|without) .*|$)")
"""The noun of an item's name and what comes after it: "Case" and " for two bottles"."""


def day(value: object, today: dt.date) -> str:
    """Say a date (``date``, ``datetime`` or ISO text) as seen from today.

    Today, tomorrow and yesterday by name; within a week "Thursday"; within two "Thursday the twelfth"; further away
    "the third of March", with the year when it is another one and more than half a year off.
    """
    date = _date(value)
    return clean(value) if date is None else figures.relative_day(date, today)


def clock(value: object) -> str:
    """Say a time of day (``time``, ``datetime`` or ISO text): "nine in the morning", "noon"."""
    time = _time(value)
    return clean(value) if time is None else figures.time(time)


def window(value: object) -> str:
    """Say a span of hours (``09:00-12:00``): "between nine and noon", "between one and five in the afternoon"."""
    match = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    start, end = (_time(match[1]), _time(match[2])) if match else (None, None)
    if start is None or end is None:
        return clean(value)
    plain = f"between {figures.hour(start)} and {figures.hour(end)}"
    if any(time.minute == 0 and time.hour in (0, 12) for time in (start, end)):
        return plain  # noon and midnight say which half of the day it is
    if (start.hour < 12) == (end.hour < 12) and start <= end:
        return f"{plain} {figures.part_of_day(dt.time((start.hour + end.hour) // 2))}"
    if start.hour < end.hour and 0 < end.hour % 12 < (start.hour % 12 or 12):
        return plain  # "between nine and five" can only be the day
    return f"between {figures.time(start)} and {figures.time(end)}"


def money(amount: object, currency: object = "USD") -> str:
    """Say an amount (number or decimal text) in an ISO 4217 currency: "forty-nine dollars fifty"."""
    try:
        value = Decimal(figures.text(amount)[:100])
    except InvalidOperation:
        return clean(amount)
    if not value.is_finite() or value.adjusted() > _MAX_EXPONENT:
        return ""  # no shop's amount
    code = figures.text(currency)
    return figures.money(value, code) if re.fullmatch(r"[A-Z]{3}", code) else figures.decimal(value)


def ordinal(value: object) -> str:
    """Say a place in a row: "twelfth"."""
    number = _integer(value)
    return clean(value) if number is None else figures.ordinal(number)


def count(value: object, noun: str = "", plural: str = "") -> str:
    """Say how many: "no parcels", "one parcel", "two parcels". A list or mapping counts its entries."""
    number = len(value) if isinstance(value, list | tuple | Mapping) else _integer(value)
    if number is None:
        return clean(f"{figures.text(value)} {noun}")
    noun, plural = clean(noun), clean(plural)
    words = "no" if number == 0 and noun else figures.cardinal(number)
    return f"{words} {noun if number == 1 else plural or figures.plural(noun)}" if noun else words


def place(value: object) -> str:
    """Say a place as it stands in a carrier's data: ``MEMPHIS, TN 38118 US`` is "Memphis, Tennessee".

    A code that is a state's and a country's is said only when it can be told which: ``LEIPZIG, DE`` is in Germany.
    """
    text = figures.text(value)[:MAX_CHARS]
    code = _POSTCODE.search(text)
    chunks = [chunk.split() for chunk in _POSTCODE.sub(" ", text).split(",")]
    words = [word for chunk in chunks for word in chunk]
    in_us = len(words) > 1 and words[-1] in _US
    parts: list[str] = []
    for chunk in chunks:
        while len(chunk) + len(parts) > 1 and chunk and chunk[-1] in _US:
            chunk.pop()
        if len(chunk) + len(parts) > 1 and chunk and regions.is_code(chunk[-1]):
            city = " ".join(chunk[:-1]) or (parts[-1] if parts else "")
            region = regions.region_name(chunk.pop(), city, code[0] if code else "", in_us=in_us)
            parts += [" ".join(chunk), region]
        elif chunk:
            parts.append(" ".join(chunk))
    return cut(", ".join(name for name in (_proper(clean(part)) for part in parts) if name), MAX_CHARS)


def listing(values: object, conjunction: str = "and") -> str:
    """Join with commas and a last "and": "a, b and c". Takes a list; anything else is one entry."""
    entries = values if isinstance(values, list | tuple) else [values]
    words = [word for word in (clean(entry) for entry in entries[:MAX_LISTED]) if word]
    return cut(_join(words, clean(conjunction)), MAX_CHARS)


def items(values: object) -> str:
    """Say an order's items (mappings with ``name`` and ``quantity``, or names): "Desk Lamp and two Mugs".

    Without articles, so that "your" can stand in front; what follows a comma in a name (color, size) is left out.
    """
    entries = [entry for entry in values if entry] if isinstance(values, list | tuple) else [values]
    named = [words for words in (_item(entry) for entry in entries[:MAX_ITEMS]) if words]
    # those that have no name are counted with those that are too many
    more = len(entries) - (len(named) if named else MAX_ITEMS)
    if more > 0:
        named.append(f"{figures.cardinal(more)} more {'item' if more == 1 else 'items'}")
    return cut(_join(named, "and"), MAX_CHARS)


def makeup(shapes: Sequence[tuple[int, int, int]]) -> str:
    """Say what a number is made of: "two letters and five digits"; a shape is letters, digits, and either of both."""
    if all(letters == either == 0 for letters, _, either in shapes):
        return f"{_join([figures.cardinal(digits) for _, digits, _ in shapes], 'or')} digits"
    return _join([_makeup(*shape) for shape in shapes], "or")


def enter(shape: str, letters: bool) -> str:
    """Say how a caller whose voice was not understood gives such a number: "key in the five digits"."""
    return f"{'say' if letters else 'key in'} the {shape}"


def _makeup(letters: int, digits: int, either: int) -> str:
    parts = ((letters, "letter"), (digits, "digit"), (either, "character"))
    return _join([count(number, noun) for number, noun in parts if number], "and")


def _item(entry: object) -> str:
    name = entry.get("name") if isinstance(entry, Mapping) else entry
    quantity = _integer(entry.get("quantity", 1)) if isinstance(entry, Mapping) else 1
    words = clean(name, MAX_CHARS // 4).partition(",")[0]
    if not words or quantity is None or quantity <= 1:
        return words
    head = _HEAD.fullmatch(words)
    if head and not head[1].endswith("s"):
        words = figures.plural(head[1]) + head[2]
    return f"{figures.cardinal(quantity)} {words}"


def _join(words: list[str], conjunction: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def _proper(name: str) -> str:
    if name.islower() or (name.isupper() and len(name) > 2):
        return re.sub(r"(?:^|(?<=[ '-]))[A-Za-z]", lambda letter: letter[0].upper(), name.lower())
    return name


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    whole = isinstance(value, Decimal) and value.is_finite() and value.adjusted() <= _MAX_EXPONENT
    return int(value) if isinstance(value, Decimal) and whole and value == int(value) else None


def _date(value: object) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d([T ].*)?", value.strip(), re.DOTALL):
        return None
    try:
        return dt.date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


def _time(value: object) -> dt.time | None:
    if isinstance(value, dt.datetime):
        return value.time()
    if isinstance(value, dt.time):
        return value
    match = re.fullmatch(r"(?:\d{4}-\d\d-\d\d[T ])?(\d{1,2})(?::(\d\d))?(?::\d\d.*)?", figures.text(value).strip())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    return dt.time(hour % 24, minute) if hour <= 24 and minute < 60 else None


__all__ = [
    "MAX_CHARS",
    "clean",
    "clock",
    "count",
    "day",
    "enter",
    "items",
    "listing",
    "makeup",
    "money",
    "ordinal",
    "place",
    "spoken_digits",
    "window",
]
