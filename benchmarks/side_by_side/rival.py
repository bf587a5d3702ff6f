"""The rival bot as a program: Asterisk's ARI, a recognition server, pyttsx3, as public samples do it.

``python -m benchmarks.side_by_side.rival CONFIG`` serves until its standard input ends. It tells what happens on its
calls as Orderline does (the same feed), so that the same scripted callers can talk to it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from agent.asterisk.ari.client import AriClient
from agent.config.timezone import wall_clock
from agent.control.live_feed import LiveFeed
from agent.control.server import ControlServer
from agent.shop.demo.shop import open_demo_shop
from agent.telemetry.event_bus import EventBus
from benchmarks.side_by_side.rival_call import RivalCall, RivalCallParts
from benchmarks.side_by_side.rival_voice import RivalVoice


@dataclass(frozen=True)
class RivalSettings:
    """Everything it must know."""

    name: str
    """Also its ARI application."""
    ari_url: str
    ari_user: str
    ari_password: str
    token: str
    recognition_url: str
    shop_directory: str
    timezone: str = ""
    piece_bytes: int = 3200
    """Audio is sent to the recognition server in pieces of this size: 200 ms, as the speech bridge does."""
    grammar: bool = False
    """A new connection with a list of phrases for each question, instead of one with the whole vocabulary a call."""
    keep_prompts: bool = False
    """Synthesise each text once, instead of each time it is said."""

    def write(self, path: Path) -> None:
        """Write it where only its owner can read it."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


class Rival:
    """The running bot: one task a call."""

    def __init__(self, settings: RivalSettings, ari: AriClient, doors: RivalCallParts) -> None:
        self._settings = settings
        self._ari = ari
        self._doors = doors
        self._calls: dict[str, RivalCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        ari.on("*", self._on_event)

    def _on_event(self, event: dict[str, Any]) -> None:
        channel = event.get("channel") or {}
        channel_id = str(channel.get("id", ""))
        if event["type"] == "StasisStart" and event.get("args") == ["inbound"]:
            number = str((channel.get("caller") or {}).get("number", ""))
            call = RivalCall(self._ari, channel_id, number, self._doors, self._settings)
            self._calls[channel_id] = call
            task = asyncio.create_task(call.run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: self._calls.pop(channel_id, None))
        elif event["type"] == "PlaybackFinished":
            target = str(event["playback"].get("target_uri", "")).removeprefix("channel:")
            if target in self._calls:
                self._calls[target].on_played(str(event["playback"]["id"]))
        elif channel_id in self._calls:
            self._calls[channel_id].on_event(event)


async def serve(settings: RivalSettings) -> None:
    """Serve until standard input ends."""
    async with contextlib.AsyncExitStack() as stack:
        now = wall_clock(settings.timezone)
        shop = await open_demo_shop(Path(settings.shop_directory), now=now)
        stack.push_async_callback(shop.close)
        prompts = stack.enter_context(tempfile.TemporaryDirectory(prefix="rival-prompts-"))
        voice = RivalVoice(Path(prompts), keep=settings.keep_prompts)
        stack.callback(voice.close)
        await voice.warm_up()
        feed = LiveFeed()
        events = EventBus()
        events.subscribe(feed.send)
        door = ControlServer(feed, settings.token, dict)
        await door.start("127.0.0.1", 0)
        stack.push_async_callback(door.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        ari = await stack.enter_async_context(
            AriClient(settings.ari_url, settings.ari_user, settings.ari_password, settings.name)
        )
        Rival(settings, ari, RivalCallParts(events, shop.orders, voice, session, now))
        print(json.dumps({"ready": True, "port": door.port}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Start by hand or by the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    config = parser.parse_args().config
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(RivalSettings(**json.loads(config.read_text(encoding="utf-8")))))


if __name__ == "__main__":
    main()
