"""Two wishes in one sentence: the second one is remembered, and taken up when the first is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agent.dialog.contract import TurnInput
from agent.dialog.engine.state import FlowFrame, Focus, PendingRequest
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.grammar.intent import Intent

NEXT_WISH = "next_wish"
"""The prompt that takes up the second wish; a pack without it begins without words."""
_MOST = 3
_FEWEST_WORDS = 2


def two_wishes(scene: TurnContext, focus: Focus, heard: TurnInput) -> tuple[TurnInput, Intent] | None:
    """Return the part with the first wish, and what the second one is; None where a sentence holds one.

    Both parts must be understood by themselves, as requests of different procedures.
    """
    grammar = scene.grammar(focus)
    for first, second in _halves(heard.text.split(), scene.pack.language.changes.joints):
        one = grammar.match(_part(heard, first), scene.facts.known)
        two = grammar.match(_part(heard, second), scene.facts.known)
        if one is None or two is None or one.meaning.kind != "request" or two.meaning.kind != "request":
            continue
        if one.meaning.guessed or two.meaning.guessed or one.meaning.name == two.meaning.name:
            continue
        return _part(heard, first), two.meaning
    return None


def remember(scene: TurnContext, meaning: Intent) -> None:
    """Keep a wish for later."""
    later = scene.state.later
    if len(later) < _MOST and all(one.flow != meaning.name for one in later):
        later.append(PendingRequest(meaning.name, meaning.trigger, meaning.values))


def take_up(scene: TurnContext, left: FlowFrame) -> PendingRequest | None:
    """Return the next wish when a requested procedure is over, having said what it is; None when there is none."""
    state = scene.state
    if not left.request or any(frame.request for frame in state.frames):
        return None
    while state.later:
        wish = state.later.pop(0)
        if wish.flow in state.answered:
            continue
        if NEXT_WISH in scene.pack.contents.prompts:
            scene.say((NEXT_WISH,), request=scene.pack.flow(wish.flow).description)
        return wish
    return None


def _part(heard: TurnInput, words: list[str]) -> TurnInput:
    return replace(heard, text=" ".join(words), words=(), alternatives=(), spelled=())


def _halves(words: list[str], joints: frozenset[str]) -> Iterator[tuple[list[str], list[str]]]:
    for at in range(_FEWEST_WORDS, len(words) - _FEWEST_WORDS):
        if words[at] in joints:
            second = words[at:]
            while second and second[0] in joints:
                second = second[1:]
            if len(second) >= _FEWEST_WORDS:
                yield words[:at], second
