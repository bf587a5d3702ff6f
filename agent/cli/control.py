"""The commands ``orderline pause``, ``resume`` (they ask the running agent's server, as ``calls``) and ``events``."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.common.addresses import local_url
from agent.common.paths import CONFIG_DIRECTORY
from agent.config.control import ControlSettings
from agent.config.loader import load_settings
from agent.errors import OrderlineError

_SECONDS = 3


class AgentUnreachable(OrderlineError):
    """The running agent does not answer."""

    code = "agent_silent"


def ask_agent(control: ControlSettings, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask the running agent and return its answer. Raises AgentUnreachable."""
    import requests

    url = local_url(control.host, control.port, path)
    headers = {"Authorization": f"Bearer {control.token()}"}
    try:
        answer = requests.request(method, url, headers=headers, json=body, timeout=_SECONDS)
        answer.raise_for_status()
        return answer.json()
    except requests.RequestException as error:
        raise AgentUnreachable(f"the agent does not answer at {url}: {error}") from error


def add_control_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; ``add(name, do, text)`` makes a command's parser."""
    pause = add("pause", _pause, "send all new calls to the staff queue, until resume")
    resume = add("resume", _resume, "let the agent take calls again")
    for command in (pause, resume):
        command.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    events = add("events", _events, "print the page on the events of the live feed (docs/events.md)")
    events.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it here (standard output)")


def list_live_calls(options: argparse.Namespace) -> int:
    """List the calls in progress and what each is doing. Raises AgentUnreachable."""
    found = ask_agent(load_settings(options.config).control, "GET", "/calls")
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    if found["paused"]:
        print(f"PAUSED since {found['paused']['since']} by {found['paused']['by']}: new calls go to the queue")
    for call in found["calls"]:
        place = f"{call['flow']}.{call['step']}" if call["flow"] else call["entry"]
        words = f'agent: "{call["said"]}"' if call["said"] else ""
        heard = f' caller: "{call["heard"]}"' if call["heard"] else ""
        print(
            f"{call['seconds']:5.0f} s  {call['caller'] or 'hidden':<15} {call['doing']:<12} {place:<32} {words}{heard}"
        )
    if not found["calls"]:
        print("No call is in progress.")
    return 0


def _pause(options: argparse.Namespace) -> int:
    answer = ask_agent(load_settings(options.config).control, "POST", "/pause", {"by": getpass.getuser()})
    print(f"Paused since {answer['since']}: new calls go to the queue. Calls in progress go on.")
    _warn_not_kept(answer)
    return 0


def _resume(options: argparse.Namespace) -> int:
    answer = ask_agent(load_settings(options.config).control, "POST", "/resume", {"by": getpass.getuser()})
    print("The agent takes calls.", file=sys.stdout)
    _warn_not_kept(answer)
    return 0


def _warn_not_kept(answer: Mapping[str, Any]) -> None:
    """Say where a change will not outlive a restart: the disk is full, or may not be written."""
    if why := answer.get("not_kept"):
        print(f"But {why}", file=sys.stderr)


def _events(options: argparse.Namespace) -> int:
    from agent.telemetry.events_page import events_page

    if options.output is None:
        print(events_page(), end="")
    else:
        options.output.write_text(events_page(), encoding="utf-8")
    return 0
