from __future__ import annotations

from pathlib import Path

import pytest

from agent.builder.checking import CheckRules, check_files, column_in
from agent.dialog.pack.loader import FlowPack
from tests.builder.fruit_pack import edited, fruit_files

RULES = CheckRules()


def test_a_pack_in_order_is_usable_and_has_the_edition_of_its_files_on_disk(tmp_path: Path) -> None:
    files = fruit_files()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    report = check_files(files, RULES)
    assert report.pack is not None
    assert report.edition == FlowPack.load(tmp_path).fingerprint
    told = report.to_json()
    assert told["usable"]
    assert told["mistakes"] == 0
    assert told["steps"] == 6


def test_a_finding_names_file_line_column_procedure_and_step() -> None:
    files = edited(fruit_files(), "sold_out: gone", "sold_out: gonne")
    report = check_files(files, RULES)
    assert report.pack is None
    (found,) = [one for one in report.findings if one.finding.severity == "error" and "gonne" in one.finding.message]
    lines = files["flows.yaml"].splitlines()
    assert lines[found.finding.line - 1][found.column - 1 :].startswith("sold_out")
    assert (found.procedure, found.step) == ("buy", "buying")
    assert found.finding.keys == ("flows", "buy", "steps", 1, "failed", "sold_out")


def test_a_near_name_is_offered_as_an_operation_with_the_old_value() -> None:
    files = edited(fruit_files(), "sold_out: gone", "sold_out: gonne")
    found = next(one for one in check_files(files, RULES).findings if "gonne" in one.finding.message)
    assert found.repair is not None
    assert found.repair.words == "write 'gone'"
    (operation,) = found.repair.operations
    path = ["flows", "buy", "steps", 1, "failed", "sold_out"]
    assert operation == {"op": "set", "file": "flows.yaml", "path": path, "value": "gone", "old": "gonne"}


def test_a_key_that_is_misspelt_is_offered_under_its_right_name() -> None:
    files = edited(fruit_files(), "        filler:", "        filller:")
    found = next(one for one in check_files(files, RULES).findings if "filller" in one.finding.message)
    assert found.repair is not None
    insert, remove = found.repair.operations
    assert (insert["op"], insert["path"][-1], insert["value"]) == ("insert", "filler", "One moment.")
    assert (remove["op"], remove["path"][-1]) == ("remove", "filller")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("We have {{ frut }} today.", "We have {{ fruit }} today."),
        (
            "{% if frut %}Our {{ frut | upper }}{% endif %} and frut.",
            "{% if fruit %}Our {{ fruit | upper }}{% endif %} and frut.",
        ),
        ("We have {{ fruit | uper }}, uper.", "We have {{ fruit | upper }}, uper."),
    ],
)
def test_a_near_name_is_written_wherever_a_prompt_uses_the_wrong_one(wrong: str, right: str) -> None:
    files = edited(fruit_files(), "prompts:", f"prompts:\n  praise: >-\n    {wrong}", "pack.yaml")
    rules = CheckRules(filters=("upper", "lower"))
    found = next(one for one in check_files(files, rules).findings if "did you mean" in one.finding.message)
    assert found.repair is not None
    (operation,) = found.repair.operations
    assert (operation["op"], operation["old"], operation["value"]) == ("set", wrong, right)


def test_what_nothing_uses_can_be_taken_out() -> None:
    files = edited(fruit_files(), "prompts:", "prompts:\n  lonely: Nobody says this.", "pack.yaml")
    found = next(one for one in check_files(files, RULES).findings if one.finding.keys == ("prompts", "lonely"))
    assert found.finding.severity == "warning"
    assert found.repair is not None
    assert found.repair.operations[0]["op"] == "remove"


def test_a_file_that_is_no_yaml_is_told_and_hides_nothing_else() -> None:
    report = check_files({**fruit_files(), "more.yaml": "slots: [\n"}, RULES)
    assert report.pack is None
    assert any(one.finding.file == "more.yaml" and one.finding.line for one in report.findings)


def test_words_that_the_recogniser_does_not_know_are_told_at_their_phrase() -> None:
    rules = CheckRules(vocabulary=frozenset({"i", "want", "buy"}))
    found = [one for one in check_files(fruit_files(), rules).findings if "'fruit'" in one.finding.message]
    assert found
    assert found[0].finding.keys[:3] == ("flows", "buy", "triggers")


def test_the_column_of_a_key_is_found_in_block_and_flow_style() -> None:
    assert column_in("      - say: hello", ("flows", "a", "steps", 0, "say")) == 9
    assert column_in("  with: {name: fruit, many: 2}", ("with", "many")) == 23
    assert column_in("    - just a phrase", ("triggers", 0)) == 7
