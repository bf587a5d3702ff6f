"""YAML is read the same by the fast scanner and by PyYAML's own, whatever stands in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.common import yaml_reader

SHIPPED = sorted((Path(__file__).parents[2] / "agent").rglob("*.yaml"))
TROUBLES = (
    "a: [1,\n b: 2\nc", "\t- a", "a: b\n\tc: d", "a: 1\n---\nb: 2", "a: \x00", "a: \ud800", "&a x: *b", "'x",
    "a: b: c", "a: |\n  x\n y", "a: &x [*x]", "? [a]\n: b", "a: 1\na: 2", "a: ~\nb: ''\nc: no\nd: '1'\ne: 1",
)  # fmt: skip
LINES = st.lists(
    st.sampled_from(("a: 1", "- x", "  - 'y'", "b:", "  c: ~", "# z", "d: >", "   e", "&f g: *f", "é: “h”"))
)


def test_shipped_files_read_the_same_without_the_fast_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [(file.name, file.read_text(encoding="utf-8")) for file in SHIPPED]
    assert contents
    fast = [yaml_reader.read(*one) for one in contents]
    monkeypatch.setattr(yaml_reader, "_FastLoader", None)
    assert [yaml_reader.read(*one) for one in contents] == fast


@pytest.mark.parametrize("content", TROUBLES)
def test_a_mistake_is_told_in_the_same_words_without_the_fast_scanner(
    content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = yaml_reader.read("x.yaml", content, typed=lambda path: True)
    monkeypatch.setattr(yaml_reader, "_FastLoader", None)
    assert yaml_reader.read("x.yaml", content, typed=lambda path: True) == fast


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_file_nested_without_end_is_a_mistake_and_no_crash(opening: str) -> None:
    source = yaml_reader.read("deep.yaml", opening * 100_000)
    assert [finding.line for finding in source.findings] == [0]
    assert "recursion" in source.findings[0].message


@given(LINES)
@example(["a: 1", "b:", "  - 'y'", "# z", "d: >", "   e"])
def test_any_lines_read_the_same_without_the_fast_scanner(lines: list[str]) -> None:
    content = "\n".join(lines)
    fast = yaml_reader.read("x.yaml", content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(yaml_reader, "_FastLoader", None)
        assert yaml_reader.read("x.yaml", content) == fast
