"""Sentences for the turns where a request is open: they tell the recogniser in which order callers string words.

A grammar of phrases alone knows no word order beyond those phrases: of callers' own sentences it bends every word to
something listed. Vosk makes word pairs of whatever stands in the list, so whole sentences (the pack's examples, draws
from its templates) let it hear others like them. Nothing is understood because it stands here.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.template_draws import SentenceDrawer, is_drawable
from agent.dialog.model.model import PackFile
from agent.dialog.understanding.examples import example_lists

REQUEST_DRAWS = 120
"""Sentences drawn from the templates of one procedure, or of the command for a person."""
TOPIC_DRAWS = 40
"""The same for a topic of the knowledge file."""
ESCALATION_DRAWS = 60
EXAMPLE_DRAWS = 4
"""Sentences of one example; those of one that stands for a single sentence are the same, and stand once."""


def open_sentences(contents: PackFile, drawer: SentenceDrawer) -> tuple[str, ...]:
    """Return the sentences of a pack, the same ones each time; those that occur twice weigh more.

    Templates that cannot be read give none: the pack's check names them.
    """
    found: list[str] = []
    for name, templates, count in _lots(contents):
        drawable = [text for text in templates if is_drawable(text)]
        for text in drawable:
            found += drawn(drawer, text, max(1, count // len(drawable)), name)
    for listed in example_lists(contents):
        for template in listed.templates:
            found += dict.fromkeys(drawn(drawer, template, EXAMPLE_DRAWS, listed.meaning))
    return tuple(found)


def _lots(contents: PackFile) -> Iterator[tuple[str, Sequence[str], int]]:
    for flow_id, flow in contents.flows.items():
        yield flow_id, [text for trigger in flow.triggers for text in trigger.phrases], REQUEST_DRAWS
    if contents.knowledge is not None:
        for topic, answer in contents.knowledge.answers.items():
            yield topic, answer.ask, TOPIC_DRAWS
    if contents.commands is not None:
        yield "agent", contents.commands.agent, REQUEST_DRAWS
    for name, escalation in contents.escalate.items():
        yield name, escalation.phrases, ESCALATION_DRAWS


@functools.lru_cache(maxsize=4096)  # most templates of an edited pack are those of the edition before it
def drawn(drawer: SentenceDrawer, template: str, count: int, seed: str) -> tuple[str, ...]:
    """Return ``count`` draws from one template; nothing when it cannot be read."""
    chance = random.Random(f"{seed}:{template}")  # noqa: S311 - repeatable sentences, not secrets
    try:
        return tuple(drawer.draw(template, count, chance))
    except TemplateError:
        return ()


__all__ = ["drawn", "open_sentences"]
