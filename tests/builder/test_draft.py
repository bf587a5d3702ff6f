"""The log of a draft: whatever was done, by whom, in whatever order it is taken back, the bytes come back."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.builder import trees
from agent.builder.draft import Draft, DraftEntry, EntryKind
from agent.builder.errors import EditConflict, EditRefused
from agent.builder.operations import operation_from
from agent.builder.patches import patch_between
from agent.builder.rebasing import apply_all, continued, rebased
from agent.builder.yaml_document import document
from tests.builder.packs_of_tests import FOREIGN, TREES, a_place

PACK = {name: text for name, text in FOREIGN.items() if name != "crlf.yaml"}
CASES = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def a_draft(files: dict[str, str]) -> Draft:
    return Draft("d", "spring", "open", "ann", 0, 0, "ann", "", 0, _base_files=files)


def with_edit(draft: Draft, who: str, *operations: dict[str, Any]) -> Draft:
    before = draft.files()
    done = apply_all(before, [operation_from(one) for one in operations])
    patch = patch_between(draft.seq + 1, before, done.files)
    entry = DraftEntry(draft.seq + 1, str(draft.seq), 0, who, "edit", done.operations, patch)
    return draft.with_entry(entry)


def with_taken_back(draft: Draft, entry: DraftEntry, who: str, kind: EntryKind) -> Draft:
    patch = draft.taking_back(entry)
    return draft.with_entry(DraftEntry(draft.seq + 1, str(draft.seq), 0, who, kind, (), patch))


def an_operation(draw: st.DrawFn, draft: Draft) -> dict[str, Any]:
    file, _, data, path = a_place(draw, draft.files())
    parent = trees.value_at(data, path[:-1])
    kind = draw(st.sampled_from(["set", "insert", "remove", "move"]))
    told = {"file": file, "path": list(path)}
    if kind == "insert":
        name = draw(st.integers(0, len(parent))) if isinstance(parent, list) else "an_added_key"
        return {"op": "insert", **told, "path": [*path[:-1], name], "value": draw(TREES)}
    if kind == "move" and isinstance(parent, list):
        return {"op": "move", **told, "to": [*path[:-1], draw(st.integers(0, len(parent) - 1))]}
    return {"op": "remove", **told} if kind == "remove" else {"op": "set", **told, "value": draw(TREES)}


def drawn_edits(draw: st.DrawFn, most: int) -> Draft:
    draft = a_draft(PACK)
    for _ in range(draw(st.integers(1, most))):
        who = draw(st.sampled_from(["ann", "bob"]))
        try:
            draft = with_edit(draft, who, an_operation(draw, draft))
        except (EditRefused, EditConflict):
            continue
    return draft


@CASES
@given(st.data())
def test_everything_taken_back_from_the_last_to_the_first_gives_each_state_again(data: st.DataObject) -> None:
    draft = drawn_edits(data.draw, 5)
    edits = list(draft.entries)
    states = [draft.files_at(entry.seq - 1) for entry in edits]
    full = draft.files()
    for entry, state in zip(reversed(edits), reversed(states), strict=True):
        carrier = draft.to_undo("ann", entry.seq)
        assert carrier == entry
        draft = with_taken_back(draft, entry, "ann", "undo")
        assert draft.files() == state
    assert draft.files() == PACK
    while (undo := draft.to_redo("ann")) is not None:
        draft = with_taken_back(draft, undo, "ann", "redo")
    assert draft.files() == full
    for entry in reversed(edits):
        carrier = draft.to_undo("bob", entry.seq)
        assert carrier is not None
        draft = with_taken_back(draft, carrier, "bob", "undo")
    assert draft.files() == PACK


@CASES
@given(st.data())
def test_edits_taken_back_in_any_order_end_with_the_bytes_of_the_beginning(data: st.DataObject) -> None:
    draft = drawn_edits(data.draw, 5)
    left = data.draw(st.permutations([entry.seq for entry in draft.entries]))
    while left:
        refused = []
        for seq in left:
            carrier = draft.to_undo("ann", seq)
            assert carrier is not None
            try:
                draft = with_taken_back(draft, carrier, "ann", "undo")
            except EditConflict:
                refused.append(seq)
        assert len(refused) < len(left)  # the latest one left can always be taken back
        left = refused
    assert draft.files() == PACK


@CASES
@given(st.data())
def test_a_draft_moved_onto_other_files_says_what_it_could_not_keep_and_keeps_the_rest(data: st.DataObject) -> None:
    draft = drawn_edits(data.draw, 4)
    by_hand = drawn_edits(data.draw, 2).files()
    moved, lost = rebased(draft, by_hand)
    assert len(moved.entries) == len(draft.entries)
    assert {one.entry.seq for one in lost} == {entry.seq for entry in moved.entries if entry.dropped}
    for file, text in moved.files().items():
        document(file, text)
    for entry in reversed(moved.entries):
        if not entry.dropped:
            carrier = moved.to_undo("ann", entry.seq)
            assert carrier is not None
            moved = with_taken_back(moved, carrier, "ann", "undo")
    assert moved.files() == by_hand


def test_a_new_edit_ends_what_could_be_done_again() -> None:
    draft = with_edit(a_draft(PACK), "ann", {"op": "set", "path": ["prompts", "bye"], "value": "Bye."})
    draft = with_taken_back(draft, draft.entries[0], "ann", "undo")
    assert draft.to_redo("ann") is not None
    assert draft.to_redo("bob") is None
    draft = with_edit(draft, "ann", {"op": "set", "path": ["prompts", "hello"], "value": "Hi."})
    assert draft.to_redo("ann") is None


# --- published as of an entry ---------------------------------------------------------------------------


@CASES
@given(st.data())
def test_a_draft_goes_on_from_what_was_published_with_the_same_bytes(data: st.DataObject) -> None:
    draft = drawn_edits(data.draw, 5)
    for _ in range(data.draw(st.integers(0, 3))):
        who = data.draw(st.sampled_from(["ann", "bob"]))
        kind: EntryKind = data.draw(st.sampled_from(["undo", "redo"]))
        entry = draft.to_undo(who) if kind == "undo" else draft.to_redo(who)
        if entry is not None:
            try:
                draft = with_taken_back(draft, entry, who, kind)
            except EditConflict:
                continue
    seq = data.draw(st.integers(1, max(draft.seq, 1)))
    in_files = draft.text_at(seq)
    found = draft.entry_that_made(in_files)
    assert found is not None
    assert draft.text_at(found) == in_files
    rest = continued(draft, seq)
    assert (rest.base_files(), rest.files()) == (in_files, draft.files())
    assert all(entry.patch.of is None or entry.patch.of > seq for entry in rest.entries)
    moved, lost = rebased(rest, in_files)
    assert (moved.files(), lost) == (draft.files(), [])


def test_what_the_log_says_is_what_a_draft_holds_entry_by_entry() -> None:
    draft = a_draft({"a.yaml": "a: 1\n"})
    for value in ("2", "3"):
        draft = with_edit(draft, "ann", {"op": "set", "path": ["a"], "value": value})
    anew = Draft(**{field.name: getattr(draft, field.name) for field in fields(draft)})
    assert draft.files() == anew.files() == {"a.yaml": "a: 3\n"}
    assert [draft.text_at(seq)["a.yaml"] for seq in range(3)] == ["a: 1\n", "a: 2\n", "a: 3\n"]


def test_what_there_is_to_undo_is_found_at_once_in_a_long_log_of_edits_taken_back() -> None:
    patch = patch_between(1, {}, {})
    edits = [DraftEntry(seq, str(seq), 0, "ann", "edit", (), replace(patch, seq=seq)) for seq in range(1, 4001)]
    undone = [
        DraftEntry(4000 + seq, f"u{seq}", 0, "ann", "undo", (), replace(patch, seq=4000 + seq, of=4001 - seq))
        for seq in range(1, 4001)
    ]
    draft = replace(a_draft(PACK), entries=(*edits, *undone), seq=8000)
    began = time.process_time()
    assert draft.to_undo("ann") is None
    assert draft.to_redo("ann") == undone[-1]
    assert time.process_time() - began < 2.0  # going through the whole log for each of them takes half a minute
