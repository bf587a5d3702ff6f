"""Faulty HTTP responses of the test business systems: truncated, wrong types, unfinished, oversized."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

SLOW_SECONDS = 10.0
_DRIP_SECONDS = 0.2
_LONGEST_DRIP_SECONDS = 60.0
_HUGE_BYTES = 100_000_000
_CHUNK = b" " * 65_536


async def send(request: web.BaseRequest, response: web.Response) -> web.Response:
    """Write an answer out to its end, now."""
    await response.prepare(request)
    await response.write_eof()
    return response


def truncated_json(answer: Mapping[str, Any]) -> web.Response:
    """Return the first half of an answer."""
    text = json.dumps(answer)
    return web.Response(text=text[: len(text) // 2], content_type="application/json")


def other_types(value: Any) -> Any:
    """Return an answer in which every value is of a type nobody expects there."""
    if isinstance(value, Mapping):
        return {key: other_types(part) for key, part in value.items()}
    return {"value": str(value)} if isinstance(value, list) else [str(value)]


async def drip(request: web.BaseRequest, answer: Mapping[str, Any]) -> web.StreamResponse:
    """Send an answer that begins at once and never comes to its end."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100000"})
    with contextlib.suppress(ConnectionError):  # whoever asked has heard enough
        await response.prepare(request)
        await response.write(json.dumps(answer).encode()[:-1])
        for _ in range(int(_LONGEST_DRIP_SECONDS / _DRIP_SECONDS)):
            await response.write(b" ")
            await asyncio.sleep(_DRIP_SECONDS)
    return response


async def flood(request: web.BaseRequest) -> web.StreamResponse:
    """Send an answer that is far too long, until nobody listens any more."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = _HUGE_BYTES
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        for _ in range(_HUGE_BYTES // len(_CHUNK)):
            await response.write(_CHUNK)
    return response
