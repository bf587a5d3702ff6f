"""Reserves a block of TCP and UDP ports that no other rehearsal on this machine takes."""

from __future__ import annotations

import contextlib
import errno
import random
import socket
from dataclasses import dataclass

from agent.errors import OrderlineError

LOOPBACK = "127.0.0.1"
_FIRST = 10240
_END = 32768
"""Linux hands out ports for outgoing connections from here on: below, nobody gets one by chance."""
_BLOCK = 512
"""Room for more than 200 legs of two ports."""


class NoFreePorts(OrderlineError):
    """Every block of ports is in use."""

    code = "no_free_ports"
    retryable = True


@dataclass
class PortBlock:
    """A block of ports on loopback, ours until :meth:`release`.

    The first port is held open as the sign to others that the block is taken; it goes with our process,
    however that ends. The ports inside are for Asterisk to bind.
    """

    first: int
    _sign: tuple[socket.socket, ...]

    @property
    def sip(self) -> int:
        """UDP."""
        return self.first + 1

    @property
    def http(self) -> int:
        """TCP, ARI and media sockets."""
        return self.first + 2

    @property
    def ami(self) -> int:
        """TCP."""
        return self.first + 3

    @property
    def rtp_first(self) -> int:
        """First UDP port for audio, even as RTP wants it."""
        return self.first + 4

    @property
    def rtp_last(self) -> int:
        """Last UDP port for audio, inclusive."""
        return self.first + _BLOCK - 1

    def release(self) -> None:
        """Let others have the block; idempotent."""
        for sign in self._sign:
            sign.close()


def reserve_ports(shuffle: random.Random | None = None) -> PortBlock:
    """Reserve a block. Raises :class:`NoFreePorts`."""
    blocks = list(range(_FIRST, _END, _BLOCK))
    (shuffle or random.SystemRandom()).shuffle(blocks)
    for first in blocks:
        with contextlib.ExitStack() as held:
            try:
                sign = tuple(held.enter_context(_bound(kind, first)) for kind in _KINDS)
                _check_free(first)
            except OSError as problem:
                if problem.errno != errno.EADDRINUSE:
                    raise
                continue
            held.pop_all()
            return PortBlock(first, sign)
    raise NoFreePorts(f"no free block of {_BLOCK} ports between {_FIRST} and {_END} on {LOOPBACK}; stop something.")


_KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)


def _check_free(first: int) -> None:
    """Bind everything in the block for a moment. Raises ``OSError`` (EADDRINUSE)."""
    with contextlib.ExitStack() as probes:
        for port in range(first + 1, first + 4):
            probes.enter_context(_bound(socket.SOCK_STREAM, port))
        for port in range(first + 1, first + _BLOCK):
            probes.enter_context(_bound(socket.SOCK_DGRAM, port))


def _bound(kind: int, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    try:
        made.bind((LOOPBACK, port))
        if kind == socket.SOCK_STREAM:
            made.listen(1)  # a bound stream port is only surely taken when it listens
    except OSError:
        made.close()
        raise
    return made
