"""Answers to a guess that was read aloud ("So you'd like to return something."): yes, exactly, no, no it's broken."""

from __future__ import annotations

from dataclasses import replace

from agent.dialog.contract import NextAction, TurnInput
from agent.dialog.engine import fallbacks, steps
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.grammar.grammar_builder import CONFIRM_REQUEST

_LONGEST_ANSWER = 4
"""Words of a yes or a no that may stand before what else is said."""


def bare_answer(scene: TurnContext, heard: TurnInput) -> NextAction | None:
    """Take a yes or a no, with nothing else that matters, as the answer to the guess; None where it is neither.

    A yes costs nothing: only the question is asked again. A no leaves the guess.
    """
    said = _yes_or_no(scene, heard)
    if said == "yes":
        scene.understood = "yes"
        scene.state.reset_failures()
        scene.state.guessed = True
        return fallbacks.ask_again(scene)
    return fallbacks.wrong_guess(scene) if said == "no" else None


def split_answer(scene: TurnContext, heard: TurnInput) -> tuple[str, TurnInput] | None:
    """Return a yes or a no that begins the text, and what was said behind it; None where no such answer begins it."""
    words = heard.text.split()
    for length in range(min(_LONGEST_ANSWER, len(words) - 1), 0, -1):
        said = _yes_or_no(scene, replace(heard, text=" ".join(words[:length]), words=(), alternatives=(), spelled=()))
        if said:
            return said, replace(
                heard, text=" ".join(words[length:]), words=heard.words[length:], alternatives=(), spelled=()
            )
    return None


def leave_guess(scene: TurnContext) -> None:
    """Leave the request that was guessed: the caller has said no, and what it is about instead."""
    depth = max((at for at, frame in enumerate(scene.state.frames) if frame.request), default=len(scene.state.frames))
    if depth < len(scene.state.frames):
        guess = scene.state.frames[depth].flow
        if scene.state.requests and scene.state.requests[-1] == guess:
            scene.state.requests.pop()
        steps.drop_flows(scene, depth)
    scene.state.reset_failures()


def _yes_or_no(scene: TurnContext, heard: TurnInput) -> str:
    match = scene.pack.grammars[CONFIRM_REQUEST].match(heard)
    if match is None or match.meaning.kind != "value" or match.meaning.guessed:
        return ""
    return match.meaning.name if match.meaning.name in ("yes", "no") else ""
