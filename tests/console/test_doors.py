"""Where the console listens, behind which proxy, over which TLS; and what it says when something is wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from agent.config.base import SettingsError
from agent.config.console import ConsoleSettings
from agent.console.assembly import allowed_hosts, console_context, listening, serve_console, tls_context
from agent.console.errors import problem_of
from tests.console.console_client import PASSWORD, console_settings, quick_passwords, running_console
from tests.history.stored import write


@pytest.mark.parametrize("host", ["192.0.2.9", "192.0.2.1", "::", "console.shop.example"])
async def test_another_address_without_tls_or_a_named_proxy_is_refused(tmp_path: Path, host: str) -> None:
    settings = console_settings(tmp_path, console={"host": host})
    with pytest.raises(SettingsError, match=r"console\.host"):
        await serve_console(settings, asyncio.Event())


@pytest.mark.parametrize(
    "more",
    [
        {"host": "127.0.0.1"},
        {"host": "::1"},
        {"host": "localhost"},
        {"host": "192.0.2.1", "proxies": ["192.0.2.2"]},
        {"host": "192.0.2.1", "certificate_file": "a.pem", "key_file": "a.key"},
    ],
)
def test_loopback_a_proxy_or_a_certificate_are_taken(more: dict[str, object]) -> None:
    assert ConsoleSettings.model_validate(more).refusal() == ""


def test_half_a_certificate_is_refused() -> None:
    assert "belong together" in ConsoleSettings.model_validate({"certificate_file": "a.pem"}).refusal()


async def test_its_own_certificate_is_served(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "all.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    pem = str(tmp_path / "all.pem")
    console = {"port": 0, "certificate_file": pem, "key_file": pem, "host": "localhost"}
    settings = console_settings(tmp_path, console=console)
    write(tmp_path / "calls.sqlite", [])
    async with console_context(settings, [], quick_passwords()) as context, listening(context) as url:
        assert url.startswith("https://localhost:")
        tls = aiohttp.TCPConnector(ssl=_trusting(tmp_path / "ca.pem"))
        async with aiohttp.ClientSession(connector=tls) as http, http.get(f"{url}/login") as response:
            assert response.status == 200


def _trusting(authority: Path) -> object:
    import ssl

    return ssl.create_default_context(cafile=str(authority))


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    settings = ConsoleSettings.model_validate(
        {"certificate_file": str(tmp_path / "x"), "key_file": str(tmp_path / "y")}
    )
    with pytest.raises(SettingsError, match="certificate_file"):
        tls_context(settings)


# --- behind a proxy ------------------------------------------------------------------------------------


def request(remote: str, host: str, **headers: str) -> web.Request:
    sent = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    transport = _Transport(remote)
    return make_mocked_request("GET", "/", headers=sent, transport=transport)  # type: ignore[arg-type]


class _Transport:
    def __init__(self, remote: str) -> None:
        self.remote = remote

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self.remote, 1) if name == "peername" else default


BEHIND = ConsoleSettings.model_validate({"proxies": ["127.0.0.1"], "allowed_hosts": ["console.shop.example"]})


def test_a_named_proxy_tells_the_browsers_address_and_the_scheme() -> None:
    hosts = allowed_hosts(BEHIND)
    sent = {"X_Forwarded_For": "203.0.113.9, 198.51.100.7", "X_Forwarded_Proto": "https"}
    origin = hosts.origin(request("127.0.0.1", "console.shop.example", **sent))
    assert (origin.address, origin.url) == ("198.51.100.7", "https://console.shop.example")


def test_what_others_say_of_themselves_is_not_believed() -> None:
    hosts = allowed_hosts(ConsoleSettings())
    sent = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example"}
    origin = hosts.origin(request("127.0.0.1", "127.0.0.1:8189", **sent))
    assert (origin.address, origin.url) == ("127.0.0.1", "http://127.0.0.1:8189")


def test_a_proxy_that_is_asked_over_http_is_refused() -> None:
    hosts = allowed_hosts(BEHIND)
    with pytest.raises(web.HTTPForbidden):
        hosts.origin(
            request("127.0.0.1", "console.shop.example", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="http")
        )


def test_where_a_proxy_stands_in_front_nobody_else_is_let_in() -> None:
    hosts = allowed_hosts(
        ConsoleSettings.model_validate(
            {"host": "192.0.2.1", "proxies": ["192.0.2.2"], "allowed_hosts": ["console.shop.example"]}
        )
    )
    with pytest.raises(web.HTTPForbidden):
        hosts.origin(request("192.0.2.3", "console.shop.example", X_Forwarded_Proto="https"))
    assert hosts.origin(request("192.0.2.2", "console.shop.example", X_Forwarded_Proto="https")).scheme == "https"


# --- what is said when something is wrong --------------------------------------------------------------


async def test_a_locked_file_is_told_with_what_to_do_and_signs_nobody_out(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        browser = await console.signed_in("viewer")
        with closing(sqlite3.connect(tmp_path / "console.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert (await browser.get("/account")).status == 200, "who only reads need not wait"
            page = await console.browser().sign_in("viewer")
            assert page.status == 503
            assert "Another program holds the console&#39;s file" in await page.text()
            api = await browser.ask("PUT", "/api/v1/account/preferences", json={})
            assert (api.status, (await api.json())["code"]) == (503, "console_database")
        assert (await console.browser().sign_in("viewer")).status == 303


async def test_a_full_disk_is_told_and_pages_are_still_shown(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        browser = await console.signed_in("viewer")
        await console.signed_in("supervisor")

        def fill(db: sqlite3.Connection) -> None:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")
            try:
                while True:  # what is free inside the file
                    db.execute("INSERT INTO notes (call_id, who, at, text) VALUES ('', '', 0, ?)", ("x" * 900,))
            except sqlite3.OperationalError as error:
                assert "full" in str(error)  # noqa: PT017 - how often it succeeds before is nobody's business

        await console.context.database.run(lambda: fill(console.context.database.open()))
        for _ in range(60):  # the audit's last page has room for some entries
            refused = await console.browser().sign_in("supervisor", PASSWORD)
            if refused.status != 303:
                break
        assert refused.status == 503
        assert "disk is full" in await refused.text()
        assert (await browser.get("/account")).status == 200


def test_nothing_of_an_unforeseen_failure_reaches_the_browser() -> None:
    problem = problem_of(RuntimeError("/etc/orderline/control-token"))
    assert problem.status == 500
    assert "control-token" not in problem.detail


async def test_words_of_callers_and_people_are_text_on_every_page(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        text = await (await console.browser().sign_in('"><script>alert(1)</script>', "x")).text()
        assert "<script>" not in text
        assert "&lt;script&gt;" in text
        page = await (await console.browser().get("/login?next=/%22%3E%3Cscript%3E")).text()
        assert "<script>" not in page
