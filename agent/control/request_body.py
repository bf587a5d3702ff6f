"""Reads the JSON body of a request to the control server; whatever is sent is a body or a 400, never a 500."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.common.untrusted import parse_json

_MOST_BYTES = 64 * 1024
_BODY_SECONDS = 5.0


async def json_body(request: web.Request, example: str) -> Mapping[str, Any]:
    """Return the object in the body, empty where there is none. Raises HTTPBadRequest, which shows ``example``."""
    if not request.can_read_body:
        return {}
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = parse_json(await request.read(), most_chars=_MOST_BYTES)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text=f"The body has not come within {_BODY_SECONDS:g} s.\n") from error
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"A body is {example}: {error}.\n") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text=f"A body is {example}.\n")
    return body
