"""The commands ``orderline records``, ``backup`` and ``restore``: their arguments, and what they call."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.common.paths import CONFIG_DIRECTORY

if TYPE_CHECKING:
    from agent.config.settings import Settings

EXIT_FAILED = 1
EXIT_USAGE = 2


def add_records_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add them; ``add(name, do, text)`` makes a command's parser."""
    records = add("records", _records, "remove a person, or what is too old; get the recording of a call")
    what = records.add_subparsers(required=True, metavar="WHAT", dest="what")
    erase = what.add_parser("erase", help="remove everything that is kept of a caller or an order, everywhere")
    who = erase.add_mutually_exclusive_group(required=True)
    who.add_argument("--caller", metavar="NUMBER", help="the phone number, national or international")
    who.add_argument("--order", metavar="NUMBER", help="the order number")
    expire = what.add_parser("expire", help="remove what is older than retention: says, now instead of within hours")
    for command in (erase, expire):
        command.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    sound = what.add_parser("sound", help="copy the recording of a call (WAV: caller left, agent right)")
    sound.add_argument("call", help="the call's id")
    sound.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help="where to")
    for command in (erase, expire, sound):
        command.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    backup = add("backup", _backup, "copy everything that is kept into one file, while calls go on")
    backup.add_argument("file", type=Path, help="a new file, .tar.gz")
    backup.add_argument("--no-sound", action="store_true", help="leave the recordings out")
    restore = add("restore", _restore, "bring back a backup, into a state directory where no agent runs")
    restore.add_argument("file", type=Path, help="what orderline backup has made")
    restore.add_argument("--replace", action="store_true", help="set aside what is there, and take the backup's")
    for command in (backup, restore):
        command.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")


def _records(options: argparse.Namespace) -> int:
    from agent.app.copies_factory import calls_file, other_copies
    from agent.app.retention import retention_days
    from agent.common.privileges import drop_root_privileges
    from agent.config.instances import all_instances
    from agent.config.loader import load_settings
    from agent.records import person
    from agent.records.erasure import erase, expire, tell

    settings = load_settings(options.config)
    drop_root_privileges(settings.state_directory)
    if options.what == "sound":
        return _sound(settings, options.call, options.output)
    dry_run, complete = options.dry_run, True
    # the first instance last: its directory holds those of the others
    for one in reversed([one for one in all_instances(settings) if one.instance == 1 or one.state_directory.is_dir()]):
        if settings.instances > 1:
            print(f"Instance {one.instance}:")
        calls, others = calls_file(one), other_copies(one)
        if options.what == "expire":
            done = expire(retention_days(one), [calls, *others], dry_run=dry_run)
            tell(done, "Older than retention: says:", dry_run=dry_run, out=sys.stdout)
        else:
            if options.caller is not None:
                who = person.caller(options.caller, settings.shop.country)
            else:
                who = person.of_order(options.order)
            done = erase(who, calls, others, one.state_directory, dry_run=dry_run)
            tell(done, f"{done.calls} call(s) of {who.shown}:", dry_run=dry_run, out=sys.stdout)
        complete = complete and done.complete
    if options.what == "expire":
        return 0 if complete else EXIT_FAILED
    if complete and not dry_run:
        print(
            "Removed here. Not here: what your own systems were told (tickets, text messages, webhooks), backups, the "
            "system's log and Asterisk's own records of calls."
        )
    return 0 if complete else EXIT_FAILED


def _sound(settings: Settings, call_id: str, output: Path) -> int:
    from contextlib import closing

    from agent.app.outbox_factory import CALLS_FILE
    from agent.app.sound_factory import sound_directory
    from agent.config.instances import instance_files
    from agent.records.database import connect
    from agent.records.sounds_sql import names_of

    directory = sound_directory(settings)
    names: list[str] = []
    for path in instance_files(settings, CALLS_FILE):
        if path.is_file():
            with closing(connect(path)) as db:
                names += names_of(db, call_id)
    for name in names:
        try:
            shutil.copyfile(directory.kept_file(name), output)
        except OSError as error:
            print(f"orderline: {error.filename}: {error.strerror}", file=sys.stderr)
            return EXIT_FAILED
        print(f"{output}: caller left, agent right; second 0 is the answer")
        return 0
    print(f"orderline: there is no finished recording of call {call_id}", file=sys.stderr)
    return EXIT_FAILED


def _backup(options: argparse.Namespace) -> int:
    from agent.app.sound_factory import sound_path
    from agent.common.privileges import drop_root_privileges
    from agent.config.loader import load_settings
    from agent.records.backup import back_up

    settings = load_settings(options.config)
    drop_root_privileges(settings.state_directory)
    sound = None if options.no_sound else sound_path(settings)
    print(back_up(settings.state_directory, sound, options.file))
    return 0


def _restore(options: argparse.Namespace) -> int:
    from agent.app.outbox_factory import delivery_lock_path
    from agent.app.sound_factory import sound_path
    from agent.common.privileges import drop_root_privileges
    from agent.config.instances import all_instances
    from agent.config.loader import load_settings
    from agent.outbound.commands import pause_after_restore
    from agent.records.backup import restore

    settings = load_settings(options.config)
    settings.state_directory.mkdir(parents=True, exist_ok=True)
    drop_root_privileges(settings.state_directory)
    locks = {
        "orderline" if one.instance == 1 else f"orderline@{one.instance}": delivery_lock_path(one)
        for one in all_instances(settings)
        if one.state_directory.is_dir()
    }
    print(restore(options.file, settings.state_directory, sound_path(settings), locks, replace=options.replace))
    asyncio.run(pause_after_restore(settings.state_directory, datetime.now(UTC)))
    return 0
