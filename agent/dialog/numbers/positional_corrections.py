"""Corrections that name a position: "the last two are eight three", "the third digit is five"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from agent.dialog.numbers.format import groups_of, symbols_of, written_groups_of
from agent.dialog.numbers.words import tokenise

ReadPart = Callable[[str], str]
"""Reads the symbols of a part of a number out of words; ``""`` when they are none."""

_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_NUMBERS = {word: index for index, word in enumerate(
    ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"))}  # fmt: skip
_PLACES = {word: index for index, word in enumerate(
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"))}  # fmt: skip
_PLACES |= {"second to last": -2, "next to last": -2, "last but one": -2, "last": -1, "final": -1}

_IS = r"(?: (?:is|are|was|were|should be|must be|would be|should have been|is supposed to be))"
_SEVERAL = re.compile(
    rf"\b(?P<end>first|last|final) (?P<count>{'|'.join(_COUNTS)})"
    rf"(?: (?P<kind>digits|numbers|letters|ones))?{_IS}? (?P<part>.+)"
)
_ONE = re.compile(
    rf"\b(?P<place>{'|'.join(_PLACES)}|middle) (?P<kind>one|digit|number|figure|letter|character){_IS}? (?P<part>.+)"
)
_COUNTED = re.compile(rf"\b(?P<kind>digit|number|letter) (?P<place>{'|'.join(_NUMBERS)}){_IS} (?P<part>.+)")
_ENDS = re.compile(rf"\b(?:(?:ends?|ending|finishes)(?: in| with| on)|the end{_IS}) (?P<part>.+)")
_BEGINS = re.compile(
    rf"\b(?:(?:starts?|begins?|starting|beginning)(?: with| in)|the (?:start|beginning){_IS}) (?P<part>.+)"
)
_AT_THE = re.compile(r"^(?P<part>.+) (?:at|on) the (?P<end>end|start|beginning|front)\b")
_AREA_CODE = re.compile(rf"\barea code{_IS}? (?P<part>.+)")
_LETTERS = re.compile(rf"\bletters?{_IS} (?P<part>.+)")
_SWAPPED = re.compile(
    r"\b(?:swapped|switched|mixed up|reversed|transposed)(?: round| around)? the (?P<end>first|last) two\b"
    r"|\b(?P<end_too>first|last) two(?: digits| numbers| letters| ones)?(?: are| is)? "
    r"(?:the other way (?:round|around)|the wrong way (?:round|around)|swapped|switched|reversed|back to front)\b"
)
_NAMED = re.compile(rf"^(?:.* )?the (?P<old>[a-z0-9 -]+?){_IS} (?:an? )?(?P<new>.+)$")


def correct_at_position(text: str, previous: str, read_part: ReadPart) -> list[str] | None:
    """Return what ``previous`` may have been meant to be (as symbols), or None when ``text`` names no place.

    An empty list: a place was named, but the part does not belong there.
    """
    old = symbols_of(previous)
    swapped = _SWAPPED.search(text)
    if swapped and len(old) > 1:
        end = swapped["end"] or swapped["end_too"]
        return [old[:-2] + old[-1] + old[-2] if end == "last" else old[1] + old[0] + old[2:]]
    for pattern, places in (
        (_SEVERAL, _several), (_ONE, _one), (_COUNTED, _one), (_ENDS, _end), (_BEGINS, _beginning), (_AT_THE, _at_the),
        (_AREA_CODE, _area_code), (_LETTERS, _letters),
    ):  # fmt: skip
        found = pattern.search(text)
        if found:
            part = read_part(found["part"])
            return [_put(old, at, part) for at in places(found, previous, len(part))] if part else []
    named = _NAMED.match(text)
    if named:
        wrong, part = read_part(named["old"]), read_part(named["new"])
        if wrong and part:
            return [_put(old, at, part, len(wrong)) for at in _runs(old, wrong)]
    return None


def names_a_place(text: str) -> bool:
    """Return whether a correction says where it belongs, whatever the number was."""
    return correct_at_position(" ".join(tokenise(text)), "0000000000", lambda _: "1") is not None


def regrouped(previous: str, part: str) -> list[str]:
    """Return ``previous`` with ``part`` in place of a group of its length, the most similar group first.

    Groups are those of the read-back and of the writing. When none has that length, any run of symbols that differs
    from the part in exactly one place may be meant.
    """
    old = symbols_of(previous)
    places: dict[int, int] = {}
    for groups in (groups_of(previous), written_groups_of(previous)):
        at = 0
        for group in groups:
            if len(group) == len(part) and group != part:
                places[at] = sum(a != b for a, b in zip(group, part, strict=True))
            at += len(group)
    if not places:
        runs = range(len(old) - len(part) + 1)
        places = {at: 1 for at in runs if sum(a != b for a, b in zip(old[at:], part, strict=False)) == 1}
    return [_put(old, at, part) for at in sorted(places, key=lambda at: places[at])]


def replaced(previous: str, wrong: str, part: str) -> list[str]:
    """Return ``previous`` with ``part`` for each place where ``wrong`` stands in it."""
    old = symbols_of(previous)
    return [_put(old, at, part, len(wrong)) for at in _runs(old, wrong)]


def _put(old: str, at: int, part: str, length: int | None = None) -> str:
    return old[:at] + part + old[at + (len(part) if length is None else length) :]


def _runs(old: str, wrong: str) -> list[int]:
    return [at for at in range(len(old) - len(wrong) + 1) if old.startswith(wrong, at)]


def _several(found: re.Match[str], previous: str, length: int) -> Iterator[int]:
    places = _of_kind(previous, found["kind"] or "")
    count = _COUNTS[found["count"]]
    if length == count <= len(places):
        run = places[:count] if found["end"] == "first" else places[-count:]
        if run == list(range(run[0], run[0] + count)):
            yield run[0]


def _one(found: re.Match[str], previous: str, length: int) -> Iterator[int]:
    places = _of_kind(previous, found["kind"])
    name = found["place"]
    if length != 1:
        return
    if name == "middle":
        if len(places) % 2:
            yield places[len(places) // 2]
        return
    index = _PLACES.get(name, _NUMBERS.get(name, 0))
    if -len(places) <= index < len(places):
        yield places[index]


def _end(_: re.Match[str], previous: str, length: int) -> Sequence[int]:
    return [len(symbols_of(previous)) - length] if length < len(symbols_of(previous)) else []


def _beginning(_: re.Match[str], previous: str, length: int) -> Sequence[int]:
    return [0] if length < len(symbols_of(previous)) else []


def _at_the(found: re.Match[str], previous: str, length: int) -> Sequence[int]:
    return (_end if found["end"] == "end" else _beginning)(found, previous, length)


def _area_code(_: re.Match[str], previous: str, length: int) -> Iterator[int]:
    """Find the group before the last two of a written telephone number, or the first three digits of a run."""
    groups = written_groups_of(previous)
    if len(groups) >= 3 and len(groups[-3]) == length:
        yield sum(len(group) for group in groups[:-3])
    elif len(groups) == 1 and len(previous) == 10 and length == 3:
        yield 0


def _letters(_: re.Match[str], previous: str, length: int) -> Iterator[int]:
    places = _of_kind(previous, "letters")
    if len(places) == length and places == list(range(places[0], places[0] + length)):
        yield places[0]


def _of_kind(previous: str, kind: str) -> list[int]:
    """Return the places of the digits or of the letters; all of them for "one"."""
    symbols = symbols_of(previous)
    if kind.startswith("letter"):
        return [at for at, symbol in enumerate(symbols) if symbol.isalpha()]
    if kind.startswith("digit"):
        return [at for at, symbol in enumerate(symbols) if symbol.isdigit()]
    return list(range(len(symbols)))
