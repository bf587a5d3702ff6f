"""The intent that a phrase of a turn's grammar stands for."""

from __future__ import annotations

from dataclasses import dataclass

ANSWER_KINDS = ("value", "right", "wrong")
"""Kinds of meaning that answer the open question."""


@dataclass(frozen=True)
class Intent:
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
    wide: bool = False
    """True when a phrase explained it that stands for any number of sentences."""


def intent_priority(meaning: Intent) -> tuple[bool, bool, int]:
    """Order meanings of the same words: danger first, then an answer to the question, then what tells more."""
    return meaning.kind == "escalate", meaning.kind in ANSWER_KINDS, len(meaning.values)
