"""The option ``--instance``: a command speaks to all instances of the agent, or to one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from agent.config.instances import all_instances, instance_settings
from agent.config.loader import load_settings
from agent.config.settings import Settings
from agent.errors import OrderlineError

T = TypeVar("T")


def add_instance_option(command: argparse.ArgumentParser) -> None:
    """Let a command that speaks to the running agent be told which instance is meant."""
    command.add_argument(
        "--instance", type=int, metavar="N", help="only this one of several instances (all of them; docs/scale.md)"
    )


def chosen_instances(options: argparse.Namespace) -> list[Settings]:
    """Return the settings of the instances that a command is for. Raises SettingsError."""
    settings = load_settings(options.config)
    if options.instance is not None:
        return [instance_settings(settings, options.instance)]
    return all_instances(settings)


def ask_each(instances: list[Settings], ask: Callable[[Settings], T]) -> tuple[list[tuple[Settings, T]], bool]:
    """Ask one instance after another; return the answers, and whether all have answered.

    Of several the silent ones are told on standard error. Raises OrderlineError where only one was to be asked.
    """
    answers: list[tuple[Settings, T]] = []
    for one in instances:
        with _told_silent(one, alone=len(instances) == 1):
            answers.append((one, ask(one)))
    return answers, len(answers) == len(instances)


def print_answers(instances: list[Settings], answers: list[tuple[Settings, T]]) -> None:
    """Print answers as JSON: of several instances by number."""
    by_number = {str(one.instance): answer for one, answer in answers}
    told = {"instances": by_number} if len(instances) > 1 else answers[0][1]
    print(json.dumps(told, indent=2, ensure_ascii=False))


@contextmanager
def _told_silent(one: Settings, *, alone: bool) -> Iterator[None]:
    try:
        yield
    except OrderlineError as error:
        if alone:
            raise
        print(f"orderline: instance {one.instance}: {error.message}", file=sys.stderr)
