"""Operations on a small pack: what they change, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from agent.builder.applying import apply_operation
from agent.builder.errors import EditConflict, EditRefused
from agent.builder.headings import headings
from agent.builder.operations import operation_from
from agent.builder.renaming import uses
from agent.builder.yaml_document import document, line_of
from agent.common.yaml_reader import KeyPath

RETURNS = """\
flows:
  returns:
    description: to return something
    triggers:
      - "i want to return {item}"
    forgets: [item]
    steps:
      - link: identify
      - id: price
        if: item_price > 50 and item == 'lamp'
        then: photo
      # said once the price is known
      - say: "{{ item }} comes back{% if item == 'lamp' %}, wrapped{% endif %}."
      - call: returns.create
        with: {item: item}
        failed: {otherwise: photo}
      - say: done
        next: end
      - id: photo
        say: photo_first
        next: end

  identify:
    description: who it is
    steps:
      - collect: item
"""
WORDS = """\
prompts:
  done: It's done.
  photo_first: A photo first.   # by text message
slots:
  item:
    type: choice
    prompt: Which item?
    choices:
      lamp: [the lamp]
      vase: [the vase]
  why:
    type: choice
    prompt: Why?
    resets: [item]
variables:
  item_price: 0
knowledge:
  answers:
    hours: {ask: [opening hours], says: Nine to five.}
services:
  returns.create: {arguments: [item]}
start: returns
"""
PACK = {"flows/returns.yaml": RETURNS, "words.yaml": WORDS}
STEPS = ["flows", "returns", "steps"]


def done(operation: dict[str, Any], files: dict[str, str] | None = None) -> dict[str, str]:
    return apply_operation(files or PACK, operation_from(operation))


def data(files: dict[str, str], file: str = "flows/returns.yaml") -> Any:
    return document(file, files[file]).data


def steps(files: dict[str, str], flow: str = "returns") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(files)["flows"][flow]["steps"]
    return found


def test_a_step_is_found_by_its_id_and_its_file_by_what_it_holds() -> None:
    after = done({"op": "set", "path": [*STEPS, "price", "if"], "value": "item_price > 40"})
    assert steps(after)[1]["if"] == "item_price > 40"
    assert after["words.yaml"] == WORDS


def test_an_old_value_that_holds_no_longer_is_a_conflict_with_both() -> None:
    asked = {"op": "set", "path": ["prompts", "done"], "old": "Done.", "value": "All done."}
    with pytest.raises(EditConflict) as conflict:
        done(asked)
    assert (conflict.value.mine, conflict.value.theirs) == ("All done.", "It's done.")


def test_two_changes_of_one_list_are_both_kept() -> None:
    path = ["flows", "identify", "steps"]
    theirs = done({"op": "set", "path": path, "value": [{"collect": "item"}, {"say": "done"}]})
    both = done({"op": "set", "path": path, "old": [{"collect": "item"}], "value": [{"collect": "why"}]}, theirs)
    assert steps(both, "identify") == [{"collect": "why"}, {"say": "done"}]


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "set", "path": ["prompts", "done"], "value": 5}, "not_text"),
        ({"op": "set", "path": ["prompts", "done"], "value": "\ud800"}, "not_text"),
        ({"op": "set", "path": ["prompts", "unknown"], "value": "x"}, "no_such_place"),
        ({"op": "set", "path": ["prompts", "done"], "file": "other.yaml", "value": "x"}, "no_such_file"),
        ({"op": "insert", "path": [*STEPS, 99], "value": {"say": "x"}}, "no_such_place"),
        ({"op": "new_file", "file": "words.yaml", "value": {"prompts": {"a": "b"}}}, "taken"),
        ({"op": "new_file", "file": "../x.yaml", "value": {"prompts": {"a": "b"}}}, "no_operation"),
        ({"op": "new_file", "file": "/etc/x.yaml", "value": {"prompts": {"a": "b"}}}, "no_operation"),
        ({"op": "nothing"}, "no_operation"),
        ({"op": "set", "path": [], "value": "x"}, "no_operation"),
        ({"op": "rename", "kind": "slot", "name": "item", "to": "why"}, "taken"),
        ({"op": "rename", "kind": "slot", "name": "item", "to": "two words"}, "not_text"),
        ({"op": "rename", "kind": "slot", "name": "nobody", "to": "somebody"}, "no_such_place"),
        ({"op": "duplicate", "path": ["slots", "item"], "as": "why"}, "taken"),
        ({"op": "extract", "flow": "returns", "first": 2, "last": 9, "as": "x", "description": "x"}, "no_such_place"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_word_for_programs(operation: dict[str, Any], kind: str) -> None:
    with pytest.raises(EditRefused) as refused:
        done(operation)
    assert refused.value.kind == kind


def test_a_key_that_somebody_else_added_is_a_conflict_and_the_same_one_is_not() -> None:
    with pytest.raises(EditConflict):
        done({"op": "insert", "path": ["prompts", "done"], "value": "Ready."})
    assert done({"op": "insert", "path": ["prompts", "done"], "value": "It's done."}) == PACK


# --- renaming -------------------------------------------------------------------------------------------------


def test_a_slot_is_renamed_wherever_it_is_used() -> None:
    after = done({"op": "rename", "kind": "slot", "name": "item", "to": "goods"})
    flow = data(after)["flows"]["returns"]
    assert flow["triggers"] == ["i want to return {goods}"]
    assert flow["forgets"] == ["goods"]
    assert steps(after)[1]["if"] == "item_price > 50 and goods == 'lamp'"
    assert steps(after)[2]["say"] == "{{ goods }} comes back{% if goods == 'lamp' %}, wrapped{% endif %}."
    assert steps(after)[3]["with"] == {"item": "goods"}
    assert steps(after, "identify") == [{"collect": "goods"}]
    words = data(after, "words.yaml")
    assert list(words["slots"]) == ["goods", "why"]
    assert words["slots"]["why"]["resets"] == ["goods"]
    assert words["services"]["returns.create"]["arguments"] == ["item"]


def test_steps_prompts_flows_and_choices_are_renamed_with_their_uses() -> None:
    after = done({"op": "rename", "kind": "step", "flow": "returns", "name": "photo", "to": "picture"})
    assert (steps(after)[1]["then"], steps(after)[3]["failed"]) == ("picture", {"otherwise": "picture"})
    after = done({"op": "rename", "kind": "prompt", "name": "done", "to": "ready"})
    assert steps(after)[4]["say"] == "ready"
    after = done({"op": "rename", "kind": "flow", "name": "returns", "to": "give_back"})
    assert data(after, "words.yaml")["start"] == "give_back"
    after = done({"op": "rename", "kind": "choice", "slot": "item", "name": "lamp", "to": "light"})
    assert steps(after)[1]["if"] == "item_price > 50 and item == 'light'"
    assert list(data(after, "words.yaml")["slots"]["item"]["choices"]) == ["light", "vase"]


def test_uses_are_found_with_their_places() -> None:
    found = uses(PACK, "slot", "item")
    assert ("flows/returns.yaml", ("flows", "returns", "steps", 1, "if")) in found
    assert ("words.yaml", ("slots", "item")) in found
    assert ("words.yaml", ("services", "returns.create", "arguments", 0)) not in found
    price: KeyPath = ("flows", "returns", "steps", 1, "if")
    assert RETURNS.splitlines()[line_of("flows/returns.yaml", RETURNS, price) - 1].strip().startswith("if: item_price")


# --- steps ----------------------------------------------------------------------------------------------------


def test_a_step_is_moved_with_its_comment_and_all_ways_stay() -> None:
    move = {"op": "move", "path": [*STEPS, 2], "to": [*STEPS, 5], "keep_ways": True}
    after = done(move)
    moved = steps(after)
    assert moved[5]["say"].startswith("{{ item }} comes back")
    assert "# said once the price is known\n      - id: item_comes_back_if" in after["flows/returns.yaml"]
    assert moved[1]["next"] == moved[5]["id"]  # the step in front still goes to it
    assert moved[5]["next"] == moved[2]["id"]  # and it still goes on to the call
    assert moved[2]["call"] == "returns.create"


def test_a_removed_step_is_passed_over_by_whoever_went_to_it() -> None:
    after = steps(done({"op": "remove", "path": [*STEPS, "photo"], "keep_ways": True}))
    assert after[1]["then"] == "end"
    assert after[3]["failed"] == {"otherwise": "end"}


def test_a_copy_stands_behind_the_original_under_its_own_name() -> None:
    after = steps(done({"op": "duplicate", "path": [*STEPS, "photo"], "as": "another"}))
    assert after[-1] == {"id": "another", "say": "photo_first", "next": "end"}
    after = data(done({"op": "duplicate", "path": ["slots", "item"], "as": "gift"}), "words.yaml")
    assert list(after["slots"]) == ["item", "gift", "why"]
    assert after["slots"]["gift"] == after["slots"]["item"]


def test_steps_become_a_procedure_of_their_own_with_their_comments() -> None:
    extract = {"op": "extract", "flow": "returns", "first": 2, "last": 2, "as": "tell", "description": "what it is"}
    after = done(extract)
    assert list(data(after)["flows"]) == ["returns", "tell", "identify"]
    assert steps(after)[2] == {"link": "tell"}
    assert [list(step) for step in steps(after, "tell")] == [["say"]]
    assert "# said once the price is known" in after["flows/returns.yaml"]
    with pytest.raises(EditRefused, match="go on to"):
        done({**extract, "first": 1, "last": 3})


def test_a_heading_is_set_changed_and_taken_away() -> None:
    headed = done({"op": "heading", "path": [*STEPS, "photo"], "value": "A photo"})
    assert "        next: end\n\n      # A photo\n      - id: photo\n" in headed["flows/returns.yaml"]
    doc = document("flows/returns.yaml", headed["flows/returns.yaml"])
    assert headings(doc) == [(("flows", "returns", "steps", 5), "A photo")]
    again = done({"op": "heading", "path": [*STEPS, "photo"], "old": "A photo", "value": "Photos"}, headed)
    assert again["flows/returns.yaml"] == headed["flows/returns.yaml"].replace("# A photo", "# Photos")
    with pytest.raises(EditConflict):
        done({"op": "heading", "path": [*STEPS, "photo"], "old": "A photo", "value": "x"}, again)
    gone = done({"op": "heading", "path": [*STEPS, "photo"], "value": ""}, again)
    assert steps(gone) == steps(PACK)
    assert "Photos" not in gone["flows/returns.yaml"]


# --- files ----------------------------------------------------------------------------------------------------


def test_a_files_text_is_merged_line_by_line() -> None:
    mine = WORDS.replace("Which item?", "Which one?")
    theirs = {**PACK, "words.yaml": WORDS.replace("Why?", "And why?")}
    after = done({"op": "text", "file": "words.yaml", "old": WORDS, "value": mine}, theirs)
    assert "Which one?" in after["words.yaml"]
    assert "And why?" in after["words.yaml"]
    with pytest.raises(EditConflict):
        done({"op": "text", "file": "words.yaml", "old": WORDS, "value": WORDS.replace("Why?", "What for?")}, theirs)


def test_a_file_is_made_and_removed() -> None:
    after = done({"op": "new_file", "file": "flows/gifts.yaml", "value": {"prompts": {"gift": "A gift."}}})
    assert after["flows/gifts.yaml"] == "prompts:\n  gift: A gift.\n"
    text = after["flows/gifts.yaml"]
    assert done({"op": "remove_file", "file": "flows/gifts.yaml", "old": text}, after) == PACK


def test_a_file_with_mistakes_of_form_is_left_alone_until_its_text_is_put_right() -> None:
    broken = done({"op": "text", "file": "words.yaml", "old": WORDS, "value": WORDS + "prompts: {}\n"})
    with pytest.raises(EditRefused) as refused:
        done({"op": "set", "path": ["prompts", "done"], "file": "words.yaml", "value": "x"}, broken)
    assert refused.value.kind == "broken_file"
    assert steps(done({"op": "set", "path": [*STEPS, "price", "then"], "value": "end"}, broken))[1]["then"] == "end"
