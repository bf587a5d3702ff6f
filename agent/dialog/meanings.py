"""What a text of the caller can mean: what the grammar of a turn gives back. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialog.number_reading import NumberReading


@dataclass(frozen=True)
class Meaning:
    """What a phrase of the grammar stands for."""

    kind: str
    """``value``, ``number``, ``request``, ``command``, ``correct``, ``wrong``, ``right``, ``escalate``."""
    name: str
    """The value, slot, flow, command or escalation."""
    values: tuple[tuple[str, str], ...] = ()
    """Slot values the phrase names itself."""
    trigger: int = 0
    """Requests: which trigger of the flow."""
    guessed: bool = False
    """True when only the gist of the sentence was understood."""


@dataclass(frozen=True)
class Match:
    """A text that was understood."""

    meaning: Meaning
    number_slot: str = ""
    number_text: str = ""
    """The words of the number alone, for the next breath."""
    reading: NumberReading | None = None
    leads: bool = False
    """True when words stood before the number ("no, it's ...")."""
    also: tuple[tuple[str, NumberReading], ...] = ()
    """Further numbers of the same sentence, by slot."""


ANSWER_KINDS = ("value", "right", "wrong")
"""Kinds of meaning that answer the open question."""


def rank(meaning: Meaning) -> tuple[bool, bool, int]:
    """Order meanings of the same words: danger first, then an answer to the question, then what tells more."""
    return meaning.kind == "escalate", meaning.kind in ANSWER_KINDS, len(meaning.values)
