"""Hosts and ports in addresses: IPv6 in brackets, everywhere an address is built."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from agent.asterisk.media_audiosocket import AudioSocketServer
from agent.cli.control import ask_agent
from agent.common.addresses import check_url, host_port, is_loopback, local_url
from agent.config.control import ControlSettings
from agent.control.live_feed import LiveFeed
from agent.control.server import ControlServer
from agent.control.shutdown import StopEndpoint, stop_agent
from agent.preflight.machine import port_finding


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8188/x"),
        ("::1", "http://[::1]:8188/x"),
        ("[::1]", "http://[::1]:8188/x"),
        ("::", "http://[::1]:8188/x"),
        ("0.0.0.0", "http://127.0.0.1:8188/x"),  # noqa: S104
        ("localhost", "http://localhost:8188/x"),
    ],
)
def test_the_address_of_our_own_server(host: str, url: str) -> None:
    assert local_url(host, 8188, "/x") == url


def test_what_counts_as_this_machine_alone() -> None:
    assert [one for one in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost") if not is_loopback(one)] == []
    assert [one for one in ("0.0.0.0", "::", "", "10.0.0.1", "pbx.example") if is_loopback(one)] == []  # noqa: S104
    assert host_port("2001:db8::1", 5038) == "[2001:db8::1]:5038"
    assert AudioSocketServer("::1", 9092).address == "[::1]:9092"


@pytest.mark.parametrize("url", ["redis://a,b", "redis://a:1,b:2/0", "redis://a:99999", "redis://a:x", "a", "redis://"])
def test_an_address_of_no_one_host_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are checked where people read them
        check_url(url, "redis")


async def test_the_agent_is_found_and_stopped_over_ipv6(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    (tmp_path / "token").write_text("sesame", encoding="utf-8")
    endpoint = StopEndpoint()
    server = ControlServer(LiveFeed(), "sesame", lambda: {"live_calls": 0}, [endpoint.route()])
    await server.start("::1", 0)
    control = ControlSettings(host="[::1]", port=server.port, token_file=tmp_path / "token")
    assert (await asyncio.to_thread(ask_agent, control, "GET", "/health"))["live_calls"] == 0
    found = await asyncio.to_thread(port_finding, "control", control.host, control.port, control)
    assert (found.verdict, found.detail) == ("ok", f"[::1]:{server.port} is this agent's, running")
    stopping = asyncio.create_task(asyncio.to_thread(stop_agent, control, drain=False, timeout_seconds=5.0))
    await endpoint.asked.wait()
    await server.close()
    assert await stopping == 0
