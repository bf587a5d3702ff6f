"""Reads one text as a number: finds every candidate, fits it to the format, applies corrections, judges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.dialog.numbers.candidates import GUESSED, readings, readings_so_far
from agent.dialog.numbers.carrier_phrases import UnwrappedNumber, segments, split_denied, unwrap
from agent.dialog.numbers.country_codes import PLUS, at_home, begins_with_plus, longest_reading, may_go_on
from agent.dialog.numbers.format import NumberFormat, symbols_of
from agent.dialog.numbers.positional_corrections import correct_at_position, regrouped
from agent.dialog.numbers.words import tokenise
from agent.languages.number_words import ZERO_OR_O, NumberWords

_KEPT = 12
"""Readings carried from one correction to the next."""
_DOUBTED = 0.45
"""Confidence at most where the caller was unsure: not even a known number makes it certain."""
_SURE_PART = 3
"""Symbols of a part that count even where other words led up to them."""
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
    in_a_sentence: bool = False
    """True when words nobody expected stood before the number: an answer to a question for it, nothing more."""
    plain_letters: bool = False
    """True when ``value`` has letters and not each of them was said by the alphabet: spoken, they are misheard."""


@dataclass(frozen=True)
class _Candidate:
    value: str
    strain: int


def read(text: str, number_format: NumberFormat, vocabulary: NumberWords, *, continued: bool = False) -> NumberReading:
    """Read one text by itself, without anything known about the caller.

    ``continued``: the text begins with what was said in an earlier breath.
    """
    tokens = tokenise(text, vocabulary)
    meant, denied = split_denied(tokens, vocabulary)
    unwrapped = unwrap(meant, vocabulary, letters=number_format.has_letters, continued=continued)
    said = unwrapped.words
    either, no_choice = vocabulary.choice, vocabulary.no_choice
    choice = next(
        (at for at, word in enumerate(said) if word == either and no_choice.isdisjoint(said[at + 1 : at + 2])), None
    )
    if choice is not None:
        return _either(said[:choice], said[choice + 1 :], number_format, vocabulary)
    parts, taken_back = segments(said, vocabulary)
    current: dict[str, int] = {"": 0}
    plus = number_format.may_be_telephone and begins_with_plus(said, vocabulary)
    for words in parts:
        found = _readings(words, number_format, vocabulary)
        placed = _placed(words, current, number_format, vocabulary)
        if placed:
            current = placed
            continue
        if not found:
            return _after_a_sentence(said, number_format, vocabulary)
        if all(symbols == "" for symbols in found):
            continue
        current = _mend(current, found, number_format)
    extendable = bool(tokens) and _last_spoken(tokens, vocabulary) in vocabulary.extendable
    reading = _judge(current, number_format, extendable=extendable, plus=plus)
    if reading.value is None:
        return reading if _may_go_on(reading, unwrapped, vocabulary) else NumberReading()
    straddling = (
        len(parts) == 1 and not reading.must_confirm and _straddles(reading.value, said, number_format, vocabulary)
    )
    denies_it = _denies(plain_symbols(denied, number_format, vocabulary), reading.value)
    return _doubted(reading) if unwrapped.unsure or taken_back or straddling or denies_it else reading


def _after_a_sentence(words: Sequence[str], number_format: NumberFormat, vocabulary: NumberWords) -> NumberReading:
    """Read a whole number that ends a sentence of other words; it is always asked about.

    Other numbers in the sentence, or words behind the number ("... dollars"), make it none.
    """
    length, letters = longest_reading(number_format), number_format.has_letters
    digits, teens, tens = vocabulary.digits, vocabulary.teens, vocabulary.tens
    ends = (at for at in range(1, len(words)) if readings(words[at:], length, vocabulary, letters=letters))
    start = next(ends, len(words))
    before = words[:start]
    if any(word in digits or word in teens or word in tens or not word.replace("'", "").isalpha() for word in before):
        return NumberReading()
    if not letters or not any(len(word) == 1 or word in vocabulary.phonetic for word in before):
        found = readings(words[start:], length, vocabulary, letters=letters)
        reading = _judge(found, number_format, extendable=False)
        long_enough = len(symbols_of(reading.value or "")) >= _SURE_PART  # a house number ends too many sentences
        if reading.value is not None and not reading.must_confirm and long_enough:
            return replace(_doubted(reading), in_a_sentence=True)
    return NumberReading()


def _either(
    one: Sequence[str], other: Sequence[str], number_format: NumberFormat, vocabulary: NumberWords
) -> NumberReading:
    """Read "this or that": whatever is whole is asked about."""
    read_apart = [read(" ".join(words), number_format, vocabulary) for words in (one, other)]
    values = [value for part in read_apart for value in (part.value, *part.alternatives) if value is not None]
    values = list(dict.fromkeys(values))
    if not values:
        return NumberReading()
    return NumberReading(values[0], True, 0.4, tuple(values[1:]), must_confirm=True)


def _may_go_on(reading: NumberReading, unwrapped: UnwrappedNumber, vocabulary: NumberWords) -> bool:
    """Return whether a part was really a number's: not "are you", and not the "two" of "I have two"."""
    sounds = any(word in vocabulary.letter_sounds and word not in vocabulary.fillers for word in unwrapped.words)
    return not sounds and (not unwrapped.led or len(symbols_of(reading.partial)) >= _SURE_PART)


def _denies(denied: str, value: str) -> bool:
    """Return whether what was denied is the end of the number itself ("... one nine, not nine, five")."""
    symbols = symbols_of(value)
    return any(symbols.endswith(denied[:length]) for length in range(1, len(denied) + 1))


def _straddles(value: str, words: Sequence[str], number_format: NumberFormat, vocabulary: NumberWords) -> bool:
    """Return whether one spoken number crosses a written gap between two digits of a code with letters.

    "N nineteen G U" is more likely an N19 postcode with a digit lost than N1 9GU.
    """
    gaps = [at for at in range(1, len(value) - 1) if not value[at].isalnum()]
    if not number_format.has_letters or len(gaps) != 1:
        return False
    first, last = value[: gaps[0]], value[gaps[0] + 1 :]
    if not (first[-1].isdigit() and last[0].isdigit()):
        return False
    words = [part for word in words for part in (word if word.isdigit() else (word,))]
    before = readings_so_far(words, number_format.max_length, vocabulary)
    return not any(
        any(_fits_exactly(symbols, first) for symbols in before[at])
        and any(_fits_exactly(symbols, last) for symbols in readings(words[at:], number_format.max_length, vocabulary))
        for at in range(1, len(words))
    )


def _fits_exactly(symbols: str, written: str) -> bool:
    return len(symbols) == len(written) and all(
        one == other or (one == ZERO_OR_O and other in "0O") for one, other in zip(symbols, written, strict=True)
    )


def _doubted(reading: NumberReading) -> NumberReading:
    return replace(reading, must_confirm=True, confidence=min(reading.confidence, _DOUBTED), whole_without_doubt=False)


def _readings(words: Sequence[str], number_format: NumberFormat, vocabulary: NumberWords) -> dict[str, int]:
    """Return what the words can mean; a number that was begun and said again, or said twice, counts once."""
    length, letters = longest_reading(number_format), number_format.has_letters
    table = readings_so_far(words, length, vocabulary, letters=letters)
    found = dict(table[-1])
    if any(number_format.fits(symbols) for symbols in found):
        return found
    for at in range(1, len(words)):
        before = {symbols: strain for symbols, strain in table[at].items() if symbols}
        if not before:
            continue
        restated = not vocabulary.restating.isdisjoint(words[at - 1 : at + 1])
        for symbols, strain in readings(words[at:], length, vocabulary, letters=letters).items():
            fit = number_format.fit(symbols)
            if fit is None:
                continue
            for earlier, more in before.items():
                same = number_format.fit(earlier)
                if same is not None and same.value == fit.value:
                    found[symbols] = min(found.get(symbols, 99), strain + more)
                elif _as_digits(symbols).startswith(_as_digits(earlier)) and len(earlier) > 1:
                    found[symbols] = min(found.get(symbols, 99), strain + more + (0 if restated else 1))
                elif same is not None and restated:
                    found[symbols] = min(found.get(symbols, 99), strain + 1)
                    found[earlier] = min(found.get(earlier, 99), more + 1)
    return found


def _as_digits(symbols: str) -> str:
    return symbols.replace(ZERO_OR_O, "0")


def _placed(
    words: Sequence[str], current: dict[str, int], number_format: NumberFormat, vocabulary: NumberWords
) -> dict[str, int]:
    """Mend a whole number with "it ends in eight three" said in the same breath."""
    whole = [(fit.value, strain) for symbols, strain in _best(current) for fit in number_format.fits(symbols)]
    placed: dict[str, int] = {}
    for value, strain in whole[:1]:
        mended = correct_at_position(
            " ".join(words),
            value,
            lambda part: plain_symbols(part.split(), number_format, vocabulary),
            vocabulary.places,
        )
        for symbols in mended or ():
            placed[symbols] = strain + _MENDED
    return placed


def _judge(
    current: dict[str, int], number_format: NumberFormat, *, extendable: bool, plus: bool = False
) -> NumberReading:
    """Pick the whole number, or the beginning of one, out of all readings. ``plus``: a country code comes first."""
    whole = _whole(current, number_format, plus=plus)
    if not whole and plus:
        started = [
            _as_digits(symbols) for symbols, _ in _best(current) if may_go_on(_as_digits(symbols), number_format)
        ]
        return NumberReading(partial=PLUS + started[0] if started else "")
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


def _whole(current: dict[str, int], number_format: NumberFormat, *, plus: bool) -> list[_Candidate]:
    """Return every whole number among the readings, the least strained first.

    One with its country code left off is worth a question; after "plus" nothing else is meant.
    """
    strains: dict[str, int] = {}

    def keep(symbols: str, strain: int) -> None:
        for fit in number_format.fits(symbols):
            if number_format.passes_check(fit.value):
                strains[fit.value] = min(strains.get(fit.value, 99), strain + GUESSED * fit.guesses)

    if not plus:
        for symbols, strain in current.items():
            keep(symbols, strain)
    if number_format.is_north_american:  # no area code begins with 0 or 1; a 1 before the number is the country's
        strains = {value: strain + (3 if value[0] in "01" else 0) for value, strain in strains.items()}
    for symbols, strain in _best(current):
        if plus or not number_format.fit(symbols):
            home = at_home(symbols, number_format)
            keep(home, strain + int(not plus or home != _as_digits(symbols)))
    if plus and not strains and number_format.is_north_american:  # "plus" and no country code
        for symbols, strain in current.items():
            keep(symbols, strain + 1)
    return sorted((_Candidate(value, strain) for value, strain in strains.items()), key=lambda one: one.strain)


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
                for whole in regrouped(fit.value, new):
                    # what was said last is taken back first
                    keep(whole, strain + int(not whole.endswith(new)))
                continue
            for length in number_format.lengths:
                tail = length - len(new)
                if 0 < tail < len(old) and old[tail:] != new:
                    # the fewer symbols are taken back, the likelier
                    keep(old[:tail] + new, strain + len(old) - tail - 1)
            if len(new) <= len(old):
                keep(old[: len(old) - len(new)] + new, strain)
            keep(old + new, strain + 1)
    return mended


def plain_symbols(tokens: Sequence[str], number_format: NumberFormat, vocabulary: NumberWords) -> str:
    """Return the natural symbols of a part of a number, after its last correction; ``""`` if there is none."""
    words = unwrap(tokens, vocabulary, letters=number_format.has_letters).words
    for segment in reversed(segments(words, vocabulary)[0]):
        every = readings(segment, number_format.max_length, vocabulary, letters=number_format.has_letters)
        found = {symbols: strain for symbols, strain in every.items() if symbols}
        if found:
            best = min(found, key=lambda symbols: (found[symbols], len(symbols)))
            return best if number_format.has_letters else best.replace(ZERO_OR_O, "0")
    return ""


def _best(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(found.items(), key=lambda item: item[1])[:_KEPT]


def _last_spoken(tokens: Sequence[str], vocabulary: NumberWords) -> str:
    fillers, extendable = vocabulary.fillers, vocabulary.extendable
    return next((token for token in reversed(tokens) if token not in fillers or token in extendable), "")
