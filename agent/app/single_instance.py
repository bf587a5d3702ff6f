"""A second controller is refused before it has loaded anything, as soon as Asterisk can tell that there is a first."""

from __future__ import annotations

import contextlib

from agent.asterisk.ari.client import Ari
from agent.asterisk.ari.errors import AriError
from agent.asterisk.heartbeat import ensure_alone
from agent.config.settings import Settings


async def refuse_a_second(settings: Settings) -> None:
    """Return when nobody else serves the application, or nobody can say yet: it is looked at again before connecting.

    Raises AppTaken.
    """
    ari = Ari.of(settings.ari, request_timeout_seconds=1.0)
    ari.open()
    try:
        with contextlib.suppress(AriError):
            await ensure_alone(ari)
    finally:
        await ari.close()
