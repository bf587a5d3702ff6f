"""Number capture: what number a caller means, how sure that is, and whether to ask.

Pure functions from text to :class:`NumberReading`. The rule behind everything: a natural reading that fits the format
and has no rival is taken; whatever had to be stretched, mended or chosen must be confirmed; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.dialog.number_format import EITHER_O, NumberFormat, groups_of, symbols_of
from agent.dialog.number_words import EXTENDABLE, FILLERS, MARKERS, readings, tokenise
from agent.dialog.turns import Completeness

_KEPT = 12
"""Readings carried from one correction to the next."""
_MENDED = 2
"""Strain of a number put together from a corrected part: always worth a question."""


@dataclass(frozen=True)
class NumberReading:
    """What was understood of a spoken number."""

    value: str | None = None
    """The canonical number when a whole one was heard, else None."""
    complete: bool = False
    """True when a whole number was heard."""
    confidence: float = 0.0
    """0..1: how plain the reading is. Says nothing about how well the words were recognised."""
    alternatives: tuple[str, ...] = ()
    """Other whole numbers it may have been, likeliest first."""
    must_confirm: bool = False
    """True when acting on ``value`` without asking would be a guess."""
    partial: str = ""
    """The beginning of a number (canonical writing) when no whole one was heard."""
    whole_without_doubt: bool = False
    """True when nothing the caller might add could change the value: the turn may end at once."""


@dataclass(frozen=True)
class _Candidate:
    value: str
    strain: int


def understand(
    text: str,
    number_format: NumberFormat,
    known: Iterable[str] = (),
    alternatives: Sequence[str] = (),
    so_far: str = "",
) -> NumberReading:
    """Read a number out of ``text``.

    ``known`` are numbers this caller may well mean (their own orders): they decide between readings, they are never
    offered for something that was not said. ``alternatives`` are the recogniser's other texts. ``so_far`` is what was
    said of this number in earlier breaths: a whole number in ``text`` replaces it, a part continues it.
    Never raises; text that is no number gives an empty reading.
    """
    alone = _read(text, number_format)
    if so_far and alone.value is None:
        joined = _read(f"{so_far} {text}", number_format)
        if joined.value is not None or len(joined.partial) > len(alone.partial):
            alone = joined
    others: list[str] = []
    for other in alternatives:
        reading = _read(f"{so_far} {other}" if so_far else other, number_format)
        others += [value for value in (reading.value, *reading.alternatives) if value is not None]
    return _rank(alone, others, _normalised(known, number_format))


def completeness(text: str, number_format: NumberFormat, so_far: str = "") -> Completeness:
    """Judge an unfinished text: a whole number, certainly only part of one, or something else."""
    reading = understand(text, number_format, so_far=so_far)
    if reading.value is not None:
        return Completeness.COMPLETE if reading.whole_without_doubt else Completeness.OPEN
    return Completeness.INCOMPLETE if reading.partial else Completeness.OPEN


def correct(previous: str, text: str, number_format: NumberFormat) -> NumberReading:
    """Apply a caller's correction to a number that was read back.

    A whole number replaces it; a part replaces the one group it can stand for ("no, seven four" after "one zero four,
    seven three" gives 10474); "fifteen, not fifty" replaces what was named. A part that could stand for several
    groups comes back to be confirmed, the likeliest first.
    """
    said, denied = _split_denied(tokenise(text))
    reading = _read(" ".join(said), number_format)
    if reading.value is not None:
        return reading
    part = _plain_symbols(said, number_format)
    old = symbols_of(previous)
    if not part or len(part) >= len(old):
        return reading
    wrong = _plain_symbols(denied, number_format)
    named = bool(wrong) and old.count(wrong) == 1
    mended = [old.replace(wrong, part)] if named else _regrouped(previous, part)
    values = [fit.value for symbols in mended if (fit := number_format.fit(symbols)) and fit.value != previous]
    values = [value for value in dict.fromkeys(values) if number_format.passes_check(value)]
    if not values:
        return replace(reading, partial="")
    return NumberReading(values[0], True, 0.7 if len(values) == 1 else 0.4, tuple(values[1:]), must_confirm=True)


def is_part(text: str, number_format: NumberFormat) -> bool:
    """Return whether ``text`` is some part of a number, not necessarily its beginning ("fifteen", "not fifty")."""
    said, denied = _split_denied(tokenise(text))
    symbols = _plain_symbols(said, number_format) or _plain_symbols(denied, number_format)
    return 0 < len(symbols) <= number_format.max_length


def _read(text: str, number_format: NumberFormat) -> NumberReading:
    """Read one text by itself, without anything known about the caller."""
    tokens = tokenise(text)
    segments = _segments(_split_denied(tokens)[0])
    current: dict[str, int] = {"": 0}
    for segment in segments:
        found = readings(segment, number_format.max_length)
        if not found:
            return NumberReading()
        if all(symbols == "" for symbols in found):
            continue
        current = _mend(current, found, number_format)
    return _judge(current, number_format, extendable=bool(tokens) and _last_spoken(tokens) in EXTENDABLE)


def _judge(current: dict[str, int], number_format: NumberFormat, *, extendable: bool) -> NumberReading:
    """Pick the whole number, or the beginning of one, out of all readings."""
    strains: dict[str, int] = {}
    for symbols, strain in current.items():
        fit = number_format.fit(symbols)
        if fit is not None and number_format.passes_check(fit.value):
            strains[fit.value] = min(strains.get(fit.value, 99), strain + fit.guesses)
    whole = sorted((_Candidate(value, strain) for value, strain in strains.items()), key=lambda one: one.strain)
    if not whole:
        begun = [(strain, fit.value, symbols) for symbols, strain in current.items()
                 if symbols and (fit := number_format.begins(symbols))]  # fmt: skip
        # the likeliest beginning, and of equally likely ones the longest
        partial = min(begun, key=lambda one: (one[0], -len(one[2])))[1] if begun else ""
        return NumberReading(partial=partial)
    best = whole[0]
    rivals = tuple(one.value for one in whole[1:])
    plain = best.strain == 0 and not any(one.strain <= 1 for one in whole[1:])
    may_grow = extendable or number_format.begins(symbols_of(best.value)) is not None
    return NumberReading(
        value=best.value,
        complete=True,
        confidence=1.0 if plain else max(0.3, 0.7 - 0.15 * best.strain - 0.1 * len(rivals)),
        alternatives=rivals,
        must_confirm=not plain,
        whole_without_doubt=plain and not may_grow,
    )


def _rank(reading: NumberReading, others: Sequence[str], known: frozenset[str]) -> NumberReading:
    """Let the other recognitions and the caller's own numbers decide between readings."""
    heard = [value for value in (reading.value, *reading.alternatives) if value is not None]
    pool = list(dict.fromkeys([*heard, *others]))
    if not pool:
        return reading
    known_here = [value for value in pool if value in known]
    value = known_here[0] if known_here else pool[0]
    rest = tuple(known_here[1:]) + tuple(one for one in pool if one != value and one not in known_here)
    if value not in heard:
        # only another recognition gave a usable number: a guess until the caller says yes
        return replace(reading, value=value, complete=True, confidence=0.5, alternatives=rest, must_confirm=True,
                       partial="", whole_without_doubt=False)  # fmt: skip
    if len(known_here) == 1 and reading.confidence >= 0.5:
        return replace(reading, value=value, alternatives=rest, must_confirm=False, confidence=1.0)
    return replace(reading, value=value, alternatives=rest)


def _segments(tokens: Sequence[str]) -> list[list[str]]:
    """Cut the words at what announces a correction."""
    segments: list[list[str]] = [[]]
    at = 0
    while at < len(tokens):
        marker = next((one for one in MARKERS if tuple(tokens[at : at + len(one)]) == one), None)
        if marker is None:
            segments[-1].append(tokens[at])
            at += 1
        else:
            segments.append([])
            at += len(marker)
    return segments


def _split_denied(tokens: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split "fifteen not fifty" into what is meant and what is denied."""
    words = list(tokens)
    if "not" in words and any(word not in FILLERS for word in words[: words.index("not")]):
        at = words.index("not")
        return words[:at], words[at + 1 :]
    return words, []


def _mend(before: dict[str, int], after: dict[str, int], number_format: NumberFormat) -> dict[str, int]:
    """Join what was said before a correction with what was said after it."""
    if set(before) == {""}:
        return after
    mended: dict[str, int] = {}

    def keep(symbols: str, strain: int) -> None:
        mended[symbols] = min(mended.get(symbols, 99), strain)

    for new, new_strain in _best(after):
        if number_format.fit(new):
            keep(new, new_strain)
            continue
        for old, old_strain in _best(before):
            strain = old_strain + new_strain + _MENDED
            if not old or not new:
                keep(old or new, strain)
                continue
            fit = number_format.fit(old)
            if fit is not None:
                for whole in _regrouped(fit.value, new):
                    keep(whole, strain)
                continue
            for length in number_format.lengths:
                tail = length - len(new)
                if 0 < tail < len(old) and old[tail:] != new:
                    keep(old[:tail] + new, strain)
            if len(new) <= len(old):
                keep(old[: len(old) - len(new)] + new, strain)
            keep(old + new, strain + 1)
    return mended


def _regrouped(previous: str, part: str) -> list[str]:
    """Return ``previous`` with ``part`` in place of a read-back group of its length, the most similar group first.

    When no group has that length, any run of symbols that differs from the part in exactly one place may be meant.
    """
    old = symbols_of(previous)
    places: list[tuple[int, int]] = []
    at = 0
    for group in groups_of(previous):
        if len(group) == len(part) and group != part:
            places.append((_differences(group, part), at))
        at += len(group)
    if not places:
        runs = range(len(old) - len(part) + 1)
        places = [(1, at) for at in runs if _differences(old[at : at + len(part)], part) == 1]
    return [old[:at] + part + old[at + len(part) :] for _, at in sorted(places)]


def _plain_symbols(tokens: Sequence[str], number_format: NumberFormat) -> str:
    """Return the natural symbols of a part of a number, after its last correction; ``""`` if there is none."""
    for segment in reversed(_segments(tokens)):
        found = {symbols: strain for symbols, strain in readings(segment, number_format.max_length).items() if symbols}
        if found:
            best = min(found, key=lambda symbols: (found[symbols], len(symbols)))
            return best if number_format.has_letters else best.replace(EITHER_O, "0")
    return ""


def _best(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(found.items(), key=lambda item: item[1])[:_KEPT]


def _differences(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _last_spoken(tokens: Sequence[str]) -> str:
    return next((token for token in reversed(tokens) if token not in FILLERS or token in EXTENDABLE), "")


def _normalised(known: Iterable[str], number_format: NumberFormat) -> frozenset[str]:
    values = (number_format.normalise(one) for one in known)
    return frozenset(value for value in values if value is not None)
