"""The commands ``orderline stop`` and ``rescuer``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.common.paths import CONFIG_DIRECTORY
from agent.common.signals import run_until_signal


def add_service_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; ``add(name, do, text)`` makes a command's parser."""
    stop = add("stop", _stop, "stop the running agent: its calls go to the queue with their summary")
    stop.add_argument("--drain", action="store_true", help="take no new calls and let the live ones end by themselves")
    stop.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help="how long they may take (300)")
    rescuer = add("rescuer", _rescuer, "free callers whose agent is dead or hangs; a process of its own")
    for command in (stop, rescuer):
        command.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")


def _stop(options: argparse.Namespace) -> int:
    from agent.config.loader import load_settings
    from agent.control.shutdown import stop_agent

    control = load_settings(options.config).control
    return stop_agent(control, drain=options.drain, timeout_seconds=options.timeout)


def _rescuer(options: argparse.Namespace) -> int:
    from agent.cli.rescuer import run_rescuer
    from agent.config.loader import load_settings
    from agent.telemetry.log_format import set_up_logging

    settings = load_settings(options.config)
    set_up_logging(settings.log.level, settings.log.format)
    return asyncio.run(run_until_signal(lambda stop: run_rescuer(settings, stop)))
