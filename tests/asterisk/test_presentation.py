"""A caller who withholds the number: nobody sees it, but in the emergency log where one is kept."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.asterisk.presentation import respect_presentation
from agent.asterisk.stasis_app import StasisApplication
from agent.call.ports import CallerLine, Media
from agent.call.records import Caller
from agent.records.withheld_log import WithheldNumberLog
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

MARIA = {"number": "2025550143", "name": "Maria"}


async def shown(asterisk: FakeAsterisk, ari: AriClient, caller: dict[str, str]) -> tuple[Caller, Caller | None]:
    await asterisk.ring("c1", "inbound", "7000")
    asterisk.channels["c1"]["caller"] = caller
    line = AsteriskCallerLine(ari, asterisk.channels["c1"], ["inbound", "7000"], StasisOptions())
    withheld = await respect_presentation(ari, line)
    return line.caller, withheld


@pytest.mark.parametrize(
    "allowed", ["allowed", "allowed_not_screened", "allowed_passed_screen", "allowed_failed_screen"]
)
async def test_a_number_that_may_be_shown_is(asterisk: FakeAsterisk, ari: AriClient, allowed: str) -> None:
    asterisk.functions["CALLERID(num-pres)"] = allowed
    assert await shown(asterisk, ari, MARIA) == (Caller("2025550143", "Maria", "7000"), None)


@pytest.mark.parametrize(
    "withheld", ["prohib", "prohib_not_screened", "prohib_passed_screen", "prohib_failed_screen", "unavailable", "new"]
)
async def test_a_withheld_number_is_taken_off_with_the_name(
    asterisk: FakeAsterisk, ari: AriClient, withheld: str
) -> None:
    asterisk.functions["CALLERID(num-pres)"] = withheld
    assert await shown(asterisk, ari, MARIA) == (Caller("", "", "7000"), Caller("2025550143", "Maria", "7000"))


async def test_a_withheld_name_alone_leaves_the_number(asterisk: FakeAsterisk, ari: AriClient) -> None:
    asterisk.functions["CALLERID(name-pres)"] = "prohib"
    assert await shown(asterisk, ari, MARIA) == (Caller("2025550143", "", "7000"), None)


@pytest.mark.parametrize("number", ["anonymous", "Anonymous", "Restricted", "unavailable"])
async def test_a_word_in_place_of_a_number_is_no_number(asterisk: FakeAsterisk, ari: AriClient, number: str) -> None:
    assert await shown(asterisk, ari, {"number": number, "name": number}) == (Caller("", "", "7000"), None)


async def test_where_asterisk_does_not_tell_the_number_counts_as_withheld(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    asterisk.functions.clear()
    caller, withheld = await shown(asterisk, ari, MARIA)
    assert caller == Caller("", "", "7000")
    assert withheld == Caller("2025550143", "Maria", "7000")


@pytest.mark.parametrize("admitted", [True, False])
async def test_the_call_and_the_queue_see_no_number_and_the_emergency_log_does(
    asterisk: FakeAsterisk, ari: AriClient, tmp_path: Path, admitted: bool
) -> None:
    asterisk.functions["CALLERID(num-pres)"] = "prohib"
    seen: list[Caller] = []

    async def handle(line: CallerLine, media: Media) -> None:
        seen.append(line.caller)

    async def reject(line: CallerLine, reason: str) -> None:
        seen.append(line.caller)

    kept = WithheldNumberLog(tmp_path / "withheld.log")
    telephony = StasisApplication(
        ari,
        handle,
        StasisOptions(),
        admit=lambda _: "" if admitted else "paused",
        reject=reject,
        on_withheld=kept.write,
    )
    await asterisk.ring("c1", "inbound", "7000")
    await until(lambda: seen)
    await telephony.close()
    assert seen == [Caller("", "", "7000")]
    assert not [name for (_, name), value in asterisk.variables.items() if "2025550143" in value], "nor a supervisor"
    (line,) = (tmp_path / "withheld.log").read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert (told["call"], told["number"], told["dialled"]) == ("c1", "2025550143", "7000")
    assert stat.S_IMODE((tmp_path / "withheld.log").stat().st_mode) == 0o600


async def test_an_emergency_log_that_cannot_be_written_stops_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await WithheldNumberLog(tmp_path / "nowhere" / "withheld.log").write("c1", Caller("2025550143", "Maria", "7000"))
    assert "withheld.log" in caplog.text
    assert "2025550143" not in caplog.text
