"""``orderline rescuer``: runs the rescuer as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

from agent.asterisk.ari.client import AriClient
from agent.asterisk.rescuer import Rescuer, RescuerOptions
from agent.common.tasks import cancel_and_wait
from agent.config.instances import all_instances
from agent.config.settings import Settings

log = logging.getLogger(__name__)


async def run_rescuer(settings: Settings, stop: asyncio.Event) -> int:
    """Look after the calls of all instances until ``stop`` is set; prints one JSON line when it has begun.

    Of an instance that is added later it knows after its own restart.

    Raises AriAuthFailed.
    """
    options = RescuerOptions(settings.rescuer.after_seconds, settings.rescuer.poll_seconds, settings.rescuer.context)
    async with contextlib.AsyncExitStack() as stack:
        rescuers, apps = list[Rescuer](), list[str]()
        for one in all_instances(settings):
            ari = AriClient.of(one.ari, request_timeout_seconds=2.0)
            ari.open()
            stack.push_async_callback(ari.close)
            rescuers.append(Rescuer(ari, options))
            apps.append(one.ari.app)
        told = {"app": apps[0]} if len(apps) == 1 else {"apps": apps}
        print(json.dumps({"ready": True, **told, "asterisk": settings.ari.url}), flush=True)
        rounds = [asyncio.create_task(rescuer.run(stop), name="rescuer") for rescuer in rescuers]
        stack.push_async_callback(cancel_and_wait, *rounds)
        await asyncio.gather(*rounds)
    log.info("Stopping; %d call(s) were rescued", sum(rescuer.rescued for rescuer in rescuers))
    return 0
