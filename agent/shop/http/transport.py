"""Sends requests over a system's own connections: deadlines, size limits, redirects, TLS, circuit breaker.

A total deadline, a bound on what is read, no cookies, no proxies, certificates always verified, redirects only for
GET, once, and never to another host. Logs name system, method, path template, status and milliseconds; nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import aiohttp
from yarl import URL

from agent import __version__
from agent.common.service_error import ServiceError
from agent.shop.http.breaker import CircuitBreaker
from agent.shop.http.mapping import SystemMapping
from agent.shop.http.response import HttpResponse, UnreadableResponse, read_body
from agent.shop.optional_lookups import is_optional

log = logging.getLogger(__name__)

_REDIRECTS = (301, 302, 303, 307, 308)
_DOWN = (500, 502, 503, 504)
"""What counts as a failure of the system for its breaker."""


class RequestNotSent(ServiceError):
    """``unavailable``, and certain that the system has not seen the request: asking again is safe."""


class ConnectionBroken(ServiceError):
    """The connection broke: whether the system has seen the request is unknown, and another try may go better."""


class CircuitOpen(RequestNotSent):
    """The breaker is open: nothing was tried."""


class Deadline:
    """A moment by which a whole operation must have ended."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = clock() + seconds

    @property
    def remaining_seconds(self) -> float:
        """What is left, zero at least."""
        return max(0.0, self._until - self._clock())


@dataclass(frozen=True)
class OutgoingRequest:
    """One request as it goes out."""

    method: str
    url: str = field(repr=False)
    """Absolute, fully encoded."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    what: str
    """Method and path template, or the like: for logs and messages."""
    changes: bool
    """True when the request may change something: a failure then leaves open whether it did."""


def tls_context(system: SystemMapping) -> ssl.SSLContext:
    """Return the context that verifies a system's certificate.

    Raises ServiceError ``unavailable`` when its CA file cannot be read or is no PEM file.
    """
    file = system.tls.ca_file
    try:
        return ssl.create_default_context(cafile=None if file is None else str(file))
    except (OSError, ValueError) as error:
        raise ServiceError("unavailable", f"{system.system}: tls.ca_file {file} cannot be used: {error}") from error


class Transport:
    """The connections to one system, with its breaker. ``open`` in a running loop, then ``close``."""

    def __init__(self, system: SystemMapping, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ServiceError ``unavailable`` when the CA file cannot be used."""
        self._system = system
        self._tls = tls_context(system)
        self._clock = clock
        self._reads: aiohttp.ClientSession | None = None
        self._changes: aiohttp.ClientSession | None = None
        self.breaker = CircuitBreaker(system.breaker.failures, system.breaker.pause_seconds)

    @property
    def state(self) -> str:
        """The breaker's state now."""
        return self.breaker.state(self._clock())

    def open(self) -> None:
        """Make the sessions; nothing is asked yet."""
        limit, tls = self._system.connections, self._tls
        self._reads = _session(aiohttp.TCPConnector(limit=limit, ssl=tls))
        # A kept connection may have been closed by the other side just now: whether a change that went into it was
        # seen, nobody can tell. Changes are few and take a fresh one each.
        self._changes = _session(aiohttp.TCPConnector(limit=limit, ssl=tls, force_close=True))

    async def close(self) -> None:
        """Close the connections; idempotent."""
        for session in (self._reads, self._changes):
            if session is not None:
                await session.close()

    async def send(self, sent: OutgoingRequest, deadline: Deadline) -> HttpResponse:
        """Return the answer, whatever its status.

        Raises ServiceError: :class:`RequestNotSent`, ``unavailable`` or ``timed_out``. What is optional
        (:mod:`agent.shop.optional_lookups`) is not sent while the breaker tries the system out, and its failures do not
        count.
        """
        if is_optional() and self.state != "closed":
            raise CircuitOpen("unavailable", f"{self._name} has failed too often and is asked for what is needed alone")
        if not self.breaker.admits(self._clock()):
            raise CircuitOpen("unavailable", f"{self._name} has failed too often and is left alone for a while")
        outcome, started = "abandoned", self._clock()
        try:
            answer = await self._follow(sent, deadline)
            outcome = "failed" if answer.status in _DOWN else "succeeded"
            return answer
        except ServiceError:
            outcome = "failed"
            raise
        except asyncio.CancelledError:
            # who waited this long in vain was kept waiting; who hung up sooner says nothing about the system
            if self._clock() - started >= self._system.timeout_seconds / 2:
                outcome = "failed"
            raise
        finally:
            if outcome == "failed" and not is_optional():
                self.breaker.failed(self._clock())
            elif outcome == "succeeded":
                self.breaker.succeeded()
            else:
                self.breaker.abandoned()

    @property
    def _name(self) -> str:
        return self._system.system

    async def _follow(self, sent: OutgoingRequest, deadline: Deadline) -> HttpResponse:
        answer = await self._once(sent, deadline)
        if answer.status not in _REDIRECTS:
            return answer
        location = answer.headers.get("location", "")
        if sent.method != "GET" or sent.changes or not location:
            raise ServiceError("unavailable", f"{self._name}: {sent.what}: answers with a redirect ({answer.status})")
        target = join(sent.url, location)
        if not same_origin(sent.url, target):
            # the other host would get the caller's data and our secrets
            raise ServiceError(
                "unavailable",
                f"{self._name}: {sent.what}: redirects to another host (or scheme, or port); not followed",
            )
        answer = await self._once(replace(sent, url=target), deadline)
        if answer.status in _REDIRECTS:
            raise ServiceError("unavailable", f"{self._name}: {sent.what}: redirects more than once")
        return answer

    async def _once(self, sent: OutgoingRequest, deadline: Deadline) -> HttpResponse:
        started = self._clock()
        told = "failed"
        try:
            async with asyncio.timeout(deadline.remaining_seconds):
                answer = await self._exchange(sent, deadline)
            told = str(answer.status)
            return answer
        except TimeoutError as error:
            told = "timed out"
            raise ServiceError("timed_out", f"{self._name}: {sent.what}: no answer in time") from error
        except asyncio.CancelledError:
            told = "cancelled"
            raise
        except ServiceError as error:
            told = error.code
            raise
        finally:
            milliseconds = round((self._clock() - started) * 1000)
            log.info("%s: %s: %s after %d ms", self._name, sent.what, told, milliseconds)

    async def _exchange(self, sent: OutgoingRequest, deadline: Deadline) -> HttpResponse:
        session = self._changes if sent.changes else self._reads
        if session is None:
            raise RequestNotSent("unavailable", f"{self._name}: not opened")
        timeout = aiohttp.ClientTimeout(
            total=max(0.001, deadline.remaining_seconds), sock_connect=self._system.connect_seconds
        )
        name, what = self._name, sent.what
        try:
            async with session.request(
                sent.method,
                URL(sent.url, encoded=True),
                headers=sent.headers,
                data=sent.body,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                headers = {key.lower(): value for key, value in response.headers.items()}
                body = await read_body(
                    response.content.iter_any(), headers.get("content-encoding", ""), self._system.max_bytes
                )
                return HttpResponse(response.status, headers, body)
        except UnreadableResponse as error:
            raise ServiceError(_unknown(sent), f"{name}: {what}: the answer {error}") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise RequestNotSent(
                "unavailable", f"{name}: the certificate is not trusted: {_certificate(error)}"
            ) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise RequestNotSent("unavailable", f"{name}: there is no host {error.host!r} in the DNS") from error
        except (aiohttp.ConnectionTimeoutError, aiohttp.ServerTimeoutError) as error:
            raise RequestNotSent(
                "unavailable", f"{name}: no connection within {self._system.connect_seconds} s"
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise RequestNotSent(
                "unavailable", f"{name}: no connection: {error.strerror or type(error).__name__}"
            ) from error
        except TimeoutError:
            raise  # an OSError too, but not a broken connection
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp's own texts may quote the answer
            message = f"{name}: {what}: the connection broke or the answer is no HTTP ({type(error).__name__})"
            raise ConnectionBroken(_unknown(sent), message) from None


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"User-Agent": f"orderline/{__version__}", "Accept-Encoding": "gzip"},
        skip_auto_headers=("Content-Type",),
    )
    # aiohttp repeats PUT, DELETE and GET by itself when a connection breaks; what is repeated is ours to decide
    session._retry_connection = False
    return session


def _unknown(sent: OutgoingRequest) -> str:
    """A change that was sent and has no readable answer may have happened."""
    return "timed_out" if sent.changes else "unavailable"


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    cause = error.certificate_error
    return str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__)


def join(base: str, location: str) -> str:
    """Return an address found in an answer, made absolute; ``""`` when it is none."""
    try:
        return str(URL(base, encoded=True).join(URL(location)))
    except ValueError:
        return ""


def same_origin(one: str, other: str) -> bool:
    """Return whether two addresses have the same scheme, host and port."""
    try:
        left, right = URL(one, encoded=True), URL(other, encoded=True)
        return (left.scheme, left.host, left.port) == (right.scheme, right.host, right.port) and bool(right.host)
    except ValueError:
        return False
