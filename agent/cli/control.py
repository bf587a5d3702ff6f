"""The commands ``orderline pause``, ``resume`` (they ask the running agent's server, as ``calls``) and ``events``."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.cli.instances import add_instance_option, ask_each, chosen_instances, print_answers
from agent.common.addresses import local_url
from agent.common.paths import CONFIG_DIRECTORY
from agent.config.control import ControlSettings
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
        add_instance_option(command)
    events = add("events", _events, "print the page on the events of the live feed (docs/events.md)")
    events.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it here (standard output)")


def list_live_calls(options: argparse.Namespace) -> int:
    """List the calls in progress and what each is doing. Raises AgentUnreachable."""
    instances = chosen_instances(options)
    answers, complete = ask_each(instances, lambda one: ask_agent(one.control, "GET", "/calls"))
    several = len(instances) > 1
    code = 0 if complete else 1
    if options.json:
        print_answers(instances, answers)
        return code
    for one, found in answers:
        if paused := found["paused"]:
            which = f"Instance {one.instance} is " if several else ""
            print(f"{which}PAUSED since {paused['since']} by {paused['by']}: new calls go to the queue")
    calls = [call for _, found in answers for call in found["calls"]]
    for call in sorted(calls, key=lambda call: -float(call["seconds"])):
        place = f"{call['flow']}.{call['step']}" if call["flow"] else call["entry"]
        words = f'agent: "{call["said"]}"' if call["said"] else ""
        heard = f' caller: "{call["heard"]}"' if call["heard"] else ""
        print(
            f"{call['seconds']:5.0f} s  {call['caller'] or 'hidden':<15} {call['doing']:<12} {place:<32} {words}{heard}"
        )
    if not calls:
        print("No call is in progress.")
    return code


def _pause(options: argparse.Namespace) -> int:
    answers, complete = _tell_each(options, "/pause")
    if answers:
        print(f"Paused since {answers[0]['since']}: new calls go to the queue. Calls in progress go on.")
    for answer in answers:
        _warn_not_kept(answer)
    return 0 if complete else 1


def _resume(options: argparse.Namespace) -> int:
    answers, complete = _tell_each(options, "/resume")
    if answers:
        print("The agent takes calls.", file=sys.stdout)
    for answer in answers:
        _warn_not_kept(answer)
    return 0 if complete else 1


def _tell_each(options: argparse.Namespace, path: str) -> tuple[list[Any], bool]:
    """Ask the chosen instances for something in the user's name; return the answers, and whether all have answered."""
    by = {"by": getpass.getuser()}
    answers, complete = ask_each(chosen_instances(options), lambda one: ask_agent(one.control, "POST", path, by))
    return [answer for _, answer in answers], complete


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
