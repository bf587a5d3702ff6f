"""Takes answers that hold more than the answer: "yes, cancel all of it", "I looked everywhere and asked next door".

Only where a turn understood nothing of the whole text. What changes something is still read back, and a yes with words
that the question did not hold is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agent.dialog.contract import TurnInput
from agent.dialog.engine.state import Focus
from agent.dialog.engine.turn_context import TurnContext

_MARKS = str.maketrans("", "", ".,?!;:")


def loose_answer(scene: TurnContext, focus: Focus, heard: TurnInput) -> str:
    """Return the value that a text answers the open question with; ``""`` when it does not."""
    slot = scene.pack.slot(focus.slot)
    if focus.kind != "collect":
        return ""
    if slot.type == "yes_no":
        return _yes_or_no(scene, focus, heard)
    return _one_of_its_parts(scene, focus, heard) if slot.type == "choice" else ""


def _yes_or_no(scene: TurnContext, focus: Focus, heard: TurnInput) -> str:
    """A no stands whatever follows it, unless that says yes; a yes only with words of the question itself."""
    words = heard.text.lower().translate(_MARKS).split()
    first = _value(scene, focus, heard, words[:1])
    rest = words[1:]
    changes = scene.pack.language.changes
    if not rest or not first:
        return ""
    if first == "no":
        return "" if changes.agreeing.intersection(rest) else "no"
    asked = {word for prompt in scene.state.last_said for word in prompt.text.lower().translate(_MARKS).split()}
    allowed = (asked | changes.glue) - changes.denials
    return "yes" if all(word in allowed for word in rest) else ""


def _one_of_its_parts(scene: TurnContext, focus: Focus, heard: TurnInput) -> str:
    """Return the one value that parts of a text stand for, when no other part denies anything."""
    changes = scene.pack.language.changes
    found: set[str] = set()
    for part in _parts(heard.text.lower().translate(_MARKS).split(), changes.joints | changes.contrasts):
        value = next(
            (own for words in _without_leads(part, changes.leads) if (own := _value(scene, focus, heard, words))), ""
        )
        if value:
            found.add(value)
        elif changes.denials.intersection(part):
            return ""
    return found.pop() if len(found) == 1 else ""


def _value(scene: TurnContext, focus: Focus, heard: TurnInput, words: list[str]) -> str:
    match = scene.grammar(focus).match(replace(heard, text=" ".join(words), words=(), alternatives=(), spelled=()))
    if match is None or match.meaning.kind != "value" or match.meaning.guessed or match.reading is not None:
        return ""
    return match.meaning.name


def _parts(words: list[str], cuts: frozenset[str]) -> Iterator[list[str]]:
    start = 0
    for at, word in enumerate([*words, ""]):
        if at == len(words) or word in cuts:
            if at > start:
                yield words[start:at]
            start = at + 1


def _without_leads(words: list[str], leads: frozenset[str]) -> Iterator[list[str]]:
    yield words
    while words and words[0] in leads:
        words = words[1:]
        if words:
            yield words
