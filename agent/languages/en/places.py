"""English corrections that name a position: "the last two are eight three", "the third digit is five"."""

from __future__ import annotations

import re

from agent.languages.place_words import PlaceWords

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

PLACES = PlaceWords(
    several=_SEVERAL,
    one=_ONE,
    counted=_COUNTED,
    ends=_ENDS,
    begins=_BEGINS,
    at_the=_AT_THE,
    area_code=_AREA_CODE,
    letters=_LETTERS,
    swapped=_SWAPPED,
    named=_NAMED,
    counts=_COUNTS,
    places={**_NUMBERS, **_PLACES},
    middles=frozenset({"middle"}),
    firsts=frozenset({"first"}),
    lasts=frozenset({"last", "end"}),
    letter_kinds=frozenset({"letter", "letters"}),
    digit_kinds=frozenset({"digit", "digits"}),
)
