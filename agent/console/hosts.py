"""Whom a request is for and whom it comes from: allowed names (DNS rebinding), proxies that may speak for others."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from agent.common.addresses import bare_host, is_loopback

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Origin:
    """Where a request comes from and how it was asked for, after what a named proxy says."""

    address: str
    """The client's, for limits and audit."""
    scheme: str
    """``http`` or ``https``, as the browser sees it."""
    host: str
    """``Host`` as it was sent."""

    @property
    def url(self) -> str:
        """The origin that the browser must name."""
        return f"{self.scheme}://{self.host}"


class AllowedHosts:
    """Checks ``Host`` against the names the console is known by."""

    def __init__(self, names: Iterable[str], proxies: Iterable[str], *, listens_at: str, tls: bool) -> None:
        """``names`` are those of the settings; loopback's own are added where it listens there."""
        own = LOCAL_NAMES if is_loopback(listens_at) else (listens_at,)
        self._names = frozenset(bare_host(name).lower() for name in (*names, *own))
        self._proxies = frozenset(proxies)
        self._tls = tls
        self._only_proxies = bool(self._proxies) and not is_loopback(listens_at) and not tls

    def origin(self, request: web.Request) -> Origin:
        """Return where a request comes from.

        Raises HTTPMisdirectedRequest for a name that is not ours, HTTPForbidden for a peer that may not speak to it.
        """
        peer = _plain_address(request.remote or "")
        proxied = peer in self._proxies
        if self._only_proxies and not proxied:
            raise web.HTTPForbidden(text="Only the proxy named in console.proxies may speak to this port.\n")
        host = request.headers.get("Host", "")
        found = _HOST.fullmatch(host)
        if found is None or bare_host(found["name"]).lower() not in self._names:
            raise web.HTTPMisdirectedRequest(
                text="This console does not go by that name: an administrator adds it to console.allowed_hosts.\n"
            )
        scheme = "https" if self._tls else "http"
        if proxied:
            forwarded = request.headers.get("X-Forwarded-Proto", "")
            scheme = forwarded if forwarded in ("http", "https") else scheme
            peer = _last_address(request.headers.get("X-Forwarded-For", "")) or peer
            if scheme != "https" and not is_loopback(bare_host(found["name"])):
                raise web.HTTPForbidden(text="The proxy must be asked over https.\n")
        return Origin(peer, scheme, host)


def _plain_address(text: str) -> str:
    """Return an address in one form: IPv4 that comes over an IPv6 socket is IPv4."""
    try:
        address = ipaddress.ip_address(bare_host(text.strip()))
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _last_address(forwarded: str) -> str:
    """Return the address the proxy itself saw: the last one. Those before it are whatever the client wrote."""
    return _plain_address(forwarded.rpartition(",")[2])
