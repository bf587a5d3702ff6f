"""Number capture: what number a caller means, how sure that is, and whether to ask.

Pure functions from text to :class:`NumberReading`. The rule behind everything: a natural reading that fits the format
and has no rival is taken; whatever had to be stretched, mended or chosen must be confirmed; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.dialog.contract import Completeness
from agent.dialog.numbers.carrier_phrases import split_denied
from agent.dialog.numbers.format import NumberFormat, symbols_of
from agent.dialog.numbers.positional_corrections import correct_at_position, names_a_place, regrouped, replaced
from agent.dialog.numbers.reading import NumberReading, plain_symbols, read
from agent.dialog.numbers.spelling_alphabet import is_by_alphabet
from agent.dialog.numbers.words import tokenise
from agent.languages.number_words import NumberWords

__all__ = [
    "NumberReading",
    "completeness",
    "correct",
    "is_one_symbol",
    "is_part",
    "names_a_place",
    "sounds_like",
    "understand",
]


def understand(
    text: str,
    number_format: NumberFormat,
    known: Iterable[str] = (),
    alternatives: Sequence[str] = (),
    so_far: str = "",
    *,
    vocabulary: NumberWords,
) -> NumberReading:
    """Read a number out of ``text``.

    ``known`` are numbers this caller may well mean (their own orders): they decide between readings, they are never
    offered for something that was not said. ``alternatives`` are the recogniser's other texts. ``so_far`` is what was
    said of this number in earlier breaths: a whole number in ``text`` replaces it, a part continues it.
    ``vocabulary`` are the tables of the language that is spoken.
    Never raises; text that is no number gives an empty reading.
    """
    alone = read(text, number_format, vocabulary)
    if so_far:
        alone = _joined(alone, read(f"{so_far} {text}", number_format, vocabulary, continued=True))
    others: list[str] = []
    for other in alternatives:
        reading = read(f"{so_far} {other}" if so_far else other, number_format, vocabulary)
        others += [value for value in (reading.value, *reading.alternatives) if value is not None]
    own = _normalised(known, number_format)
    ranked = _rank(alone, others, own)
    if not number_format.has_letters:
        return ranked
    reading = _misspelled(ranked, own, vocabulary)
    return replace(reading, plain_letters=_has_plain_letters(reading.value, (text, f"{so_far} {text}"), vocabulary))


def completeness(text: str, number_format: NumberFormat, so_far: str = "", *, vocabulary: NumberWords) -> Completeness:
    """Judge an unfinished text: a whole number, certainly only part of one, or something else."""
    reading = understand(text, number_format, so_far=so_far, vocabulary=vocabulary)
    if reading.value is not None:
        return Completeness.COMPLETE if reading.whole_without_doubt else Completeness.OPEN
    return Completeness.INCOMPLETE if reading.partial else Completeness.OPEN


def correct(previous: str, text: str, number_format: NumberFormat, *, vocabulary: NumberWords) -> NumberReading:
    """Apply a caller's correction to a number that was read back.

    A whole number replaces it; a part replaces the one group it can stand for ("no, seven four" after "one zero four,
    seven three" gives 10474); "fifteen, not fifty" replaces what was named. A part that could stand for several
    groups comes back to be confirmed, the likeliest first.
    """
    reading = read(text, number_format, vocabulary)
    placed = names_a_place(text, vocabulary)
    if reading.value is not None and not reading.must_confirm and not placed:
        return reading
    mended = [fit.value for symbols in _corrected(previous, text, number_format, vocabulary)
              if (fit := number_format.fit(symbols)) and fit.value != previous]  # fmt: skip
    values = [value for value in dict.fromkeys(mended) if number_format.passes_check(value)]
    if not values:
        return NumberReading() if placed else replace(reading, partial="")
    return NumberReading(values[0], True, 0.7 if len(values) == 1 else 0.4, tuple(values[1:]), must_confirm=True)


def is_part(text: str, number_format: NumberFormat, *, vocabulary: NumberWords) -> bool:
    """Return whether ``text`` is some part of a number, not necessarily its beginning ("it ends in five")."""
    if names_a_place(text, vocabulary):
        return True
    said, denied = split_denied(tokenise(text, vocabulary), vocabulary)
    symbols = plain_symbols(said, number_format, vocabulary) or plain_symbols(denied, number_format, vocabulary)
    return 0 < len(symbols) <= number_format.max_length


def is_one_symbol(text: str, number_format: NumberFormat, *, vocabulary: NumberWords) -> bool:
    """Return whether ``text`` is one digit or letter, said once or over and over ("four", "uh four", "four four")."""
    words = {word for word in tokenise(text, vocabulary) if word not in vocabulary.fillers}
    return len(words) == 1 and len(plain_symbols(tuple(words), number_format, vocabulary)) == 1


def _corrected(previous: str, text: str, number_format: NumberFormat, vocabulary: NumberWords) -> list[str]:
    """Return the symbols that ``previous`` may have been meant to be."""
    tokens = tokenise(text, vocabulary)
    negation = vocabulary.carriers.negation

    def read_part(words: str) -> str:
        return plain_symbols(words.split(), number_format, vocabulary)

    said, denied = split_denied(tokens, vocabulary)
    if not denied:
        placed = correct_at_position(" ".join(tokens), previous, read_part, vocabulary.places)
        if placed is not None:
            return placed
    old = symbols_of(previous)
    part = plain_symbols(said, number_format, vocabulary)
    wrong = plain_symbols(denied, number_format, vocabulary)
    if not wrong and negation in tokens:
        # "not fifteen fifty": the first half is denied
        part = plain_symbols(tokens[tokens.index(negation) + 1 :], number_format, vocabulary)
        half, odd = divmod(len(part), 2)
        wrong, part = ("", "") if odd else (part[:half], part[half:])
    if not part or len(part) >= len(old):
        return []
    if wrong:
        return replaced(previous, wrong, part) or ([] if len(wrong) == 1 else regrouped(previous, part))
    return regrouped(previous, part)


def _joined(alone: NumberReading, joined: NumberReading) -> NumberReading:
    """Choose between what a breath says by itself and as the rest of what was said before."""
    if joined.value is None:
        better = alone.value is None and len(joined.partial) > len(alone.partial)
        return joined if better else alone
    if alone.value is None or (alone.must_confirm and not joined.must_confirm):
        return joined
    if alone.value != joined.value:
        return replace(alone, alternatives=(joined.value, *alone.alternatives), must_confirm=True, confidence=0.5,
                       whole_without_doubt=False)  # fmt: skip
    return alone


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


def _misspelled(reading: NumberReading, known: frozenset[str], vocabulary: NumberWords) -> NumberReading:
    """Ask about the one of the caller's own codes that sounds like what was heard, where that is none of them."""
    if reading.value is None or reading.value in known:
        return reading
    near = [one for one in known if sounds_like(one, reading.value, vocabulary)]
    if len(near) != 1:
        return reading
    others = tuple(dict.fromkeys((reading.value, *reading.alternatives)))
    return replace(reading, value=near[0], alternatives=others, must_confirm=True, confidence=0.5,
                   whole_without_doubt=False)  # fmt: skip


def _has_plain_letters(value: str | None, texts: Iterable[str], vocabulary: NumberWords) -> bool:
    """Return whether a number has letters that none of the texts it may come from says by the alphabet."""
    if value is None or not any(char.isalpha() for char in value):
        return False
    return not any(is_by_alphabet(tokenise(text, vocabulary), vocabulary, value) for text in texts)


def sounds_like(one: str, other: str, vocabulary: NumberWords) -> bool:
    """Return whether two codes differ only in letters that sound alike: in one, or in half of their letters at most."""
    if len(one) != len(other):
        return False
    apart = [(left, right) for left, right in zip(one, other, strict=True) if left != right]
    letters = sum(char.isalpha() for char in one)
    alike = all(any(left in group and right in group for group in vocabulary.sound_alike) for left, right in apart)
    return alike and 0 < len(apart) <= max(1, letters // 2)


def _normalised(known: Iterable[str], number_format: NumberFormat) -> frozenset[str]:
    values = (number_format.normalise(one) for one in known)
    return frozenset(value for value in values if value is not None)
