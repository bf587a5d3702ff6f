from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.app.outbound_copies import OutboundCopies
from agent.cli.main import main
from agent.outbound.model import Reason, SuppressionScope
from agent.outbound.store import OutboundStore
from agent.records import person
from tests.outbound.made import MONDAY_NOON, NUMBER, new_job

OTHER = "+12025550144"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[OutboundStore]:
    store = OutboundStore(tmp_path)
    jobs = [new_job("delivery:10473:all"), new_job("delivery:B2:all", number=OTHER)]
    await store.add(jobs, MONDAY_NOON)
    await store.suppress([(NUMBER, SuppressionScope.SURVEYS, "import")], MONDAY_NOON)
    yield store
    await store.close()


@pytest.mark.parametrize("written", ["202-555-0143", "+1 202 555 0143", "12025550143"])
async def test_a_caller_is_erased_however_the_number_is_written(
    store: OutboundStore, tmp_path: Path, written: str
) -> None:
    copies = OutboundCopies(tmp_path)
    removed = copies.erase(person.caller(written, "US"), [], dry_run=False)
    assert [(one.what, one.count) for one in removed] == [("jobs", 1), ("numbers of the do-not-call list", 1)]
    assert [job.number for job in await store.jobs()] == [OTHER]
    assert await store.scopes(NUMBER) == {SuppressionScope.SURVEYS}


async def test_an_order_is_erased_by_its_number(store: OutboundStore, tmp_path: Path) -> None:
    removed = OutboundCopies(tmp_path).erase(person.of_order("A1"), [], dry_run=True)
    assert removed[0].count == 2, "both jobs of the tests are of the order A1"
    assert len(await store.jobs()) == 2


async def test_what_is_over_goes_with_the_records_of_calls_and_what_waits_stays(
    store: OutboundStore, tmp_path: Path
) -> None:
    await store.drop("delivery:B2:all", Reason.REMOVED, MONDAY_NOON)
    copies = OutboundCopies(tmp_path)
    later = (MONDAY_NOON + timedelta(days=1)).timestamp()
    assert copies.expire("words", later, dry_run=False) == []
    assert [one.count for one in copies.expire("record", later, dry_run=False)] == [1]
    assert [job.key for job in await store.jobs()] == ["delivery:10473:all"]
    copies.follow()


def test_where_nobody_was_ever_called_there_is_nothing_to_do(tmp_path: Path) -> None:
    copies = OutboundCopies(tmp_path)
    assert copies.calls_of(person.caller("202-555-0143", "US")) == set()
    assert copies.erase(person.caller("202-555-0143", "US"), [], dry_run=False) == []
    copies.follow()
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_is_brought_back_leaves_the_campaign_paused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orderline.yaml").write_text("state_directory: state\n")
    config = ["--config", str(tmp_path)]
    assert main(["outbound", "resume", *config]) == 0
    assert main(["backup", str(tmp_path / "b.tar.gz"), "--no-sound", *config]) == 0
    assert main(["restore", str(tmp_path / "b.tar.gz"), "--replace", *config]) == 0
    capsys.readouterr()
    assert main(["outbound", "list", *config]) == 0
    assert "a backup was brought back" in capsys.readouterr().out
