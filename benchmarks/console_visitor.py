"""Somebody who has signed in to a console and asks for pages, as a browser does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import aiohttp

from agent.console.sessions import COOKIE


@contextlib.asynccontextmanager
async def signed_in(
    url: str, name: str, password: str, connector: aiohttp.BaseConnector | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    """Hold a session of an account; addresses are relative to the console's. Raises aiohttp.ClientError."""
    form = {"name": name, "password": password}
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with (
        aiohttp.ClientSession(url, cookie_jar=aiohttp.DummyCookieJar()) as door,
        door.post("/login", data=form, headers=headers, allow_redirects=False) as answer,
    ):
        answer.raise_for_status()
        cookie = answer.cookies[COOKIE].value
    # a browser sends the cookie to 127.0.0.1 though it is marked Secure; a cookie jar of aiohttp does not
    headers["Cookie"] = f"{COOKIE}={cookie}"
    async with aiohttp.ClientSession(
        url, headers=headers, cookie_jar=aiohttp.DummyCookieJar(), connector=connector
    ) as session:
        yield session
