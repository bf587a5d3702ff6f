"""How the queues of staff stand now, for ``orderline check``: asked over the manager interface, as the agent will."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from agent.app.queue_factory import manager_address
from agent.asterisk.ami_queues import AmiQueueStatistics
from agent.common.addresses import host_port
from agent.config.base import SettingsError
from agent.config.settings import Settings
from agent.preflight.finding import Finding

_CONNECT_SECONDS = 2.0
_POLL_SECONDS = 0.05


async def queue_findings(settings: Settings) -> AsyncIterator[Finding]:
    """Say for ``orderline check`` how the queues stand, as the agent will ask for it."""
    what = "manager interface"
    try:
        address = manager_address(settings)
    except SettingsError as error:
        yield Finding(what, "failed", error.message, "name the secret of [orderline] in manager.conf")
        return
    if address is None:
        return
    figures = AmiQueueStatistics(address, deadline_seconds=_CONNECT_SECONDS)
    figures.start()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CONNECT_SECONDS):
                while not figures.connected:  # noqa: ASYNC110 - a thread's state
                    await asyncio.sleep(_POLL_SECONDS)
        if not figures.connected:
            where = host_port(address.host, address.port)
            fix = "compare manager.conf with ami: in orderline.yaml; then: asterisk -rx 'manager reload'"
            yield Finding(what, "failed", f"{where} does not answer, or refuses {address.user}", fix)
            return
        for name in settings.queues:
            state = await figures.state(name)
            if state is None:
                fix = (
                    f"add [{name}] to queues.conf; then: asterisk -rx 'queue reload all'; "
                    "or take it out of queues: in orderline.yaml"
                )
                yield Finding("queue now", "failed", f"Asterisk has no queue {name}", fix)
            elif state.logged_in == 0:
                yield Finding(
                    "queue now",
                    "warning",
                    f"{name}: nobody is logged in",
                    "let staff log in; outside your hours it is fine",
                )
            else:
                yield Finding("queue now", "ok", f"{name}: {state.logged_in} logged in, {state.callers} waiting")
    finally:
        await figures.close()
