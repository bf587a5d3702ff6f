"""The words that were typed in a session, and whether each of them is still where it belongs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.edit_sessions.editor import EditingBrowser

_WORD = re.compile(r"k\d+x\d+q")
_PAGE = 500


class Words:
    """Makes words that stand nowhere else, and remembers them."""

    def __init__(self, session: int) -> None:
        self._session = session
        self.typed: dict[str, str] = {}
        """Word -> who typed it; ``""`` for a hand edit of a file."""

    def new(self, who: str) -> str:
        """Return a word for somebody to type."""
        word = f"k{self._session}x{len(self.typed)}q"
        self.typed[word] = who
        return word

    def by_hand(self) -> str:
        """Return a word that is written into a file."""
        return self.new("")


def words_in(value: Any) -> set[str]:
    """Return the words in anything that JSON can hold."""
    return set(_WORD.findall(json.dumps(value)))


async def check_session(
    people: Sequence[EditingBrowser], words: Words, settled: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what was lost: words that nobody took away and that the draft has not, edits that are nowhere."""
    one = people[0]
    log = await _log(one)
    conflicts = (await one.ask("GET", f"/drafts/{one.draft}/conflicts"))["conflicts"]
    text = await _text(one)
    lost = [
        f"{person.name}: {problem}" for person in people for problem in _unaccounted(person, log, conflicts, settled)
    ]
    visible = {word for word, who in words.typed.items() if not who} | _after(log)
    overwritten = set[str]().union(
        *(words_in(conflict["theirs"]) for conflict in settled if conflict["take"] == "mine")
    )
    taken = set[str]().union(*(_taken(entry["operations"]) for entry in log if _counts(entry)))
    lost += [
        f"{word} of {words.typed[word] or 'a file'} is not in the draft"
        for word in sorted(visible - overwritten - taken)
        if word not in text
    ]
    return lost


def _after(log: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the words that the entries of a log leave in a draft."""
    visible: set[str] = set()
    for entry in log:
        if _counts(entry):
            # what stood there before is somebody else's: they may take their own words back below one's own
            for one in entry["operations"]:
                visible |= words_in(one.get("value")) - words_in(one.get("old"))
            visible -= _taken(entry["operations"])
    return visible


def _counts(entry: Mapping[str, Any]) -> bool:
    return entry["kind"] == "edit" and not entry["undone"] and not entry["dropped"]


def _taken(operations: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the words that somebody saw and took away."""
    taken = set[str]().union(
        *(words_in(one.get("old")) - words_in(one.get("value")) for one in operations if one["op"] in ("set", "remove"))
    )
    return taken - words_in([one.get("value") for one in operations])


def _unaccounted(
    person: EditingBrowser,
    log: Sequence[Mapping[str, Any]],
    conflicts: Sequence[Mapping[str, Any]],
    settled: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Return edits of somebody that stand neither in the log nor among the conflicts nor in their browser."""
    entries = {entry["id"]: entry for entry in log}
    told = {conflict["id"]: conflict for conflict in [*settled, *conflicts]}
    problems = []
    for edit in person.edits:
        entry, conflict = entries.get(edit.id), told.get(edit.id)
        kept: list[Any] = []
        if entry is not None:
            kept += [entry["operations"]]
        if conflict is not None:
            kept += [conflict["operations"], conflict["mine"]]
        if edit.state == "refused":
            kept += [edit.operations]  # the page shows it until the person gives it up
        if edit.state == "pending":
            problems.append(f"edit {edit.id} was never answered for")
        elif words_in([one.get("value") for one in edit.operations]) - words_in(kept):
            problems.append(f"edit {edit.id} ({edit.state}) is nowhere: {edit.operations}")
        elif entry is not None and entry["dropped"] and conflict is None:
            problems.append(f"edit {edit.id} was dropped without a word: {edit.operations}")
    return problems


async def _log(person: EditingBrowser) -> list[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = []
    after, seq = 0, 1
    while after < seq:
        told = await person.ask("GET", f"/drafts/{person.draft}/operations?after={after}&limit={_PAGE}")
        entries += told["operations"]
        after, seq = after + _PAGE, told["seq"]
    return entries


async def _text(person: EditingBrowser) -> str:
    texts = []
    for held in (await person.ask("GET", f"/drafts/{person.draft}"))["files"]:
        told = await person.ask("GET", f"/drafts/{person.draft}/text?file={held['file']}")
        texts.append(told["text"])
    return "\n".join(texts)
