"""Refuses to start a second controller of the same application, before anything is loaded."""

from __future__ import annotations

import contextlib

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.heartbeat import ensure_single_controller
from agent.config.settings import Settings


async def ensure_single_instance(settings: Settings) -> None:
    """Return when nobody else serves the application, or nobody can say yet: it is looked at again before connecting.

    Raises ApplicationTaken.
    """
    ari = AriClient.of(settings.ari, request_timeout_seconds=1.0)
    ari.open()
    try:
        with contextlib.suppress(AriError):
            await ensure_single_controller(ari)
    finally:
        await ari.close()
