"""Random edit sessions: what is lost is told, and a few sessions on a real console lose nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from benchmarks.edit_sessions.__main__ import play_sessions
from benchmarks.edit_sessions.editor import EditingBrowser, TypedEdit
from benchmarks.edit_sessions.typed_words import Words, check_session

SESSIONS = range(20)


@dataclass
class ToldBrowser:
    """A browser whose console answers what a test says."""

    log: list[dict[str, Any]]
    text: str
    edits: list[TypedEdit] = field(default_factory=list)
    name: str = "ann"
    draft: str = "d"

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        if "/operations?" in path:
            return {"operations": self.log, "seq": len(self.log)}
        if path.endswith("/conflicts"):
            return {"conflicts": []}
        return {"text": self.text} if "/text?" in path else {"files": [{"file": "a.yaml"}]}


def _edit(word: str) -> tuple[TypedEdit, dict[str, Any]]:
    operation = {"op": "set", "path": ["prompts", "a"], "value": f"It is {word}.", "old": "It is."}
    entry = {"id": word, "kind": "edit", "undone": False, "dropped": False, "operations": [operation]}
    return TypedEdit(word, [operation], sent=True, state="applied"), entry


async def _lost(browser: ToldBrowser, words: Words) -> list[str]:
    return await check_session([cast(EditingBrowser, browser)], words, [])


async def test_what_is_in_the_log_and_in_the_files_is_not_lost() -> None:
    words = Words(1)
    edit, entry = _edit(words.new("ann"))
    assert await _lost(ToldBrowser([entry], "a: It is k1x0q.", [edit]), words) == []
    undone = {**entry, "undone": True}
    assert await _lost(ToldBrowser([undone], "a: It is.", [edit]), words) == []


async def test_a_word_that_somebody_took_back_below_the_word_of_another_is_not_lost() -> None:
    words = Words(1)
    edit, entry = _edit(words.new("bob"))
    above = {"op": "set", "path": ["prompts", "a"], "value": f"It is k1x0q. {words.new('ann')}", "old": "It is k1x0q."}
    log = [{**entry, "undone": True}, {**entry, "id": "above", "operations": [above]}]
    assert await _lost(ToldBrowser(log, "a: It is. k1x1q", [edit]), words) == []
    assert await _lost(ToldBrowser(log, "a: It is.", [edit]), words) == ["k1x1q of ann is not in the draft"]


async def test_an_edit_that_is_nowhere_a_word_that_is_gone_and_one_by_hand_are_told() -> None:
    words = Words(1)
    edit, entry = _edit(words.new("ann"))
    by_hand = words.by_hand()
    (nowhere, gone) = await _lost(ToldBrowser([], "", [edit]), words)
    assert nowhere.startswith("ann: edit k1x0q (applied) is nowhere")
    assert gone == f"{by_hand} of a file is not in the draft"
    assert await _lost(ToldBrowser([entry], f"a: {by_hand}", [edit]), words) == ["k1x0q of ann is not in the draft"]
    pending = TypedEdit("p", edit.operations)
    assert (await _lost(ToldBrowser([], by_hand, [pending]), words))[0] == "ann: edit p was never answered for"


@pytest.mark.slow
async def test_random_sessions_on_a_console_that_is_killed_lose_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    results = await play_sessions(tmp_path, SESSIONS, told.append)
    assert not results.lost, told
    assert not results.broken_off, told
    assert results.played == len(SESSIONS)
    assert results.words > len(SESSIONS)
    done = results.done
    assert done["kill"]
    assert done["hand_edit"]
    assert done["undo: applied"]
    assert done["edits: conflict"]
