"""Drafts: several people at once, undo that outlives a restart, edits by hand underneath, nothing lost."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.builder.draft import Draft
from agent.builder.draft_store import DraftStore
from agent.builder.edit_requests import EditRequest
from agent.builder.errors import DraftMissing, DraftNotOpen, EditRefused
from agent.common.sqlite import SqliteFile
from agent.console.store import console_file
from agent.dialog.pack.pack_files import JOURNAL, edition_of
from agent.dialog.pack.reader import read_pack
from tests.builder.test_applying import PACK, STEPS

LONG_AGO = 1_000_000_000


class Desk:
    """A store over files on disk; it can be closed and opened again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pack = home / "pack"
        for file, text in PACK.items():
            self.write(file, text)
        self.file: SqliteFile
        self.store: DraftStore
        self.start()

    def start(self) -> None:
        self.file = console_file(self.home / "console.sqlite")
        self.store = DraftStore(self.file, self.pack)

    async def restart(self) -> None:
        await self.file.close()
        self.start()

    def write(self, file: str, text: str) -> None:
        path = self.pack / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        for one in (path, path.parent, self.pack):
            os.utime(one, (LONG_AGO + len(text), LONG_AGO + len(text)))  # long enough ago to be whole

    async def do(
        self, draft: Draft, who: str, *operations: dict[str, Any], seen: int | None = None, name: str = ""
    ) -> Any:
        asked = [
            EditRequest(name or f"{who}-{draft.seq}-{number}-{hash(str(one))}", (one,))
            for number, one in enumerate(operations)
        ]
        return await self.store.apply(draft.id, who, asked, draft.seq if seen is None else seen)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.file.close()


def set_to(value: str, *path: str | int, **more: Any) -> dict[str, Any]:
    return {"op": "set", "path": list(path) or ["prompts", "done"], "value": value, **more}


def text_of(draft: Draft, file: str = "words.yaml") -> str:
    return draft.files()[file]


async def test_an_edition_has_the_fingerprint_that_the_agent_reads(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    assert draft.base == read_pack(desk.pack).fingerprint == edition_of(draft.files())


async def test_what_is_sent_twice_is_done_once(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann", "browser-1")
    assert (await desk.store.open("again", "ann", "browser-1")).id == draft.id
    insert = {"op": "insert", "path": [*STEPS, 0], "value": {"say": "done"}}
    first, answers = await desk.do(draft, "ann", insert, name="one")
    again, repeated = await desk.do(draft, "ann", insert, name="one")
    assert answers == repeated == [{"id": "one", "state": "applied", "seq": 1}]
    assert again.files() == first.files()


async def test_undo_and_redo_outlive_a_restart_and_give_the_bytes_back(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    states = [draft.files()]
    for number in range(5):
        draft, _ = await desk.do(draft, "ann", set_to(f"It's done, {number}."))
        states.append(draft.files())
    await desk.restart()
    for number in range(5):
        draft, answer = await desk.store.undo(draft.id, "ann", f"u{number}")
        assert (answer["state"], draft.files()) == ("applied", states[4 - number])
    assert (await desk.store.undo(draft.id, "ann", "u5"))[1]["state"] == "nothing"
    await desk.restart()
    for number in range(5):
        draft, answer = await desk.store.redo(draft.id, "ann", f"r{number}")
        assert (answer["state"], draft.files()) == ("applied", states[number + 1])
    assert (await desk.store.redo(draft.id, "ann", "r5"))[1]["state"] == "nothing"


async def test_one_takes_back_ones_own_edit_and_the_others_stays(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", {"op": "insert", "path": [*STEPS, 0], "value": {"say": "photo_first"}})
    draft, _ = await desk.do(draft, "bob", set_to("end", *STEPS, "price", "then"))
    draft, answer = await desk.store.undo(draft.id, "ann", "u")
    assert answer["of"] == 1
    assert text_of(draft, "flows/returns.yaml") == PACK["flows/returns.yaml"].replace("then: photo", "then: end")
    draft, answer = await desk.store.undo(draft.id, "bob", "v")
    assert draft.files() == PACK


async def test_what_others_have_changed_since_is_not_taken_back_with_it(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", set_to("Ready."))
    draft, _ = await desk.do(draft, "bob", set_to("All set."))
    draft, answer = await desk.store.undo(draft.id, "ann", "u")
    assert answer["state"] == "conflict"
    assert "All set." in text_of(draft)
    draft, _ = await desk.store.undo(draft.id, "bob", "v")
    draft, answer = await desk.store.undo(draft.id, "ann", "w")
    assert (answer["state"], draft.files()) == ("applied", PACK)


async def test_places_move_along_with_what_others_have_inserted(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "bob", {"op": "insert", "path": [*STEPS, 0], "value": {"say": "photo_first"}})
    change = set_to("identify_2", *STEPS, 0, "link", old="identify")
    draft, answers = await desk.do(draft, "ann", change, seen=0)
    assert answers[0]["state"] == "applied"
    assert "- say: photo_first\n      - link: identify_2\n" in text_of(draft, "flows/returns.yaml")


async def test_two_who_change_one_field_are_told_both_values_and_neither_is_lost(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", set_to("Ready.", old="It's done."))
    draft, answers = await desk.do(draft, "bob", set_to("All set.", old="It's done."), seen=0)
    assert (answers[0]["state"], answers[0]["mine"], answers[0]["theirs"]) == ("conflict", "All set.", "Ready.")
    await desk.restart()
    kept = (await desk.store.get(draft.id)).conflicts
    assert [(one.who, one.mine) for one in kept] == [("bob", "All set.")]
    draft, answer = await desk.store.settle(draft.id, "bob", kept[0].number, "mine")
    assert (draft.conflicts, answer["state"]) == ((), "applied")
    assert "done: All set." in text_of(draft)
    with pytest.raises(DraftMissing):
        await desk.store.settle(draft.id, "bob", kept[0].number, "mine")


async def test_mine_does_not_write_over_what_was_typed_since_the_conflict_was_shown(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", set_to("Ready.", old="It's done."))
    draft, _ = await desk.do(draft, "bob", set_to("All set.", old="It's done."), seen=0)
    (shown,) = draft.conflicts
    draft, _ = await desk.do(draft, "ann", set_to("Ready, and wrapped.", old="Ready."))
    with pytest.raises(EditRefused, match="changed again"):
        await desk.store.settle(draft.id, "bob", shown.number, "mine")
    await desk.restart()
    draft = await desk.store.get(draft.id)
    assert "done: Ready, and wrapped." in text_of(draft)
    (again,) = draft.conflicts
    assert (again.number, again.mine, again.theirs) == (shown.number, "All set.", "Ready, and wrapped.")
    draft, _ = await desk.store.settle(draft.id, "bob", again.number, "mine")
    assert "done: All set." in text_of(draft)


async def test_an_edit_by_hand_is_merged_and_undo_goes_on_working(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", set_to("Ready."), set_to("What for?", "slots", "why", "prompt"))
    by_hand = PACK["words.yaml"].replace("# by text message", "# by e-mail").replace("item_price: 0", "item_price: 5")
    desk.write("words.yaml", by_hand)
    draft = await desk.store.get(draft.id)
    expected = by_hand.replace("It's done.", "Ready.").replace("Why?", "What for?")
    assert (draft.conflicts, text_of(draft)) == ((), expected)
    assert draft.base == read_pack(desk.pack).fingerprint
    await desk.store.undo(draft.id, "ann", "u1")
    draft, answer = await desk.store.undo(draft.id, "ann", "u2")
    assert (answer["state"], text_of(draft)) == ("applied", by_hand)


async def test_an_edit_by_hand_of_the_same_field_is_a_conflict_that_waits_to_be_settled(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", set_to("Ready.", old="It's done."))
    desk.write("words.yaml", PACK["words.yaml"].replace("It's done.", "Done and dusted."))
    draft = await desk.store.get(draft.id)
    assert [(one.mine, one.theirs) for one in draft.conflicts] == [("Ready.", "Done and dusted.")]
    assert "Done and dusted." in text_of(draft)
    draft, _ = await desk.store.settle(draft.id, "ann", draft.conflicts[0].number, "mine")
    assert "done: Ready." in text_of(draft)


async def test_a_draft_is_put_aside_and_taken_up_again(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", set_to("Ready."))
    await desk.store.discard(draft.id, "ann")
    assert await desk.store.list("open") == []
    with pytest.raises(DraftNotOpen):
        await desk.do(draft, "ann", set_to("All set."))
    again = await desk.store.restore(draft.id, "ann")
    assert (again.state, again.files()) == ("open", draft.files())
    with pytest.raises(DraftMissing):
        await desk.store.get("unknown")


async def test_several_operations_are_all_done_or_none_and_are_one_step_to_undo(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    both = (set_to("Ready."), {"op": "insert", "path": ["prompts", "more"], "value": "More."})
    draft, _ = await desk.store.apply(draft.id, "ann", [EditRequest("a", both)], 0)
    assert draft.seq == 1
    _, answers = await desk.store.apply(
        draft.id, "ann", [EditRequest("b", (set_to("No."), set_to("x", "nowhere", "a")))], 1
    )
    assert answers[0]["state"] == "refused"
    assert "Ready." in text_of(await desk.store.get(draft.id))
    draft, _ = await desk.store.undo(draft.id, "ann", "u")
    assert draft.files() == PACK


async def test_who_follows_is_told_of_every_change(desk: Desk) -> None:
    told: list[Draft | None] = []
    stop = desk.store.follow(told.append)
    draft = await desk.store.open("spring", "ann")
    await asyncio.gather(
        desk.do(draft, "ann", set_to("Ready.")), desk.do(draft, "bob", set_to("x", "slots", "why", "prompt"))
    )
    stop()
    await desk.store.rename(draft.id, "summer", "ann")
    assert [one.seq for one in told if one is not None] == [0, 1, 2]


async def test_changes_are_told_key_by_key(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(
        draft, "ann", set_to("Ready."), {"op": "insert", "path": [*STEPS, 1], "value": {"say": "done"}}
    )
    assert [(one.kind, one.path, one.before, one.after) for one in draft.changes()] == [
        ("added", ("flows", "returns", "steps", 1), None, {"say": "done"}),
        ("changed", ("prompts", "done"), "It's done.", "Ready."),
    ]


# --- publication -----------------------------------------------------------------------------------------------------

NEW_STEP = {"op": "insert", "path": [*STEPS, 1], "value": {"say": "done"}}


def put_in_place(desk: Desk, files: dict[str, str]) -> None:
    for file, text in files.items():
        desk.write(file, text)


async def test_a_draft_that_was_published_is_edited_no_longer(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", NEW_STEP)
    put_in_place(desk, draft.files())
    assert (await desk.store.published(draft.id, "eve", draft.seq)).state == "published"
    with pytest.raises(DraftNotOpen):
        await desk.do(draft, "ann", set_to("Ready."))


async def test_what_is_typed_while_a_draft_is_published_stays_in_it_and_nothing_is_done_twice(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    published, _ = await desk.do(draft, "ann", NEW_STEP, set_to("Ready."))
    put_in_place(desk, published.files())
    draft, _ = await desk.do(published, "bob", set_to("What for?", "slots", "why", "prompt"))
    draft, _ = await desk.store.undo(draft.id, "ann", "u")  # of what is published
    expected = draft.files()
    assert expected["words.yaml"] == PACK["words.yaml"].replace("Why?", "What for?")
    draft = await desk.store.published(draft.id, "eve", published.seq)
    await desk.restart()
    draft = await desk.store.get(draft.id)
    assert (draft.state, draft.files(), draft.base) == ("open", expected, published.edition)
    by_hand = published.files()["words.yaml"].replace("item_price: 0", "item_price: 55")
    desk.write("words.yaml", by_hand)
    draft = await desk.store.get(draft.id)
    after = by_hand.replace("Why?", "What for?").replace("Ready.", "It's done.")
    assert (draft.conflicts, text_of(draft)) == ((), after)
    draft, _ = await desk.store.undo(draft.id, "bob", "u2")
    assert text_of(draft) == after.replace("What for?", "Why?")


async def test_a_publication_that_is_taken_back_takes_nothing_from_the_draft(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", NEW_STEP, set_to("Ready."))
    put_in_place(desk, draft.files())
    draft, _ = await desk.do(draft, "bob", set_to("What for?", "slots", "why", "prompt"))
    put_in_place(desk, PACK)
    again = await desk.store.get(draft.id)
    assert (again.files(), again.conflicts, again.in_files) == (draft.files(), (), 0)
    for number in range(2):
        again, _ = await desk.store.undo(draft.id, "ann", f"u{number}")
    again, _ = await desk.store.undo(draft.id, "bob", "u")
    assert again.files() == PACK


async def test_an_edit_by_hand_of_what_was_published_does_not_do_the_draft_on_its_own_text(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", NEW_STEP)
    put_in_place(desk, draft.files())
    await desk.store.get(draft.id)
    put_in_place(desk, {file: f"{text}# seen\n" for file, text in draft.files().items()})
    draft = await desk.store.get(draft.id)
    assert (draft.conflicts, draft.changes()) == ((), [])


@pytest.mark.parametrize("published", [True, False])
async def test_a_console_killed_before_it_noted_a_publication_notes_it_at_its_start(
    desk: Desk, published: bool
) -> None:
    draft = await desk.store.open("spring", "ann")
    other = await desk.store.open("summer", "bob")
    draft, _ = await desk.do(draft, "ann", NEW_STEP)
    put_in_place(desk, draft.files())
    await desk.restart()
    await desk.store.catch_up({draft.edition} if published else set())
    states = [(await desk.store.get(one.id)).state for one in (draft, other)]
    assert states == ["published" if published else "open", "open"]


async def test_a_draft_that_is_published_with_a_conflict_that_came_meanwhile_stays_open(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", set_to("Ready.", old="It's done."))
    put_in_place(desk, draft.files())
    await desk.do(draft, "bob", set_to("All set.", old="It's done."), seen=0)
    draft = await desk.store.published(draft.id, "eve", draft.seq)
    assert (draft.state, [one.mine for one in draft.conflicts]) == ("open", ["All set."])


# --- what is sent again, and files that are not there ----------------------------------------------------------------


async def test_what_is_sent_again_after_a_lost_answer_goes_where_it_was_meant(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    await desk.do(draft, "bob", {"op": "insert", "path": [*STEPS, 0], "value": {"say": "photo_first"}})
    both = [
        EditRequest("a", ({"op": "insert", "path": [*STEPS, 0], "value": {"id": "mine", "say": "done"}},)),
        EditRequest("b", ({"op": "set", "path": [*STEPS, 0, "say"], "value": "photo_first"},)),
    ]
    whole = await desk.store.open("whole", "ann")
    await desk.do(whole, "bob", {"op": "insert", "path": [*STEPS, 0], "value": {"say": "photo_first"}})
    expected, _ = await desk.store.apply(whole.id, "ann", both, 0)
    await desk.store.apply(draft.id, "ann", both[:1], 0)
    found, answers = await desk.store.apply(draft.id, "ann", both, 0)  # the first answer was lost
    assert [one["state"] for one in answers] == ["applied", "applied"]
    assert found.files() == expected.files()


async def test_a_directory_that_is_not_there_takes_nothing_from_a_draft(desk: Desk) -> None:
    draft = await desk.store.open("spring", "ann")
    draft, _ = await desk.do(draft, "ann", NEW_STEP)
    desk.pack.rename(desk.home / "elsewhere")
    with pytest.raises(EditRefused):
        await desk.store.get(draft.id)
    (desk.home / "elsewhere").rename(desk.pack)
    again = await desk.store.get(draft.id)
    assert (again.files(), again.conflicts) == (draft.files(), ())


async def test_a_publication_under_way_is_read_as_one_change(desk: Desk) -> None:
    new = {file: f"{text}# new\n" for file, text in PACK.items()}
    (desk.pack / JOURNAL).write_text(json.dumps({"old": PACK, "new": new}))
    desk.write("words.yaml", new["words.yaml"])  # and killed before the next file
    draft = await desk.store.open("spring", "ann")
    assert draft.files() == new
