from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialog.pack.pack_files import JOURNAL, PublicationJournal, read_journal, read_pack_files

OLD, NEW = {"a.yaml": "a: old", "gone.yaml": "g: old"}, {"a.yaml": "a: new", "made.yaml": "m: new"}
NAMES = OLD.keys() | NEW.keys()
CHANGE = PublicationJournal({name: OLD.get(name) for name in NAMES}, {name: NEW.get(name) for name in NAMES})


@given(st.sets(st.sampled_from(sorted(NAMES))))
def test_whatever_was_written_before_the_publisher_died_readers_see_the_whole_new_edition(written: set[str]) -> None:
    now = {name: (NEW if name in written else OLD).get(name) for name in NAMES}
    files = {name: text for name, text in now.items() if text is not None}
    assert CHANGE.settled({**files, "other.yaml": "o: 1"}) == {**NEW, "other.yaml": "o: 1"}


def test_a_file_edited_by_hand_meanwhile_stays_and_the_others_are_as_before() -> None:
    assert CHANGE.settled({**NEW, "a.yaml": "a: by hand"}) == {**OLD, "a.yaml": "a: by hand"}


def test_a_reader_takes_the_texts_from_the_journal(tmp_path: Path) -> None:
    for name, text in OLD.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / JOURNAL).write_text(json.dumps(CHANGE.to_json()), encoding="utf-8")
    (tmp_path / "made.yaml").write_text(NEW["made.yaml"], encoding="utf-8")
    assert read_pack_files(tmp_path) == (NEW, [])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"old": {}, "new": {"a": "b"}}', '{"old": {"a": 1}, "new": {"a": 2}}']
)
def test_a_journal_that_is_none_counts_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text("a: 1", encoding="utf-8")
    (tmp_path / JOURNAL).write_text(text, encoding="utf-8")
    assert read_journal(tmp_path) is None
    assert read_pack_files(tmp_path)[0] == {"a.yaml": "a: 1"}
