"""Browsers that watch live calls, in a process of their own: the callers' times must not depend on their work.

``python -m benchmarks.live_readers URL NAME PASSWORD COUNT`` prints ``ready`` when every reader has its snapshot, reads
until its standard input is closed, then prints one JSON list: for every event and reader the milliseconds from the
agent's event to the reader.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import sys
import time
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Any

import aiohttp

from benchmarks.console_visitor import signed_in

CONNECTION_SECONDS = 60.0
_LONGEST_LINE = 8_000_000
"""A snapshot is one line."""


class LiveReaders:
    """So many connections to the console's event stream."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.delays_ms: list[float] = []

    async def read(self, ready: asyncio.Event) -> None:
        """Read events until cancelled; ``ready`` is set at the snapshot."""
        whole = aiohttp.ClientTimeout(total=None)
        async with self._session.get("/api/v1/events", timeout=whole, read_bufsize=_LONGEST_LINE) as response:
            response.raise_for_status()
            async for name, data in server_sent_events(response.content):
                now = time.time()
                if name == "snapshot":
                    ready.set()
                elif name == "call":
                    at = dt.datetime.fromisoformat(str(data["at"])).timestamp()
                    self.delays_ms.append(round((now - at) * 1000, 1))


async def server_sent_events(content: AsyncIterable[bytes]) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and data of each event of a stream."""
    name = ""
    async for raw in content:
        line = raw.decode().rstrip("\r\n")
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


async def _watch(options: argparse.Namespace) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with signed_in(options.url, options.name, options.password, connector) as session:
        readers, ready = LiveReaders(session), [asyncio.Event() for _ in range(options.count)]
        tasks = [asyncio.create_task(readers.read(one)) for one in ready]
        async with asyncio.timeout(CONNECTION_SECONDS):
            await asyncio.gather(*(one.wait() for one in ready))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        print(json.dumps(readers.delays_ms), flush=True)


def main() -> None:
    """Watch."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "name", "password"):
        parser.add_argument(name)
    parser.add_argument("count", type=int)
    asyncio.run(_watch(parser.parse_args()))


if __name__ == "__main__":
    main()
