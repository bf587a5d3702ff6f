"""Whose data is meant: a phone number or an order number, found in whatever way it was written or spoken. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers

from agent.errors import OrderlineError
from agent.records.digit_runs import find_digit_runs, words_of_digit

_SHORTEST_IN_TEXT = 6
"""A shorter phone number is one of the PBX's own; in a text it could be anything."""
_SHORTEST_ORDER_IN_TEXT = 4
_GAP = r"[ ()./-]{0,3}"
_OWN = frozenset(
    {"id", "key", "call_id", "started_at", "started_utc", "answered_utc", "ended_utc", "edition", "understanding"}
    | {"repeat_of", "continues", "job", "sound", "schema", "at_seconds", "duration_seconds", "response_ms", "ms"}
)
"""Fields with ids, times and measures of ours, in which digits mean nothing."""
_ORDER_FIELDS = frozenset({"order_number", "order", "number"})


class NoPerson(OrderlineError):
    """It is not said whose data is meant, or not in a way that finds anybody."""

    code = "no_person"


@dataclass(frozen=True)
class Person:
    """A phone number, or an order number; make it with :func:`caller` or :func:`of_order`."""

    written: str
    """As it was given."""
    codes: tuple[str, ...]
    """The digits and letters that stand for it, the shortest first."""
    is_order: bool
    _pattern: re.Pattern[str] | None
    """Finds it in a text; None where it is too short to be looked for there."""
    _digits: re.Pattern[str] | None = None
    """Finds it in a text and maybe in longer numbers, several times as fast."""
    _said: tuple[re.Pattern[str], ...] = ()
    """One for each of its digits: a text in which one finds nothing does not spell the number out."""

    @property
    def shown(self) -> str:
        """What a report says: not the number itself."""
        what = "the order" if self.is_order else "the number"
        return f"{what} ending {self.codes[0][-2:]}"

    def is_number(self, text: str) -> bool:
        """Whether a field that holds one number holds this one."""
        return _code(text) in self.codes

    def in_text(self, text: str) -> bool:
        """Whether a text holds it in digits."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def in_speech(self, text: str) -> bool:
        """Whether a text holds it in digits or in words ("one oh four seven three")."""
        if self.in_text(text):
            return True
        if self._pattern is None or not all(digit.search(text) for digit in self._said):
            return False
        for run in find_digit_runs(text):
            said = run.code if self.is_order else run.digits
            if said in self.codes or (not self.is_order and said.endswith(self.codes[0])):
                return True
        return False

    def may_be_in(self, text: str) -> bool:
        """Whether a record may hold it, given as JSON text: a quick look before it is read."""
        if self._pattern is None or self._digits is None or self._digits.search(text) is not None:
            return True
        return all(digit.search(text) for digit in self._said)

    def in_data(self, data: Any, name: str = "") -> bool:
        """Whether JSON-like data holds it anywhere: in a field of its own, or in a text."""
        if isinstance(data, Mapping):
            return any(self.in_data(value, str(key)) for key, value in data.items())
        if isinstance(data, list | tuple):
            return any(self.in_data(value, name) for value in data)
        if name in _OWN or data is None or isinstance(data, bool | float):
            return False
        text = str(data)
        if self.is_order and name in _ORDER_FIELDS and self.is_number(text):
            return True
        if not self.is_order and name in ("number", "caller", "caller_number", "phone") and self.is_number(text):
            return True
        return self.in_speech(text) if name in ("heard", "agent", "text", "transcript") else self.in_text(text)

    def bytes_patterns(self) -> tuple[bytes, ...]:
        """Return what must not stand in any file any more, none where it is too short to be told from other numbers."""
        return tuple(code.encode() for code in self.codes[:1]) if self._pattern is not None else ()


def caller(number: str, region: str) -> Person:
    """Return the person with this phone number; ``region`` is the country whose national form it may have.

    Raises NoPerson.
    """
    digits = _code(number)
    if not digits.isdecimal():
        raise NoPerson(f"{number!r} is no phone number")
    forms = {digits}
    country = ""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        significant = digits
    else:
        significant = phonenumbers.national_significant_number(parsed) or digits
        country = str(parsed.country_code)
        forms |= {significant, f"0{significant}", f"{country}{significant}", f"00{country}{significant}"}
    if len(digits) < _SHORTEST_IN_TEXT:
        return Person(number, (digits,), False, None)
    before = rf"(?:(?:\+|00)?{_GAP}{country}{_GAP}|0{_GAP})?" if country else ""
    pattern = re.compile(rf"(?<![0-9]){before}{_spaced(significant)}(?![0-9])")
    codes = tuple(sorted(forms, key=lambda form: (len(form), form)))
    return Person(number, codes, False, pattern, re.compile(_spaced(significant)), _digits_said(significant))


def of_order(number: str) -> Person:
    """Return the person behind an order number. Raises NoPerson."""
    code = _code(number)
    if not code:
        raise NoPerson(f"{number!r} is no order number")
    if len(code) < _SHORTEST_ORDER_IN_TEXT:
        return Person(number, (code,), True, None)
    pattern = re.compile(rf"(?<![A-Za-z0-9]){_spaced(code, '[ -]?')}(?![A-Za-z0-9])", re.IGNORECASE)
    quick = re.compile(_spaced(code, "[ -]?"), re.IGNORECASE)
    return Person(number, (code,), True, pattern, quick, _digits_said(code))


def _digits_said(code: str) -> tuple[re.Pattern[str], ...]:
    """Return a pattern for each digit of a code; none for its letters, which have too many names."""
    digits = sorted({character for character in code if character in "0123456789"})
    return tuple(re.compile(rf"\b(?:{'|'.join(words_of_digit(digit))})\b", re.IGNORECASE) for digit in digits)


def _spaced(code: str, gap: str = _GAP) -> str:
    return gap.join(code)


def _code(text: str) -> str:
    return "".join(character for character in text if character.isalnum()).upper()
