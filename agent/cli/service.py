"""The commands ``orderline stop`` and ``rescuer``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.cli.instances import add_instance_option
from agent.common.paths import CONFIG_DIRECTORY
from agent.common.signals import run_until_signal


def add_service_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; ``add(name, do, text)`` makes a command's parser."""
    stop = add("stop", _stop, "stop the running agent: its calls go to the queue with their summary")
    stop.add_argument("--drain", action="store_true", help="take no new calls and let the live ones end by themselves")
    stop.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help="how long they may take (300)")
    rescuer = add("rescuer", _rescuer, "free callers whose agent is dead or hangs; a process of its own")
    add_instance_option(stop)
    for command in (stop, rescuer):
        command.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")


def _stop(options: argparse.Namespace) -> int:
    from concurrent.futures import ThreadPoolExecutor

    from agent.cli.instances import chosen_instances
    from agent.config.settings import Settings
    from agent.control.shutdown import stop_agent

    instances = chosen_instances(options)

    def stop(one: Settings) -> int:
        name = f"instance {one.instance}: " if len(instances) > 1 else ""
        return stop_agent(one.control, drain=options.drain, timeout_seconds=options.timeout, name=name)

    with ThreadPoolExecutor(len(instances)) as together:
        return max(together.map(stop, instances))


def _rescuer(options: argparse.Namespace) -> int:
    from agent.cli.rescuer import run_rescuer
    from agent.config.loader import load_settings
    from agent.telemetry.log_format import set_up_logging

    settings = load_settings(options.config)
    set_up_logging(settings.log.level, settings.log.format)
    return asyncio.run(run_until_signal(lambda stop: run_rescuer(settings, stop)))
