"""The administrator's commands: ``orderline check``, ``wire``, ``unwire`` and ``render``."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from agent.common.paths import CONFIG_DIRECTORY
from agent.installation import wiring
from agent.installation.layout import InstallationLayout

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_admin_commands(add: Add) -> None:
    """Add the commands to the parser."""
    check = add("check", _check, "look at everything that must be true before calls are sent here")
    check.add_argument("--json", action="store_true", help="print the findings as one JSON object")
    check.add_argument(
        "--asterisk-etc",
        type=Path,
        default=InstallationLayout().asterisk_etc_dir,
        help="directory of Asterisk's own files",
    )
    wire = add("wire", _wire, "show the lines this machine's Asterisk needs; with --apply, add them")
    wire.add_argument("--apply", action="store_true", help="add them, each file copied before; unwire takes them out")
    wire.add_argument(
        "--asterisk-etc", type=Path, default=InstallationLayout().asterisk_etc_dir, help="directory of its files"
    )
    unwire = add("unwire", _unwire, "take Orderline's lines out of Asterisk's files again")
    unwire.add_argument(
        "--asterisk-etc", type=Path, default=InstallationLayout().asterisk_etc_dir, help="directory of its files"
    )
    render = add("render", _render, "render every fixed prompt once, so that the first start is quick")
    for command in (check, wire, unwire, render):
        command.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")


def _check(options: argparse.Namespace) -> int:
    from agent.common.privileges import drop_root_privileges
    from agent.config.loader import load_settings
    from agent.preflight.asterisk_files import AsteriskFiles
    from agent.preflight.checks import run_check

    files = AsteriskFiles.read(options.asterisk_etc)  # while root still may
    settings = load_settings(options.config)
    drop_root_privileges(settings.state_directory)
    return asyncio.run(run_check(settings, files, as_json=options.json, directory=options.config))


def _wire(options: argparse.Namespace) -> int:
    from agent.config.instances import all_instances
    from agent.config.loader import load_settings

    layout = InstallationLayout(etc_dir=options.config, asterisk_etc_dir=options.asterisk_etc)
    settings = load_settings(options.config)
    port = urlsplit(settings.ari.url).port or 8088
    queues = tuple(settings.queues) or (wiring.DEFAULT_STAFF_QUEUE,)
    apps = tuple(one.ari.app for one in all_instances(settings)) if settings.instances > 1 else ()
    changes = wiring.plan(layout, port=port, queues=queues, apps=apps)
    if not changes:
        print("Nothing is missing in this Asterisk's files.")
        return 0
    if options.apply:
        print("\n".join(wiring.apply(layout, wiring.replan_outdated(layout, changes, port, queues, apps))))
        return 0
    for change in changes:
        print(f"{change.file} needs {change.why}:\n")
        print("\n".join(f"    {line}" for line in change.block.splitlines()))
        print(f"\n  then: {change.reload}\n")
    print("orderline wire --apply adds these lines between marks of its own; orderline unwire takes them out again.")
    return 0


def _unwire(options: argparse.Namespace) -> int:
    layout = InstallationLayout(etc_dir=options.config, asterisk_etc_dir=options.asterisk_etc)
    done = wiring.unwire(layout)
    print("\n".join([*done, "now run: asterisk -rx 'core reload'"] if done else ["Nothing was wired."]))
    return 0


def _render(options: argparse.Namespace) -> int:
    from agent.common.privileges import drop_root_privileges
    from agent.config.loader import load_settings
    from agent.preflight.prompts import render_fixed_prompts

    settings = load_settings(options.config)
    drop_root_privileges(settings.state_directory)
    logging.basicConfig(level=settings.log.level)
    done = asyncio.run(render_fixed_prompts(settings))
    print(f"{done.ready} pieces of fixed prompts are ready" + (f", {len(done.failed)} failed" if done.failed else ""))
    return 1 if done.failed else 0
