"""Agent whose recogniser and voice can be broken from outside; the fault matrix starts it as a program.

It is the agent as it is, started through this module: while the file that ``ORDERLINE_SABOTAGE`` names holds the word
``ears`` its decoder hangs, while it holds ``voice`` none of its voices can speak, while it holds ``disk`` nothing can
be written, as on a full disk, and an agent that is started while it holds ``transfers`` takes its Asterisk for an old
one, which leaves no transfers to it; otherwise for one that does so safely, which holds for the REFER requests of the
matrix. The product knows nothing of it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from agent.asterisk import stasis_app
from agent.call.errors import VoiceError
from agent.cli.main import main
from agent.common.sqlite import SqliteFile
from agent.speech.decoding import TurnDecoding
from agent.speech.voice import PromptSynthesizer

_POLL_SECONDS = 0.05


def _broken(what: str) -> bool:
    path = Path(os.environ["ORDERLINE_SABOTAGE"])
    return path.is_file() and what in path.read_text(encoding="utf-8").split()


def _hanging(feed: Callable[..., Any]) -> Callable[..., Any]:
    def hang(*args: Any, **kwargs: Any) -> Any:
        while _broken("ears"):
            time.sleep(_POLL_SECONDS)
        return feed(*args, **kwargs)

    return hang


def _mute(make: Callable[..., Coroutine[Any, Any, bytes]]) -> Callable[..., Coroutine[Any, Any, bytes]]:
    async def fail(*args: Any, **kwargs: Any) -> bytes:
        if _broken("voice"):
            raise VoiceError("No engine can speak: sabotaged.")
        return await make(*args, **kwargs)

    return fail


def _full(begin: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if _broken("disk"):
            raise sqlite3.OperationalError("database or disk is full")
        return begin(*args, **kwargs)

    return refuse


def _leaves_transfers(_: object) -> bool:
    return not _broken("transfers")


def _without_room(synchronise: Callable[[int], None]) -> Callable[[int], None]:
    def refuse(handle: int) -> None:
        if _broken("disk"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synchronise(handle)

    return refuse


if __name__ == "__main__":
    SqliteFile.begin = _full(SqliteFile.begin)  # type: ignore[method-assign]
    os.fsync = _without_room(os.fsync)  # type: ignore[assignment]
    vars(stasis_app)["supports_transfer_handling"] = _leaves_transfers
    TurnDecoding.feed = _hanging(TurnDecoding.feed)  # type: ignore[method-assign]
    PromptSynthesizer._make = _mute(PromptSynthesizer._make)  # type: ignore[method-assign]
    sys.exit(main())
