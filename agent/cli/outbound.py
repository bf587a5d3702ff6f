"""The command ``orderline outbound``: its arguments, and what it calls. It works with the agent running or not."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.fault_matrices import add_outbound_faults, outbound_faults
from agent.common.paths import CONFIG_DIRECTORY

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.outbound.store import OutboundStore

EXIT_FAILED = 1
_CAMPAIGN = {"pause": "paused", "resume": "running", "stop": "stopped"}


def add_outbound_command(
    add: Callable[..., argparse.ArgumentParser], add_home: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add it; ``add(name, do, text)`` makes a command's parser, ``add_home`` gives one the option ``--home``."""
    outbound = add("outbound", _outbound, "calls to customers: who is called, when, and what came of it")
    what = outbound.add_subparsers(required=True, metavar="WHAT", dest="what")
    listing = what.add_parser("list", help="the campaign, the jobs that wait, and what a person has to look at")
    listing.add_argument("--all", action="store_true", help="jobs that are over as well")
    one = what.add_parser("add", help="add one job")
    one.add_argument("--order", required=True, metavar="NUMBER")
    one.add_argument("--number", required=True, help="the telephone number, national or international")
    one.add_argument("--consent", required=True, help="where the right to call comes from: order_terms, checkbox ...")
    one.add_argument("--delivered", metavar="TIME", help="2026-12-01T14:30-05:00 (now)")
    one.add_argument("--name", default="", help="whom to ask for")
    one.add_argument("--zone", default="", help="IANA zone of the delivery address")
    one.add_argument("--parcels", type=int, default=1)
    rows = what.add_parser("import", help="add jobs from a CSV file; a second time adds nothing")
    rows.add_argument("file", type=Path)
    rows.add_argument("--refused", type=Path, metavar="FILE", help="write the refused rows here, with the reason")
    rows.add_argument("--dry-run", action="store_true", help="only say what would be added")
    for command in (one, rows):
        command.add_argument("--purpose", choices=("delivery", "survey"), default="delivery")
    dry = what.add_parser("dry-run", help="who would be called, when, and who not and why")
    what.add_parser("pause", help="begin no new call; calls under way end as usual")
    what.add_parser("resume", help="call customers, within windows and caps")
    what.add_parser("stop", help="begin no new call, and cancel those that ring")
    listed = what.add_parser("suppress", help="the do-not-call list: add a number, import, export")
    who = listed.add_mutually_exclusive_group(required=True)
    who.add_argument("number", nargs="?", help="not called any more from now on")
    who.add_argument("--import", dest="import_file", type=Path, metavar="FILE", help="CSV: number, scope, source")
    who.add_argument(
        "--export", dest="export_file", type=Path, metavar="FILE", help="write the list as CSV; - prints it"
    )
    who.add_argument("--remove", metavar="NUMBER", help="the customer wants to be called again")
    listed.add_argument("--scope", choices=("all", "surveys"), default="all")
    counted = what.add_parser("results", help="what the calls came to")
    counted.add_argument("--days", type=int, default=30)
    for command in (listing, rows, dry, counted):
        command.add_argument("--json", action="store_true", help="print it as JSON")
    own_settings = tuple(what.choices.values())
    faults = what.add_parser("faults", help="the hard cases of calls to customers, as real calls and a table")
    add_home(faults)
    add_outbound_faults(faults)
    for command in own_settings:
        command.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")


def _outbound(options: argparse.Namespace) -> int:
    if options.what == "faults":
        return outbound_faults(options)
    from agent.common.privileges import drop_root_privileges
    from agent.config.loader import load_settings

    settings = load_settings(options.config)
    settings.state_directory.mkdir(parents=True, exist_ok=True)
    drop_root_privileges(settings.state_directory)
    return asyncio.run(_with_store(options, settings))


async def _with_store(options: argparse.Namespace, settings: Settings) -> int:
    from agent.outbound.store import OutboundStore

    store = OutboundStore(settings.state_directory)
    try:
        return await _do(options, settings, store)
    finally:
        await store.close()


async def _do(options: argparse.Namespace, settings: Settings, store: OutboundStore) -> int:
    from agent.outbound import commands

    now, out = datetime.now(UTC), sys.stdout
    outbound = settings.outbound
    if options.what in _CAMPAIGN:
        if options.what == "resume" and not outbound.enabled:
            print("orderline: outbound.enabled is off in orderline.yaml: nobody is called", file=sys.stderr)
        await commands.set_campaign(store, _CAMPAIGN[options.what], getpass.getuser(), "", now, out)
    elif options.what == "list":
        await commands.list_jobs(store, out, every=options.all, as_json=options.json)
    elif options.what == "dry-run":
        purposes = outbound.purposes_taken_in()
        await commands.dry_run(store, outbound.rules(), outbound.call_hours, purposes, now, out, as_json=options.json)
    elif options.what == "results":
        await commands.results(store, timedelta(days=options.days), now, out, as_json=options.json)
    elif options.what == "suppress":
        return await _suppress(options, settings, store, now)
    else:
        return await _add(options, settings, store, now)
    return 0


async def _add(options: argparse.Namespace, settings: Settings, store: OutboundStore, now: datetime) -> int:
    from agent.outbound import commands
    from agent.outbound.model import Purpose
    from agent.outbound.triggers.csv_file import parse_moment, read_rows
    from agent.outbound.triggers.deliveries import Delivery, delivery_job, survey_job

    purpose = Purpose(options.purpose)
    times = settings.outbound.job_times(settings.shop.name, settings.shop.country)
    if options.what == "add":
        zone = options.zone or settings.shop.timezone
        delivered = parse_moment(options.delivered, zone) if options.delivered else now
        delivery = Delivery(
            options.order,
            options.number,
            delivered,
            options.name,
            options.consent,
            options.zone,
            parcels=options.parcels,
        )
        make = survey_job if purpose is Purpose.SURVEY else delivery_job
        await commands.add(store, make(delivery, times, "administrator"), now, sys.stdout)
        return 0
    try:
        with options.file.open(encoding="utf-8-sig", newline="") as file:
            rows = list(read_rows(file, purpose, times, settings.shop.timezone))
    except (OSError, UnicodeDecodeError) as error:
        print(f"orderline: {options.file}: cannot be read: {error}", file=sys.stderr)
        return EXIT_FAILED
    complete = await commands.import_rows(
        store, rows, now, sys.stdout, refused_to=options.refused, as_json=options.json, dry_run=options.dry_run
    )
    return 0 if complete else EXIT_FAILED


async def _suppress(options: argparse.Namespace, settings: Settings, store: OutboundStore, now: datetime) -> int:
    from agent.outbound import commands
    from agent.outbound.model import SuppressionScope

    country = settings.shop.country
    if options.remove:
        await commands.unsuppress(store, options.remove, country, sys.stdout)
    elif options.import_file:
        with options.import_file.open(encoding="utf-8-sig", newline="") as file:
            complete = await commands.import_suppressions(store, file, country, now, sys.stdout)
        return 0 if complete else EXIT_FAILED
    elif options.export_file and str(options.export_file) != "-":
        with options.export_file.open("w", encoding="utf-8", newline="") as file:
            await commands.export_suppressions(store, file)
    elif options.export_file:
        await commands.export_suppressions(store, sys.stdout)
    else:
        by = f"administrator {getpass.getuser()}"
        await commands.suppress(store, options.number, SuppressionScope(options.scope), country, by, now, sys.stdout)
    return 0
