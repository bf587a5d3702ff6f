"""Passwords, guessing, sessions, the second factor."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2.exceptions import VerificationError

from agent.console.guessing import PER_ADDRESS, PER_NAME, GuessingLimits
from agent.console.passwords import PasswordChecker, WeakPassword, check_password, new_password
from agent.console.sessions import COOKIE, IDLE_SECONDS, WHOLE_SECONDS, Sessions, token_hash
from agent.console.sign_in import WRONG, own_page
from agent.console.store import console_file
from agent.console.totp import STEP_SECONDS, accepted_step, code_at, new_secret
from tests.console.console_client import MACHINE, PASSWORD, RunningConsole, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[RunningConsole]:
    async with running_console(tmp_path) as console:
        yield console


# --- passwords -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        *("short", "elevenchars", "password1234", "Password2026!", "P@ssw0rd1234", "qwertyuiop12", "123456789012"),
        *("aaaaaaaaaaaa", "abababababab", "letmein12345", "iloveyou2026", "welcome-welcome", "maria-2026-maria"),
        *("CorrectHorseBatteryStaple", "abcdefghijkl", "zyxwvutsrqpo", "Sommer" * 50, "orderline-admin-1"),
    ],
)
def test_a_password_among_the_first_that_are_tried_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_password(password, "maria")


@pytest.mark.parametrize(
    "password", [PASSWORD, "k7w-qmn4-tz2p-xb", "пароль из четырёх слов", "fjord lampshade 7 quiet"]
)
def test_a_password_of_unusual_words_is_taken(password: str) -> None:
    check_password(password, "maria")


async def test_a_hash_is_argon2id_with_the_parameters_that_were_measured() -> None:
    passwords = PasswordChecker()
    stored = await passwords.hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(stored, PASSWORD)
    assert not await passwords.verify(stored, PASSWORD + "x")
    assert not await passwords.verify("not a hash", PASSWORD)
    passwords.close()


async def test_two_passwords_are_hashed_at_a_time_and_the_loop_goes_on_meanwhile() -> None:
    passwords = PasswordChecker(memory_kib=8, passes=1)
    running, most = 0, 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)  # a hash takes its time: this one without the memory
        running -= 1

    await asyncio.gather(*(passwords._run(work) for _ in range(8)))
    assert most == 2
    passwords.close()


class RecordingHasher:
    def __init__(self) -> None:
        self.verified: list[str] = []

    def verify(self, stored: str, _: str) -> bool:
        self.verified.append(stored)
        raise VerificationError


async def test_nobody_waits_as_long_as_somebody() -> None:
    """An account that does not exist costs a hash as well."""
    passwords = PasswordChecker(memory_kib=8, passes=1)
    assert not await passwords.verify(None, PASSWORD)
    hasher = RecordingHasher()
    passwords._hasher = hasher  # type: ignore[assignment]
    assert not await passwords.verify(None, PASSWORD)
    assert [stored[:10] for stored in hasher.verified] == ["$argon2id$"]
    passwords.close()


# --- guessing ------------------------------------------------------------------------------------------


def test_five_failures_of_a_name_are_free_then_delays_grow() -> None:
    now = 1000.0
    limits = GuessingLimits(lambda: now)
    waits = []
    for number in range(PER_NAME + 3):
        assert limits.wait_seconds("maria", f"192.0.2.{number}") == 0
        limits.begin("maria", f"192.0.2.{number}")
        waits.append(limits.wait_seconds("Maria ", "192.0.2.99"))
        now += waits[-1]
    assert waits == [0, 0, 0, 0, 5.0, 10.0, 20.0, 40.0]


def test_twenty_failures_of_an_address_are_free_whatever_the_names() -> None:
    limits = GuessingLimits(lambda: 1000.0)
    for number in range(PER_ADDRESS):
        assert limits.wait_seconds(f"name{number}", "192.0.2.1") == 0
        limits.begin(f"name{number}", "192.0.2.1")
    assert limits.wait_seconds("another", "192.0.2.1") > 0
    assert limits.wait_seconds("another", "192.0.2.2") == 0


def test_failures_are_forgotten_after_a_quarter_of_an_hour() -> None:
    now = 1000.0
    limits = GuessingLimits(lambda: now)
    for _ in range(PER_NAME):
        limits.begin("maria", "192.0.2.1")
    now += 15 * 60
    assert limits.wait_seconds("maria", "192.0.2.1") == 0


def test_strangers_keep_nobody_out_who_has_signed_in_from_there_before() -> None:
    limits = GuessingLimits(lambda: 1000.0)
    for number in range(PER_NAME + 5):
        limits.begin("maria", f"192.0.2.{number}")
    assert limits.wait_seconds("maria", "198.51.100.7") > 0
    assert limits.wait_seconds("maria", "198.51.100.7", known=True) == 0


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(console: RunningConsole) -> None:
    await console.signed_in("viewer")
    pages = []
    for name in ("viewer", "nobody"):
        response = await console.browser().sign_in(name, "wrong wrong wrong 1")
        text = await response.text()
        assert response.status == 401
        assert WRONG in text
        pages.append((dict(response.headers).keys(), text.replace(name, "NAME")))
    assert pages[0] == pages[1]


async def test_guessing_is_stopped_and_the_right_password_does_not_help(console: RunningConsole) -> None:
    await console.context.accounts.add("maria", "viewer", PASSWORD, granted=(), scopes=(), by=MACHINE)
    for name in ("maria", "unknown"):
        tries = [await console.browser().sign_in(name, "wrong wrong wrong 1") for _ in range(PER_NAME)]
        assert {response.status for response in tries} == {401}
        refused = await console.browser().sign_in(name, PASSWORD)
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) >= 1


async def test_many_tries_at_once_are_counted_before_they_are_looked_at(console: RunningConsole) -> None:
    tries = await asyncio.gather(*(console.browser().sign_in("maria", f"wrong wrong {n}") for n in range(20)))
    assert sum(response.status == 401 for response in tries) <= PER_NAME


async def test_each_failure_is_one_line_that_fail2ban_reads(
    console: RunningConsole, caplog: pytest.LogCaptureFixture
) -> None:
    rules = (Path(__file__).parents[2] / "contrib/fail2ban/orderline.conf").read_text(encoding="utf-8")
    patterns = [
        rule.replace("<HOST>", r"(?P<host>\S+)") for rule in re.findall(r"^\s*(?:failregex = )?(\^.+)$", rules, re.M)
    ]
    with caplog.at_level(logging.WARNING):
        await console.browser().sign_in("maria\nWARNING agent.console Authentication failure from 203.0.113.9", "x")
    failures = [record for record in caplog.records if record.name == "agent.console"]
    assert len(failures) == 1
    line = f"2026-11-30 10:00:00,123 WARNING agent.console {failures[0].getMessage()}"
    assert any((found := re.match(pattern, line)) and found["host"] == "127.0.0.1" for pattern in patterns)


async def test_what_is_typed_into_the_name_field_is_not_kept_where_it_is_no_name(console: RunningConsole) -> None:
    await console.browser().sign_in("my secret password", "x")
    assert ("(nobody)", "sign_in_failed", {"name": "(no such account)"}) in await console.audited()


# --- sessions ------------------------------------------------------------------------------------------


async def test_the_cookie_is_for_this_host_https_and_nobodys_script(console: RunningConsole) -> None:
    await console.signed_in("viewer")
    response = await console.browser().sign_in("viewer")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-orderline=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie
    token = response.cookies[COOKIE].value
    assert len(token) >= 43  # 256 bits


async def test_only_a_hash_of_the_session_is_stored(console: RunningConsole, tmp_path: Path) -> None:
    browser = await console.signed_in("viewer")
    stored = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in tmp_path.glob("console.sqlite*")))
    assert token_hash(browser.cookie).encode() in stored
    assert browser.cookie.encode() not in stored
    assert (tmp_path / "console.sqlite").stat().st_mode & 0o077 == 0


async def test_signing_in_gives_a_new_id_and_ends_the_one_before(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    before = browser.cookie
    await browser.sign_in("viewer")
    assert browser.cookie != before
    assert await console.context.sessions.find(before) is None


async def test_a_session_goes_idle_and_ends_after_its_whole_time(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        await console.signed_in("viewer")
    database, now = console_file(tmp_path / "console.sqlite"), 1_000_000.0
    sessions = Sessions(database, lambda: now)
    token = await sessions.begin(1, "127.0.0.1", "")
    now += IDLE_SECONDS - 1
    assert await sessions.find(token) is not None  # and it was used
    now += IDLE_SECONDS - 1
    assert await sessions.find(token, used=False) is not None
    now += 2
    assert await sessions.find(token) is None
    token, begun = await sessions.begin(1, "127.0.0.1", ""), now
    while now < begun + WHOLE_SECONDS - IDLE_SECONDS:
        now += IDLE_SECONDS - 60
        assert await sessions.find(token) is not None
    now = begun + WHOLE_SECONDS + 1
    assert await sessions.find(token) is None
    await database.close()


async def test_somebody_sees_and_ends_ones_own_sessions_and_nobody_elses(console: RunningConsole) -> None:
    browser, other = await console.signed_in("viewer"), await console.signed_in("supervisor")
    second = console.browser()
    await second.sign_in("viewer")
    sessions = (await browser.json("/api/v1/sessions"))["sessions"]
    assert [session["this"] for session in sessions].count(True) == 1
    theirs = (await other.json("/api/v1/sessions"))["sessions"][0]["number"]
    assert (await browser.ask("DELETE", f"/api/v1/sessions/{theirs}")).status == 404
    mine = next(session["number"] for session in sessions if not session["this"])
    assert (await browser.ask("DELETE", f"/api/v1/sessions/{mine}")).status == 200
    assert (await second.get("/api/v1/account")).status == 401
    assert (await browser.get("/api/v1/account")).status == 200


async def test_a_new_password_ends_the_other_sessions_and_renews_this_one(console: RunningConsole) -> None:
    browser, second = await console.signed_in("viewer"), console.browser()
    await second.sign_in("viewer")
    before = browser.cookie
    wrong = {"old": "wrong wrong wrong 1", "new": "sieben Krähen krähen"}
    assert (await browser.ask("PUT", "/api/v1/account/password", json=wrong)).status == 403
    changed = await browser.ask("PUT", "/api/v1/account/password", json={**wrong, "old": PASSWORD})
    assert changed.status == 200
    assert browser.cookie != before
    assert (await browser.get("/api/v1/account")).status == 200
    assert (await second.get("/api/v1/account")).status == 401
    assert (await console.browser().sign_in("viewer", wrong["new"])).status == 303


async def test_signing_out_ends_the_session(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    token = browser.cookie
    assert (await browser.ask("POST", "/logout")).status == 303
    assert await console.context.sessions.find(token) is None


@pytest.mark.parametrize(
    "where",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "live", "/x\\..\\y", "/\n"],
)
def test_a_sign_in_leads_to_our_own_pages_only(where: str) -> None:
    assert own_page(where) == "/"


# --- second factor -------------------------------------------------------------------------------------


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, the last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert [code_at(secret, at // 30) for at in (59, 1111111109, 1234567890, 20000000000)] == [
        *("287082", "081804", "005924", "353130")
    ]


def test_a_code_counts_once_and_for_a_minute_and_a_half() -> None:
    secret, now = new_secret(), 1_000_000.0
    step = int(now) // STEP_SECONDS
    assert accepted_step(secret, code_at(secret, step - 1), now, 0) == step - 1
    assert accepted_step(secret, code_at(secret, step - 2), now, 0) is None
    assert accepted_step(secret, code_at(secret, step), now, step) is None
    assert accepted_step(secret, "", now, 0) is None


async def test_a_second_factor_is_switched_on_and_then_needed(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    offered = await (await browser.ask("POST", "/api/v1/account/second-factor")).json()
    step = int(time.time()) // STEP_SECONDS
    told = {"password": PASSWORD, "secret": offered["secret"], "code": code_at(offered["secret"], step)}
    assert (await browser.ask("PUT", "/api/v1/account/second-factor", json={**told, "code": "000000"})).status in (
        400,
        200,
    )
    assert (await browser.ask("PUT", "/api/v1/account/second-factor", json=told)).status == 200
    without = await console.browser().sign_in("viewer")
    assert (without.status, WRONG in await without.text()) == (401, True)
    used = await console.browser().sign_in("viewer", code=told["code"])
    assert used.status == 401  # the code that switched it on is used
    fresh = code_at(offered["secret"], step + 1)
    assert (await console.browser().sign_in("viewer", code=fresh)).status == 303


def test_every_password_that_is_made_is_taken() -> None:
    for _ in range(2000):  # some are so full of digits that their letters look like initials
        check_password(new_password(), "anna")
