"""Makes the grammar of every turn a pack can produce: slot answers, corrections, commands and requests."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from agent.dialog import choices, knowledge
from agent.dialog.choices import Option
from agent.dialog.common_phrases import CommonMaker
from agent.dialog.entry_table import Entry, Layer
from agent.dialog.flow import PackFile, Slot
from agent.dialog.meanings import Meaning
from agent.dialog.pack_phrases import PackPhrases, Report, listed, number_formats, too_many_numbers
from agent.dialog.templates import Phrase
from agent.dialog.turn_grammar import TurnGrammar
from agent.yaml_source import Path

__all__ = ["CONFIRM_REQUEST", "Understanding", "collect_key", "confirm_key", "number_formats"]

_REMEMBERED = 200


def collect_key(slot: str) -> str:
    """Return the key of the grammar that listens for a slot."""
    return f"collect:{slot}"


def confirm_key(slot: str) -> str:
    """Return the key of the grammar that listens for a number's confirmation."""
    return f"confirm:{slot}"


CONFIRM_REQUEST = "confirm_request"
"""Key of the grammar that listens to whether a request was understood."""


class Understanding:
    """The grammar of every turn: those known beforehand, and those whose choices come from a call's data.

    Mistakes in phrases go to ``report`` with their key path; the rest is still built.
    """

    def __init__(self, contents: PackFile, report: Report) -> None:
        self._builder = _Builder(contents, report)
        self.fixed: Mapping[str, TurnGrammar] = self._builder.build()
        self._made: dict[tuple[str, tuple[Option, ...]], TurnGrammar] = {}
        self._lock = threading.Lock()

    def with_options(self, slot: str, options: tuple[Option, ...]) -> TurnGrammar:
        """Return the grammar that listens for ``slot`` when there are these choices. The last ones are remembered."""
        key = (slot, options)
        found = self._made.get(key)
        if found is None:
            found = self._builder.collect(slot, options)
            with self._lock:
                if len(self._made) >= _REMEMBERED:
                    self._made.pop(next(iter(self._made)))
                self._made[key] = found
        return found


class _Builder:
    def __init__(self, contents: PackFile, report: Report) -> None:
        self._contents = contents
        self._phrases = PackPhrases(contents, report)
        self._report = report
        self._common = CommonMaker(self._phrases).make()

    def collect(self, name: str, options: tuple[Option, ...] = ()) -> TurnGrammar:
        """Return the grammar that listens for a slot."""
        common, slot, path = self._common, self._contents.slots[name], ("slots", name)
        if slot.type == "yes_no":
            return self._short([*common.yes, *common.no])
        corrects = slot.corrects in self._phrases.formats
        entries = self._answers(name, slot, path, options)
        if corrects:
            entries += self._phrases.corrections(slot.corrects, path)
            entries += [*common.wrong, *common.right]
            entries += _as(Meaning("wrong", "wrong"), common.no)
            entries += _as(Meaning("right", "right"), common.yes)
        whole = slot.type == "request"
        return TurnGrammar(
            entries,
            self._phrases.formats,
            common.agreed_fillers if corrects else common.fillers,
            common.strong_words,
            shared=[Layer(common.anywhere), *([Layer(common.numbers_first)] if whole else [])],
            silent_words=common.silent_words,
            edges=common.agreed_edges if corrects else common.edges,
            # where no request is asked for, openers and closers would only be more to mishear
            also_heard=common.edges_heard if whole else (),
            same=self._phrases.same,
        )

    def build(self) -> dict[str, TurnGrammar]:
        """Return the grammars that do not hang on a call's data."""
        common = self._common
        grammars = {CONFIRM_REQUEST: self._short([*common.yes, *common.no])}
        for name, slot in self._contents.slots.items():
            grammars[collect_key(name)] = self.collect(name)
            if slot.type == "number":
                entries = [*common.yes, *common.no]
                entries += _as(Meaning("value", "yes"), common.right)
                entries += _as(Meaning("value", "no"), common.wrong)
                entries += self._phrases.corrections(name, ("slots", name))
                entries += [(Phrase((f"{{{name}}}",)), Meaning("correct", name))]
                grammars[confirm_key(name)] = self._short(entries)
        return grammars

    def _answers(self, name: str, slot: Slot, path: Path, options: tuple[Option, ...]) -> list[Entry]:
        entries: list[Entry] = []
        if slot.type == "number":
            texts = slot.phrases or (f"{{{name}}}",)
            entries += self._phrases.expand(texts, Meaning("number", name), (*path, "phrases"))
            for phrase in listed(entries):
                problem = too_many_numbers(phrase)
                if problem:
                    self._report((*path, "phrases"), problem)
        told = self._contents.knowledge
        owners: dict[tuple[str, ...], str] = {}
        for value, texts in knowledge.choices(slot, told).items():
            where = knowledge.place(name, value, told, slot)
            own = self._phrases.expand(texts, Meaning("value", value), where)
            self._phrases.owned(own, value, owners, where)
            entries += own
        entries += [(Phrase(words), Meaning("value", value)) for value, words in choices.spoken(options)]
        if not options:
            entries += [
                (Phrase(words, heard=False), Meaning("value", value)) for value, words in choices.by_key(slot.dtmf)
            ]
        if slot.type == "choice" and slot.phrases and (options or knowledge.is_fixed(slot)):
            entries += self._phrases.wrapped(name, slot, path, options)
        return entries

    def _short(self, entries: list[Entry]) -> TurnGrammar:
        """Make a grammar that hears few phrases; what else callers say at any moment is understood all the same."""
        common = self._common
        return TurnGrammar(
            [*entries, *common.short_commands],
            self._phrases.formats,
            common.fillers,
            shared=[Layer(common.anywhere, heard=False)],
            silent_words={**common.strong_words, **common.silent_words},
            speak_fillers=False,
            edges=common.edges,
            same=self._phrases.same,
        )


def _as(meaning: Meaning, entries: list[Entry]) -> list[Entry]:
    return [(phrase, meaning) for phrase, _ in entries]
