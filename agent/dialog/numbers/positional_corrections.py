"""Corrections that name a position: "the last two are eight three", "the third digit is five"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from agent.dialog.numbers.format import groups_of, symbols_of, written_groups_of
from agent.dialog.numbers.words import tokenise
from agent.languages.number_words import NumberWords
from agent.languages.place_words import PlaceWords

ReadPart = Callable[[str], str]
"""Reads the symbols of a part of a number out of words; ``""`` when they are none."""


def correct_at_position(text: str, previous: str, read_part: ReadPart, words: PlaceWords) -> list[str] | None:
    """Return what ``previous`` may have been meant to be (as symbols), or None when ``text`` names no place.

    An empty list: a place was named, but the part does not belong there.
    """
    old = symbols_of(previous)
    swapped = words.swapped.search(text)
    if swapped and len(old) > 1:
        at_end = (swapped["end"] or swapped["end_too"]) in words.lasts
        return [old[:-2] + old[-1] + old[-2] if at_end else old[1] + old[0] + old[2:]]
    for pattern, places in (
        (words.several, _several), (words.one, _one), (words.counted, _one), (words.ends, _end),
        (words.begins, _beginning), (words.at_the, _at_the), (words.area_code, _area_code), (words.letters, _letters),
    ):  # fmt: skip
        found = pattern.search(text)
        if found:
            part = read_part(found["part"])
            return [_put(old, at, part) for at in places(found, previous, len(part), words)] if part else []
    named = words.named.match(text)
    if named:
        wrong, part = read_part(named["old"]), read_part(named["new"])
        if wrong and part:
            return [_put(old, at, part, len(wrong)) for at in _runs(old, wrong)]
    return None


def names_a_place(text: str, vocabulary: NumberWords) -> bool:
    """Return whether a correction says where it belongs, whatever the number was."""
    tokens = tokenise(text, vocabulary)
    return correct_at_position(" ".join(tokens), "0000000000", lambda _: "1", vocabulary.places) is not None


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


def _several(found: re.Match[str], previous: str, length: int, words: PlaceWords) -> Iterator[int]:
    places = _of_kind(previous, found["kind"] or "", words)
    count = words.counts[found["count"]]
    if length == count <= len(places):
        run = places[:count] if found["end"] in words.firsts else places[-count:]
        if run == list(range(run[0], run[0] + count)):
            yield run[0]


def _one(found: re.Match[str], previous: str, length: int, words: PlaceWords) -> Iterator[int]:
    places = _of_kind(previous, found["kind"], words)
    name = found["place"]
    if length != 1:
        return
    if name in words.middles:
        if len(places) % 2:
            yield places[len(places) // 2]
        return
    index = words.places.get(name, 0)
    if -len(places) <= index < len(places):
        yield places[index]


def _end(_: re.Match[str], previous: str, length: int, __: PlaceWords) -> Sequence[int]:
    return [len(symbols_of(previous)) - length] if length < len(symbols_of(previous)) else []


def _beginning(_: re.Match[str], previous: str, length: int, __: PlaceWords) -> Sequence[int]:
    return [0] if length < len(symbols_of(previous)) else []


def _at_the(found: re.Match[str], previous: str, length: int, words: PlaceWords) -> Sequence[int]:
    return (_end if found["end"] in words.lasts else _beginning)(found, previous, length, words)


def _area_code(_: re.Match[str], previous: str, length: int, __: PlaceWords) -> Iterator[int]:
    """Find the group before the last two of a written telephone number, or the first three digits of a run."""
    groups = written_groups_of(previous)
    if len(groups) >= 3 and len(groups[-3]) == length:
        yield sum(len(group) for group in groups[:-3])
    elif len(groups) == 1 and len(previous) == 10 and length == 3:
        yield 0


def _letters(_: re.Match[str], previous: str, length: int, __: PlaceWords) -> Iterator[int]:
    places = [at for at, symbol in enumerate(symbols_of(previous)) if symbol.isalpha()]
    if len(places) == length and places == list(range(places[0], places[0] + length)):
        yield places[0]


def _of_kind(previous: str, kind: str, words: PlaceWords) -> list[int]:
    """Return the places of the digits or of the letters; all of them for "one"."""
    symbols = symbols_of(previous)
    if kind in words.letter_kinds:
        return [at for at, symbol in enumerate(symbols) if symbol.isalpha()]
    if kind in words.digit_kinds:
        return [at for at, symbol in enumerate(symbols) if symbol.isdigit()]
    return list(range(len(symbols)))
