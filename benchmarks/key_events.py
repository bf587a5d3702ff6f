"""Records key events as Asterisk reports them, through a second ARI application on the PBX under test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import aiohttp

from agent.common.tasks import cancel_and_wait
from agent.rehearsal.pbx_pair import Pbx

_APP = "orderline-bench"


@contextlib.asynccontextmanager
async def key_events(pbx: Pbx) -> AsyncIterator[dict[str, list[float]]]:
    """Give caller's number -> moments (monotonic seconds) at which a key of theirs was told to ARI applications.

    It is the same moment for the agent's own connection, up to the time Asterisk takes to write to the next socket.
    """
    moments: dict[str, list[float]] = {}
    url = f"{pbx.ari_url}/ari/events"
    params = {"app": _APP, "subscribeAll": "true", "api_key": f"{pbx.ari_user}:{pbx.ari_password}"}
    async with aiohttp.ClientSession() as session, session.ws_connect(url, params=params) as socket:

        async def read() -> None:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    event = json.loads(message.data)
                    if event.get("type") == "ChannelDtmfReceived":
                        number = str(event["channel"]["caller"]["number"])
                        moments.setdefault(number, []).append(time.monotonic())

        reading = asyncio.create_task(read(), name="key-events")
        try:
            yield moments
        finally:
            await cancel_and_wait(reading)
