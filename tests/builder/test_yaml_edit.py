"""Edits of files as text: what is read back is the edit, and what was not named stays as it was."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.builder import trees, yaml_edit
from agent.builder.errors import EditRefused
from agent.builder.patches import applied, inverted, patch_between
from agent.builder.trees import Tree
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath
from tests.builder.packs_of_tests import FOREIGN, SHIPPED, TREES, a_place

OTHER_STYLES = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
SHIPPED_FILES = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
PACKS = pytest.mark.parametrize("pack", ["foreign", "shipped"])


def _files(pack: str) -> dict[str, str]:
    return FOREIGN if pack == "foreign" else SHIPPED


def _now(file: str, text: str) -> Tree:
    return document(file, text).data


def _with_anchors(file: str, before: str, after: str, expected: Tree) -> Tree:
    """Return an expected tree in which aliases have what their anchors have now."""
    for place, anchor in document(file, after).aliases.items():
        expected = trees.with_value(expected, place, trees.value_at(expected, anchor))
    return expected


def _only_for_anchors(refusal: EditRefused, file: str, text: str) -> None:
    assert refusal.kind == "anchor"
    assert document(file, text).aliases


def _diff(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def check_set(draw: st.DrawFn, files: dict[str, str]) -> None:
    file, text, data, path = a_place(draw, files)
    value = draw(TREES)
    try:
        after = yaml_edit.set_value(file, text, path, value)
    except EditRefused as refusal:
        _only_for_anchors(refusal, file, text)
        return
    assert trees.same(_now(file, after), _with_anchors(file, text, after, trees.with_value(data, path, value)))
    _check_taken_back(file, text, after)
    old = trees.value_at(data, path)
    if isinstance(old, str) and isinstance(value, str):
        node = document(file, text).find(path)
        lines, new = text.splitlines(), after.splitlines()
        first, behind = node.start_mark.line, len(lines) - node.end_mark.line - 1
        assert new[:first] == lines[:first]
        assert behind <= 0 or new[-behind:] == lines[-behind:]


def check_insert(draw: st.DrawFn, files: dict[str, str]) -> None:
    file, text, data, path = a_place(draw, files)
    parent = trees.value_at(data, path[:-1])
    value = draw(TREES)
    before: str | None = None
    if isinstance(parent, list):
        path = (*path[:-1], draw(st.integers(0, len(parent))))
    else:
        path = (*path[:-1], draw(st.sampled_from(["an_added_key", "an: added", "12 13"])))
        before = draw(st.none() | st.sampled_from(sorted(parent)))
    after = yaml_edit.insert(file, text, path, value, before)
    expected = _with_anchors(file, text, after, trees.with_inserted(data, path, value, before))
    assert trees.same(_now(file, after), expected)
    _check_taken_back(file, text, after)
    gone = [line for line in _diff(text, after) if line.startswith("-")]
    assert len(gone) <= 1  # a list in one line, a key behind a dash, a last line without an end


def check_remove(draw: st.DrawFn, files: dict[str, str]) -> None:
    file, text, data, path = a_place(draw, files)
    try:
        after = yaml_edit.remove(file, text, path)
    except EditRefused as refusal:
        _only_for_anchors(refusal, file, text)
        return
    assert trees.same(_now(file, after), _with_anchors(file, text, after, trees.without(data, path)))
    _check_taken_back(file, text, after)
    assert len([line for line in _diff(text, after) if line.startswith("+")]) <= 2


def check_move(draw: st.DrawFn, files: dict[str, str]) -> None:
    file, text, data, path = a_place(draw, files)
    value = trees.value_at(data, path)
    parent = trees.value_at(data, path[:-1])
    lines = yaml_edit.cut(file, text, path)
    try:
        rest = yaml_edit.remove(file, text, path)
    except EditRefused:
        return
    before: str | None = None
    if isinstance(parent, list):
        target: KeyPath = (*path[:-1], draw(st.integers(0, len(parent) - 1)))
    else:
        target = path
        before = draw(st.none() | st.sampled_from([None, *(name for name in parent if name != path[-1])]))
    if _broken(file, rest):
        return
    after = yaml_edit.paste(file, rest, target, lines or (), value, before)
    expected = trees.with_inserted(_now(file, rest), target, value, before)
    assert trees.same(_now(file, after), _with_anchors(file, rest, after, expected))
    _check_taken_back(file, text, after)
    if lines is not None and len(parent) > 1:
        assert sorted(_comments(after)) == sorted(_comments(text))


def _broken(file: str, text: str) -> bool:
    try:
        document(file, text)
    except EditRefused:
        return True
    return False


def _comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


def _check_taken_back(file: str, before: str, after: str) -> None:
    patch = patch_between(1, {file: before}, {file: after})
    assert applied({file: before}, patch) == {file: after}
    assert applied({file: after}, inverted(patch)) == {file: before}


CHECKS = [check_set, check_insert, check_remove, check_move]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_edits_of_other_peoples_files_read_back_as_the_edit(check) -> None:
    @OTHER_STYLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        check(lambda strategy: data.draw(strategy), FOREIGN)

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_edits_of_the_shipped_pack_read_back_as_the_edit(check) -> None:
    @SHIPPED_FILES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        check(lambda strategy: data.draw(strategy), SHIPPED)

    holds()


@PACKS
def test_setting_what_is_there_already_changes_no_byte(pack: str) -> None:
    for file, text in _files(pack).items():
        for section, value in document(file, text).data.items():
            assert yaml_edit.set_value(file, text, (section,), value) == text


# --- what a diff shows ----------------------------------------------------------------------------------------

STEPS = """\
flows:
  returns:
    description: to return something
    steps:
      # how much it costs
      - id: price
        if: item.price > 50   # dollars
        then: photo

      # A photo first
      - id: photo
        say: photo_first
        next: end
      - say: >-
          We'll send you a label by text message, and you have fourteen days to bring the package to any post office
          near you. The money follows.
    forgets: [item, reason]
"""


def _changed(after: str, before: str = STEPS) -> list[str]:
    return _diff(before, after)


def test_another_value_is_one_line_and_its_comment_stays() -> None:
    after = yaml_edit.set_value("f.yaml", STEPS, ("flows", "returns", "steps", 0, "if"), "item.price > 40")
    assert _changed(after) == [
        "-        if: item.price > 50   # dollars",
        "+        if: item.price > 40   # dollars",
    ]


def test_a_new_step_is_written_like_its_neighbours() -> None:
    step = {"id": "expensive", "if": "item.price >= 200", "then": "person"}
    after = yaml_edit.insert("f.yaml", STEPS, ("flows", "returns", "steps", 1), step)
    assert _changed(after) == [
        "+      - id: expensive",
        "+        if: item.price >= 200",
        "+        then: person",
    ]


def test_a_step_takes_its_comment_along_and_leaves_the_heading() -> None:
    path: KeyPath = ("flows", "returns", "steps")
    lines = yaml_edit.cut("f.yaml", STEPS, (*path, 0))
    assert lines is not None
    assert lines[0] == "# how much it costs"
    assert yaml_edit.cut("f.yaml", STEPS, (*path, 1)) == ["- id: photo", "  say: photo_first", "  next: end"]


def test_a_word_put_into_a_folded_text_changes_the_lines_it_is_in() -> None:
    path: KeyPath = ("flows", "returns", "steps", 2, "say")
    text = trees.value_at(document("f.yaml", STEPS).data, path)
    after = yaml_edit.set_value("f.yaml", STEPS, path, text.replace("The money", "Then the money"))
    assert _changed(after) == [
        "-          near you. The money follows.",
        "+          near you. Then the money follows.",
    ]


def test_an_item_is_added_to_a_list_in_one_line() -> None:
    after = yaml_edit.set_value("f.yaml", STEPS, ("flows", "returns", "forgets"), ["item", "reason", "photo"])
    assert _changed(after) == ["-    forgets: [item, reason]", "+    forgets: [item, reason, photo]"]


def test_a_long_list_given_whole_changes_the_lines_that_differ() -> None:
    path: KeyPath = ("flows", "returns", "triggers")
    text = next(text for file, text in SHIPPED.items() if file == "flows/returns.yaml")
    phrases = list(trees.value_at(document("r", text).data, path))
    changed = [*phrases[:4], "~ i want my money back for <thing>", *phrases[5:], "this must go back"]
    after = yaml_edit.set_value("r", text, path, changed)
    assert [line[:1] for line in _diff(text, after)] == ["-", "+", "+"]


def test_an_old_quote_stays_and_a_new_one_is_written_only_where_it_is_needed() -> None:
    text = "prompts:\n  a: 'one'\n  b: two\n"
    assert "a: 'three'" in yaml_edit.set_value("f", text, ("prompts", "a"), "three")
    assert "b: three" in yaml_edit.set_value("f", text, ("prompts", "b"), "three")
    assert 'b: "three: four"' in yaml_edit.set_value("f", text, ("prompts", "b"), "three: four")
    assert "c: '{{ a if a == \"b\" }}'" in yaml_edit.insert("f", text, ("prompts", "c"), '{{ a if a == "b" }}')


def test_an_anchored_list_is_edited_where_it_stands_and_both_places_change() -> None:
    text = "slots:\n  a:\n    choices:\n      one: &one\n        - first\n      two: [second]\n"
    text += "  b:\n    choices:\n      one: *one\n"
    after = yaml_edit.insert("f", text, ("slots", "a", "choices", "one", 1), "also")
    assert _now("f", after)["slots"]["b"]["choices"]["one"] == ["first", "also"]
    with pytest.raises(EditRefused, match="is an alias of what stands on line 4 of f: edit it there"):
        yaml_edit.insert("f", text, ("slots", "b", "choices", "one", 1), "also")
    with pytest.raises(EditRefused, match="anchors, aliases or tags"):
        yaml_edit.remove("f", text, ("slots", "a", "choices", "one"))


def test_a_file_with_a_key_twice_is_refused_with_its_line() -> None:
    with pytest.raises(EditRefused, match=r"f\.yaml:3: a: stands twice"):
        yaml_edit.set_value("f.yaml", "a: 1\nb: 2\na: 3\n", ("b",), "4")


def test_an_empty_file_takes_its_first_section() -> None:
    assert yaml_edit.insert("f", "# nothing yet\n", ("prompts",), {"a": "b"}) == "# nothing yet\nprompts:\n  a: b\n"
