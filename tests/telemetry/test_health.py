"""The status says what does not work, and why."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from agent.telemetry.health import Dependency, DependencyAddresses, check_dependencies, records_dependency

NOWHERE = DependencyAddresses("http://127.0.0.1:8088", "", "", 5038)
WELL = {"asterisk": True, "model": "m", "procedures": {"edition": "1"}}
KEPT = Dependency("records", "ok")


async def state_of(
    about: dict[str, Any], *, ami: str = "", records: Dependency = KEPT, outbox: tuple[int, int] | None = (0, 0)
) -> tuple[str, dict[str, Any]]:
    addresses = DependencyAddresses(NOWHERE.ari_url, "", ami, 1)
    status = await check_dependencies(addresses, {**WELL, **about}, {"hibari": True}, outbox, records)
    return status["state"], status["dependencies"]


async def test_all_is_well() -> None:
    assert (await state_of({}))[0] == "ok"


async def test_a_refused_password_is_a_line_that_is_down_and_says_so() -> None:
    state, found = await state_of({"asterisk": False, "asterisk_refuses": "Asterisk refuses the user"})
    assert (state, found["asterisk"]["detail"]) == ("down", "Asterisk refuses the user")


async def test_a_manager_login_that_is_refused_is_not_ok_because_the_port_greets() -> None:
    state, found = await state_of({"queues_unknown": "login as orderline was refused"}, ami="127.0.0.1")
    assert (state, found["ami"]["state"]) == ("degraded", "down")
    assert "refused" in found["ami"]["detail"]


async def test_a_disk_that_takes_no_records_is_told() -> None:
    state, found = await state_of({}, records=Dependency("records", "down", "disk full"))
    assert (state, found["records"]["detail"]) == ("degraded", "disk full")


async def test_a_postgresql_that_takes_no_records_is_told() -> None:
    assert (await state_of({}))[1]["postgresql"]["state"] == "off"
    assert (await state_of({"records_not_sent": ""}))[1]["postgresql"]["state"] == "ok"
    state, found = await state_of({"records_not_sent": "postgresql://a@b/c: no answer"})
    assert (state, found["postgresql"]["detail"]) == ("degraded", "postgresql://a@b/c: no answer")


def test_records_are_well_where_the_state_directory_can_be_written(tmp_path: Path) -> None:
    assert records_dependency(tmp_path, "").state == "ok"
    assert not list(tmp_path.iterdir())


def test_a_state_directory_that_cannot_be_written_is_found_before_a_record_is_lost(tmp_path: Path) -> None:
    found = records_dependency(tmp_path / "gone", "")
    assert (found.state, "cannot be written" in found.detail) == ("down", True)


def test_a_full_disk_is_found_before_a_record_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = records_dependency(tmp_path, "")
    assert (found.state, "No space left" in found.detail) == ("down", True)


def test_what_stopped_the_last_record_is_told_whatever_the_disk_says_now(tmp_path: Path) -> None:
    assert records_dependency(tmp_path, "calls.sqlite: database or disk is full").state == "down"


async def test_an_outbox_that_cannot_be_read_is_not_an_empty_one() -> None:
    state, found = await state_of({}, outbox=None)
    assert (state, found["outbox"]["state"]) == ("degraded", "down")


async def test_a_node_that_cannot_call_customers_says_why_and_one_that_calls_nobody_is_well() -> None:
    state, found = await state_of({"outbound_problem": "another program dials through this Asterisk"})
    assert (state, found["outbound"]["state"]) == ("degraded", "down")
    assert "another program" in found["outbound"]["detail"]
    assert (await state_of({"outbound_problem": ""}))[1]["outbound"]["state"] == "ok"
    state, found = await state_of({})
    assert (state, found["outbound"]["state"]) == ("ok", "off")
