"""The control server and its live feed: call events, health, status and metrics over HTTP.

A websocket at ``/live`` sends one JSON object a message (docs/events.md lists them); ``/health`` and ``/status`` tell
how the agent and its dependencies are, ``/metrics`` the numbers for Prometheus. Loopback by default, and a bearer token
for all of them; only ``/healthz``, which says no more than that the process is alive, needs none.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.common.log_rate import LogRate, RateLimitedLog
from agent.common.tasks import cancel_and_wait
from agent.control.live_feed import BadFeedPosition, FeedPosition, FeedReader, LiveFeed

log = logging.getLogger(__name__)
authentication_log = logging.getLogger("agent.live")
"""Its name is fixed: installed fail2ban filters read it (contrib/fail2ban)."""

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

HEAD_SECONDS = 10.0
"""A connection on which no request has begun for so long, or whose request has not come whole, is closed."""
_LINGERING_SECONDS = 2.0


class ControlServer:
    """The agent's own HTTP server."""

    def __init__(
        self,
        feed: LiveFeed,
        token: str,
        status: Callable[[], Mapping[str, Any]],
        routes: Sequence[web.RouteDef] = (),
        *,
        dependencies: Callable[[], Awaitable[Mapping[str, Any]]] | None = None,
        metrics: Callable[[Mapping[str, Any]], bytes] | None = None,
    ) -> None:
        """``routes`` are further ones, behind the same token.

        ``dependencies()`` looks at everything the agent needs; ``metrics(that)`` makes Prometheus' page of it.
        """
        self._dependencies = dependencies
        self._metrics = metrics
        self._feed = feed
        self._routes = routes
        self._token = token
        self._status = status
        self._runner: web.AppRunner | None = None
        self._failures = LogRate(log, "authentication failures")
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises OSError when the port is taken."""
        application = web.Application(middlewares=[self._authorise])
        application.add_routes(
            [
                web.get("/live", self._live),
                web.get("/health", self._health),
                web.get("/status", self._status_page),
                web.get("/metrics", self._metrics_page),
                web.get("/healthz", self._liveness),
                *self._routes,
            ]
        )
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=1.0,
            keepalive_timeout=HEAD_SECONDS,
            lingering_time=_LINGERING_SECONDS,
            logger=RateLimitedLog(log, "broken requests", (HttpProcessingError, ConnectionError)),
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening and end the readers."""
        self._feed.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _authorise(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path == "/healthz":
            alive: web.StreamResponse = await handler(request)
            return alive
        given = request.headers.get("Authorization", "")
        # what is no UTF-8 in a head comes as half characters; it is a wrong token like any other
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), f"Bearer {self._token}".encode()):
            if self._failures.allows(str(request.remote)):
                authentication_log.warning("Authentication failure from %s", request.remote)
            raise web.HTTPUnauthorized(text="A bearer token is needed.\n")
        response: web.StreamResponse = await handler(request)
        return response

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({**self._status(), "tasks": len(asyncio.all_tasks())})

    async def _status_page(self, _: web.Request) -> web.Response:
        return web.json_response({**await self._looked_at(), "tasks": len(asyncio.all_tasks())})

    async def _metrics_page(self, _: web.Request) -> web.Response:
        if self._metrics is None:
            raise web.HTTPNotFound(text="There are no metrics.\n")
        return web.Response(body=self._metrics(await self._looked_at()), headers={"Content-Type": METRICS_TYPE})

    async def _looked_at(self) -> Mapping[str, Any]:
        return self._status() if self._dependencies is None else await self._dependencies()

    @staticmethod
    async def _liveness(_: web.Request) -> web.Response:
        return web.Response(text="orderline: alive\n")

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        try:
            position = FeedPosition.of_query(request.query)
        except BadFeedPosition as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        socket = web.WebSocketResponse(heartbeat=20.0)
        await socket.prepare(request)
        reader = self._feed.follow(position)
        sender = asyncio.create_task(self._send(socket, reader))
        try:
            async for _ in socket:  # readers have nothing to say; this notices when they leave
                pass
        finally:
            self._feed.leave(reader)
            await cancel_and_wait(sender)
        return socket

    @staticmethod
    async def _send(socket: web.WebSocketResponse, reader: FeedReader) -> None:
        async for message in reader.messages():
            try:
                await socket.send_str(message)
            except ConnectionError:
                return
        await socket.close()
