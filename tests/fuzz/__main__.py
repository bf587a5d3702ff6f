"""``make fuzz``: 120,000 broken inputs by default; ends with 1 when one of them crashes, hangs or leaks.

Every input comes from a seed and a number: ``--seed S --only TARGET --first N --count 1`` plays one again.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.targets import Target, targets

SECONDS_AN_INPUT = 5.0
MEGABYTES_GROWN = 20.0
OBJECTS_GROWN = 3000
SECONDS_TO_END = 10.0
"""How long a call may take that ends by its own timers; what goes on after that counts as grown."""


class InputHang(BaseException):
    """One input took too long; no handler of errors may swallow this."""


@dataclass
class FuzzResult:
    """What one target did."""

    name: str
    inputs: int = 0
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    grown_megabytes: float = 0.0
    grown_objects: int = 0
    problems: list[str] = field(default_factory=list)

    def line(self) -> str:
        """One line for people."""
        return (
            f"{self.name:<26}{self.inputs:>8} inputs {self.seconds:6.1f} s, "
            f"slowest {self.slowest_seconds * 1000:5.0f} ms, "
            f"grown {self.grown_megabytes:+5.1f} MB {self.grown_objects:+6d} objects: "
            + ("ok" if not self.problems else "; ".join(self.problems[:5]))
        )


class _Errors(logging.Handler):
    """Collects logged tracebacks: an exception that somebody caught broadly is one all the same."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.seen.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


async def fuzz(target: Target, count: int, seed: int, first: int = 0) -> FuzzResult:
    """Throw ``count`` inputs at one target."""
    result = FuzzResult(target.name)
    errors = _Errors()
    root = logging.getLogger()
    root.handlers[:] = [errors]
    loop = asyncio.get_running_loop()
    unhandled: list[str] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(str(context.get("exception") or context["message"])))
    signal.signal(signal.SIGALRM, _hang)
    started = time.monotonic()
    async with target.open() as run:
        before: tuple[float, int] | None = None
        for number in range(first, first + count):
            if number - first == count // 4:
                before = await _weight()
            begun = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, SECONDS_AN_INPUT)
            try:
                await run(random.Random(f"{seed} {target.name} {number}"))
            except InputHang:
                result.problems.append(f"input {number} hangs")
            except Exception as error:  # noqa: BLE001 - every kind is what is looked for
                result.problems.append(f"input {number}: {type(error).__name__}: {error}"[:300])
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            result.inputs += 1
            result.slowest_seconds = max(result.slowest_seconds, time.monotonic() - begun)
            result.problems += [f"input {number}: {text}"[:300] for text in (*errors.seen, *unhandled)]
            errors.seen.clear()
            unhandled.clear()
            if len(result.problems) > 20:
                break
        if before is not None and not result.problems:
            after = await _weight()
            result.grown_megabytes, result.grown_objects = after[0] - before[0], after[1] - before[1]
            if result.grown_megabytes > MEGABYTES_GROWN or result.grown_objects > OBJECTS_GROWN:
                result.problems.append("leaks")
    gc.collect()
    await asyncio.sleep(0)
    result.problems += [f"at the end: {text}"[:300] for text in (*errors.seen, *unhandled)]
    result.seconds = time.monotonic() - started
    return result


async def _weight() -> tuple[float, int]:
    """Megabytes resident and objects alive, once everything under way has ended."""
    still = asyncio.all_tasks()
    for _ in range(50):
        await asyncio.sleep(0.005)  # calls that are ending; there is nothing to wait for by name
    if ending := still & asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(ending, timeout=SECONDS_TO_END)
    gc.collect()
    return _resident_megabytes(), len(gc.get_objects())


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _hang(number: int, frame: FrameType | None) -> None:
    raise InputHang


async def fuzz_all(count: int, seed: int, only: str = "", first: int = 0, tell: Any = print) -> list[FuzzResult]:
    """Throw ``count`` inputs at all targets, by their shares."""
    chosen = [target for target in targets() if only.lower() in target.name.lower()]
    shares = sum(target.share for target in chosen)
    results = []
    for target in chosen:
        result = await fuzz(target, max(1, count * target.share // shares), seed, first)
        tell(result.line())
        results.append(result)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of a target's name")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    options = parser.parse_args()
    started = time.monotonic()
    results = asyncio.run(fuzz_all(options.count, options.seed, options.only, options.first))
    total = sum(result.inputs for result in results)
    bad = [result for result in results if result.problems]
    print(
        f"{total} inputs in {time.monotonic() - started:.0f} s, seed {options.seed}: {len(bad)} targets with problems"
    )
    for result in bad:
        print("\n".join(f"  {result.name}: {problem}" for problem in result.problems))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
