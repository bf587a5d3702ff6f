"""The server that takes webhooks of shops and carriers: an address of its own, apart from the supervisors' server.

An event is answered with 2xx only when it is on the disk; a repetition adds nothing, because keys are used once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from agent.common.untrusted import encodable, parse_json
from agent.errors import OrderlineError
from agent.outbound.clock import Clock
from agent.outbound.triggers.intake import DeliveryIntake
from agent.outbound.triggers.payloads import PayloadUnreadable, read_event
from agent.outbound.triggers.signatures import is_signed

log = logging.getLogger(__name__)

BODY_SECONDS = 5.0
PATH = "/triggers/{name}"


@dataclass(frozen=True)
class TriggerSource:
    """One system that tells of deliveries."""

    name: str
    """It posts to ``/triggers/NAME``."""
    scheme: str
    """A key of :data:`agent.outbound.triggers.signatures.SCHEMES`."""
    secrets: tuple[str, ...] = field(repr=False)
    consent: str = ""
    zone: str = ""


class TriggerListener:
    """Start it, and close it. ``port`` is the real one afterwards. ``wake`` is called when jobs were added."""

    def __init__(
        self,
        host: str,
        port: int,
        sources: Mapping[str, TriggerSource],
        intake: DeliveryIntake,
        clock: Clock,
        *,
        most_bytes: int = 1_000_000,
        wake: Callable[[], object] = lambda: None,
    ) -> None:
        self._host = host
        self.port = port
        self._sources = sources
        self._intake = intake
        self._clock = clock
        self._most_bytes = most_bytes
        self._wake = wake
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=self._most_bytes)
        app.router.add_post(PATH, self._post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Finish the requests under way and stop listening; idempotent."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _post(self, request: web.Request) -> web.Response:
        source = self._sources.get(request.match_info["name"])
        if source is None:
            return _answer(404, "there is no such source")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.read()
        except TimeoutError:
            return _answer(408, "the body has not come in time")
        headers = {name.lower(): encodable(value) for name, value in request.headers.items()}
        now = self._clock.now()
        if not is_signed(source.scheme, headers, body, source.secrets, now.timestamp()):
            log.warning("a webhook for %s from %s is not signed with its secret", source.name, request.remote)
            return _answer(401, "the signature does not fit, or its time is too far off")
        try:
            told = read_event(source.scheme, parse_json(body, most_chars=self._most_bytes), now)
            if told is None:
                return _answer(200, "not of a delivery")
            keys = await self._intake.take(told, f"webhook:{source.name}", consent=source.consent, zone=source.zone)
        except (PayloadUnreadable, ValueError) as error:
            log.warning("an event of %s cannot be read: %s", source.name, error)
            return _answer(422, f"not readable: {error}")
        except OrderlineError as error:  # the file, or the order system: the sender tries again
            log.error("an event of %s was not taken: %s", source.name, error.message)
            return _answer(503, "not taken; send it again")
        if keys:
            self._wake()
        return _answer(200, "taken")


def _answer(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")
