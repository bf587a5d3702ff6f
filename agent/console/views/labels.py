"""The words and the tone in which pages tell what records say in machine words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GOOD, NOTE, WARN, BAD, QUIET = "good", "note", "warn", "bad", "quiet"


@dataclass(frozen=True)
class Label:
    """A word for people; its tone picks a colour, which never says anything that the word does not."""

    text: str
    tone: str = QUIET
    """``good``, ``note``, ``warn``, ``bad`` or ``quiet``."""


_OUTCOMES = {
    "answered": Label("Answered", GOOD),
    "abandoned": Label("Abandoned", WARN),
    "handed_over": Label("Handed over", NOTE),
    "taken_over": Label("Taken over", NOTE),
    "caller_hung_up": Label("Caller hung up", WARN),
    "transferred": Label("Transferred", NOTE),
    "held_too_long": Label("Held too long", WARN),
    "rescued": Label("Rescued to the queue", BAD),
    "lost": Label("Lost", BAD),
    "failed": Label("Failed", BAD),
}
_RESULTS = {
    "answered": Label("Answered", GOOD),
    "handed_over": Label("Handed over", NOTE),
    "taken_over": Label("Taken over", NOTE),
    "hung_up": Label("Caller hung up", WARN),
    "nobody_there": Label("Nobody there", WARN),
    "cancelled": Label("Cancelled"),
    "not_meant": Label("Not meant"),
    "goodbye": Label("Left at that"),
    "fault": Label("Fault", BAD),
    "understood": Label("Understood", GOOD),
    "partial": Label("Goes on", NOTE),
    "no_match": Label("Not understood", WARN),
    "no_input": Label("Silence", WARN),
}
_OTHER = {
    "ended_by": {
        "agent": "The agent",
        "caller": "The caller",
        "handover": "Hand-over",
        "supervisor": "A supervisor",
        "fault": "A fault",
    },
    "consent": {"announced": "Caller was told", "given": "Caller agreed", "refused": "Caller refused"},
    "via": {"speech": "by voice", "keypad": "by keys"},
    "parts": {
        "wait": "End of speech",
        "recognition": "Recognition",
        "rules": "Rules",
        "look_up": "Look-up",
        "voice": "Voice",
    },
    "doing": {
        "answering": "Answering",
        "speaking": "Speaking",
        "listening": "Listening",
        "thinking": "Thinking",
        "on hold": "On hold",
        "handing over": "Handing over",
    },
}
PARTS = tuple(_OTHER["parts"])
"""Of a response time, in the order in which they pass."""


def outcome(word: str) -> Label:
    """Return how a call ended."""
    return _OUTCOMES.get(word) or Label(humanise(word) or "Unknown")


def result(word: str) -> Label:
    """Return what came of a request, or of an answer."""
    return _RESULTS.get(word) or Label(humanise(word) or "Open")


def code(word: str) -> Label:
    """Return how an operation of the shop's systems ended."""
    if word == "ok":
        return Label("OK", GOOD)
    tone = BAD if word in ("unavailable", "timed_out", "bad_request") else WARN
    return Label(humanise(word) or "Unknown", tone)


def state(word: str) -> Label:
    """Return how a dependency is."""
    known: Mapping[str, Label] = {
        "ok": Label("OK", GOOD),
        "up": Label("OK", GOOD),
        "degraded": Label("Degraded", WARN),
        "down": Label("Down", BAD),
        "off": Label("Not used"),
    }
    return known.get(word) or Label(humanise(word) or "Unknown")


def word_for(kind: str, word: str) -> str:
    """Return the word of a kind (``ended_by``, ``consent``, ``via``, ``parts``, ``doing``) for people."""
    return _OTHER.get(kind, {}).get(word) or humanise(word)


_LEFT = {"no_match": "not understood", "no_input": "silent", "person": "to a person", "fault": "broke off"}
"""Ways out of a step that ended a call; others as they are called."""


def value_label(kind: str, value: str) -> str:
    """Return a value that calls can be found by (:data:`agent.history.filters.VALUE_KINDS`) for people."""
    if kind == "outcome":
        return outcome(value).text
    if kind == "result" and "=" in value:
        asked, _, came = value.partition("=")
        return f"{humanise(asked)}: {result(came).text.lower()}"
    if kind == "left":
        step, _, way = value.rpartition("=")
        return f"{step}, {_LEFT.get(way) or humanise(way).lower()}"
    if kind == "fault":
        return "Any fault" if value == "any" else value
    if kind in ("step", "edition", "fact", "queue", "promotion", "no_match", "no_input", "listened"):
        return value
    return word_for(kind, value)


def humanise(word: str) -> str:
    """Return a machine word as people write it: ``order_status`` is ``Order status``."""
    text = word.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
