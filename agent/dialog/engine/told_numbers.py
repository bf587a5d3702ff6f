"""A number told with an unclear request: it is kept, and the likeliest request that takes it is asked about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.dialog.contract import TurnInput
from agent.dialog.engine.requests_told import pending_request
from agent.dialog.engine.state import PendingRequest, SlotValue
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.grammar.grammar_builder import collect_key
from agent.dialog.understanding.score import Judgement

_FEWEST_WORDS = 3
"""Fewer words that can be digits are words like others: "two of them", "the one"."""
_MOST_EDGE_WORDS = 2
"""So many words at either end of a run may belong to the sentence: "for" and "to" sound like digits."""


def number_told(scene: TurnContext, heard: TurnInput) -> PendingRequest | None:
    """Return the request that the number in a sentence would be if it were said alone; None without a whole number."""
    opening = next((name for name, slot in scene.pack.contents.slots.items() if slot.type == "request"), "")
    if not opening:
        return None
    grammar = scene.pack.grammars[collect_key(opening)]
    tokens = heard.text.lower().split()
    words = heard.words if len(heard.words) == len(tokens) else ()
    for start, end in _spans(tokens, scene):
        alone = TurnInput(" ".join(tokens[start:end]), words[start:end])
        match = grammar.match(alone, scene.facts.known)
        if match is not None and match.meaning.kind == "request" and match.number_slot:
            told = pending_request(scene, match, alone.confidence)
            if told.number:
                return told
    return None


def with_number(request: PendingRequest, told: PendingRequest) -> PendingRequest:
    """Return a request with the number of another."""
    return replace(
        request, number_slot=told.number_slot, number=told.number, doubt=told.doubt, confidence=told.confidence,
        also=told.also,
    )  # fmt: skip


def keep(scene: TurnContext, told: PendingRequest) -> None:
    """Keep a number whatever becomes of the request; where it is used for another one it is read back first."""
    scene.fill(told.number_slot, SlotValue(told.number, doubt=True, confidence=told.confidence))


def narrowed(scene: TurnContext, judged: Judgement, told: PendingRequest) -> Judgement:
    """Return what is done about a request when a number was told with it.

    What is sure stands. Otherwise the caller is asked about the likeliest requests that take the number; what the
    number alone stands for is one of them.
    """
    if judged.decision in ("act", "person"):
        return judged
    if judged.decision == "confirm":
        sure = judged.score >= scene.pack.thresholds(scene.facts.recognizer).confirm
        return judged if sure or _takes(scene, judged.meaning, told) else _confirmed(scene, judged, told)
    if judged.decision == "choose" and all(_takes(scene, name, told) for name, _ in judged.candidates[:2]):
        return judged
    return _confirmed(scene, judged, told)


def _confirmed(scene: TurnContext, judged: Judgement, told: PendingRequest) -> Judgement:
    taking = [one for one in judged.candidates if _takes(scene, one[0], told)]
    least = scene.pack.thresholds(scene.facts.recognizer).choose
    names = [one for one in taking if one[1] >= least]
    alone = scene.pack.meanings.of_request(told.flow, told.values)
    if not names and alone not in scene.state.denied:
        names = [(alone, dict(taking).get(alone, 0.0))]  # with nothing to go by, what the number is mostly said for
    names = names or taking
    return replace(judged, decision="confirm" if names else "again", candidates=tuple(names) or judged.candidates)


def _takes(scene: TurnContext, meaning: str, told: PendingRequest) -> bool:
    known = scene.pack.meanings.request(meaning)
    return known is not None and scene.pack.asks_for(known.flow, told.number_slot)


def _spans(tokens: Sequence[str], scene: TurnContext) -> Iterator[tuple[int, int]]:
    """Yield where a number may stand: runs of words that numbers are made of, and the same without their edges."""
    vocabulary = scene.pack.language.numbers
    known = {*vocabulary.heard, *vocabulary.heard_with_letters, *vocabulary.digits}
    start = 0
    while start < len(tokens):
        end = start
        while end < len(tokens) and (tokens[end] in known or tokens[end].isdigit()):
            end += 1
        runs = [
            (start + before, end - behind)
            for before in range(_MOST_EDGE_WORDS + 1)
            for behind in range(_MOST_EDGE_WORDS + 1)
            if sum(map(_weight, tokens[start + before : end - behind])) >= _FEWEST_WORDS
        ]
        yield from sorted(runs, key=lambda run: (run[0] - run[1], run))
        start = end + 1


def _weight(token: str) -> int:
    return len(token) if token.isdigit() else 1
