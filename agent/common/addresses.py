"""Hosts and ports as they stand in addresses: IPv6 in brackets, and what counts as this machine alone."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


def bare_host(host: str) -> str:
    """Return a host without the brackets an address has around IPv6."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def host_port(host: str, port: int) -> str:
    """Return ``host:port``, IPv6 in brackets."""
    host = bare_host(host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def local_url(host: str, port: int, path: str = "") -> str:
    """Return the address of a server of this machine that listens at ``host``, which may mean everywhere."""
    return f"http://{host_port(_EVERYWHERE.get(bare_host(host), host), port)}{path}"


def is_loopback(host: str) -> bool:
    """Return whether nobody on the network can reach what listens at this host."""
    host = bare_host(host)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str, *schemes: str) -> str:
    """Return an address that names one host, and a port that is one. Raises ValueError, for an administrator."""
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise ValueError(f"begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    netloc = parts.netloc.rpartition("@")[2]
    if "," in netloc:
        raise ValueError("names several hosts; give one: there is no support for clusters and sentinels")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError("has a port that is no number from 1 to 65535") from error
    if port == 0:
        raise ValueError("has a port that is no number from 1 to 65535")
    if not parts.hostname:
        raise ValueError("names no host")
    return url
