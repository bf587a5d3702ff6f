"""What a shop hands to the impact model: queue logs, call detail records, volumes from a spreadsheet, assumptions."""

from __future__ import annotations

import contextlib
import gzip
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.errors import OrderlineError
from agent.impact.imports.cdr import read_cdr
from agent.impact.imports.measured_volumes import MeasuredVolumes
from agent.impact.imports.queue_log import read_queue_log
from agent.impact.imports.volumes_csv import read_volumes
from agent.impact.inputs import ImpactInputs
from agent.impact.inputs_file import example_file, read_inputs
from tests.fuzz.mutate import broken_bytes, broken_lines
from tests.fuzz.samples import CDR, QUEUE_LOG, QUEUE_LOG_TABLE, VOLUMES

Run = Callable[[random.Random], Awaitable[None]]
_ZONE = ZoneInfo("Europe/Madrid")
_HALF_HOURS = 48


@contextlib.asynccontextmanager
async def call_logs() -> AsyncIterator[Run]:
    """Queue logs, packed and rotated ones with them, their realtime table, and call detail records."""
    with tempfile.TemporaryDirectory() as directory:
        paths = [Path(directory) / name for name in ("queue_log", "queue_log.1")]
        _accounted(read_queue_log(_written(paths[:1], QUEUE_LOG), _ZONE))
        _accounted(read_queue_log(_written(paths[:1], QUEUE_LOG_TABLE), _ZONE))
        _accounted(read_cdr(_written(paths[:1], CDR), _ZONE))

        async def run(dice: random.Random) -> None:
            kind = dice.choice((QUEUE_LOG, QUEUE_LOG_TABLE, CDR))
            chosen = paths[: dice.choice((1, 1, 2))]
            for path in chosen:
                content = broken_lines(kind, dice).encode("utf-8", "replace")
                if dice.random() < 0.1:
                    content = broken_bytes(gzip.compress(content), dice)
                path.write_bytes(content)
            with contextlib.suppress(OrderlineError):
                if kind is CDR:
                    _accounted(read_cdr(chosen, _ZONE))
                else:
                    _accounted(read_queue_log(chosen, _ZONE))

        yield run


@contextlib.asynccontextmanager
async def impact_files() -> AsyncIterator[Run]:
    """Volumes from a spreadsheet, and the file of assumptions."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "file"
        example = example_file(ImpactInputs())
        read_inputs(_written([path], example)[0], ImpactInputs())
        read_volumes(_written([path], VOLUMES)[0])

        async def run(dice: random.Random) -> None:
            volumes = dice.random() < 0.5
            _written([path], broken_lines(VOLUMES if volumes else example, dice))
            with contextlib.suppress(OrderlineError):
                if not volumes:
                    read_inputs(path, ImpactInputs())
                    return
                week = read_volumes(path).week
                if any(len(day) != _HALF_HOURS or not all(0 <= calls < 1e9 for calls in day) for day in week):
                    raise AssertionError(f"a week of {week}")

        yield run


def _written(paths: Sequence[Path], text: str) -> Sequence[Path]:
    for path in paths:
        path.write_text(text, "utf-8", "replace")
    return paths


def _accounted(volumes: MeasuredVolumes) -> None:
    """No line may be left out without a word."""
    for file in volumes.summary.files:
        if file.lines != file.used + file.other + file.repeated + file.refused:
            raise AssertionError(f"{file} does not add up")
    if not volumes.answered + volumes.abandoned + volumes.unknown <= volumes.calls:
        raise AssertionError(f"{volumes.calls} calls are {volumes.answered}, {volumes.abandoned}, {volumes.unknown}")
