"""What callers may say at any moment of a pack: expanded and compiled once, shared by the grammars of all turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.dialog.edges import Edges
from agent.dialog.entry_table import Entry, EntryTable
from agent.dialog.gists import Gist
from agent.dialog.meanings import Meaning
from agent.dialog.pack_phrases import PackPhrases, listed, too_many_numbers
from agent.dialog.templates import Phrase, is_wide, unmarked
from agent.dialog.wide_phrases import Tokens, WidePhrase, fixed
from agent.yaml_source import Path

_SHORT_COMMANDS = ("agent", "repeat", "wait")
"""What may be said besides yes and no: few phrases, because a short grammar mishears less."""
_SHORT_WORDS = 3
"""Longer ways of saying these commands are left out next to yes and no, for the same reason."""


@dataclass(frozen=True)
class CommonPhrases:
    """What several grammars share."""

    yes: list[Entry]
    no: list[Entry]
    right: list[Entry]
    wrong: list[Entry]
    short_commands: list[Entry]
    anywhere: EntryTable
    """Commands, escalations and requests, but for requests that begin with a number."""
    numbers_first: EntryTable
    """Requests that begin with a number: only where a request is asked for."""
    strong_words: Mapping[str, Meaning]
    silent_words: Mapping[str, Meaning]
    """Strong words that are understood but not listened for."""
    fillers: tuple[Tokens, ...]
    edges: Edges
    agreed_fillers: tuple[Tokens, ...]
    """Fillers, and what agrees: "yes, it's two oh ..." answers the read-back and the question in one breath."""
    agreed_edges: Edges
    edges_heard: tuple[str, ...]
    """Openers and closers the recogniser listens for."""


class CommonMaker:
    """Makes them out of a pack's phrases; mistakes are reported there."""

    def __init__(self, phrases: PackPhrases) -> None:
        self._phrases = phrases
        self._contents = phrases.contents
        self._expand = phrases.expand
        self._report = phrases.report

    def make(self) -> CommonPhrases:
        """Expand and compile everything."""
        contents = self._contents
        yes_no = {
            answer: self._expand(contents.answers.get(answer, ()), Meaning("value", answer), ("answers", answer))
            for answer in ("yes", "no")
        }
        owners: dict[tuple[str, ...], str] = {}
        for answer, entries in yes_no.items():
            self._phrases.owned(entries, answer, owners, ("answers", answer))
        reactions: dict[str, list[Entry]] = {"right": [], "wrong": []}
        if contents.corrections is not None:
            for kind in reactions:
                texts = getattr(contents.corrections, kind)
                reactions[kind] = self._expand(texts, Meaning(kind, kind), ("corrections", kind))
        commands: dict[str, list[Entry]] = {}
        if contents.commands is not None:
            for name in type(contents.commands).model_fields:
                texts = getattr(contents.commands, name)
                commands[name] = self._expand(texts, Meaning("command", name), ("commands", name))
        escalations: list[Entry] = []
        strong: dict[str, Meaning] = {}
        silent: dict[str, Meaning] = {}
        for name, escalation in contents.escalate.items():
            meaning = Meaning("escalate", name)
            escalations += self._expand(escalation.phrases, meaning, ("escalate", name, "phrases"))
            for word in escalation.words:
                (silent if is_wide(word) else strong)[unmarked(word).lower()] = meaning
        fillers = self._expand(contents.fillers, Meaning("filler", ""), ("fillers",))
        spoken_fillers = tuple(phrase.tokens for phrase, _ in fillers if isinstance(phrase, Phrase))
        openers = self._expand(contents.openers, Meaning("opener", ""), ("openers",))
        closers = self._expand(contents.closers, Meaning("closer", ""), ("closers",))
        # where a request is asked for people begin far away
        before = self._around([*openers, *fillers])
        behind = self._around([*closers, *fillers])
        agreed = [*yes_no["yes"], *reactions["right"]]
        at_any_moment = [*escalations, *(entry for entries in commands.values() for entry in entries)]
        requests = self._requests(commands, escalations)
        inside = [entry for entry in requests if not _begins_with_number(entry)]
        numbers_first = [entry for entry in requests if _begins_with_number(entry)]
        return CommonPhrases(
            yes=yes_no["yes"],
            no=yes_no["no"],
            right=reactions["right"],
            wrong=reactions["wrong"],
            short_commands=[
                entry
                for name in _SHORT_COMMANDS
                for entry in commands.get(name, [])
                if isinstance(entry[0], Phrase) and len(entry[0].tokens) <= _SHORT_WORDS
            ],
            anywhere=EntryTable([*at_any_moment, *inside], self._phrases.formats, self._phrases.same),
            numbers_first=EntryTable(numbers_first, self._phrases.formats, self._phrases.same),
            strong_words=strong,
            silent_words=silent,
            fillers=spoken_fillers,
            edges=Edges(before, behind),
            agreed_fillers=(*spoken_fillers, *(phrase.tokens for phrase in listed(agreed))),
            agreed_edges=Edges([*before, *self._around(agreed)], behind),
            edges_heard=tuple(phrase.text for phrase in listed([*openers, *closers])),
        )

    def _around(self, entries: list[Entry]) -> list[WidePhrase]:
        """Return phrases as what may stand at an edge."""
        return [
            fixed(self._phrases.same.rewrite(phrase.tokens)) if isinstance(phrase, Phrase) else phrase
            for phrase, _ in entries
            if not isinstance(phrase, Gist)
        ]

    def _requests(self, commands: Mapping[str, list[Entry]], escalations: list[Entry]) -> list[Entry]:
        entries: list[Entry] = []
        taken: dict[tuple[str, ...], str] = {}
        for name in commands:
            for said in listed(commands[name]):
                other = taken.setdefault(said.tokens, f"the command '{name}'")
                if other != f"the command '{name}'":
                    self._report(("commands", name), f"'{said.text}' already belongs to {other}")
        for item, meaning in escalations:
            if isinstance(item, Phrase):
                other = taken.setdefault(item.tokens, f"the escalation '{meaning.name}'")
                if other != f"the escalation '{meaning.name}'":
                    self._report(("escalate", meaning.name, "phrases"), f"'{item.text}' already belongs to {other}")
        for flow_id, flow in self._contents.flows.items():
            for index, trigger in enumerate(flow.triggers):
                path: Path = ("flows", flow_id, "triggers", index)
                for phrase, meaning in self._expand(trigger.phrases, Meaning("request", flow_id, (), index), path):
                    if not isinstance(phrase, Phrase):
                        entries.append((phrase, meaning))
                        continue
                    problem = too_many_numbers(phrase)
                    if problem:
                        self._report(path, problem)
                        continue
                    own = f"the flow '{flow_id}'"
                    other = taken.setdefault(phrase.tokens, own)
                    if other != own:
                        self._report(path, f"'{phrase.text}' already belongs to {other}")
                        continue
                    entries.append((phrase, meaning))
        return entries


def _begins_with_number(entry: Entry) -> bool:
    phrase = entry[0]
    return isinstance(phrase, Phrase) and phrase.tokens[0].startswith("{")
