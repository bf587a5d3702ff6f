"""A call goes to the queue, or a phone is rung for the side of it that it may have; the dialplan does the rest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.asterisk.ari.errors import AriError
from agent.asterisk.ari.resources import Channels
from agent.asterisk.supervised_calls import SupervisedCalls
from agent.call.inbox_events import HandOverRequested, Inbox


@dataclass
class Line:
    channel_name: str = "PJSIP/carrier-00000001"
    media_name: str = "WebSocket/orderline-00000002"
    inbox: Inbox = field(default_factory=asyncio.Queue)


@dataclass
class Ari:
    """Takes requests as the client does."""

    asked: list[tuple[str, str, Any, Any]] = field(default_factory=list)
    failure: AriError | None = None

    async def request(self, method: str, path: str, *, params: Any = None, body: Any = None) -> Any:
        self.asked.append((method, path, params, body))
        if self.failure is not None:
            raise self.failure
        return {}

    @property
    def channels(self) -> Channels:
        return Channels(self)


def phone(ari: Ari, line: Line | None) -> SupervisedCalls:
    return SupervisedCalls(ari, lambda call_id: line if call_id == "1.2" else None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "which"), [("listen", "WebSocket/orderline-00000002"), ("take-over", "PJSIP/carrier-00000001")]
)
async def test_listening_gets_the_agents_side_and_taking_over_the_callers(what: str, which: str) -> None:
    ari = Ari()
    assert await phone(ari, Line()).ring("1.2", what, "601") == ""
    [(method, path, params, body)] = ari.asked
    assert (method, path) == ("POST", "/channels")
    assert params["endpoint"] == "PJSIP/601"
    assert (params["context"], params["extension"]) == ("orderline-console", what)
    assert body == {"variables": {"ORDERLINE_WHICH": which}}


async def test_a_call_that_is_gone_and_audio_that_is_not_there_ring_nobody() -> None:
    ari = Ari()
    assert "not with the agent" in await phone(ari, Line()).ring("3.4", "listen", "601")
    assert "audio" in await phone(ari, Line(media_name="")).ring("1.2", "listen", "601")
    assert ari.asked == []


async def test_a_phone_that_asterisk_does_not_know_is_told() -> None:
    ari = Ari(failure=AriError(400, "POST", "/channels", "Allocation failed"))
    told = await phone(ari, Line()).ring("1.2", "take-over", "699")
    assert told.startswith("The phone 699 cannot be rung")
    assert "Allocation failed" in told


async def test_a_call_is_handed_over_by_its_id() -> None:
    line = Line()
    assert phone(Ari(), line).hand_over("1.2", "supervisor_asked")
    assert line.inbox.get_nowait() == HandOverRequested("supervisor_asked")
    assert not phone(Ari(), line).hand_over("3.4", "supervisor_asked")
