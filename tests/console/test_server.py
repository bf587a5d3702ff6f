"""The gate that every request passes, and the headers of every answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from agent.console.server import console_application
from tests.console.console_client import RunningConsole, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[RunningConsole]:
    async with running_console(tmp_path) as console:
        yield console


async def test_nobody_sees_a_page_without_signing_in(console: RunningConsole) -> None:
    response = await console.browser().get("/account")
    assert response.status == 303
    assert response.headers["Location"] == "/login?next=/account"
    assert (await console.browser().get("/api/v1/calls")).status == 401


async def test_who_signs_in_comes_to_the_page_that_was_asked_for(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    assert (await browser.get("/account")).status == 200
    other = console.browser()
    response = await other.sign_in("viewer", next="/account?x=1")
    assert response.headers["Location"] == "/account?x=1"


async def test_a_handler_that_nobody_marked_is_not_served(console: RunningConsole) -> None:
    async def open_door(_: web.Request) -> web.StreamResponse:
        return web.Response()

    with pytest.raises(ValueError, match="/secret"):
        console_application(console.context, [web.get("/secret", open_door)])
