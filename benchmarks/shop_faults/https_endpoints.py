"""HTTPS endpoints of the test business systems; they can be closed or show an untrusted certificate."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from agent.errors import OrderlineError
from agent.rehearsal.port_block import LOOPBACK

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class NoCertificates(OrderlineError):
    """What makes the certificates is not installed."""

    code = "no_certificates"


@dataclass(frozen=True)
class Certificates:
    """One that the agent is told to trust, and one that it is not."""

    ca_file: Path
    trusted: ssl.SSLContext
    strange: ssl.SSLContext

    @classmethod
    def make(cls, directory: Path) -> Certificates:
        """Make them anew. Raises NoCertificates."""
        try:
            import trustme
        except ImportError as error:
            raise NoCertificates("trustme is not installed: pip install 'orderline[rehearse]'") from error
        ours, others = trustme.CA(), trustme.CA()
        contexts = []
        for authority in (ours, others):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(LOOPBACK).configure_cert(context)
            contexts.append(context)
        ca_file = directory / "ca.pem"
        ours.cert_pem.write_to_path(str(ca_file))
        return cls(ca_file, *contexts)


class HttpsEndpoint:
    """One address. It keeps its port while it is shut."""

    def __init__(self, port: int, handler: Handler) -> None:
        self.port = port
        self._handler = handler
        self._runner: web.ServerRunner | None = None

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Listen, with this certificate; None: plain HTTP."""
        await self.shut()
        server = web.Server(self._handler, access_log=None)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port, ssl_context=tls, reuse_address=True).start()

    async def shut(self) -> None:
        """Stop listening and break every connection; idempotent."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
