"""``orderline serve``: runs an agent from its start to its end."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

from agent.app.application import Application, running_application
from agent.common import systemd
from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.settings import Settings

log = logging.getLogger(__name__)


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    takeover: bool = False,
    on_ready: Callable[[], None] = lambda: None,
) -> int:
    """Run an agent until ``stop`` is set or it is asked to stop; prints one JSON line when it is ready.

    One that is told to stop while it starts, or waits for its Asterisk, ends at once. Returns 0, or 1 when another
    controller has taken its place.
    """
    alive = asyncio.create_task(systemd.keep_alive(), name="watchdog")
    alive.add_done_callback(report_failure)
    ready = asyncio.Event()

    def tell_ready() -> None:
        ready.set()
        on_ready()

    work = asyncio.create_task(_run_application(settings, stop, takeover, tell_ready), name="agent")
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and not ready.is_set():
            log.info("Stopping before the agent was ready")
            await cancel_and_wait(work)
            return 0
        return await work
    finally:
        await cancel_and_wait(alive, stopped, work)


async def _run_application(
    settings: Settings, stop: asyncio.Event, takeover: bool, on_ready: Callable[[], None]
) -> int:
    async with running_application(settings, takeover=takeover) as agent:
        on_ready()
        systemd.notify("READY=1")
        print(json.dumps({"ready": True, "control_port": agent.control_port, **agent.status()}), flush=True)
        code = await wait_until_ended(agent, stop)
        systemd.notify("STOPPING=1")
        log.info("Stopping")
    return code


async def wait_until_ended(agent: Application, stop: asyncio.Event) -> int:
    """Return the exit code when the agent has been stopped, drained or replaced."""
    waits = [asyncio.create_task(event.wait()) for event in (stop, agent.stop_endpoint.asked, agent.replaced)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if agent.replaced.is_set():
            await agent.yield_to_replacement()
            return 1
        if agent.stop_endpoint.asked.is_set() and agent.stop_endpoint.request.drain_seconds:
            draining = asyncio.create_task(agent.drain(agent.stop_endpoint.request.drain_seconds))
            await asyncio.wait([draining, waits[0]], return_when=asyncio.FIRST_COMPLETED)
            await cancel_and_wait(draining)
        return 0
    finally:
        await cancel_and_wait(*waits)
