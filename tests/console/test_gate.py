"""Hosts, origins, tokens, rights: what lets a request through, and what does not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent.console.api import OPERATIONS
from agent.console.csrf import csrf_token
from agent.console.headers import POLICY
from agent.console.rights import ROLES, Right
from tests.console.console_client import PASSWORD, RunningConsole, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[RunningConsole]:
    async with running_console(tmp_path) as console:
        yield console


# --- headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/login", "/account", "/api/v1/account", "/api/v1/nowhere", "/static/none.css", "/healthz"]
)
async def test_every_answer_errors_too_says_what_a_browser_may_do_with_it(console: RunningConsole, path: str) -> None:
    response = await (await console.signed_in("viewer")).get(path)
    assert response.headers["Content-Security-Policy"].startswith(POLICY)
    assert "require-trusted-types-for 'script'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] in ("no-store", "no-cache")
    assert "aiohttp" not in response.headers["Server"]


async def test_pages_are_never_kept_by_a_browser(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    for path in ("/login", "/account", "/api/v1/account"):
        assert (await browser.get(path)).headers["Cache-Control"] == "no-store"


def test_the_policy_is_the_one_that_was_decided() -> None:
    assert POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


# --- hosts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8189", "127.0.0.1.evil.example", "", "a b", "[::1"])
async def test_a_name_that_is_not_the_consoles_is_refused(console: RunningConsole, host: str) -> None:
    response = await console.browser().get("/login", headers={"Host": host or "\t"})
    assert response.status in (400, 421)


@pytest.mark.parametrize("host", ["127.0.0.1:8189", "localhost", "LOCALHOST:9", "[::1]:8189", "console.shop.example"])
async def test_loopback_and_the_names_of_the_settings_are_taken(tmp_path: Path, host: str) -> None:
    async with running_console(tmp_path, console={"allowed_hosts": ["console.shop.example"]}) as console:
        assert (await console.browser().get("/login", headers={"Host": host})).status == 200


# --- changes come from our own pages only --------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "SAME-ORIGIN"])
async def test_a_change_from_elsewhere_is_refused(console: RunningConsole, site: str) -> None:
    browser = await console.signed_in("supervisor")
    response = await browser.ask("POST", "/api/v1/pause", json={}, headers={"Sec-Fetch-Site": site})
    assert response.status == 403
    assert "own pages" in await response.text()


async def test_where_the_browser_tells_no_site_an_equal_origin_is_needed(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    own = f"http://{urlsplit(console.base).netloc}"
    for origin, status in ((own, 404), ("https://evil.example", 403), ("null", 403), ("", 403), (own + ".evil", 403)):
        sent = {"Sec-Fetch-Site": "", "Origin": origin}
        response = await browser.ask("POST", "/api/v1/pause", json={"node": "none"}, headers=sent)
        assert response.status == status, origin


async def test_a_change_without_the_sessions_token_is_refused(console: RunningConsole) -> None:
    browser, other = await console.signed_in("supervisor"), await console.signed_in("admin")
    for token in ("", "x", csrf_token(other.cookie), csrf_token("")):
        response = await browser.ask("POST", "/api/v1/pause", json={}, headers={"X-Orderline-Token": token})
        assert response.status == 403, token


async def test_a_plain_form_may_carry_the_token_in_a_field(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    assert (await browser.ask("POST", "/logout", data={}, token=False)).status == 403
    form = {"csrf_token": csrf_token(browser.cookie)}
    assert (await browser.ask("POST", "/logout", data=form, token=False)).status == 303


async def test_a_sign_in_from_elsewhere_is_refused(console: RunningConsole) -> None:
    await console.signed_in("viewer")
    form = {"name": "viewer", "password": PASSWORD}
    sent = {"Sec-Fetch-Site": "cross-site"}
    assert (await console.browser().ask("POST", "/login", data=form, headers=sent)).status == 403


async def test_get_changes_nothing(console: RunningConsole) -> None:
    browser = await console.signed_in("admin")
    before = await console.audited()
    for operation in OPERATIONS:
        if operation.method != "GET":
            path = operation.path.replace("{call_id}", "1.1").replace("{name}", "admin").replace("{number}", "1")
            assert (await browser.get("/api/v1" + path)).status in (200, 404, 405)
    assert (await browser.get("/logout")).status == 405
    assert await console.audited() == before


# --- rights --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_each_operation_is_refused_to_who_lacks_its_right(console: RunningConsole, role: str) -> None:
    browser = await console.signed_in(role)
    lacking = [operation for operation in OPERATIONS if operation.right not in ROLES[role]]
    assert bool(lacking) == (role != "admin")
    for operation in lacking:
        path = operation.path.replace("{name}", "admin").replace("{kind}", "outcome")
        path = re.sub(r"\{\w+\}", "1", path)
        response = await browser.ask(operation.method, "/api/v1" + path, json={} if operation.body else None)
        assert response.status == 403, operation
        assert str(operation.right) in await response.text()


def test_shop_staff_see_promotions_and_answers_and_nothing_of_calls() -> None:
    assert ROLES["shop"] == {Right.ACCOUNT, Right.DRAFTS, Right.PROMOTIONS, Right.ANSWERS}


def test_a_viewer_hears_nothing_and_reads_no_audit() -> None:
    assert not ROLES["viewer"] & {Right.SOUND, Right.NUMBERS, Right.AUDIT, Right.EXPORT, Right.PAUSE, Right.PEOPLE}


async def test_publishing_is_granted_to_a_supervisor_by_name(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor", granted=("publish",))
    assert "publish" in (await browser.json("/api/v1/account"))["rights"]
    assert Right.PUBLISH not in ROLES["supervisor"]


async def test_a_change_of_rights_ends_the_sessions(console: RunningConsole) -> None:
    browser, admin = await console.signed_in("supervisor"), await console.signed_in("admin")
    response = await admin.ask("PATCH", "/api/v1/people/supervisor", json={"role": "viewer"})
    assert response.status == 200
    assert (await browser.get("/api/v1/account")).status == 401
    assert ("admin", "people.change") in [(who, what) for who, what, _ in await console.audited()]


async def test_the_last_admin_can_be_neither_removed_nor_degraded(console: RunningConsole) -> None:
    admin = await console.signed_in("admin")
    assert (await admin.ask("PATCH", "/api/v1/people/admin", json={"role": "viewer"})).status == 400
    assert (await admin.ask("DELETE", "/api/v1/people/admin")).status == 400
