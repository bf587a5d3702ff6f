"""``orderline calls``, ``pause`` and ``resume``: a supervisor's commands, by the running agent's own door."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.live_calls import table

EXIT_FAILED = 1


def add_desk_commands(add: Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]) -> None:
    """Add the commands."""
    calls = add("calls", _calls, "list the live calls and what each is doing")
    calls.add_argument("--json", action="store_true", help="print them as JSON")
    pause = add("pause", _pause, "send every new call straight to the people's queue, until resumed")
    pause.add_argument("--reason", default="", help="stands in the log, in the status and in the calls' records")
    resume = add("resume", _resume, "take new calls again")
    for command in (calls, pause, resume):
        command.add_argument("--config", type=Path, default=Path("/etc/orderline"), help="directory of orderline.yaml")


def _ask(options: argparse.Namespace, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the running agent; None, with a line on standard error, when it does not answer."""
    import requests

    from agent.settings import load_settings

    control = load_settings(options.config).control
    url = f"http://{control.host}:{control.port}{path}"
    try:
        answer = requests.request(
            method, url, json=body, headers={"Authorization": f"Bearer {control.token()}"}, timeout=5
        )
        answer.raise_for_status()
        return answer.json()
    except requests.RequestException as error:
        print(f"orderline: the agent does not answer at {url}: {error}", file=sys.stderr)
        return None


def _calls(options: argparse.Namespace) -> int:
    calls = _ask(options, "GET", "/calls")
    if calls is None:
        return EXIT_FAILED
    print(json.dumps(calls, indent=2, ensure_ascii=False) if options.json else table(calls))
    return 0


def _pause(options: argparse.Namespace) -> int:
    said = _ask(options, "POST", "/pause", {"reason": options.reason})
    if said is None:
        return EXIT_FAILED
    print(f"Paused ({said['paused']}): new calls go straight to people. orderline resume ends it.")
    return 0


def _resume(options: argparse.Namespace) -> int:
    if _ask(options, "POST", "/resume") is None:
        return EXIT_FAILED
    print("New calls are taken again.")
    return 0
