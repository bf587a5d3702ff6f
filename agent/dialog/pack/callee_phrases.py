"""The phrases of a pack's ``outbound`` section, written out: what callees, machines and screeners say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.common.yaml_reader import KeyPath
from agent.dialog.callee import PhraseKind
from agent.dialog.errors import TemplateError
from agent.dialog.grammar.templates import Expander, is_wildcard
from agent.dialog.model.model import PackFile

_FEWEST_WORDS = 2
"""A piece of a machine's sentence has two words at least: a single one is heard in anything."""


@dataclass(frozen=True)
class CalleePhrases:
    """Lower-case phrases, each once."""

    greetings: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    """Ways of saying "stop calling me" that are listened for."""
    machines: Mapping[PhraseKind, tuple[str, ...]] = field(default_factory=dict)

    def all(self) -> tuple[str, ...]:
        """Return every phrase, each once."""
        texts = (*self.greetings, *self.stop, *(one for phrases in self.machines.values() for one in phrases))
        return tuple(dict.fromkeys(texts))


def callee_phrases(contents: PackFile) -> CalleePhrases:
    """Write the phrases out; empty for a pack that places no calls. What cannot be read is left out."""
    outbound = contents.outbound
    if outbound is None:
        return CalleePhrases()
    expander = Expander(contents.rules)
    stop = contents.commands.stop_calling if contents.commands is not None else ()
    return CalleePhrases(
        greetings=_written_out(expander, outbound.greetings),
        stop=_written_out(expander, [text for text in stop if not is_wildcard(text)]),
        machines={kind: _written_out(expander, texts) for kind, texts in outbound.machines.items()},
    )


def problems(contents: PackFile) -> Iterator[tuple[KeyPath, str]]:
    """Yield (place, what is wrong) with these phrases."""
    outbound = contents.outbound
    if outbound is None:
        return
    expander = Expander(contents.rules)
    lists: list[tuple[KeyPath, Sequence[str]]] = [(("outbound", "greetings"), outbound.greetings)]
    lists += [(("outbound", "machines", kind), texts) for kind, texts in outbound.machines.items()]
    for path, texts in lists:
        for index, text in enumerate(texts):
            here: KeyPath = (*path, index)
            if is_wildcard(text):
                yield here, f"'{text}' is listened for: '~' and '*' say nothing to a recogniser"
                continue
            try:
                phrases = expander.expand(text)
            except TemplateError as error:
                yield here, f"'{text}': {error.message}"
                continue
            short = [phrase.text for phrase in phrases if len(phrase.tokens) < _FEWEST_WORDS]
            if short and "machines" in path:
                yield here, f"'{short[0]}' is one word: people say it as well; write two or more"


def _written_out(expander: Expander, texts: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in texts:
        try:
            found |= dict.fromkeys(phrase.text for phrase in expander.expand(text))
        except TemplateError:
            continue
    return tuple(found)
