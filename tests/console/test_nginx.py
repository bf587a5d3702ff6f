"""The example of a proxy in front of the console, on a real nginx: as it is shipped, but for ports and certificates."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
import trustme

from agent.console.assembly import listening
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.real_nginx import RealNginx, nginx_command
from tests.call_events import agent_said, call_began
from tests.console.console_client import Browser, running_console
from tests.console.made_up_agent import made_up_agent
from tests.waiting import until

EXAMPLE = Path(__file__).resolve().parents[2] / "contrib" / "nginx" / "orderline-console.conf"
NAME = "console.shop.example"


@pytest.fixture(scope="session")
def nginx_program(home: RehearsalHome) -> tuple[str, ...]:
    return nginx_command(home.directory)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def site(tmp_path: Path, port: int, console_port: int) -> str:
    """The example with the ports and certificates of this test."""
    authority = trustme.CA()
    certificate = authority.issue_cert(NAME)
    certificate.private_key_pem.write_to_path(str(tmp_path / "site.key"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(tmp_path / "site.pem"), append=True)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    text = EXAMPLE.read_text(encoding="utf-8")
    for shipped, ours in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("http://127.0.0.1:8189", f"http://127.0.0.1:{console_port}"),
        ("/etc/ssl/console.shop.example.pem", f"{tmp_path}/site.pem"),
        ("/etc/ssl/private/console.shop.example.key", f"{tmp_path}/site.key"),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    return text


async def test_behind_the_proxy_of_the_example_people_sign_in_and_calls_come_as_they_happen(
    tmp_path: Path, nginx_program: tuple[str, ...]
) -> None:
    nginx = RealNginx(nginx_program, tmp_path)
    settings = {"port": free_port(), "proxies": ["127.0.0.1"], "allowed_hosts": [NAME]}
    async with (
        made_up_agent(tmp_path) as agent,
        running_console(tmp_path, [agent.address], console=settings) as console,
    ):
        await console.signed_in("supervisor")
        async with listening(console.context):
            await nginx.start(site(tmp_path, nginx.port, settings["port"]))
            tls = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
            connector = aiohttp.TCPConnector(ssl=tls, resolver=_ToLoopback())
            async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
                browser = Browser(f"https://{NAME}:{nginx.port}", http)
                assert (await browser.sign_in("supervisor")).status == 303
                page = await browser.get("/account", headers={"X-Forwarded-For": "203.0.113.9"})
                assert page.status == 200
                assert "max-age" in page.headers["Strict-Transport-Security"]
                origin = {"Sec-Fetch-Site": "", "Origin": f"https://{NAME}:{nginx.port}"}
                assert (await browser.ask("POST", "/api/v1/pause", json={}, headers=origin)).status == 200
                sent = {**browser.headers, "Cookie": f"__Host-orderline={browser.cookie}"}
                async with http.get(f"{browser.base}/api/v1/events", headers=sent) as events, asyncio.timeout(30):
                    await until(lambda: console.context.live.nodes["here"].state == "connected")
                    agent.bus.publish(call_began())
                    agent.bus.publish(agent_said("comes at once"))
                    async for line in events.content:  # a proxy that gathers it would never give it
                        if b"comes at once" in line:
                            break
        addresses = {entry.address for entry in await console.context.audit.page() if entry.what == "pause"}
        assert addresses == {"127.0.0.1"}, "what a browser says of its own address is not believed"
    await nginx.stop()


class _ToLoopback(aiohttp.abc.AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        return None
