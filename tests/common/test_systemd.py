"""sd_notify: systemd hears that the agent is ready and alive; without systemd nothing happens."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from agent.common import systemd


@pytest.fixture
def notify_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "notify"))
    listening.settimeout(2)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return listening


def test_states_are_sent_as_they_are(notify_socket: socket.socket) -> None:
    assert systemd.notify("READY=1")
    assert notify_socket.recv(100) == b"READY=1"
    notify_socket.close()


def test_without_systemd_there_is_nobody_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not systemd.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not systemd.notify("READY=1")


async def test_the_watchdog_is_fed_more_often_than_it_asks(
    notify_socket: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    feeding = asyncio.create_task(systemd.keep_alive())
    for _ in range(3):
        assert await asyncio.to_thread(notify_socket.recv, 100) == b"WATCHDOG=1"
    feeding.cancel()
    notify_socket.close()


async def test_nobody_asking_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    await systemd.keep_alive()
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    await systemd.keep_alive()
