"""The words numbers are spoken with, and every way a run of such words can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.dialog.number_format import EITHER_O, NumberFormat

DIGITS = {
    "zero": "0", "nil": "0", "nought": "0", "oh": EITHER_O, "o": EITHER_O,
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "niner": "9",
}  # fmt: skip
PLURALS = {
    "zeros": "0", "zeroes": "0", "ones": "1", "twos": "2", "threes": "3", "fours": "4", "fives": "5", "sixes": "6",
    "sevens": "7", "eights": "8", "nines": "9",
}  # fmt: skip
TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
PHONETIC = {
    "alpha": "A", "bravo": "B", "charlie": "C", "delta": "D", "echo": "E", "foxtrot": "F", "golf": "G", "hotel": "H",
    "india": "I", "juliet": "J", "kilo": "K", "lima": "L", "mike": "M", "november": "N", "oscar": "O", "papa": "P",
    "quebec": "Q", "romeo": "R", "sierra": "S", "tango": "T", "uniform": "U", "victor": "V", "whiskey": "W",
    "x-ray": "X", "yankee": "Y", "zulu": "Z",
}  # fmt: skip
SEPARATORS = frozenset({"dash", "hyphen", "slash", "point", "dot"})
FILLERS = frozenset({
    "um", "uh", "er", "erm", "hmm", "ah", "and", "then", "so", "okay", "ok", "please", "yeah", "yes", "well", "like",
    "it's", "is", "that's", "the", "number", "order", "let", "me", "see", "think", "i", "it", "thanks", "again",
})  # fmt: skip
"""Words that carry nothing inside or around a spoken number."""
MARKERS = (
    ("scratch", "that"), ("make", "that"), ("no", "wait"), ("no", "sorry"), ("sorry", "no"), ("i", "mean"),
    ("i", "meant"), ("i", "said"), ("no",), ("nope",), ("sorry",), ("wait",), ("actually",), ("rather",),
    ("correction",),
)  # fmt: skip
"""What announces that the caller corrects what was just said."""
EXTENDABLE = frozenset({*TENS, *REPEATS, "hundred", "thousand", "and", "dash", "hyphen", "as", "in", "like"})
"""A number that ends with one of these may well go on."""

_SMALL = {word: int(digit) for word, digit in DIGITS.items() if digit in "123456789"}
_TOKEN = re.compile(r"x-ray|[a-z]+(?:'[a-z]+)?|[0-9]+|[^\s\-.,;:!?#*/()]")
_MAX_TOKENS = 48
_MAX_READINGS = 48
_SPELLED_CHARS = 3


def words_for(number_format: NumberFormat) -> tuple[str, ...]:
    """Return the words a recogniser must know to hear this format; each may follow any other."""
    words = ["zero", "oh", *_SMALL, *TEENS, *TENS, "double", "triple", "hundred"]
    words = [word for word in words if word != "niner"]
    if number_format.has_letters:
        words += [chr(code) for code in range(ord("a"), ord("z") + 1)]
        words += [*PHONETIC, "dash", "hyphen", "as", "in", "for"]
    return tuple(words)


def tokenise(text: str) -> list[str]:
    """Split heard or typed text into lower-case words and digit runs. Never raises."""
    return _TOKEN.findall(text.lower())[:_MAX_TOKENS]


def readings(tokens: Sequence[str], max_length: int) -> dict[str, int]:
    """Return every string of symbols the words can mean, with its strain.

    Strain 0 is how people usually mean these words; each stretched interpretation ("seventy three" as 70 3) adds one.
    Empty when some word cannot belong to a number.
    """
    table: list[dict[str, int]] = [{} for _ in range(len(tokens) + 1)]
    table[0][""] = 0
    for start in range(len(tokens)):
        if not table[start]:
            continue
        best = sorted(table[start].items(), key=lambda item: item[1])[:_MAX_READINGS]
        for used, symbols, strain in _options(tokens, start):
            later = table[start + used]
            for before, so_far in best:
                whole = before + symbols
                if len(whole) <= max_length + 1:
                    later[whole] = min(later.get(whole, 99), so_far + strain)
    return table[len(tokens)]


def _options(tokens: Sequence[str], start: int) -> Iterator[tuple[int, str, int]]:
    """Yield (words used, symbols, strain) for each way the words from ``start`` on can begin."""
    word = tokens[start]
    following = tokens[start + 1] if start + 1 < len(tokens) else ""
    if word.isdigit():
        yield 1, word, 0
    if word in FILLERS or word in SEPARATORS:
        yield 1, "", 0
    if word in DIGITS:
        yield 1, DIGITS[word], 0
    if word in PLURALS:
        yield 1, PLURALS[word], 1
    if word in _SMALL and 2 <= _SMALL[word] <= 5 and following in PLURALS:
        yield 2, PLURALS[following] * _SMALL[word], 0
    if word in REPEATS:
        symbol = _one_symbol(following)
        if symbol:
            yield 2, symbol * REPEATS[word], 0
    if word in TEENS:
        yield 1, str(TEENS[word]), 0
    if word in TENS:
        combined = following in _SMALL
        if combined:
            yield 2, str(TENS[word] + _SMALL[following]), 0
        yield 1, str(TENS[word]), int(combined)
    yield from _hundreds(tokens, start)
    yield from _thousands(tokens, start)
    yield from _letters(tokens, start)


def _one_symbol(word: str) -> str:
    if len(word) == 1 and word.isascii() and word.isalpha() and word not in DIGITS:
        return word.upper()
    return DIGITS.get(word) or PLURALS.get(word) or PHONETIC.get(word) or ""


def _small_numbers(tokens: Sequence[str], start: int) -> Iterator[tuple[int, int]]:
    """Yield (words used, value) for cardinals 1 to 99, the longest first."""
    word = tokens[start] if start < len(tokens) else ""
    following = tokens[start + 1] if start + 1 < len(tokens) else ""
    if word in TENS and following in _SMALL:
        yield 2, TENS[word] + _SMALL[following]
    if word in TENS:
        yield 1, TENS[word]
    elif word in TEENS:
        yield 1, TEENS[word]
    elif word in _SMALL:
        yield 1, _SMALL[word]


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
        yield at + 1 - start, str(head * 100), len(tails[:1])


def _thousands(tokens: Sequence[str], start: int) -> Iterator[tuple[int, str, int]]:
    """Read "ten thousand four hundred and seventy three" and the looser "ten thousand four seventy three"."""
    heads = [(1, 1)] if tokens[start] == "a" else list(_small_numbers(tokens, start))
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
    for index, (used, value) in enumerate(_small_numbers(tokens, start)):
        if value < 10:
            for more, tail in _small_numbers(tokens, start + used):
                if tail >= 10:
                    yield used + more, value * 100 + tail, 0
        yield used, value, index


def _letters(tokens: Sequence[str], start: int) -> Iterator[tuple[int, str, int]]:
    """Read "b", "bravo", "b as in bravo", "b for bravo", and short runs of typed letters ("ab")."""
    word = tokens[start]
    if word in PHONETIC:
        yield 1, PHONETIC[word], 0
        return
    if not (word.isascii() and word.isalpha()):
        return
    if len(word) == 1:
        letter = word.upper()
        example = _example(tokens, start + 1)
        if example is not None:
            used, meant = example
            yield 1 + used, meant, int(meant != letter)
        elif word != "o":
            yield 1, letter, 0
    elif len(word) <= _SPELLED_CHARS and word not in DIGITS and word not in TEENS and word not in FILLERS:
        yield 1, word.upper(), 1


def _example(tokens: Sequence[str], start: int) -> tuple[int, str] | None:
    """Return (words used, letter meant) for "as in bravo", "like bravo", "for bravo" at this place."""
    for lead in (("as", "in"), ("like",), ("for",), ("is", "for")):
        end = start + len(lead)
        if (
            tuple(tokens[start:end]) == lead
            and end < len(tokens)
            and (tokens[end] in PHONETIC or tokens[end].isalpha())
        ):
            example = tokens[end]
            return len(lead) + 1, PHONETIC.get(example, example[0].upper() if example[0].isascii() else "")
    return None
