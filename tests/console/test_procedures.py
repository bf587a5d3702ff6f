"""The procedures as the console's maps have them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.console.procedures import ProcedureFiles
from agent.dialog.pack.archive import EditionArchive
from agent.dialog.pack.pack_files import edition_of
from tests.builder.fruit_pack import edited, fruit_files

TODAY = fruit_files()
EARLIER = edited(TODAY, "We have none left.", "All sold.")


def procedures_with(tmp_path: Path, published: dict[str, Mapping[str, str]] | sqlite3.Error) -> ProcedureFiles:
    for name, text in TODAY.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    async def files_of(edition: str) -> Mapping[str, str] | None:
        if isinstance(published, sqlite3.Error):
            raise published
        return published.get(edition)

    return ProcedureFiles(tmp_path, EditionArchive(tmp_path / "editions"), files_of)


async def test_an_edition_that_the_agent_keeps_no_longer_is_taken_from_those_that_were_published(
    tmp_path: Path,
) -> None:
    edition = edition_of(EARLIER)
    found = await procedures_with(tmp_path, {edition: EARLIER}).of_edition(edition)
    assert found.edition == edition


@pytest.mark.parametrize("published", [{}, sqlite3.OperationalError("disk I/O error")])
async def test_where_an_edition_is_not_kept_the_procedures_are_those_of_now(
    tmp_path: Path, published: dict[str, Mapping[str, str]] | sqlite3.Error
) -> None:
    found = await procedures_with(tmp_path, published).of_edition(edition_of(EARLIER))
    assert found.edition == edition_of(TODAY)
