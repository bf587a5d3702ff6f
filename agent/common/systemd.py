"""Reports the agent's state to systemd (sd_notify(3)): ready, alive, stopping. No-op without systemd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket


def notify(state: str) -> bool:
    """Send one state, ``READY=1``; returns whether there was somebody to tell."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        try:
            out.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError:
            return False  # a service manager that has gone is no reason to fail calls
    return True


def watchdog_seconds() -> float:
    """How often at least systemd wants to hear from this process; 0 for never."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    with contextlib.suppress(ValueError):
        return int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000
    return 0.0


async def keep_alive() -> None:
    """Say that the event loop turns, three times in every watchdog interval; returns at once where nobody asks."""
    interval = watchdog_seconds()
    while interval > 0:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval / 3)
