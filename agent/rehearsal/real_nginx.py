"""A real nginx for tests: the machine's own, or Debian's package unpacked below the home, without root."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path

from agent.rehearsal.apt_fetch import PackageRequest
from agent.rehearsal.unpacked_tree import command_in, ensure_tree

NGINX = PackageRequest("nginx", "nginx >= 1.18", ("nginx",), 250 * 1024 * 1024, "or install nginx")
_PROGRAM = "usr/sbin/nginx"
_MAIN = """daemon off;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""


def nginx_command(home: Path) -> tuple[str, ...]:
    """Return what to execute, fetching it on the first run."""
    if found := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"):
        return (found,)
    tree = home.resolve() / "nginx"
    asyncio.run(ensure_tree(tree, NGINX, (_PROGRAM,), lambda version: version >= (1, 18, 0), print))
    return command_in(tree, _PROGRAM) or ()


class RealNginx:
    """One server with one site, at a port of its own."""

    def __init__(self, command: tuple[str, ...], directory: Path) -> None:
        self._command = command
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            self.port = int(trial.getsockname()[1])

    async def start(self, site: str) -> None:
        """Start it with the text of a site's configuration and wait until it listens. Raises TimeoutError."""
        (self._directory / "site.conf").write_text(site, encoding="utf-8")
        main = self._directory / "nginx.conf"
        main.write_text(_MAIN.format(directory=self._directory), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            *(*self._command, "-p", str(self._directory), "-c", str(main), "-e", "stderr")
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def stop(self) -> None:
        """End it; idempotent."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
