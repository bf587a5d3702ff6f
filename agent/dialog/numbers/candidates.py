"""Every candidate: all the ways a run of words can be read as the symbols of a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.dialog.numbers.format import ZERO_OR_O
from agent.dialog.numbers.words import (
    DIGIT_SOUNDS,
    DIGITS,
    EDGE_WORDS,
    FILLERS,
    LETTER_SOUNDS,
    PHONETIC,
    PLURALS,
    REPEATS,
    SEPARATORS,
    SMALL,
    SPELLINGS,
    TEENS,
    TENS,
)

GUESSED = 2
"""Strain of a symbol that was bent to fit: never a rival of a natural reading, always worth a question alone."""
_MAX_READINGS = 48
_SPELLED_CHARS = 3
_HUNDREDS = 3
_MAX_SOUNDS = 2
"""So many words taken for the digits they sound like, and at least as many digits that are none."""
_SOUND_LIKE_TWO = frozenset({"sixty", "seventy", "eighty", "ninety"})
"""Said quickly, "six two" is recognised as "sixty": 17 of 60 such numbers of one voice. Where the usual reading does
not fit, this one is likelier than "sixty three" as 60 3; both are asked about."""
_NAMES = {**PHONETIC, **SPELLINGS}


def readings(tokens: Sequence[str], max_length: int, *, letters: bool = True) -> dict[str, int]:
    """Return every string of symbols the words can mean, with its strain.

    Strain 0 is how people usually mean these words; each stretched interpretation ("seventy three" as 70 3, "for" as 4)
    adds one. Empty when some word cannot belong to a number. Without ``letters`` the format has none.
    """
    return readings_so_far(tokens, max_length, letters=letters)[-1]


def readings_so_far(tokens: Sequence[str], max_length: int, *, letters: bool = True) -> list[dict[str, int]]:
    """Return :func:`readings` of the first 0, 1, 2, ... words."""
    table: list[dict[str, int]] = [{} for _ in range(len(tokens) + 1)]
    table[0][""] = 0
    sounds = _may_hold_sounds(tokens)
    for start in range(len(tokens)):
        if not table[start]:
            continue
        best = sorted(table[start].items(), key=lambda item: item[1])[:_MAX_READINGS]
        for used, symbols, strain in _options(tokens, start, letters=letters, sounds=sounds):
            later = table[start + used]
            for before, so_far in best:
                whole = before + symbols
                if len(whole) <= max_length + 1:
                    later[whole] = min(later.get(whole, 99), so_far + strain)
    return table


def _may_hold_sounds(tokens: Sequence[str]) -> bool:
    """A word or two among more digits may be digits misheard ("one oh for seven three"); more are a sentence."""
    sounds = sum(token in DIGIT_SOUNDS for token in tokens[1:])
    return (
        0
        < sounds + (bool(tokens) and tokens[0] in DIGIT_SOUNDS)
        <= min(_MAX_SOUNDS, sum(token in DIGITS or token.isdigit() for token in tokens) - 1)
    )


def _options(tokens: Sequence[str], start: int, *, letters: bool, sounds: bool) -> Iterator[tuple[int, str, int]]:
    """Yield (words used, symbols, strain) for each way the words from ``start`` on can begin."""
    word = tokens[start]
    following = tokens[start + 1] if start + 1 < len(tokens) else ""
    if word.isdigit() and word.isascii():
        yield 1, word, 0
    if word in FILLERS or word in SEPARATORS or word == "an":
        yield 1, "", 0
    if word == "point":
        # "three point one four" may be an amount
        yield 1, "", 1
    if word in DIGITS:
        yield 1, DIGITS[word], 0
    if word in PLURALS:
        yield 1, PLURALS[word], 2
    if word in SMALL and 2 <= SMALL[word] <= 5 and following in PLURALS:
        yield 2, PLURALS[following] * SMALL[word], 0
    if word in REPEATS:
        yield from _repeats(word, following)
    if word in TEENS:
        yield 1, str(TEENS[word]), 0
    if word in TENS:
        combined = following in SMALL
        if combined:
            yield 2, str(TENS[word] + SMALL[following]), 0
        if word in _SOUND_LIKE_TWO and (combined or following == "zero"):
            # "six two three" is often recognised as "sixty three"; and nobody says "sixty zero"
            yield 1, str(TENS[word] + 2), 1
            yield 1, str(TENS[word]), 2
        else:
            yield 1, str(TENS[word]), int(combined)
    if word in DIGIT_SOUNDS:
        first = all(token in FILLERS for token in tokens[:start])
        if word in EDGE_WORDS and (first or start == len(tokens) - 1):
            yield 1, "", 0
        if sounds and not (word in EDGE_WORDS and first):
            yield 1, DIGIT_SOUNDS[word], 1
    yield from _hundreds(tokens, start)
    yield from _thousands(tokens, start)
    if letters:
        yield from _letters(tokens, start)
    elif word == "a":
        # "it's a five": an article; between digits it may have been an "eight"
        led = start == 0 or tokens[start - 1] in FILLERS
        yield 1, "", int(not led)


def _repeats(word: str, following: str) -> Iterator[tuple[int, str, int]]:
    if not following:
        yield 1, "", 0
    symbol = _one_symbol(following)
    if word == "double" and following in ("u", "you"):
        yield 2, "W", 1
        yield 2, "UU", 2
    elif symbol:
        yield 2, symbol * REPEATS[word], 0


def _one_symbol(word: str) -> str:
    if len(word) == 1 and word.isascii() and word.isalpha() and word not in DIGITS:
        return word.upper()
    return DIGITS.get(word) or PLURALS.get(word) or _NAMES.get(word) or ""


def _small_numbers(tokens: Sequence[str], start: int) -> Iterator[tuple[int, int]]:
    """Yield (words used, value) for cardinals 1 to 99, the longest first."""
    word = tokens[start] if start < len(tokens) else ""
    following = tokens[start + 1] if start + 1 < len(tokens) else ""
    if word in TENS and following in SMALL:
        yield 2, TENS[word] + SMALL[following]
    if word in TENS:
        yield 1, TENS[word]
    elif word in TEENS:
        yield 1, TEENS[word]
    elif word in SMALL:
        yield 1, SMALL[word]


def _hundreds(tokens: Sequence[str], start: int) -> Iterator[tuple[int, str, int]]:
    """Read "one hundred", "one hundred and four", "twelve hundred twenty"."""
    heads = [(1, 1)] if tokens[start] == "a" else list(_small_numbers(tokens, start))
    for used, head in heads:
        at = start + used
        if at >= len(tokens) or tokens[at] != "hundred":
            continue
        rest = at + 2 if at + 1 < len(tokens) and tokens[at + 1] == "and" else at + 1
        tails = list(_small_numbers(tokens, rest))
        for index, (more, tail) in enumerate(tails):
            yield rest + more - start, str(head * 100 + tail), index
        # "eight hundred five" as 800 5: a stretch, the caller may have meant 805 with a digit to come
        yield at + 1 - start, str(head * 100), len(tails[:1])


def _thousands(tokens: Sequence[str], start: int) -> Iterator[tuple[int, str, int]]:
    """Read "ten thousand four hundred and seventy three" and the looser "ten thousand four seventy three"."""
    heads = [(1, 1)] if tokens[start] == "a" else list(_small_numbers(tokens, start))
    heads += [(used, int(symbols)) for used, symbols, _ in _hundreds(tokens, start) if len(symbols) == _HUNDREDS]
    for used, head in heads:
        at = start + used
        if at >= len(tokens) or tokens[at] != "thousand":
            continue
        rest = at + 2 if at + 1 < len(tokens) and tokens[at + 1] == "and" else at + 1
        tails = list(_below_thousand(tokens, rest))
        for more, tail, strain in tails:
            yield rest + more - start, str(head * 1000 + tail), strain
        yield at + 1 - start, str(head * 1000), len(tails[:1])


def _below_thousand(tokens: Sequence[str], start: int) -> Iterator[tuple[int, int, int]]:
    if start >= len(tokens):
        return
    for used, symbols, strain in _hundreds(tokens, start):
        if len(symbols) == 3:
            yield used, int(symbols), strain
    digits = "".join(DIGITS.get(token, " ") for token in tokens[start : start + 3]).replace(ZERO_OR_O, "0")
    if len(digits) == 3 and digits.isdigit() and digits[0] != "0":
        yield 3, int(digits), 0
    for index, (used, value) in enumerate(_small_numbers(tokens, start)):
        if value < 10:
            for more, tail in _small_numbers(tokens, start + used):
                if tail >= 10:
                    yield used + more, value * 100 + tail, 0
        yield used, value, index


def _letters(tokens: Sequence[str], start: int) -> Iterator[tuple[int, str, int]]:
    """Read "b", "bravo", "b bravo", "b as in bravo", "bravo as in b", "b for bravo", and short runs of letters."""
    word = tokens[start]
    if word == "x" and tokens[start + 1 : start + 2] == ["ray"]:
        yield 2, "X", 0
    if not (word.isascii() and word.replace("-", "").isalpha()):
        return
    letter = _NAMES.get(word) or (word.upper() if len(word) == 1 else "")
    if letter:
        example = _example(tokens, start + 1)
        if example is not None:
            used, meant, strain = example
            yield 1 + used, meant, strain or int(meant != letter)
            return
        if len(word) == 1 and start + 1 < len(tokens) and _NAMES.get(tokens[start + 1]) == letter:
            yield 2, letter, 0
        if word != "o":
            yield 1, letter, 0
        return
    if word in LETTER_SOUNDS:
        yield 1, LETTER_SOUNDS[word], 1
    if len(word) <= _SPELLED_CHARS and word not in DIGITS and word not in TEENS and word not in FILLERS:
        yield 1, word.upper(), 1


def _example(tokens: Sequence[str], start: int) -> tuple[int, str, int] | None:
    """Return (words used, letter meant, strain) for "as in bravo", "like bravo", "for bravo" at this place."""
    for lead in (("as", "in"), ("like", "in"), ("like",), ("for",), ("is", "for")):
        end = start + len(lead)
        if end < len(tokens) and tuple(tokens[start:end]) == lead and tokens[end].isascii():
            example = tokens[end]
            if example in _NAMES or example.isalpha():
                # "s for six" may be the digit as well
                doubtful = example in SMALL or example in TEENS or example in TENS
                return len(lead) + 1, _NAMES.get(example, example[0].upper()), int(doubtful)
    return None
