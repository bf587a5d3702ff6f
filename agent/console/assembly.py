"""Builds the console from the settings, and runs it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sqlite3
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.builder.desk import builder_desk
from agent.builder.draft_store import DraftStore
from agent.common.addresses import host_port, local_url
from agent.common.log_rate import RateLimitedLog
from agent.common.sqlite import SqliteFile
from agent.common.systemd import notify
from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.base import SettingsError
from agent.config.console import ConsoleSettings
from agent.config.instances import all_instances, instance_files
from agent.config.settings import Settings
from agent.config.timezone import local_moment, wall_clock
from agent.console.audit import AuditLog
from agent.console.context import ConsoleContext
from agent.console.control_client import AgentClient, NodeAddress
from agent.console.customer_calls import CustomerCalls
from agent.console.finished_calls import FinishedCalls
from agent.console.guessing import GuessingLimits
from agent.console.hosts import AllowedHosts
from agent.console.live import LiveHub
from agent.console.notes import Notes
from agent.console.passwords import PasswordChecker
from agent.console.people import Accounts
from agent.console.procedures import ProcedureFiles
from agent.console.rendering import template_environment
from agent.console.server import console_application
from agent.console.sessions import Sessions
from agent.console.sound import CallRecordings, Listenings
from agent.console.store import FILE, console_file
from agent.dialog.pack.archive import DIRECTORY as EDITIONS
from agent.dialog.pack.archive import EditionArchive
from agent.errors import OrderlineError
from agent.flows import english_pack
from agent.history.opening import open_history
from agent.records.sound_files import SoundDirectory

log = logging.getLogger(__name__)

HEAD_SECONDS = 15.0
_LINGERING_SECONDS = 2.0
_CALLS_FILE = "calls.sqlite"


def console_path(settings: Settings) -> Path:
    """Return where accounts, sessions and audit are kept."""
    return settings.state_directory / FILE


def node_addresses(settings: Settings) -> list[NodeAddress]:
    """Return the agents that the console shows, this node's first."""
    here = []
    for one in all_instances(settings):
        own, name = one.control, settings.console.node_name
        name = name if one.instance == 1 else f"{name}-{one.instance}"
        here.append(NodeAddress(name, local_url(own.host, own.port), own.token))
    return [*here, *(NodeAddress(node.name, node.url, node.token) for node in settings.console.nodes)]


@contextlib.asynccontextmanager
async def console_context(
    settings: Settings, nodes: Sequence[NodeAddress] | None = None, passwords: PasswordChecker | None = None
) -> AsyncIterator[ConsoleContext]:
    """Hold the parts of a console. ``nodes`` are those of the settings unless given.

    Raises SettingsError, and OrderlineError of the index where PostgreSQL is set and cannot be used.
    """
    now = wall_clock(settings.shop.timezone)
    database = console_file(console_path(settings))
    audit = AuditLog(database)
    passwords = passwords or PasswordChecker()
    directory = settings.flows_directory or english_pack()
    calls_path = settings.state_directory / _CALLS_FILE
    history = open_history(calls_path, settings.records.address())
    calls = FinishedCalls(history, now, functools.partial(local_moment, timezone=settings.shop.timezone))
    sound = SoundDirectory(settings.sound.directory or settings.state_directory / "sound")
    idle, whole = settings.console.idle_minutes * 60, settings.console.session_hours * 3600
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        clients = [AgentClient(address, http) for address in (node_addresses(settings) if nodes is None else nodes)]
        live = LiveHub(clients, lambda: _iso(now()))
        desk = await stack.enter_async_context(builder_desk(settings, clients))
        archive = EditionArchive(settings.state_directory / EDITIONS)
        context = ConsoleContext(
            settings=settings,
            database=database,
            audit=audit,
            accounts=Accounts(database, audit, passwords),
            sessions=Sessions(database, idle_seconds=idle, whole_seconds=whole),
            passwords=passwords,
            limits=GuessingLimits(time.monotonic),
            hosts=allowed_hosts(settings.console),
            history=history,
            calls=calls,
            clients=clients,
            live=live,
            sound=CallRecordings(functools.partial(instance_files, settings, _CALLS_FILE), sound),
            listenings=Listenings(),
            notes=Notes(database),
            procedures=ProcedureFiles(directory, archive, desk.editions.files_of),
            customer_calls=CustomerCalls(settings, now),
            desk=desk,
            drafts=DraftStore(database, directory),
            now=now,
            templates=template_environment(),
        )
        keeping_up = asyncio.create_task(calls.keep_up(), name="index")
        catching_up = asyncio.create_task(_catch_up(context), name="drafts")
        for task in (keeping_up, catching_up):
            task.add_done_callback(report_failure)
        await live.start()
        try:
            yield context
        finally:
            await live.close()
            await cancel_and_wait(keeping_up, catching_up)
            passwords.close()
            await context.customer_calls.close()
            await asyncio.to_thread(history.close)
            await database.close()


async def _catch_up(context: ConsoleContext) -> None:
    """Note the drafts whose publication the last console could not note any more."""
    try:
        await context.drafts.catch_up(await context.desk.editions.published())
    except (OrderlineError, sqlite3.Error, OSError) as error:
        log.error("It is not known whether drafts have been published: %s", error)


def allowed_hosts(console: ConsoleSettings) -> AllowedHosts:
    """Return the check of names and proxies that the settings say."""
    return AllowedHosts(
        console.allowed_hosts, console.proxies, listens_at=console.host, tls=console.certificate_file is not None
    )


@contextlib.asynccontextmanager
async def accounts_of(settings: Settings) -> AsyncIterator[tuple[Accounts, AuditLog]]:
    """Hold the accounts and the audit alone, for commands; a console may run meanwhile."""
    database: SqliteFile = console_file(console_path(settings))
    audit, passwords = AuditLog(database), PasswordChecker()
    try:
        yield Accounts(database, audit, passwords), audit
    finally:
        passwords.close()
        await database.close()


async def serve_console(settings: Settings, stop: asyncio.Event) -> int:
    """Serve until ``stop`` is set. Raises SettingsError for settings that must not be served."""
    if refusal := settings.console.refusal():
        raise SettingsError(refusal)
    async with console_context(settings) as context, listening(context) as url:
        if not await context.accounts.list():
            log.warning("Nobody can sign in yet: orderline console people add NAME --role admin")
        print(f"orderline console: {url}", flush=True)
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
    return 0


@contextlib.asynccontextmanager
async def listening(context: ConsoleContext) -> AsyncIterator[str]:
    """Hold the server; gives its address as this machine's browser asks for it. Raises SettingsError, OSError."""
    console = context.settings.console
    tls = tls_context(console)
    application = console_application(context)
    runner = web.AppRunner(
        application,
        access_log=None,
        shutdown_timeout=2.0,
        keepalive_timeout=HEAD_SECONDS,
        lingering_time=_LINGERING_SECONDS,
        logger=RateLimitedLog(log, "broken requests", (HttpProcessingError, ConnectionError)),
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, console.host, console.port, ssl_context=tls).start()
        port = int(runner.addresses[0][1])
        url = local_url(console.host, port)
        yield url if tls is None else f"https://{host_port(console.host, port)}"
    finally:
        await runner.cleanup()


def tls_context(console: ConsoleSettings) -> ssl.SSLContext | None:
    """Return the server's TLS; None where a proxy has it, or nobody on the network can listen. Raises SettingsError."""
    if console.certificate_file is None or console.key_file is None:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        tls.load_cert_chain(console.certificate_file, console.key_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"console.certificate_file and key_file cannot be used: {error}") from error
    return tls


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
