"""The words numbers are spoken with, and the tokeniser for spoken and typed numbers."""

from __future__ import annotations

import re

from agent.dialog.numbers.format import ZERO_OR_O, NumberFormat

DIGITS = {
    "zero": "0", "nil": "0", "nought": "0", "naught": "0", "ought": "0", "aught": "0", "oh": ZERO_OR_O, "o": ZERO_OR_O,
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "niner": "9",
}  # fmt: skip
PLURALS = {
    "zeros": "0", "zeroes": "0", "noughts": "0", "ohs": ZERO_OR_O, "ones": "1", "twos": "2", "threes": "3",
    "fours": "4",
    "fives": "5", "sixes": "6", "sevens": "7", "eights": "8", "nines": "9",
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
SPELLINGS = {"alfa": "A", "juliett": "J", "whisky": "W", "xray": "X", "zed": "Z", "zee": "Z", "aitch": "H"}
"""Other names of letters that can be nothing else."""
LETTER_SOUNDS = {
    "bee": "B", "be": "B", "see": "C", "sea": "C", "cee": "C", "dee": "D", "eff": "F", "gee": "G", "eye": "I",
    "jay": "J", "kay": "K", "ell": "L", "em": "M", "en": "N", "pee": "P", "pea": "P", "queue": "Q", "cue": "Q",
    "are": "R", "ar": "R", "ess": "S", "tea": "T", "tee": "T", "you": "U", "vee": "V", "ex": "X", "why": "Y",
}  # fmt: skip
"""Words a recogniser writes for a spelled letter: a guess each time."""
DIGIT_SOUNDS = {
    "for": "4", "fore": "4", "to": "2", "too": "2", "won": "1", "free": "3", "tree": "3", "ate": "8", "owe": "0",
}  # fmt: skip
"""Words a recogniser writes for a digit: a guess each time."""
EDGE_WORDS = frozenset({"to", "for", "too"})
"""Digit sounds that are mere words before and after a number."""
SEPARATORS = frozenset({
    "dash", "hyphen", "slash", "dot", "space", "underscore", "stroke", "pause", "comma", "hash", "hashtag",
    "pound", "plus", "minus", "period", "colon",
})  # fmt: skip
FILLERS = frozenset({
    "um", "uh", "er", "erm", "hmm", "mm", "ah", "eh", "and", "then", "so", "okay", "ok", "please", "yeah", "yes", "yep",
    "yup", "well", "like", "it's", "is", "that's", "the", "number", "number's", "order", "let", "me", "see", "it",
    "thanks", "again", "my", "sure", "right", "alright", "hi", "hello", "hey", "just", "now", "there", "here", "sir",
    "madam", "ma'am", "cheers", "mine", "that", "digits", "digit",
})  # fmt: skip
"""Words that carry nothing inside or around a spoken number."""
_MARKER_TEXT = """
no that's not right|that's not right|no that's wrong|that's wrong|let me start again|let me start over
let me try again|start over|start again|hold on a moment|hold on a second|hang on a second|i beg your pardon|hang on
hold on|strike that|excuse me|my mistake|scratch that|make that|no wait|no sorry|sorry no|i mean|i meant|i said
or rather|no|nope|nah|sorry|wait|actually|rather|correction|oops|whoops|pardon|wrong
"""
MARKERS = tuple(
    tuple(marker.split())
    for marker in sorted(_MARKER_TEXT.strip().replace("\n", "|").split("|"), key=lambda one: -len(one.split()))
)
"""What announces that the caller corrects what was just said; the longest first."""
EXTENDABLE = frozenset({*TENS, *REPEATS, "hundred", "thousand", "and", "dash", "hyphen", "as", "in", "like"})
"""A number that ends with one of these may well go on."""
UNREADABLE = "…"
"""Stands for words beyond what a number can need: whatever holds it is no number."""

SMALL = {word: int(digit) for word, digit in DIGITS.items() if digit in "123456789"}
_TOKEN = re.compile(r"x-ray|[a-z]+(?:'[a-z]+)?|[0-9]+|[^\s\-.,;:!?#*/()+_\"]")
_TYPED = re.compile(r"(?<![a-z0-9])(?=[a-z0-9]*[0-9])(?=[0-9]*[a-z])[a-z0-9]+(?![a-z0-9])")
"""Letters and digits in one: typed, never said ("sw1a", "ab12345")."""
_TYPED_LETTERS = re.compile(r"(?<![a-z'])([a-z]{1,3})(?=[ -]?[0-9])")
_CAPITALS = re.compile(r"(?<![A-Za-z0-9'])[A-Z]{2,3}(?![A-Za-z0-9'])")
"""A recogniser writes no capitals: these were typed, letter by letter."""
_ORDINAL = re.compile(r"[0-9]+(?:st|nd|rd|th|am|pm|k|m)")
_WORDS_BEFORE_DIGITS = frozenset({
    "is", "it", "at", "to", "in", "on", "of", "no", "my", "so", "or", "if", "be", "an", "as", "by", "and", "the", "for",
    "zip", "ok", "hi", "uh", "um", "er", "one", "two", "six", "ten", "not", "its", "yes", "oh", "ah", "eh", "mm", "but",
})  # fmt: skip
_CAPITAL_WORDS = _WORDS_BEFORE_DIGITS | FILLERS | DIGITS.keys() | TEENS.keys()
_MAX_TOKENS = 64


def words_for(number_format: NumberFormat) -> tuple[str, ...]:
    """Return the words a recogniser must know to hear this format; each may follow any other."""
    words = ["zero", "oh", *SMALL, *TEENS, *TENS, "double", "triple", "hundred"]
    words = [word for word in words if word != "niner"]
    if number_format.has_letters:
        words += [chr(code) for code in range(ord("a"), ord("z") + 1)]
        words += [*PHONETIC, "dash", "hyphen", "as", "in", "for"]
    return tuple(words)


def tokenise(text: str) -> list[str]:
    """Split heard or typed text into lower-case words, single typed letters and digit runs. Never raises.

    A text of more words than any number needs ends with :data:`UNREADABLE`: a correction may stand in what was cut off.
    """
    if not text.isupper():
        text = _CAPITALS.sub(lambda found: found[0] if found[0].lower() in _CAPITAL_WORDS else " ".join(found[0]), text)
    lowered = _TYPED.sub(_typed, text.lower().replace("’", "'"))
    lowered = _TYPED_LETTERS.sub(_typed_letters, lowered)
    tokens = _TOKEN.findall(lowered)
    return tokens if len(tokens) <= _MAX_TOKENS else [*tokens[:_MAX_TOKENS], UNREADABLE]


def _typed(found: re.Match[str]) -> str:
    if _ORDINAL.fullmatch(found[0]):
        return UNREADABLE
    return " ".join(re.findall(r"[a-z]|[0-9]+", found[0]))


def _typed_letters(found: re.Match[str]) -> str:
    return found[1] if found[1] in _WORDS_BEFORE_DIGITS else " ".join(found[1])
