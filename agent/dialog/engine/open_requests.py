"""Requests in callers' own words: acted on with an echo, asked about, offered as a choice, or asked again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.dialog.contract import NextAction, TurnInput
from agent.dialog.engine import fallbacks, listening, steps, told_numbers
from agent.dialog.engine.confidence import SURE_CONFIDENCE
from agent.dialog.engine.handover import hand_over
from agent.dialog.engine.state import Focus, PendingRequest
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.grammar.turn_grammar import GrammarMatch
from agent.dialog.turn_report import MeaningCandidate
from agent.dialog.understanding.evidence import RuleEvidence
from agent.dialog.understanding.score import Judgement, decide
from agent.dialog.understanding.teaching import PERSON

GUESSED = "guessed_request"
"""The prompt that tells what was understood; a pack without it goes on without words."""
CHOOSE, CHOOSE_AGAIN, NOT_SERVED = "choose_request", "choose_request_again", "not_served"
"""Prompts of a choice between two requests, and of a topic that goes to a person."""
_FEWEST_WORDS = 3
"""A shorter text in the middle of a procedure is a failed answer, not a new request."""
_MOST_UNCLEAR = 3
_MOST_OFFERS = 2
"""Offers in a row that may stay without an answer."""
_NOTED = 3
_REPORTED = 5
"""Of the candidates, so many stand in the record."""
_NAME_PARTS = re.compile(r"[:_]")


def is_open(scene: TurnContext, focus: Focus) -> bool:
    """Return whether a request is being asked for."""
    return focus.kind != "confirm" and scene.pack.slot(focus.slot).type == "request"


def without_stray_words(
    scene: TurnContext, focus: Focus, heard: TurnInput, match: GrammarMatch | None
) -> tuple[TurnInput, GrammarMatch | None]:
    """Leave out what noise adds around a sentence ("a where is ..."), where a phrase that decides is left."""
    if match is not None and _rules_decide(match, asked=True):
        return heard, match
    tokens, stray = heard.text.split(), scene.pack.language.stray_words
    first = next((at for at, token in enumerate(tokens) if token not in stray), 0)
    behind = next((at for at, token in enumerate(reversed(tokens)) if token not in stray), 0)
    last = len(tokens) - behind
    if last - first == len(tokens):
        return heard, match
    words = heard.words[first:last] if len(heard.words) == len(tokens) else heard.words
    bare = replace(heard, text=" ".join(tokens[first:last]), words=words)
    found = scene.grammar(focus).match(bare, scene.facts.known)
    return (bare, found) if found is not None and _rules_decide(found, asked=True) else (heard, match)


def judge(scene: TurnContext, focus: Focus, heard: TurnInput, match: GrammarMatch | None) -> Judgement | None:
    """Return what the score makes of a text; None where rules decide: what is written out, numbers, anger, law.

    A phrase that stands for many sentences, and a gist, are evidence and no more.
    """
    score = scene.pack.score
    if (
        score is None
        or not score.has_words(heard.text)
        or (match is not None and _rules_decide(match, is_open(scene, focus)))
    ):
        return None
    rules = scene.pack.opening_evidence(heard.text)
    if match is not None and match.number_slot and match.leads:
        # "where is order ..." says what it is about; a number alone does not
        rules = RuleEvidence(wide=scene.pack.meanings.of(match.meaning), gists=rules.gists)
    judged = decide(
        score.candidates(heard.text, rules), scene.pack.thresholds(scene.facts.recognizer), scene.state.denied
    )
    scene.decision = judged.decision
    scene.candidates = tuple(MeaningCandidate(*one) for one in judged.candidates[:_REPORTED])
    return judged


def carry_out(
    scene: TurnContext, focus: Focus, heard: TurnInput, request: PendingRequest | None, judged: Judgement
) -> NextAction | None:
    """Do what was decided about an open request; None where what the rules found stands.

    ``request`` is what a phrase or a gist found, with its numbers; None for nothing.
    """
    same = request is not None and _name(scene, request) == judged.meaning
    if request is not None and (request.number or request.so_far):
        return None if same else _with_number(scene, focus, request, judged)
    told = told_numbers.number_told(scene, heard)
    if told is not None:
        judged = told_numbers.narrowed(scene, judged, told)
        scene.decision = judged.decision
        same = request is not None and _name(scene, request) == judged.meaning
        request = told_numbers.with_number(request, told) if request is not None and same else told
        told_numbers.keep(scene, told)
    if judged.decision == "again":
        return _again(scene, heard, judged)
    if judged.decision == "person":
        return not_served(scene, judged.meaning)
    if judged.decision == "confirm" or judged.decision == "choose":
        failed = _unanswered(scene, focus, heard, judged)
        if failed is not None:
            return failed
    if judged.decision == "choose":
        return _choose(scene, focus, judged, request)
    meant = _pending(scene, judged.meaning, request)
    if judged.decision == "confirm" or heard.confidence < SURE_CONFIDENCE:
        note(scene, heard, judged)
        return _confirm(scene, focus, meant)
    return begin(scene, meant, echo=not same or _guessed(request))


def _unanswered(scene: TurnContext, focus: Focus, heard: TurnInput, judged: Judgement) -> NextAction | None:
    """Count an offer that was answered by neither yes nor no; after the last try a person. None to go on asking."""
    if focus.kind == "collect":
        return None
    offered = [request for request in (focus.request, focus.other) if request is not None]
    if judged.meaning in [_name(scene, request) for request in offered]:
        return _again(scene, heard, judged)  # the same again: asked in other words, in the end by a person
    scene.state.failures += 1
    if scene.state.failures <= _MOST_OFFERS:
        return None
    note(scene, heard, judged)
    return hand_over(scene, "no_match")


def _with_number(scene: TurnContext, focus: Focus, request: PendingRequest, judged: Judgement) -> NextAction | None:
    """Take another request than the phrase around a number says, where it is sure, or the phrase is surely wrong."""
    if judged.decision == "act":
        return begin(scene, _pending(scene, judged.meaning, request), echo=True)
    thresholds = scene.pack.thresholds(scene.facts.recognizer)
    own = dict(judged.candidates).get(_name(scene, request), 0.0)
    if judged.decision in ("confirm", "choose") and judged.score >= thresholds.confirm and own < thresholds.choose:
        return _confirm(scene, focus, _pending(scene, judged.meaning, request))
    return None


def between(
    scene: TurnContext, focus: Focus, heard: TurnInput, guess: PendingRequest | None, judged: Judgement
) -> NextAction | None:
    """Take a request in the middle of another: only what is sure, or what a gist says as well. None for no request."""
    if judged.meaning in (frame.flow for frame in scene.state.frames) or len(heard.text.split()) < _FEWEST_WORDS:
        return None
    agrees = guess is not None and _name(scene, guess) == judged.meaning
    if judged.decision == "person" or (judged.decision == "act" and heard.confidence < SURE_CONFIDENCE and not agrees):
        return None
    if judged.decision == "act":
        return begin(scene, _pending(scene, judged.meaning, guess), echo=True)
    if judged.decision == "confirm" and agrees:
        return _confirm(scene, focus, _pending(scene, judged.meaning, guess))
    return None


def begin(scene: TurnContext, request: PendingRequest, *, echo: bool) -> NextAction:
    """Start what was asked for; with ``echo`` a procedure that asks something first tells what was understood."""
    scene.state.denied.clear()
    if request.flow == PERSON:
        return fallbacks.command(scene, "agent")
    number = f" {request.number_slot}={request.number}" if request.number else ""
    scene.understood = f"request={request.flow}{number}"
    told = echo and scene.pack.asks(request.flow)
    if told and GUESSED in scene.pack.contents.prompts:
        scene.say((GUESSED,), request=scene.pack.meanings.words(_name(scene, request)))
    then = steps.begin_request(scene, request)
    scene.state.guessed = told
    return then


def _named(text: str, offered: Sequence[str]) -> int | None:
    """Return which of two offers a text names by words that the other lacks; None for neither, or both."""
    said = set(text.lower().split())
    first, second = (set(words.split()) for words in offered)
    hits = [len(said & (first - second)), len(said & (second - first))]
    return None if hits[0] == hits[1] else hits.index(max(hits))


def running(scene: TurnContext) -> str:
    """Return the flow of the request under way; ``""`` for none."""
    return next((frame.flow for frame in reversed(scene.state.frames) if frame.request), "")


def deny(scene: TurnContext, focus: Focus) -> None:
    """Remember that the caller does not want what was just asked about."""
    for request in (focus.request, focus.other):
        if request is not None:
            scene.state.denied.append(_name(scene, request))


def chosen(scene: TurnContext, focus: Focus, heard: TurnInput) -> PendingRequest | None:
    """Return which of two offered requests a text is about; None where it is about neither, or both as much."""
    score = scene.pack.score
    offered = [request for request in (focus.request, focus.other) if request is not None]
    if score is None or len(offered) < 2:
        return None
    found = dict(score.candidates(heard.text, scene.pack.opening_evidence(heard.text)))
    names = [_name(scene, request) for request in offered]
    named = _named(heard.text, [f"{scene.pack.meanings.words(name)} {_NAME_PARTS.sub(' ', name)}" for name in names])
    if named is not None:
        return offered[named]
    shares = [found.get(name, 0.0) for name in names]
    best = max(shares)
    if best < scene.pack.thresholds(scene.facts.recognizer).choose or shares[0] == shares[1]:
        return None
    outside = max((share for name, share in found.items() if name not in names), default=0.0)
    return offered[shares.index(best)] if best >= outside else None


def not_served(scene: TurnContext, meaning: str) -> NextAction:
    """Bring a person to a caller whose request is recognised, and served by nobody here; the topic is named."""
    topic = scene.pack.meanings.words(meaning)
    scene.state.unserved = topic
    scene.understood = meaning
    told = NOT_SERVED in scene.pack.contents.prompts
    if told:
        scene.say((NOT_SERVED,), topic=topic)
    return hand_over(scene, NOT_SERVED, quiet=told)


def note(scene: TurnContext, heard: TurnInput, judged: Judgement) -> None:
    """Keep what was said and what it may have meant, for staff."""
    least = scene.pack.thresholds(scene.facts.recognizer).choose
    words = [scene.pack.meanings.words(meaning) for meaning, score in judged.candidates[:_NOTED] if score >= least]
    unclear = scene.state.unclear
    unclear.append({"said": heard.text, "perhaps": [word for word in words if word]})
    del unclear[:-_MOST_UNCLEAR]


def note_anyway(scene: TurnContext, heard: TurnInput) -> None:
    """Keep what an angry sentence was about, for staff, where nothing was asked for before."""
    score = scene.pack.score
    if score is not None and not scene.state.requests:
        found = score.candidates(heard.text, scene.pack.opening_evidence(heard.text))
        note(scene, heard, Judgement("person", found))


def _rules_decide(match: GrammarMatch, asked: bool) -> bool:
    meaning = match.meaning
    if meaning.kind == "command":
        return not meaning.guessed
    if meaning.kind != "request":
        return True
    if match.number_slot:
        return not asked
    return not meaning.guessed and (not meaning.wide or not asked)


def _again(scene: TurnContext, heard: TurnInput, judged: Judgement) -> NextAction:
    note(scene, heard, judged)
    scene.understood = "nothing"
    return fallbacks.no_match(scene)


def _confirm(scene: TurnContext, focus: Focus, request: PendingRequest) -> NextAction:
    scene.understood = f"perhaps={_name(scene, request)}"
    scene.state.focus = Focus("confirm_request", focus.slot, request)
    scene.question(scene.state.focus, again=False)
    return listening.listen(scene)


def _choose(scene: TurnContext, focus: Focus, judged: Judgement, request: PendingRequest | None) -> NextAction:
    first, second = (_pending(scene, meaning, request) for meaning, _ in judged.candidates[:2])
    if CHOOSE not in scene.pack.contents.prompts:
        return _confirm(scene, focus, first)
    scene.understood = f"perhaps={_name(scene, first)},{_name(scene, second)}"
    scene.state.focus = Focus("choose_request", focus.slot, first, second)
    scene.question(scene.state.focus, again=False)
    return listening.listen(scene)


def _pending(scene: TurnContext, meaning: str, found: PendingRequest | None) -> PendingRequest:
    """Return the request a meaning stands for; what a phrase found of it is kept, and its numbers in any case."""
    if found is not None and _name(scene, found) == meaning:
        return found
    known = scene.pack.meanings.request(meaning)
    if known is None:
        return PendingRequest(meaning)
    request = PendingRequest(known.flow, known.trigger, known.values)
    if found is None or not found.number_slot:
        return request
    return replace(
        request, number_slot=found.number_slot, number=found.number, doubt=found.doubt, so_far=found.so_far,
        confidence=found.confidence, also=found.also,
    )  # fmt: skip


def _name(scene: TurnContext, request: PendingRequest) -> str:
    return scene.pack.meanings.of_request(request.flow, request.values)


def _guessed(request: PendingRequest | None) -> bool:
    return request is None or request.guessed
