"""``make console-attack``: throws what the published API does not allow, and what it does, at every operation.

A console of its own listens meanwhile, with made-up calls. Ends with 1 when an answer is a failure of ours, is not
what the API says, or lets something through that it must refuse.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from agent.console.api import OPERATIONS
from agent.console.api.openapi import openapi
from agent.console.csrf import csrf_token
from agent.console.sessions import COOKIE
from tests.console.console_client import running_console
from tests.history.stored import record, turn

ENDLESS = ("/api/v1/events", "/api/v1/drafts/events")
"""Streams: they have no end to wait for."""
CHECKS = [status_code_conformance, response_schema_conformance, negative_data_rejection]


@dataclass(frozen=True)
class Target:
    """The console that is attacked."""

    url: str
    cookie: str

    def headers(self) -> dict[str, str]:
        """What a browser of an admin sends from the console's own page."""
        return {
            "Cookie": f"{COOKIE}={self.cookie}",
            "X-Orderline-Token": csrf_token(self.cookie),
            "Sec-Fetch-Site": "same-origin",
        }


@contextlib.contextmanager
def attacked_console(state: Path) -> Iterator[Target]:
    """Hold a console in a thread of its own."""
    ready: list[Target] = []
    started, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        records = [record(f"call.{number}", turns=[turn("Good day.", "<b>where</b>")]) for number in range(20)]
        async with running_console(state, records=records) as console:
            browser = await console.signed_in("admin")
            await console.signed_in("admin", "second")  # so that the first may be attacked
            ready.append(Target(console.base, browser.cookie))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="attacked-console")
    thread.start()
    try:
        if not started.wait(120):
            raise TimeoutError("the console did not start")
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)


def attack(target: Target, examples: int, number: int = 0) -> list[str]:
    """Attack every operation with so many cases of each kind; returns what went wrong, a line each."""
    described = openapi(OPERATIONS)
    described["security"], described["components"]["securitySchemes"] = [], {}  # tests of their own look at that
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=target.url)
    problems: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in ENDLESS:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            problems += _attacked(operation, mode, target, examples, number)
    return problems


def _attacked(operation: Any, mode: GenerationMode, target: Target, examples: int, number: int) -> list[str]:
    found: list[str] = []

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        response = case.call(headers=target.headers(), timeout=30)
        place = f"{case.method} {case.formatted_path}: {response.status_code}"
        if response.status_code >= 500:
            found.append(f"{place}: {response.text[:300]}")
        try:
            case.validate_response(response, checks=CHECKS)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever a check raises is a finding
            found.append(f"{place}: {str(error)[:600]}")

    try:
        one()
    except Exception as error:  # noqa: BLE001 - an operation without any case of this kind is none
        if "Unsatisfiable" not in type(error).__name__ and "NoSuchOperation" not in str(error):
            found.append(f"{operation.method} {operation.path} ({mode}): {type(error).__name__}: {error}")
    return found


def main() -> int:
    """Attack for as long as is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="cases of each kind for each operation (200)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="console-attack-") as state, attacked_console(Path(state)) as target:
        problems = attack(target, options.examples, options.seed)
    print("\n".join(dict.fromkeys(problems)) or f"{len(OPERATIONS) - len(ENDLESS)} operations, nothing found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
