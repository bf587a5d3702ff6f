"""English numbers: the words they are spoken with, read and said. The algorithms are in dialog/numbers."""

from __future__ import annotations

import string

from agent.languages.carrier_words import phrases
from agent.languages.en.carriers import CARRIERS
from agent.languages.en.places import PLACES
from agent.languages.number_words import ZERO_OR_O, NumberWords, SayingWords

_DIGITS = {
    "zero": "0", "nil": "0", "nought": "0", "naught": "0", "ought": "0", "aught": "0", "oh": ZERO_OR_O, "o": ZERO_OR_O,
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "niner": "9",
}  # fmt: skip
_PLURALS = {
    "zeros": "0", "zeroes": "0", "noughts": "0", "ohs": ZERO_OR_O, "ones": "1", "twos": "2", "threes": "3",
    "fours": "4",
    "fives": "5", "sixes": "6", "sevens": "7", "eights": "8", "nines": "9",
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_PHONETIC = {
    "alpha": "A", "bravo": "B", "charlie": "C", "delta": "D", "echo": "E", "foxtrot": "F", "golf": "G", "hotel": "H",
    "india": "I", "juliet": "J", "kilo": "K", "lima": "L", "mike": "M", "november": "N", "oscar": "O", "papa": "P",
    "quebec": "Q", "romeo": "R", "sierra": "S", "tango": "T", "uniform": "U", "victor": "V", "whiskey": "W",
    "x-ray": "X", "yankee": "Y", "zulu": "Z",
}  # fmt: skip
_PHONETIC_SPELLINGS = {"alfa": "A", "juliett": "J", "whisky": "W", "xray": "X"}
"""Other spellings of the alphabet's words."""
_SPELLINGS = {
    "ay": "A", "cee": "C", "eff": "F", "aitch": "H",
    "haitch": "H", "ess": "S", "vee": "V", "doubleyou": "W", "wye": "Y", "zed": "Z", "zee": "Z",
}  # fmt: skip
"""Other names of letters that can be nothing else."""
_LETTER_SOUNDS = {
    "bee": "B", "be": "B", "see": "C", "sea": "C", "dee": "D", "ee": "E", "ef": "F", "gee": "G", "jee": "G", "eye": "I",
    "aye": "I", "jay": "J", "kay": "K", "cay": "K", "ell": "L", "el": "L", "em": "M", "en": "N", "pee": "P", "pea": "P",
    "queue": "Q", "cue": "Q", "kew": "Q", "are": "R", "ar": "R", "es": "S", "tea": "T", "tee": "T", "you": "U",
    "yew": "U", "ex": "X", "why": "Y",
}  # fmt: skip
"""Words a recogniser writes for a spelled letter: a guess each time."""
_DIGIT_SOUNDS = {
    "for": "4", "fore": "4", "to": "2", "too": "2", "won": "1", "free": "3", "tree": "3", "ate": "8", "owe": "0",
}  # fmt: skip
"""Words a recogniser writes for a digit: a guess each time."""
_SOUND_ALIKE = ("BCDEGPTVZ", "AHJK", "FSX", "MN", "IRY", "LO", "QUW")
"""They differ by sounds that lie above 3400 Hz, or by a short consonant."""
_EDGE_WORDS = frozenset({"to", "for", "too"})
"""Digit sounds that are mere words before and after a number."""
_SEPARATORS = frozenset({
    "dash", "hyphen", "slash", "dot", "space", "underscore", "stroke", "pause", "comma", "hash", "hashtag",
    "pound", "plus", "minus", "period", "colon",
})  # fmt: skip
_FILLERS = frozenset({
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
_WORDS_BEFORE_DIGITS = frozenset({
    "is", "it", "at", "to", "in", "on", "of", "no", "my", "so", "or", "if", "be", "an", "as", "by", "and", "the", "for",
    "zip", "ok", "hi", "uh", "um", "er", "one", "two", "six", "ten", "not", "its", "yes", "oh", "ah", "eh", "mm", "but",
})  # fmt: skip
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PAIRS = {
    **{value: word for word, value in _TEENS.items()},
    **{value: word for word, value in _TENS.items()},
    **{value + unit: f"{word} {_UNITS[unit]}" for word, value in _TENS.items() for unit in range(1, 10)},
}

SAYING = SayingWords(
    units=_UNITS,
    zeros=("zero", "oh"),
    zeros_after_tens=("oh",),  # nobody says "sixty zero"
    sampled_zeros=("oh", "zero"),
    repeats=((2, "double"), (3, "triple")),
    pairs=_PAIRS,
    hundred=("hundred", "and"),
    letters={letter: word for word, letter in _PHONETIC.items()},
    spellings=("{letter}", "{example}", "{letter} as in {example}", "{letter} for {example}"),
    hyphens=("", "dash", "hyphen"),
    pauses=("", "", "", "um", "uh"),
)

NUMBERS = NumberWords(
    digits=_DIGITS,
    teens=_TEENS,
    tens=_TENS,
    saying=SAYING,
    carriers=CARRIERS,
    places=PLACES,
    heard=("zero", "oh", *_UNITS[1:], *_TEENS, *_TENS, "double", "triple", "hundred"),
    heard_with_letters=(*string.ascii_lowercase, *_PHONETIC, "dash", "hyphen", "as", "in", "for"),
    plurals=_PLURALS,
    repeats=_REPEATS,
    hundreds=frozenset({"hundred"}),
    thousands=frozenset({"thousand"}),
    joints=frozenset({"and"}),
    tens_like_two=frozenset({"sixty", "seventy", "eighty", "ninety"}),
    never_after_tens=frozenset({"zero"}),
    articles=frozenset({"a"}),
    silent=frozenset({"an"}),
    perhaps_silent=frozenset({"point"}),  # "three point one four" may be an amount
    phonetic={**_PHONETIC, **_PHONETIC_SPELLINGS},
    letter_names=_SPELLINGS,
    letter_pairs={("x", "ray"): "X"},
    repeated_letters={("double", "u"): (("W", 1), ("UU", 2)), ("double", "you"): (("W", 1), ("UU", 2))},
    letter_sounds=_LETTER_SOUNDS,
    sound_alike=_SOUND_ALIKE,
    digit_sounds=_DIGIT_SOUNDS,
    edge_words=_EDGE_WORDS,
    example_leads=(("as", "in"), ("like", "in"), ("like",), ("for",), ("is", "for")),
    separators=_SEPARATORS,
    plus=frozenset({"plus", "+"}),
    fillers=_FILLERS,
    markers=tuple(phrases(_MARKER_TEXT)),
    restating=frozenset({"that's", "again", "yes"}),
    choice="or",
    no_choice=frozenset({"rather"}),
    extendable=frozenset({*_TENS, *_REPEATS, "hundred", "thousand", "and", "dash", "hyphen", "as", "in", "like"}),
    whole_tokens=("x-ray",),
    ordinal_ends=("st", "nd", "rd", "th", "am", "pm", "k", "m"),
    words_before_digits=_WORDS_BEFORE_DIGITS,
)
