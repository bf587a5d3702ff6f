"""The command ``orderline console``: serves the console; its accounts and its audit."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.common.paths import CONFIG_DIRECTORY

if TYPE_CHECKING:  # the console's packages take half a second
    from agent.config.settings import Settings
    from agent.console.people import Account, Doer

ROLES = ("viewer", "supervisor", "admin", "shop")
EXIT_FAILED = 1


def add_console_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; ``add(name, do, text)`` makes a command's parser."""
    console = add("console", _serve, "serve the console in the browser, until stopped (docs/console.md)")
    console.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    parts = console.add_subparsers(metavar="people | audit")
    people = parts.add_parser("people", help="who may sign in").add_subparsers(required=True, metavar="WHAT")
    audit = parts.add_parser("audit", help="who did what").add_subparsers(required=True, metavar="WHAT")

    def part(of: argparse._SubParsersAction[argparse.ArgumentParser], name: str, do: Callable[..., int], text: str):  # type: ignore[no-untyped-def]
        command = of.add_parser(name, help=text, description=text)
        command.set_defaults(do=do)
        command.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="directory of orderline.yaml")
        return command

    one = part(people, "add", _add, "make an account; the password is asked for, or read from standard input")
    one.add_argument("name")
    one.add_argument("--role", required=True, choices=ROLES)
    _add_grants(one)
    one.add_argument("--generate", action="store_true", help="make a password and print it")
    listed = part(people, "list", _list, "list the accounts")
    listed.add_argument("--json", action="store_true", help="print JSON")
    passwd = part(people, "passwd", _passwd, "set a password; ends the account's sessions")
    passwd.add_argument("name")
    passwd.add_argument("--generate", action="store_true", help="make a password and print it")
    passwd.add_argument("--second-factor-off", action="store_true", help="for somebody who has lost the phone")
    role = part(people, "role", _role, "change what somebody may do; ends the account's sessions")
    role.add_argument("name")
    role.add_argument("role", choices=ROLES)
    _add_grants(role)
    part(people, "remove", _remove, "remove an account").add_argument("name")
    part(audit, "verify", _verify, "recompute the chain of hashes")
    shown = part(audit, "list", _entries, "the latest entries")
    shown.add_argument("--limit", type=int, default=50, metavar="N", help="how many (50)")


def _add_grants(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--grant", action="append", default=[], metavar="RIGHT", help="a right besides the role's: publish"
    )
    command.add_argument(
        "--scope", action="append", default=[], metavar="SCOPE", help="only calls of queue:NAME or dialled:NUMBER"
    )


# --- commands -----------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> int:
    from agent.common.privileges import AGENT_UMASK, drop_root_privileges
    from agent.common.signals import run_until_signal
    from agent.console.assembly import serve_console
    from agent.telemetry.log_format import set_up_logging

    settings = _settings(options)
    drop_root_privileges(settings.state_directory)
    os.umask(AGENT_UMASK)
    set_up_logging(settings.log.level, settings.log.format)
    return asyncio.run(run_until_signal(lambda stop: serve_console(settings, stop)))


def _add(options: argparse.Namespace) -> int:
    from agent.console.assembly import accounts_of

    settings = _own_settings(options)
    password, made = _password(options)

    async def work() -> int:
        async with accounts_of(settings) as (accounts, _):
            account = await accounts.add(
                *(options.name, options.role, password), granted=options.grant, scopes=options.scope, by=_doer()
            )
        print(f"{account.name} may sign in as {account.role}.")
        if made:
            print(f"Password: {password}")
        return 0

    return asyncio.run(work())


def _list(options: argparse.Namespace) -> int:
    from agent.console.assembly import accounts_of

    settings = _own_settings(options)

    async def work() -> list[Account]:
        async with accounts_of(settings) as (accounts, _):
            return await accounts.list()

    found = asyncio.run(work())
    if options.json:
        from dataclasses import asdict

        print(json.dumps([asdict(account) for account in found], indent=2))
        return 0
    for account in found:
        more = " ".join((*(f"+{right}" for right in account.granted), *account.scopes))
        factor = "second factor" if account.second_factor else ""
        made = datetime.fromtimestamp(account.made_at).astimezone()
        print(f"{account.name:<24} {account.role:<11} {made:%Y-%m-%d}  {factor:<14} {more}".rstrip())
    if not found:
        print("Nobody can sign in: orderline console people add NAME --role admin", file=sys.stderr)
    return 0


def _passwd(options: argparse.Namespace) -> int:
    from agent.console.assembly import accounts_of

    settings = _own_settings(options)
    password, made = _password(options)

    async def work() -> int:
        async with accounts_of(settings) as (accounts, _):
            await accounts.set_password(options.name, password, by=_doer())
            if options.second_factor_off:
                await accounts.set_second_factor(options.name, "", by=_doer())
        print(f"The password of {options.name} is set; its sessions have ended.")
        if made:
            print(f"Password: {password}")
        return 0

    return asyncio.run(work())


def _role(options: argparse.Namespace) -> int:
    from agent.console.assembly import accounts_of

    settings = _own_settings(options)

    async def work() -> int:
        async with accounts_of(settings) as (accounts, _):
            account = await accounts.change(
                options.name, role=options.role, granted=options.grant, scopes=options.scope, by=_doer()
            )
        print(f"{account.name} is {account.role} from the next sign-in on; its sessions have ended.")
        return 0

    return asyncio.run(work())


def _remove(options: argparse.Namespace) -> int:
    from agent.console.assembly import accounts_of

    settings = _own_settings(options)

    async def work() -> int:
        async with accounts_of(settings) as (accounts, _):
            await accounts.remove(options.name, by=_doer())
        print(f"{options.name} is removed; what it did stays in the audit.")
        return 0

    return asyncio.run(work())


def _verify(options: argparse.Namespace) -> int:
    from agent.console.assembly import accounts_of

    settings = _own_settings(options)

    async def work() -> int:
        async with accounts_of(settings) as (_, audit):
            verdict = await audit.verify()
        if verdict.broken:
            print(f"The audit is BROKEN: {verdict.broken}; the {verdict.entries} before it are as they were written.")
            return EXIT_FAILED
        print(f"{verdict.entries} entries, all as they were written. The last one has the hash {verdict.last_hash}")
        print("Keep that line elsewhere: entries cut off at the end show by a smaller number, or another hash.")
        return 0

    return asyncio.run(work())


def _entries(options: argparse.Namespace) -> int:
    from agent.console.assembly import accounts_of

    settings = _own_settings(options)

    async def work() -> int:
        async with accounts_of(settings) as (_, audit):
            entries = await audit.page(limit=max(1, options.limit))
        for entry in entries:
            about = json.dumps(entry.about, ensure_ascii=False)
            print(f"{entry.number:>7} {entry.at} {entry.who:<20} {entry.what:<20} {entry.address:<15} {about}")
        return 0

    return asyncio.run(work())


# --- parts --------------------------------------------------------------------------------------------


def _settings(options: argparse.Namespace) -> Settings:
    from agent.config.loader import load_settings

    return load_settings(options.config)


def _own_settings(options: argparse.Namespace) -> Settings:
    """Return the settings, as the agent's own user: the console's file must stay the agent's."""
    from agent.common.privileges import drop_root_privileges

    settings = _settings(options)
    drop_root_privileges(settings.state_directory)
    return settings


def _doer() -> Doer:
    from agent.console.people import MACHINE, Doer

    user = os.environ.get("SUDO_USER") or getpass.getuser()
    return Doer(MACHINE, f"user {user}")


def _password(options: argparse.Namespace) -> tuple[str, bool]:
    """Return the password and whether it was made here."""
    if options.generate:
        from agent.console.passwords import new_password

        return new_password(), True
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n"), False
    password = getpass.getpass(f"Password for {options.name} (12 characters or more): ")
    if getpass.getpass("Once more: ") != password:
        print("orderline: the two are not the same", file=sys.stderr)
        raise SystemExit(EXIT_FAILED)
    return password, False
