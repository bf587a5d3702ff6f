"""Agent whose dialling can be disturbed from outside, and whose dialler's clock can be set; the cases start it.

It is the agent as it is, started through this module. The file that ``ORDERLINE_DIALLER_CLOCK`` names holds the seconds
by which the dialler's clock is ahead. While the file that ``ORDERLINE_SABOTAGE`` names holds ``hold``, an attempt stays
where it is between the disk and Asterisk; while it holds ``lose-answer``, Asterisk's answer to a dial is lost.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.asterisk.ari.errors import AriUnreachable
from agent.asterisk.ari.resources import Channels
from agent.cli.main import main
from agent.outbound.clock import SystemClock

_POLL_SECONDS = 0.05
_place = Channels.originate_to_dialplan


def _word(name: str) -> str:
    path = Path(os.environ[name])
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _ahead(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_word("ORDERLINE_DIALLER_CLOCK") or 0))


async def _placed(*args: Any, **kwargs: Any) -> dict[str, Any]:
    while _word("ORDERLINE_SABOTAGE") == "hold":  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(_POLL_SECONDS)
    channel = await _place(*args, **kwargs)
    if _word("ORDERLINE_SABOTAGE") == "lose-answer":
        raise AriUnreachable("Asterisk's answer came too late: sabotaged.")
    return channel


if __name__ == "__main__":
    SystemClock.now = _ahead  # type: ignore[assignment, method-assign]
    Channels.originate_to_dialplan = _placed  # type: ignore[method-assign]
    sys.exit(main())
