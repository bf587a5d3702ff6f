"""The ARI client: requests with a total deadline, typed errors, an event stream that notices a dead Asterisk."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import aiohttp

from agent.asterisk.ari.errors import AriAuthFailed, AriConflict, AriError, AriNotFound, AriUnreachable
from agent.asterisk.ari.events import MalformedEvent, parse_event
from agent.asterisk.ari.resources import Applications, Bridges, Channels, Endpoints, System
from agent.common.backoff import Backoff
from agent.common.tasks import cancel_and_wait
from agent.common.untrusted import load_json
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

EventHandler = Callable[[dict[str, Any]], None]

_FIRST_DELAY_SECONDS = 0.1
_LAST_DELAY_SECONDS = 5.0
_REFUSED_DELAY_SECONDS = 2.0
"""After a refusal: somebody has to put the password right first, and Asterisk logs each try."""
_STEADY_SECONDS = 5.0
"""A connection that lasted this long was a good one: the next back-off starts from the beginning."""

_BY_STATUS: dict[int, type[AriError]] = {
    401: AriAuthFailed,
    403: AriAuthFailed,
    404: AriNotFound,
    409: AriConflict,
    422: AriConflict,
}


def _authorization(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


class AriAccount(Protocol):
    """Where an Asterisk's ARI is, and who asks."""

    @property
    def url(self) -> str:
        """Base address, without ``/ari``."""
        ...

    @property
    def user(self) -> str:
        """A user of ari.conf."""
        ...

    @property
    def app(self) -> str:
        """Name of the Stasis application."""
        ...

    def password(self) -> str:
        """The user's password. May raise OrderlineError when it cannot be read."""
        ...


class AriClient:
    """One Stasis application on one Asterisk.

    The nouns are ari-py's: ``ari.channels``, ``ari.bridges``, ``ari.applications``, ``ari.system``. Every request has a
    total deadline (a frozen Asterisk costs ``request_timeout_seconds``, never more), and every failure is an
    :class:`AriError`: :class:`AriNotFound` means the channel or bridge is gone, which is ordinary on a telephone.

    The event stream reconnects by itself with back-off and jitter. ``heartbeat_seconds`` is aiohttp's ping interval; a
    peer that does not answer within half of it is dropped, so a dead Asterisk is noticed within 1.5 intervals.
    After every (re)connection the coroutines given to :meth:`on_connected` run, to resynchronise.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        app: str,
        *,
        request_timeout_seconds: float = 5.0,
        heartbeat_seconds: float = 5.0,
        subscribe_all: bool = False,
        event_types: Sequence[str] | None = None,
        connection_limit: int = 64,
        read_password: Callable[[], str] | None = None,
    ) -> None:
        """``connection_limit``: so many requests at once; the others wait. Websockets do not count.

        ``read_password`` gives the password as it is now; it is asked when Asterisk refuses the one in use. It may
        raise OrderlineError.
        """
        self.url = url.rstrip("/")
        self.app = app
        self.channels = Channels(self)
        self.bridges = Bridges(self)
        self.applications = Applications(self)
        self.endpoints = Endpoints(self)
        self.system = System(self)
        self.connected = asyncio.Event()
        self.reconnects = 0
        """How often the event stream was lost since :meth:`start`."""
        self.refusal = ""
        """Why Asterisk refuses our user or password now, ``""`` while it does not."""
        self.credentials = (user, password)
        """What :class:`AriClient` was made with, for a second client of the same Asterisk."""
        self._read_password = read_password
        self._headers = _authorization(user, password)
        self._timeout = aiohttp.ClientTimeout(total=request_timeout_seconds)
        self._heartbeat_seconds = heartbeat_seconds
        self._subscribe_all = subscribe_all
        self._event_types = tuple(event_types) if event_types is not None else None
        self._connection_limit = connection_limit
        self._handlers: dict[str, list[EventHandler]] = {}
        self._on_connected: list[Callable[[], Awaitable[None]]] = []
        self._before_connecting: list[Callable[[], Awaitable[None]]] = []
        self._given_up = False
        self._session: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None
        self._reader: asyncio.Task[None] | None = None
        self._first_result: asyncio.Future[None] | None = None

    # --- life ---------------------------------------------------------------------------------------

    @classmethod
    def of(
        cls, account: AriAccount, *, request_timeout_seconds: float = 5.0, event_types: Sequence[str] | None = None
    ) -> AriClient:
        """A client of this account. Raises what ``account.password`` raises."""
        return cls(
            account.url,
            account.user,
            account.password(),
            account.app,
            request_timeout_seconds=request_timeout_seconds,
            event_types=event_types,
            read_password=account.password,
        )

    async def start(self, *, wait: bool = True) -> AriClient:
        """Open the event stream. With ``wait``, return when it is up; raises AriAuthFailed or AriUnreachable.

        Without ``wait`` it keeps trying in the background, for an agent that is started before its Asterisk.
        """
        self.open()
        self._first_result = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read_events(), name=f"ari-events-{self.app}")
        if wait:
            try:
                await asyncio.shield(self._first_result)
            except AriError:
                await self.close()
                raise
        return self

    def open(self) -> None:
        """Make requests possible without (or before) the event stream; needs a running loop."""
        if self._session is None:
            self._session = self._new_session(self._connection_limit)
            self._streams = self._new_session(0)

    def _new_session(self, limit: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=limit)
        return aiohttp.ClientSession(headers=self._headers, timeout=self._timeout, connector=connector)

    async def close(self) -> None:
        """Close the event stream and every connection; idempotent."""
        if self._reader is not None:
            await cancel_and_wait(self._reader)
            self._reader = None
        if self._first_result is not None and self._first_result.done() and not self._first_result.cancelled():
            self._first_result.exception()  # taken note of: no "never retrieved" warning
        for session in (self._session, self._streams):
            if session is not None:
                await session.close()
        self._session = self._streams = None

    async def __aenter__(self) -> AriClient:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session of requests, with our credentials; raises AriUnreachable before ``start``."""
        if self._session is None:
            raise AriUnreachable("The ARI client is not started (or already closed).")
        return self._session

    @property
    def streams(self) -> aiohttp.ClientSession:
        """The session of what stays open: events, and each call's audio. Raises AriUnreachable before ``start``.

        A websocket holds its connection as long as it is open: in a rush none of those for requests would be left.
        """
        if self._streams is None:
            raise AriUnreachable("The ARI client is not started (or already closed).")
        return self._streams

    # --- events -------------------------------------------------------------------------------------

    def on(self, event_type: str, handler: EventHandler) -> Callable[[], None]:
        """Call ``handler(event)`` for each event of this type (``"*"``: all). Returns the way to unsubscribe.

        Handlers run in the reader task and must be quick; an exception in one is logged and harms nobody else.
        """
        handlers = self._handlers.setdefault(event_type, [])
        handlers.append(handler)

        def unsubscribe() -> None:
            if handler in handlers:
                handlers.remove(handler)

        return unsubscribe

    @contextlib.contextmanager
    def entering_stasis(self, channel_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when this channel has entered our application.

        Open it before the channel is created. A media leg can be bridged only after its own StasisStart: earlier,
        addChannel may answer 422 "Channel not in Stasis application".
        """
        entered = asyncio.Event()

        def started(event: dict[str, Any]) -> None:
            if event.get("channel", {}).get("id") == channel_id:
                entered.set()

        forget = self.on("StasisStart", started)
        try:
            yield entered
        finally:
            forget()

    def on_connected(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Run ``callback`` after each connection of the event stream, the first included."""
        self._on_connected.append(callback)

    def before_connecting(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Run ``callback`` before each attempt to open the event stream; an AriError in it counts as a failed attempt.

        What is in our application then was there before us: no StasisStart comes for it.
        """
        self._before_connecting.append(callback)

    def stop_reconnecting(self) -> None:
        """Open the event stream no more: the application belongs to somebody else. Requests still work."""
        self._given_up = True

    def _dispatch(self, event: dict[str, Any]) -> None:
        for key in (str(event.get("type", "")), "*"):
            for handler in tuple(self._handlers.get(key, ())):
                try:
                    handler(event)
                except Exception:  # one broken handler must not stop every other call's events
                    log.exception("A handler of %s failed", event.get("type"))

    async def _read_events(self) -> None:
        loop = asyncio.get_running_loop()
        pauses = Backoff(_FIRST_DELAY_SECONDS, _LAST_DELAY_SECONDS)
        while True:
            started = loop.time()
            why = "closed by Asterisk"
            try:
                await self._one_connection()
            except AriAuthFailed as error:
                self._refused(error)
                if self._first_result is not None and not self._first_result.done():
                    self._settle(error)  # whoever starts decides; it is a mistake in the settings
                    return
                why = str(error)
            except (aiohttp.ClientError, OSError, TimeoutError, AriError) as error:
                why = str(error) or type(error).__name__
                self._settle(AriUnreachable(f"No event stream from {self.url}: {why}"))
            if self.connected.is_set():
                self.connected.clear()
                self.reconnects += 1
            if self._given_up:
                return
            if loop.time() - started > _STEADY_SECONDS:
                pauses.reset()
            delay_seconds = max(pauses.next_seconds(), _REFUSED_DELAY_SECONDS if self.refusal else 0.0)
            log.warning("ARI event stream of %s: %s; trying again in %.1f s", self.app, why, delay_seconds)
            await asyncio.sleep(delay_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not secrecy

    async def _one_connection(self) -> None:
        for callback in self._before_connecting:
            await callback()
        params = {"app": self.app, "subscribeAll": "true" if self._subscribe_all else "false"}
        try:
            async with self.streams.ws_connect(
                f"{self.url}/ari/events",
                params=params,
                heartbeat=self._heartbeat_seconds,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            ) as socket:
                await self._after_connect()
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self._take_text(message.data)
        except aiohttp.WSServerHandshakeError as error:
            if error.status in (401, 403):
                raise AriAuthFailed(
                    error.status,
                    "GET",
                    "/events",
                    "user or password refused: compare ari.conf with Orderline's settings",
                ) from error
            raise

    def _take_text(self, text: str) -> None:
        try:
            event = parse_event(text)
        except MalformedEvent as error:
            log.warning("An event of Asterisk %s; passed over", error)
            return
        self._dispatch(event)

    async def _after_connect(self) -> None:
        if self._event_types is not None:
            await self.applications.filter(self.app, self._event_types)
        self.refusal = ""
        self.connected.set()
        self._settle(None)
        log.info("ARI event stream of %s is up", self.app)
        for callback in self._on_connected:
            await callback()

    def _refused(self, error: AriAuthFailed) -> None:
        """Remember it for the status, and take the password that the settings name now: it may have been changed."""
        if not self.refusal:
            log.error("Asterisk refuses the ARI user: %s", error)
        self.refusal = "Asterisk refuses the user or the password: compare ari.conf with ari.user and ari.password_file"
        if self._read_password is None:
            return
        try:
            password = self._read_password()
        except OrderlineError as unreadable:
            log.error("The ARI password cannot be read: %s", unreadable.message)
            return
        user, known = self.credentials
        if password != known:
            log.warning("The ARI password has changed in the settings; the new one is used from now on")
            self.credentials = (user, password)
            self._headers = _authorization(user, password)
            for session in (self._session, self._streams):
                if session is not None:
                    session.headers.update(self._headers)

    def _settle(self, error: AriError | None) -> None:
        if self._first_result is not None and not self._first_result.done():
            if error is None:
                self._first_result.set_result(None)
            else:
                self._first_result.set_exception(error)

    # --- requests -----------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        urgent: bool = False,
    ) -> Any:
        """Send one request (``path`` without ``/ari``) and return the parsed JSON, or None for an empty answer.

        ``urgent``: it waits behind no other request, however many there are.
        A refusal of the user or password stands in :attr:`refusal` until a request is answered again.
        Raises AriNotFound (404), Conflict (409, 422), AriAuthFailed (401, 403), AriUnreachable (no answer in time, or
        one that is no JSON), or AriError for any other refusal.
        """
        query = {key: str(value) for key, value in (params or {}).items() if value is not None}
        try:
            session = self.streams if urgent else self.session
            async with session.request(method, f"{self.url}/ari{path}", params=query, json=body) as response:
                text = await response.text()
                if response.status >= 400:
                    raise _BY_STATUS.get(response.status, AriError)(response.status, method, path, text)
                self.refusal = ""
        except AriAuthFailed as error:
            self._refused(error)
            raise
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AriUnreachable(
                f"{method} {path}: no answer from {self.url} ({error or type(error).__name__})"
            ) from error
        try:
            return load_json(text) if text.strip() else None
        except ValueError as error:
            raise AriUnreachable(f"{method} {path}: the answer from {self.url} is no JSON ({error})") from error
