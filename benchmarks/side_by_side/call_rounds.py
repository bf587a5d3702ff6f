"""Places the calls of the comparison: rounds in which contenders take turns, then growing loads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.result import RehearsalResult
from agent.rehearsal.runner import load_calls, run_scripts
from benchmarks.side_by_side.contenders import SAMPLE, TUNED, Contender, cpu_seconds, orderline_contender, rival
from benchmarks.side_by_side.ratios import quantile
from benchmarks.side_by_side.result_rows import CallRow, LoadRow

HERE = Path(__file__).resolve().parent
CALLERS, LOAD = HERE / "callers.yaml", HERE / "load.yaml"
DIALS = {SAMPLE: "9001", TUNED: "9002"}
HOPELESS_MS = 4000.0
"""A contender whose 95 of 100 responses take longer is not loaded any further."""
LEAST_LOAD_CALLS = 4
"""A load of fewer calls at once is placed until there are so many calls."""
_REST_SECONDS = 1.0


@dataclass(frozen=True)
class ComparisonSetup:
    """Everybody who can be rung, beside each other at one Asterisk."""

    stack: PrivateCallCentre
    home: RehearsalHome
    contenders: tuple[Contender, ...]
    keep: Path
    report: Callable[[str], None]

    async def play(
        self, contender: Contender, scripts: Path, folder: str, at_once: int, repeat: int = 1
    ) -> RehearsalResult:
        """Let the callers of a file ring one contender."""
        return await run_scripts(
            [replace(script, dial=contender.dial) for script in load_calls([scripts])],
            b=self.stack.phones,
            feed_url=contender.feed_url,
            feed_token=contender.feed_token,
            keep=self.keep / contender.name / folder,
            sounds_dir=self.stack.asterisk.data_dir / "sounds" / "en",
            cache_dir=self.home.shared / "callers",
            at_once=at_once,
            repeat=repeat,
        )


@contextlib.asynccontextmanager
async def comparison_setup(
    asterisk: Asterisk,
    home: RehearsalHome,
    work: Path,
    report: Callable[[str], None],
    names: Sequence[str] = (SAMPLE, TUNED),
) -> AsyncIterator[ComparisonSetup]:
    """Hold a private call centre with Orderline and the other bots in it."""
    async with contextlib.AsyncExitStack() as running:
        stack = await running.enter_async_context(running_call_centre(asterisk, home, work / "run", report))
        contenders = [orderline_contender(stack)]
        for name in names:
            contenders.append(await running.enter_async_context(rival(stack, name, DIALS[name], work / name)))
        yield ComparisonSetup(stack, home, tuple(contenders), work / "calls", report)


async def play_round(arena: ComparisonSetup, number: int, at_once: int) -> list[CallRow]:
    """Let every caller ring every contender once; who begins changes from round to round."""
    first = number % len(arena.contenders)
    rows = []
    for contender in (*arena.contenders[first:], *arena.contenders[:first]):
        result = await arena.play(contender, CALLERS, f"round-{number}", at_once)
        rows += [CallRow.of(contender.name, number, call) for call in result.calls]
        good = sum(call.ok for call in result.calls)
        arena.report(
            f"round {number + 1}, {contender.name}: {good} of {len(result.calls)} calls succeed, "
            f"response p50 {result.response_ms.p50 or 0:.0f} ms, p95 {result.response_ms.p95 or 0:.0f} ms"
        )
        await asyncio.sleep(_REST_SECONDS)
    return rows


async def loads(arena: ComparisonSetup, sizes: Sequence[int]) -> AsyncIterator[LoadRow]:
    """Load every contender with each of so many calls at once, in turns, as long as it bears it."""
    bearing = list(arena.contenders)
    for size in sorted(sizes):
        for contender in tuple(bearing):
            row = await _load(arena, contender, size)
            yield row
            arena.report(
                f"{size} at once, {contender.name}: {row.ok} of {row.calls} succeed, p95 {row.p95_ms or 0:.0f} ms, "
                f"{100 * row.cores_a_call:.1f} % of a core a call"
            )
            if row.p95_ms is None or row.p95_ms > HOPELESS_MS:
                bearing.remove(contender)
            await asyncio.sleep(_REST_SECONDS)


async def _load(arena: ComparisonSetup, contender: Contender, size: int) -> LoadRow:
    asterisk = arena.stack.pbx.pid
    own_before, asterisk_before = contender.cpu_seconds(), cpu_seconds(asterisk) if asterisk else 0.0
    repeat = max(1, -(-max(size, LEAST_LOAD_CALLS) // len(load_calls([LOAD]))))
    result = await arena.play(contender, LOAD, f"load-{size}", size, repeat)
    times = [turn.response_ms for call in result.calls for turn in call.turns if turn.response_ms is not None]
    return LoadRow(
        contender=contender.name,
        at_once=size,
        calls=len(result.calls),
        ok=sum(call.ok for call in result.calls),
        p50_ms=quantile(times, 0.5),
        p95_ms=quantile(times, 0.95),
        own_cpu_s=round(contender.cpu_seconds() - own_before, 2),
        asterisk_cpu_s=round((cpu_seconds(asterisk) if asterisk else 0.0) - asterisk_before, 2),
        call_seconds=round(sum(call.duration_s for call in result.calls), 1),
    )
