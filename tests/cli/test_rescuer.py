"""One rescuer looks after the calls of all instances, each by its own heartbeat."""

from __future__ import annotations

import asyncio

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.heartbeat import Heartbeat
from agent.cli.rescuer import run_rescuer
from agent.config.settings import Settings
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until


async def test_the_callers_of_the_dead_instance_are_rescued_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asterisk = FakeAsterisk()
    await asterisk.start()
    monkeypatch.setenv("ORDERLINE_ARI_PASSWORD", "secret")
    for name, app in (("c1", "orderline"), ("c2", "orderline-2"), ("c3", "orderline-3")):
        place = {"app_name": "Stasis", "app_data": f"{app},inbound,7000"}
        asterisk.channels[name] = {"id": name, "state": "Up", "dialplan": place}
    settings = Settings.model_validate(
        {"ari": {"url": asterisk.url}, "instances": 2, "rescuer": {"after_seconds": 2.0, "poll_seconds": 0.2}}
    )
    ari = AriClient(asterisk.url, "orderline", "secret", "orderline")
    ari.open()
    alive = Heartbeat(ari)
    alive.start()
    stop = asyncio.Event()
    running = asyncio.create_task(run_rescuer(settings, stop))
    await until(lambda: asterisk.continued)
    stop.set()
    assert await running == 0
    assert {channel for channel, _, _ in asterisk.continued} == {"c2"}
    assert '"apps": ["orderline", "orderline-2"]' in capsys.readouterr().out
    await alive.stop()
    await ari.close()
    await asterisk.stop()
