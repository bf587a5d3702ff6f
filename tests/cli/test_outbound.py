from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main

GOOD = "A1,202-555-0143,2026-06-01T10:00-04:00,order_terms\nA2,202-555-0144,2026-06-01T11:00-04:00,checkbox\n"
HEAD = "order,phone,delivered_at,consent\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "orderline.yaml").write_text("state_directory: state\nshop: {timezone: America/New_York}\n")
    return tmp_path


class Command:
    """Runs ``orderline outbound``."""

    def __init__(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._config = config
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        assert main(["outbound", *arguments, "--config", str(self._config)]) == code
        return self._capsys.readouterr().out

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def outbound(config: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(config, capsys)


def test_a_campaign_begins_paused_and_stays_as_it_was_set(outbound: Command) -> None:
    assert "PAUSED" in outbound("list")
    outbound("resume")
    assert outbound.json("list")["campaign"]["state"] == "running"
    outbound("stop")
    assert outbound.json("list")["campaign"]["state"] == "stopped"


def test_a_file_is_imported_once_and_bad_rows_come_back_with_their_reason(outbound: Command, config: Path) -> None:
    file, refused = config / "jobs.csv", config / "refused.csv"
    file.write_text(HEAD + GOOD + "A3,12,2026-06-01T10:00-04:00,order_terms\n")
    assert "2 would be added; 1 refused" in outbound("import", str(file), "--dry-run", code=1)
    assert outbound.json("list")["jobs"] == []
    told = outbound("import", str(file), "--refused", str(refused), code=1)
    assert "2 added; 1 refused" in told
    assert "line 4: phone is no telephone number" in told
    assert refused.read_text().splitlines() == [
        "order,phone,delivered_at,consent,reason",
        "A3,12,2026-06-01T10:00-04:00,order_terms,phone is no telephone number",
    ]
    assert "2 known" in outbound("import", str(file), code=1)
    assert [job["key"] for job in outbound.json("list")["jobs"]] == ["delivery:A1:all", "delivery:A2:all"]


def test_a_dry_run_says_who_would_be_called_when_and_who_not_and_why(outbound: Command) -> None:
    outbound("add", "--order", "B1", "--number", "+12025550145", "--consent", "order_terms")
    outbound("add", "--order", "B2", "--number", "+12025550146", "--consent", "order_terms")
    outbound("add", "--order", "B2", "--number", "+12025550146", "--consent", "checkbox", "--purpose", "survey")
    outbound("suppress", "+12025550146", "--scope", "surveys")
    by_key = {job["key"]: job for job in outbound.json("dry-run")["jobs"]}
    assert by_key["delivery:B1:all"]["would"] in ("wait", "dial")
    assert by_key["delivery:B1:all"]["when"]
    assert "survey:B2" not in by_key, "the list has dropped it"
    assert "2 of 2 would be called" in outbound("dry-run")


def test_the_do_not_call_list_goes_out_and_in(outbound: Command, config: Path) -> None:
    outbound("add", "--order", "C1", "--number", "+12025550147", "--consent", "order_terms")
    assert "1 job(s) dropped" in outbound("suppress", "202-555-0147")
    exported = outbound("suppress", "--export", "-")
    assert exported.splitlines()[0] == "number,scope,since,source"
    assert exported.splitlines()[1].startswith("+12025550147,all,")
    file = config / "list.csv"
    file.write_text("number,scope\n+12025550148,surveys\nnobody,all\n")
    assert "1 on the list, 1 refused" in outbound("suppress", "--import", str(file), code=1)
    assert "may be called again" in outbound("suppress", "--remove", "+12025550147")


def test_results_count_what_the_calls_came_to(outbound: Command) -> None:
    assert "No call was made" in outbound("results")
    outbound("add", "--order", "D1", "--number", "+12025550149", "--consent", "order_terms")
    assert outbound.json("results")["purposes"]["delivery"]["jobs"] == 1


def test_a_number_or_a_consent_that_is_missing_is_told(outbound: Command, capsys: pytest.CaptureFixture[str]) -> None:
    outbound("add", "--order", "E1", "--number", "12", "--consent", "order_terms", code=1)
    outbound("add", "--order", "E1", "--number", "+12025550149", "--consent", "", code=1)
    assert outbound.json("list")["jobs"] == []
