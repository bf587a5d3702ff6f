"""The commands ``orderline outbox`` and ``orderline webhooks``: their arguments, and what they call."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from agent.common.paths import CONFIG_DIRECTORY

EXIT_FAILED = 1
EXIT_USAGE = 2


def add_outbox_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``outbox`` and ``webhooks``; ``add(name, do, text)`` makes a command's parser."""
    outbox = add("outbox", _outbox, "see what tickets, text messages and webhooks have not arrived yet, and retry them")
    outbox.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    outbox.add_argument("--json", action="store_true", help="one JSON object a line (for list, dead, stats)")
    outbox.add_argument("what", nargs="?", default="list", choices=("list", "dead", "retry", "drop", "stats"))
    outbox.add_argument("id", nargs="?", type=int, help="which entry (for retry and drop)")
    outbox.add_argument("--all", action="store_true", help="retry, drop: all dead ones; list: everything")
    webhooks = add("webhooks", _webhooks, "send a signed test event, or print the schema of the events")
    webhooks.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    webhooks.add_argument("what", choices=("test", "schema"))
    webhooks.add_argument("name", nargs="?", default="", help="which webhook (all of them)")
    webhooks.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="of schema: write it here (standard output)"
    )


def _outbox(options: argparse.Namespace) -> int:
    from agent.app.outbox_factory import calls_path
    from agent.config.loader import load_settings
    from agent.records import outbox_commands as commands

    if options.what in ("retry", "drop") and (options.id is None) != options.all:
        print(f"orderline: name the entry, or --all: orderline outbox {options.what} ID", file=sys.stderr)
        return EXIT_USAGE
    path = calls_path(load_settings(options.config))
    if options.what == "retry":
        commands.retry(path, options.id, sys.stdout)
    elif options.what == "drop":
        commands.drop(path, options.id, sys.stdout)
    elif options.what == "stats":
        commands.stats(path, as_json=options.json, out=sys.stdout)
    else:
        commands.list_entries(path, options.what, every=options.all, as_json=options.json, out=sys.stdout)
    return 0


def _webhooks(options: argparse.Namespace) -> int:
    from agent.app.outbox_factory import webhook_target
    from agent.config.loader import load_settings
    from agent.records.webhook_commands import test_webhooks
    from agent.records.webhook_events import schema_text

    if options.what == "schema":
        if options.output is None:
            print(schema_text(), end="")
        else:
            options.output.write_text(schema_text(), encoding="utf-8")
        return 0
    if options.output is not None:
        print("orderline: -o is for orderline webhooks schema", file=sys.stderr)
        return EXIT_USAGE
    settings = load_settings(options.config)
    names = [webhook.name for webhook in settings.webhooks]
    if not names or (options.name and options.name not in names):
        known = f"there are: {', '.join(names)}" if names else "none is set; see docs/webhooks.md"
        print(f"orderline: there is no webhook {options.name or 'to test'}: {known}", file=sys.stderr)
        return EXIT_USAGE
    hooks = [webhook_target(webhook) for webhook in settings.webhooks if options.name in ("", webhook.name)]
    return 0 if asyncio.run(test_webhooks(hooks, sys.stdout)) else EXIT_FAILED
