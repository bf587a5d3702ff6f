"""The command ``orderline status``: how the running agent is, instance by instance where there are several."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.cli.control import ask_agent
from agent.cli.instances import add_instance_option, ask_each, chosen_instances, print_answers
from agent.common.paths import CONFIG_DIRECTORY

EXIT_FAILED = 1


def add_status_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; ``add(name, do, text)`` makes a command's parser."""
    status = add("status", _status, "ask the running agent how it is")
    status.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    status.add_argument("--json", action="store_true", help="print all of it as JSON")
    add_instance_option(status)


def _status(options: argparse.Namespace) -> int:
    instances = chosen_instances(options)
    answers, complete = ask_each(instances, lambda one: ask_agent(one.control, "GET", "/status"))
    if options.json:
        print_answers(instances, answers)
    else:
        for one, health in answers:
            if len(instances) > 1:
                print(f"Instance {one.instance}, application {one.ari.app}:")
            _print(health)
    return 0 if complete and all(health["asterisk"] for _, health in answers) else EXIT_FAILED


def _print(health: Mapping[str, Any]) -> None:
    print(
        f"Orderline {health['version']}: {health['live_calls']} live calls, "
        f"Asterisk {'connected' if health['asterisk'] else 'NOT connected'}"
    )
    for name, one in health.get("dependencies", {}).items():
        if one["state"] == "down" and not name.startswith("shop:"):
            print(f"DOWN: {name}{': ' if one['detail'] else ''}{one['detail']}")
    if waiting := health.get("records_waiting"):
        print(f"{waiting} record(s) of calls wait for room on the disk")
    if paused := health["paused"]:
        print(f"PAUSED since {paused['since']} by {paused['by']}: new calls go to the queue")
    if turned_away := health["turned_away"]:
        counted = ", ".join(f"{count} ({reason})" for reason, count in turned_away.items())
        print(f"Calls sent straight to the queue since the start: {counted}")
    if health["draining"]:
        print("DRAINING: it takes no new calls and ends with its last one")
    procedures = health["procedures"]
    print(f"Procedures: edition {procedures['edition']} in force since {procedures['since']}")
    if procedures["refused"]:
        print(f"An edit of {procedures['refused_at']} is REFUSED; put these right and save again:")
        print("\n".join(f"  {reason}" for reason in procedures["refused"]))
    for name, system in health.get("systems", {}).items():
        breaker = "" if system["breaker"] == "closed" else f", left alone for now ({system['breaker']})"
        print(f"{name}: {system['last_error'] or 'ok'}{breaker}")
