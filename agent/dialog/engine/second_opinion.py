"""What a second recogniser's text is worth: where it is asked, and which of the two texts the call goes on with. Pure.

It is asked about open requests and about codes with letters, and only where the first text leaves a doubt. Where rules
decide (anger, law, a person, commands), the first text is in no doubt: nothing the second one says takes that back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from agent.dialog.contract import HangUp, SecondText, Turn, TurnInput, Word
from agent.dialog.engine.turn_context import TurnContext
from agent.languages.number_words import NumberWords

Question = Literal["", "request", "code"]
Outcome = Literal["acts", "asks", "again", "ends"]
LEAST_CONFIDENCE = 0.45
"""The text of an open request below is no opinion: whisper writes something down of any noise."""
LEAST_WORDS = 3
"""Fewer that mean nothing drop no guess of the first recogniser: whisper writes "you" of a noise."""
MOST_WORDS = 20
"""Longer answers are not asked about: what they would come to takes the calls' own process too long to work out."""
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_OFFERS = ("confirm_request", "choose_request")


@dataclass(frozen=True)
class TriedAnswer:
    """What an answer would come to."""

    turn: Turn
    focus: str
    """The kind of the question that would follow; ``""`` for none."""
    doubts: frozenset[str] = frozenset()
    """Slots whose value would have to be confirmed."""

    @property
    def outcome(self) -> Outcome:
        """Something is done, or asked about, or the question is put again; or the call ends."""
        if isinstance(self.turn.then, HangUp):
            return "ends"
        if self.turn.reading is None or self.turn.reading.result == "no_match":
            return "again"
        return "asks" if self.focus in _OFFERS else "acts"


def question(scene: TurnContext) -> Question:
    """Return what kind of question is open that a second recogniser may be asked about."""
    focus = scene.state.focus
    if focus is None or focus.kind != "collect" or scene.state.waiting:
        return ""  # who said "hold on" may talk to others
    slot = scene.pack.slot(focus.slot)
    if slot.redact:
        return ""  # a second fact is a proof: what was heard of it is not improved
    if slot.type == "request":
        return "request"
    return "code" if slot.type == "number" and scene.pack.formats[focus.slot].has_letters else ""


def is_doubtful(asks: Question, first: TriedAnswer) -> bool:
    """Return whether what the first recogniser heard would be asked about, or asked for again."""
    if first.outcome == "ends":
        return False
    if asks == "request":
        return first.outcome != "acts"
    partial = first.turn.reading is not None and first.turn.reading.result == "partial"
    return first.outcome == "again" or partial or bool(first.doubts)


def is_opinion(text: SecondText) -> bool:
    """Return whether a second text says anything, surely enough to be weighed."""
    return bool(_TOKEN.search(text.text)) and text.confidence >= LEAST_CONFIDENCE


def is_better(first: TriedAnswer, second: TriedAnswer, text: SecondText) -> bool:
    """Return whether the call goes on with the second text of an open request, one that is an opinion.

    The second recogniser hears other callers better as well: what it makes nothing of, nobody asked for, and
    the first one's guess is dropped. It never ends a call.
    """
    if second.outcome == "ends":
        return False
    if second.outcome != "again":
        return True
    return first.outcome == "asks" and len(_TOKEN.findall(text.text)) >= LEAST_WORDS


def as_request(heard: TurnInput, second: SecondText) -> TurnInput:
    """Return a second text in the place of the first, written as a recogniser writes, as sure as it is."""
    words = [token.lower().replace("’", "'") for token in _TOKEN.findall(second.text)]
    return replace(
        heard,
        text=" ".join(words),
        words=tuple(Word(word, second.confidence) for word in words),
        alternatives=(),
        spelled=(),
    )


def with_second_code(scene: TurnContext, heard: TurnInput, second: SecondText) -> TurnInput:
    """Return what was heard with the second text as the likeliest reading of its letters and digits.

    However unsure the second recogniser is: the code's shape tells, and a code that was spelled is read back.
    """
    spelled = spelled_words(second.text, scene.pack.language.numbers)
    if not spelled or spelled in heard.spelled[:1]:
        return heard
    return replace(heard, spelled=(spelled, *(one for one in heard.spelled if one != spelled)))


def spelled_words(text: str, vocabulary: NumberWords) -> str:
    """Return a written code as a recogniser hears it: ``A-X 47`` is ``a x four seven``; words stay words."""
    spoken: dict[str, str] = {}
    for word, digit in vocabulary.digits.items():
        spoken.setdefault(digit, word)
    words: list[str] = []
    for token in _TOKEN.findall(text):
        code = token.isupper() or any(char.isdigit() for char in token)
        words += [spoken.get(char, char) for char in token.lower()] if code else [token.lower()]
    return " ".join(words)


__all__ = [
    "LEAST_CONFIDENCE",
    "TriedAnswer",
    "as_request",
    "is_better",
    "is_doubtful",
    "is_opinion",
    "question",
    "spelled_words",
    "with_second_code",
]
