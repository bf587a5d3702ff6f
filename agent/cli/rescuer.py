"""``orderline rescuer``: runs the rescuer as a process of its own."""

from __future__ import annotations

import asyncio
import json
import logging

from agent.asterisk.ari.client import AriClient
from agent.asterisk.rescuer import Rescuer, RescuerOptions
from agent.config.settings import Settings

log = logging.getLogger(__name__)


async def run_rescuer(settings: Settings, stop: asyncio.Event) -> int:
    """Run until ``stop`` is set; prints one JSON line when it has begun. Raises AriAuthFailed."""
    ari = AriClient.of(settings.ari, request_timeout_seconds=2.0)
    ari.open()
    options = RescuerOptions(settings.rescuer.after_seconds, settings.rescuer.poll_seconds, settings.rescuer.context)
    rescuer = Rescuer(ari, options)
    print(json.dumps({"ready": True, "app": ari.app, "asterisk": ari.url}), flush=True)
    try:
        await rescuer.run(stop)
    finally:
        await ari.close()
    log.info("Stopping; %d call(s) were rescued", rescuer.rescued)
    return 0
