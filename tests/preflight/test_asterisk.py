"""The preflight of an Asterisk: what is wrong is named, with the exact fix."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent.asterisk.ari.client import AriClient
from agent.preflight.asterisk import OPTIONAL_MODULES, REQUIRED_MODULES, AsteriskRequirements, asterisk_findings
from agent.preflight.dialplan import CONTEXTS, LAST_RESORT_SOUNDS, shipped_dialplan_edition
from agent.preflight.finding import Finding
from tests.asterisk.fake_asterisk import FakeAsterisk

ALL = {
    *REQUIRED_MODULES,
    *OPTIONAL_MODULES,
    "chan_websocket.so",
    "codec_ulaw.so",
    "codec_alaw.so",
    "codec_resample.so",
    "func_dialplan.so",
}
WIRED = {
    **{f"DIALPLAN_EXISTS({place},1)": "1" for place in (*CONTEXTS, "orderline-handover,no_match")},
    f"DIALPLAN_EXISTS(orderline-edition,{shipped_dialplan_edition()},1)": "1",
    "QUEUE_EXISTS(orderline-humans)": "1",
    "QUEUE_MEMBER(orderline-humans,count)": "2",
    "ORDERLINE_QUEUES": "orderline-humans",
}


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    fake.modules = set(ALL)
    fake.functions = dict(WIRED)
    fake.sounds = {sound: ["slin"] for sound in LAST_RESORT_SOUNDS}
    await fake.start()
    yield fake
    await fake.stop()


async def look(
    asterisk: FakeAsterisk,
    password: str = "secret",
    transport: str = "auto",
    queues: tuple[str, ...] = (),
    *,
    fastagi: bool = False,
) -> list[Finding]:
    ari = AriClient(asterisk.url, "orderline", password, "orderline")
    ari.open()
    try:
        return [
            finding
            async for finding in asterisk_findings(ari, AsteriskRequirements(transport, queues=queues, fastagi=fastagi))
        ]
    finally:
        await ari.close()


def wrong(findings: list[Finding]) -> list[Finding]:
    assert all(finding.fix for finding in findings if finding.verdict != "ok")
    return [finding for finding in findings if finding.verdict != "ok"]


async def test_a_good_asterisk_is_all_ok_and_nothing_is_left_in_it(asterisk: FakeAsterisk) -> None:
    findings = await look(asterisk)
    assert wrong(findings) == []
    assert "media leg" in [finding.what for finding in findings]
    assert asterisk.channels == {}
    assert asterisk.bridges == {}


async def test_a_missing_module_is_named_with_what_it_is_for(asterisk: FakeAsterisk) -> None:
    asterisk.modules.remove("func_timeout.so")
    (finding,) = wrong(await look(asterisk))
    assert "dead-man" in finding.detail
    assert "module load func_timeout.so" in finding.fix


async def test_a_wrong_password_points_at_both_places(asterisk: FakeAsterisk) -> None:
    (finding,) = await look(asterisk, password="other")
    assert finding.verdict == "failed"
    assert "ari.conf" in finding.fix
    assert "ari.password_file" in finding.fix


async def test_a_user_who_may_only_read_is_noticed_before_the_first_call(asterisk: FakeAsterisk) -> None:
    asterisk.read_only = True
    (finding,) = wrong(await look(asterisk))
    assert "read_only=no" in finding.fix


async def test_an_older_asterisk_goes_by_audiosocket_when_it_has_it(asterisk: FakeAsterisk) -> None:
    asterisk.version = "20.6.0"
    asterisk.modules |= {"chan_audiosocket.so", "res_audiosocket.so"}
    findings = await look(asterisk)
    assert wrong(findings) == []
    assert "AudioSocket" in next(finding.detail for finding in findings if finding.what == "media")


async def test_no_way_for_audio_is_a_failure(asterisk: FakeAsterisk) -> None:
    asterisk.modules.remove("chan_websocket.so")
    assert [finding.what for finding in wrong(await look(asterisk))] == ["media"]
    asterisk.version = "20.6.0"
    assert "20.18" in wrong(await look(asterisk, transport="websocket"))[0].fix


async def test_nobody_at_the_address_says_what_to_look_at(asterisk: FakeAsterisk) -> None:
    await asterisk.stop()
    (finding,) = await look(asterisk)
    assert "http.conf" in finding.fix


async def test_contexts_that_are_not_loaded_are_named_with_the_way_to_load_them(asterisk: FakeAsterisk) -> None:
    del asterisk.functions["DIALPLAN_EXISTS(orderline,s,1)"]
    (finding,) = wrong(await look(asterisk))
    assert (finding.what, finding.verdict) == ("dialplan", "failed")
    assert "not loaded: orderline" in finding.detail
    assert "dialplan reload" in finding.fix


async def test_a_dialplan_of_another_edition_is_told(asterisk: FakeAsterisk) -> None:
    del asterisk.functions[f"DIALPLAN_EXISTS(orderline-edition,{shipped_dialplan_edition()},1)"]
    (finding,) = wrong(await look(asterisk))
    assert (finding.what, finding.verdict) == ("dialplan", "warning")
    assert "edition" in finding.detail


async def test_a_queue_that_is_missing_or_empty_is_told(asterisk: FakeAsterisk) -> None:
    asterisk.functions["QUEUE_MEMBER(orderline-humans,count)"] = "0"
    assert [finding.verdict for finding in wrong(await look(asterisk))] == ["warning"]
    asterisk.functions["QUEUE_EXISTS(orderline-humans)"] = "0"
    (finding,) = wrong(await look(asterisk))
    assert (finding.what, finding.verdict) == ("queue", "failed")


async def test_a_queue_of_the_administrators_own_is_looked_at(asterisk: FakeAsterisk) -> None:
    asterisk.functions |= {
        "ORDERLINE_DEFAULT_QUEUE": "sales",
        "QUEUE_EXISTS(sales)": "1",
        "QUEUE_MEMBER(sales,count)": "1",
    }
    assert "sales" in next(finding.detail for finding in await look(asterisk) if finding.what == "queue")


async def test_a_dialplan_that_lets_calls_go_anywhere_is_warned_about(asterisk: FakeAsterisk) -> None:
    del asterisk.functions["ORDERLINE_QUEUES"]
    (finding,) = wrong(await look(asterisk))
    assert (finding.what, finding.verdict) == ("allowed queues", "warning")
    assert "ORDERLINE_QUEUES=orderline-humans in [globals]" in finding.fix


async def test_a_queue_of_the_settings_that_the_dialplan_does_not_allow_is_told(asterisk: FakeAsterisk) -> None:
    asterisk.functions |= {"QUEUE_EXISTS(returns)": "1", "QUEUE_MEMBER(returns,count)": "1"}
    (finding,) = wrong(await look(asterisk, queues=("orderline-humans", "returns")))
    assert (finding.what, finding.verdict) == ("allowed queues", "failed")
    assert "lacks returns" in finding.detail
    assert "ORDERLINE_QUEUES=orderline-humans&returns" in finding.fix
    asterisk.functions["ORDERLINE_QUEUES"] = "orderline-humans&returns"
    assert wrong(await look(asterisk, queues=("orderline-humans", "returns"))) == []


async def test_every_queue_of_the_settings_must_be_there(asterisk: FakeAsterisk) -> None:
    asterisk.functions["ORDERLINE_QUEUES"] = "orderline-humans&returns"
    (finding,) = wrong(await look(asterisk, queues=("orderline-humans", "returns")))
    assert (finding.what, finding.verdict) == ("queue", "failed")
    assert "returns" in finding.detail


async def test_modules_that_calls_can_do_without_are_warned_about(asterisk: FakeAsterisk) -> None:
    asterisk.modules -= {"app_chanspy.so"}
    found = wrong(await look(asterisk, fastagi=True))
    assert [(finding.verdict, finding.fix) for finding in found] == [
        ("warning", "asterisk -rx 'module load app_chanspy.so'"),
        ("warning", "asterisk -rx 'module load res_agi.so'"),
    ]


async def test_an_asterisk_that_is_too_old_is_refused(asterisk: FakeAsterisk) -> None:
    asterisk.version = "16.30.0"
    (finding,) = wrong(await look(asterisk))
    assert "18 or later" in finding.fix


async def test_sounds_in_no_format_that_can_be_played_are_told(asterisk: FakeAsterisk) -> None:
    asterisk.sounds = {"goodbye": ["slin"], "vm-nobodyavail": ["siren14"]}
    (finding,) = wrong(await look(asterisk))
    assert "vm-nobodyavail, please-try-call-later" in finding.detail


async def test_a_telephone_without_codecs_is_told(asterisk: FakeAsterisk) -> None:
    asterisk.modules -= {"codec_alaw.so"}
    assert [finding.verdict for finding in wrong(await look(asterisk))] == ["warning"]
    asterisk.modules -= {"codec_ulaw.so"}
    (finding,) = wrong(await look(asterisk))
    assert "module load codec_ulaw.so" in finding.fix


async def test_a_place_for_staff_that_is_not_there_is_told(asterisk: FakeAsterisk) -> None:
    asterisk.functions["ORDERLINE_STAFF"] = "ext-queues,400,1"
    (finding,) = wrong(await look(asterisk))
    assert "ext-queues,400,1" in finding.detail
    asterisk.functions["DIALPLAN_EXISTS(ext-queues,400,1)"] = "1"
    assert wrong(await look(asterisk)) == []
