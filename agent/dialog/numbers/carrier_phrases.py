"""Removes the carrier phrases around a number: "my order number is", "let me see", "that's it"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.dialog.numbers.words import FILLERS, LETTER_SOUNDS, MARKERS

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "yesterday")
_ANYWHERE = """
thank you very much|thank you so much|thank you|thanks very much|thanks a lot|many thanks|if that helps|for me|for you
that's it|that is it|that's all|that's everything|that's the number|that's the one|that's the lot|that's correct
that's right|of course|no problem|you know|i repeat|once more|one more time|as i said|full stop|number sign|pound sign
hash sign|plus sign|all one word|in capitals|all caps|let me see|let's see|let me check|let me think|let me look
let me get it|just a second|just a moment|just a sec|a second|a moment|a sec|one moment|one second|one sec|one minute
just one second|just one moment|just one minute|give me a second|give me a moment|give me a sec|give me one second
bear with me|here it is|here you go|here we go|here we are|here goes|i have it here|got it|found it|oh yeah|oh okay
country code|area code|the area code is|and the number is|good morning|good afternoon|good evening|did you get that
did you catch that|have you got that|is the order number|is my order number|is the number|that's my cell
that's my mobile|that's my number|mate|love|dear|let me repeat|let me repeat that
have you got it|can you find it|all right|let me read it to you|let me read it out|i'll read it out|to reach me
"""
_BEFORE = """
that would be|that will be|that'll be|it would be|it'll be|it will be|it should be|it says here|it says|email says
the email says|receipt says|confirmation says|letter says|says|on the email|on the receipt|on the confirmation
on the letter|i've got|i have|we have|we've got|i got|i've got it here|the one i have is|the one i've got is
this one is|that one is|the one is|this is|mine is|order i placed|order i made|i placed|i'm calling about
i'm calling for|calling about|i'm ringing about|it's about|about|regarding|where is|where's|could you check
can you check|please check|check|could you look up|can you look up|look up|you can reach me at|you can reach me on
you can call me at|reach me at|call me at|call me on|phone|cell|mobile|mobile's|telephone|cell phone|mobile phone
zip code's|zip code|zip|postal code|postcode|postcode's|post code|code is|confirmation number|confirmation
reference number|reference|it starts with|starts with|it begins with|begins with|whole thing is|whole number is
change it to|i'd like to give you|it reads|i see|the first part is|first part is|what i have is|i can see
i wrote down|i've written|but
"""
_LEAD_TEXT = """
our confirmation reference tracking phone home work cell mobile telephone contact zip code postal postcode i was
were given told sent had have got found will would should be at on in from with of email mail receipt letter invoice
website says said reads can could you use reach call try ready are hear thing certainly absolutely definitely course
text this we they best alrighty ooh gonna going under gave what for to today but because its itself im
"""
_LEAD_WORDS = frozenset(_LEAD_TEXT.split())
"""Words that may lead up to a number in any order; none of them asks for anything."""
_PLAIN_LEAD_WORDS = _LEAD_WORDS - LETTER_SOUNDS.keys() - {"i", "for", "to", "in"}
"""Those that are no letter and lead to no example of one ("i for india")."""
_ORDINALS = frozenset({"first", "second", "third", "fourth", "fifth", "last", "final", "middle", "other"})
_AFTER = """
last one is|last digit is|last two are|last two digits are|rest is|the rest is|the other part is|whole thing is
whole number is
"""
_LETTERS = "capital|uppercase|upper case|lowercase|lower case|letters|letter|the letters are|letters are|in caps"
_HEDGES = """
i think|i believe|i guess|i hope|i suppose|i'm not sure|i am not sure|not sure|not certain|could be|might be|may be
maybe|perhaps|probably|possibly|something like|or so|roughly|i think so|if i remember right|it looks like|looks like
think|believe|hopefully|i'm not certain|but i'm not certain|but i'm not sure|is that right|is that correct|pretty sure
i'm pretty sure
"""


def _index(*texts: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    phrases = {
        tuple(phrase.split()) for text in texts for phrase in text.replace("\n", "|").split("|") if phrase.strip()
    }
    index: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        index.setdefault(phrase[0], []).append(phrase)
    return {word: tuple(found) for word, found in index.items()}


_HEDGED = _index(_HEDGES)
_ALWAYS = _index(_ANYWHERE, "|".join(f"on {day}|last {day}|{day}" for day in _DAYS))
_LEADING = _index(_BEFORE)
_FOLLOWING = _index(_AFTER)
_LETTERED = _index(_LETTERS)
_NO_DENIALS = (["right"], ["sure"], ["certain"], ["correct"])
"""After "not": the caller speaks about the number, and denies no part of it."""
_ON_EDGES = frozenset({"oh", "o"})
_INSIDE = frozenset({"um", "uh", "er", "erm", "hmm", "mm", "ah", "eh", "and", "then", "dash", "so", "digit", "digits"})
"""Fillers that stand inside a number as well: an "oh" before them is likely a digit."""


@dataclass(frozen=True)
class UnwrappedNumber:
    """The words of a number without what stood around them."""

    words: list[str]
    unsure: bool
    """The caller said "I think", "maybe" and the like."""
    led: bool
    """Loose words led up to it: a digit or two after them may belong to any sentence."""


def unwrap(tokens: Sequence[str], *, letters: bool, continued: bool = False) -> UnwrappedNumber:
    """Return the words without what only stands around a number.

    ``continued``: the first words come from an earlier breath, so "the last one is three" goes on with the number.
    """
    kept: list[str] = []
    hedged = led = False
    at = 0
    while at < len(tokens):
        bare = all(word in FILLERS for word in kept)
        hedge = _phrase(_HEDGED, tokens, at)
        used = (
            hedge
            or _phrase(_ALWAYS, tokens, at)
            or (_phrase(_LEADING, tokens, at) if bare else 0)
            or (_phrase(_FOLLOWING, tokens, at) if continued else 0)
            or (_trailing(tokens, at) if not bare else 0)
            or (_phrase(_LETTERED, tokens, at) if letters and not (kept and kept[-1] in _ORDINALS) else 0)
        )
        if not used and bare:
            used = _lead_word(tokens, at, letters=letters)
            led = led or bool(used)
        hedged = hedged or bool(hedge)
        if not used and bare and tokens[at] in _ON_EDGES and _is_exclamation(tokens, at):
            used = 1
        if not used:
            kept.append(tokens[at])
        at += used or 1
    return UnwrappedNumber(kept, hedged, led)


def _lead_word(tokens: Sequence[str], at: int, *, letters: bool) -> int:
    """Return 1 for a word that leads up to a number; where it may be a letter, only before another such word."""
    if tokens[at] in FILLERS:
        return 0
    word = tokens[at].removesuffix("'s")
    if word not in _LEAD_WORDS and (word == tokens[at] or word not in FILLERS):
        return 0
    if letters and (word == "i" or word in LETTER_SOUNDS):
        return int(at + 1 < len(tokens) and tokens[at + 1] in _PLAIN_LEAD_WORDS)
    return 1


def _trailing(tokens: Sequence[str], at: int) -> int:
    """Return 1 for a last word that stands for what the caller does not know yet ("one oh four something")."""
    return int(at == len(tokens) - 1 and tokens[at] in ("something", "dunno"))


def _is_exclamation(tokens: Sequence[str], at: int) -> bool:
    """Return whether an "oh" begins a sentence ("oh it's ...") and not a number."""
    after = at + 1
    if after >= len(tokens):
        return False
    follows = any(_phrase(index, tokens, after) for index in (_HEDGED, _ALWAYS, _LEADING))
    return follows or tokens[after] in FILLERS - _INSIDE or _marker(tokens, after) is not None


def segments(tokens: Sequence[str]) -> tuple[list[list[str]], bool]:
    """Cut the words at what announces a correction; tell whether the last one takes back all before it."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(tokens):
        marker = _marker(tokens, at)
        if marker is None:
            parts[-1].append(tokens[at])
            at += 1
        else:
            parts.append([])
            at += len(marker)
    return parts, len(parts) > 1 and all(word in FILLERS for word in parts[-1])


def split_denied(tokens: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split "fifteen not fifty", "fifteen instead of fifty", "not fifty but fifteen" into what is meant and denied."""
    words = list(tokens)
    for denial in (("instead", "of"), ("rather", "than"), ("not",)):
        at = _find(words, denial)
        if at is None:
            continue
        before, after = words[:at], words[at + len(denial) :]
        if any(word not in FILLERS and (word,) not in MARKERS for word in before):
            return before, after
        meant = next((index for index, word in enumerate(after) if word in ("but", "it's", "that's") and index), None)
        if meant is not None:
            return after[meant + 1 :], after[:meant]
    return words, []


def _find(words: Sequence[str], phrase: tuple[str, ...]) -> int | None:
    return next(
        (
            at
            for at in range(len(words))
            if tuple(words[at : at + len(phrase)]) == phrase and words[at + 1 : at + 2] not in _NO_DENIALS
        ),
        None,
    )


def _phrase(index: Mapping[str, tuple[tuple[str, ...], ...]], tokens: Sequence[str], at: int) -> int:
    """Return how many words from ``at`` on are a phrase of the index."""
    for phrase in index.get(tokens[at], ()):
        if tuple(tokens[at : at + len(phrase)]) == phrase:
            return len(phrase)
    return 0


def _marker(tokens: Sequence[str], at: int) -> tuple[str, ...] | None:
    return next((marker for marker in MARKERS if tuple(tokens[at : at + len(marker)]) == marker), None)
