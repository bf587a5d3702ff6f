"""A console of a test's own over a made-up history and made-up agents, and a browser that does as browsers do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.config.settings import Settings
from agent.console.assembly import console_context
from agent.console.context import ConsoleContext
from agent.console.control_client import NodeAddress
from agent.console.csrf import csrf_token
from agent.console.passwords import PasswordChecker
from agent.console.people import Doer
from agent.console.server import console_application
from agent.console.sessions import COOKIE
from agent.history.local import LocalHistory
from tests.history.stored import write

PASSWORD = "vier Katzen tanzen Tango"
MACHINE = Doer("(machine)")


def quick_passwords() -> PasswordChecker:
    """The real thing with little memory: tests hash many times."""
    return PasswordChecker(memory_kib=8, passes=1)


@dataclass
class Browser:
    """Sends what a browser sends with a request from the console's own page."""

    base: str
    session: aiohttp.ClientSession
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Sec-Fetch-Site": "same-origin"})

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, token: bool = True, **more: Any
    ) -> aiohttp.ClientResponse:
        sent = {**self.headers}
        if self.cookie:
            sent["Cookie"] = f"{COOKIE}={self.cookie}"
            if token and method != "GET":
                sent["X-Orderline-Token"] = csrf_token(self.cookie)
        sent |= headers or {}
        kept = {name: value for name, value in sent.items() if value}
        response = await self.session.request(method, self.base + path, headers=kept, allow_redirects=False, **more)
        await response.read()
        if COOKIE in response.cookies:
            self.cookie = response.cookies[COOKIE].value
        return response

    async def get(self, path: str, **more: Any) -> aiohttp.ClientResponse:
        return await self.ask("GET", path, **more)

    async def json(self, path: str) -> Any:
        response = await self.get(path)
        assert response.status == 200, await response.text()
        return json.loads(await response.text())

    async def sign_in(self, name: str, password: str = PASSWORD, **fields: str) -> aiohttp.ClientResponse:
        form = {"name": name, "password": password, **fields}
        return await self.ask("POST", "/login", data=form, token=False)


@dataclass
class RunningConsole:
    """A console that listens."""

    context: ConsoleContext
    base: str
    http: aiohttp.ClientSession

    def browser(self) -> Browser:
        return Browser(self.base, self.http)

    async def signed_in(self, role: str, name: str = "", **more: Any) -> Browser:
        """Make an account of a role and sign it in."""
        name = name or role
        await self.context.accounts.add(
            name, role, PASSWORD, granted=more.get("granted", ()), scopes=more.get("scopes", ()), by=MACHINE
        )
        browser = self.browser()
        response = await browser.sign_in(name)
        assert response.status == 303, await response.text()
        return browser

    async def audited(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """Who did what, the earliest first."""
        return [(entry.who, entry.what, entry.about) for entry in reversed(await self.context.audit.page(limit=500))]


def console_settings(state: Path, **more: Any) -> Settings:
    return Settings.model_validate({"state_directory": str(state), "shop": {"timezone": "America/Chicago"}, **more})


@contextlib.asynccontextmanager
async def running_console(
    state: Path,
    nodes: list[NodeAddress] | None = None,
    routes: list[web.RouteDef] | None = None,
    records: list[dict[str, Any]] | None = None,
    **settings: Any,
) -> AsyncIterator[RunningConsole]:
    """Hold a console on a free port of loopback, over finished calls with these records."""
    made = console_settings(state, **settings)
    write(state / "calls.sqlite", records or [])
    await asyncio.to_thread(LocalHistory(state / "calls.sqlite").catch_up)
    async with (
        console_context(made, nodes or [], quick_passwords()) as context,
        TestServer(console_application(context, routes)) as server,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        yield RunningConsole(context, str(server.make_url("")).rstrip("/"), http)
