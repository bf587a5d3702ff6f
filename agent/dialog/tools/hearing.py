"""Tells what a sentence would be taken for after the greeting: ``orderline flows hear``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.dialog.contract import HandOverAction, HangUp, Turn, TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.engine.state import ConversationState
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.dialog.understanding.score import Decision
from agent.dialog.understanding.teaching import COMMAND, ESCALATION, PERSON

_DIGITS = 4


@dataclass(frozen=True)
class HeardSentence:
    """What one sentence was taken for."""

    text: str
    decision: Decision
    meaning: str = ""
    """A procedure's id, ``topic:ID``, ``promotion:ID``, ``command:ID``, ``escalate:ID`` or ``""``."""
    score: float = 0.0
    """1 where a rule decided."""
    candidates: tuple[tuple[str, float], ...] = ()
    by_rule: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as ``orderline flows hear --json`` prints it."""
        candidates = [[meaning, round(score, _DIGITS)] for meaning, score in self.candidates]
        return {
            "text": self.text, "decision": self.decision, "meaning": self.meaning,
            "score": round(self.score, _DIGITS), "candidates": candidates,
        }  # fmt: skip


def hear_sentence(pack: FlowPack, facts: CallFacts, render: Renderer, text: str) -> HeardSentence:
    """Say a sentence to a new call right after its greeting, and tell what was made of it."""
    return hear_input(pack, facts, render, TurnInput(text.lower().strip()))


def hear_input(pack: FlowPack, facts: CallFacts, render: Renderer, heard: TurnInput) -> HeardSentence:
    """Do the same with what a recogniser heard, confidences included."""
    text = heard.text
    call = Conversation(pack, facts, render)
    call.start()
    turn = call.hear(heard)
    found = _scored(pack, text)
    decision, meaning = _outcome(pack, call.state, turn)
    shares = dict(found)
    by_rule = bool(meaning) and (pack.score is None or _ruled(pack, text, meaning))
    score = 1.0 if by_rule else shares.get(meaning, found[0][1] if decision == "person" and found else 0.0)
    first = _offered(pack, call.state) or ((meaning,) if meaning and (by_rule or meaning in shares) else ())
    ordered = [(name, score if name == meaning else shares.get(name, 0.0)) for name in first]
    ordered += [one for one in found if one[0] not in first]
    return HeardSentence(text, decision, meaning, score, tuple(ordered), by_rule)


def _scored(pack: FlowPack, text: str) -> tuple[tuple[str, float], ...]:
    if pack.score is None:
        return ()
    return pack.score.candidates(text.lower(), pack.opening_evidence(text))


def _ruled(pack: FlowPack, text: str, meaning: str) -> bool:
    rules = pack.opening_evidence(text)
    return rules.listed == meaning or meaning.partition(":")[0] in (COMMAND, ESCALATION)


def _outcome(pack: FlowPack, state: ConversationState, turn: Turn) -> tuple[Decision, str]:
    then = turn.then
    if isinstance(then, HandOverAction):
        if then.reason in pack.contents.escalate:
            return "person", f"{ESCALATION}:{then.reason}"
        if then.reason == "caller_asked":
            return "person", PERSON
        return ("act", state.meant) if state.meant else ("person", "")
    focus = state.focus
    if focus is not None and focus.kind in ("confirm_request", "choose_request"):
        return ("confirm" if focus.kind == "confirm_request" else "choose"), _offered(pack, state)[0]
    if state.meant:
        return "act", state.meant
    if isinstance(then, HangUp):
        return "act", f"{COMMAND}:goodbye"
    commands = type(pack.contents.commands).model_fields if pack.contents.commands is not None else {}
    if turn.understood in commands:
        return "act", f"{COMMAND}:{turn.understood}"
    return "again", ""


def _offered(pack: FlowPack, state: ConversationState) -> Sequence[str]:
    focus = state.focus
    offered = (focus.request, focus.other) if focus is not None and focus.kind != "collect" else ()
    return tuple(pack.meanings.of_request(one.flow, one.values) for one in offered if one is not None)
