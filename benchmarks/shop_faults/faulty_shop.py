"""HTTP servers of the test business systems, with the fault that is active."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from agent.records.webhooks import read_secrets, signature
from agent.rehearsal.port_block import reserve_ports
from benchmarks.shop_faults import faulty_responses
from benchmarks.shop_faults.cells import ACTS, LISTENER, SYSTEMS
from benchmarks.shop_faults.effect_log import STRANGERS_ORDER, EffectLog, order
from benchmarks.shop_faults.https_endpoints import Certificates, Handler, HttpsEndpoint

UNTRUE_NUMBER = "66666"
"""Of a return that was never opened."""
_ELSEWHERE = "elsewhere"
_READS_ONLY = ("orders",)


class FaultyShop:
    """All systems of one call centre. ``async with``; one at a time has a fault.

    Orders, tickets and webhooks have it in whatever they are asked; the others only in changes, so that a call gets as
    far as the change.
    """

    def __init__(self, directory: Path, webhook_secret: str) -> None:
        """``directory`` is where the agent's copy of the certificate authority goes.

        Raises NoCertificates, NoFreePorts.
        """
        self.books = EffectLog()
        self.certificates = Certificates.make(directory)
        self._looked_at = {system: asyncio.Event() for system in SYSTEMS}
        self._secrets = read_secrets(webhook_secret)
        self._ports = reserve_ports()
        names = (*SYSTEMS, _ELSEWHERE)
        self._doors = {
            name: HttpsEndpoint(self._ports.first + 1 + at, self._answerer(name)) for at, name in enumerate(names)
        }
        self._at_work = 0
        self._rested = asyncio.Event()
        self._rested.set()
        self._system, self._fault = "", "none"

    async def __aenter__(self) -> FaultyShop:
        for name, door in self._doors.items():
            await door.open(None if name == _ELSEWHERE else self.certificates.trusted)
        return self

    async def __aexit__(self, *exc: object) -> None:
        for door in self._doors.values():
            await door.shut()
        self._ports.release()

    def url(self, system: str) -> str:
        """Return where a system is."""
        scheme = "http" if system == _ELSEWHERE else "https"
        return f"{scheme}://127.0.0.1:{self._doors[system].port}"

    async def begin(self, system: str, fault: str) -> None:
        """Let something be wrong with one system, from now on."""
        self._system, self._fault = system, fault
        if fault == "down":
            await self._doors[system].shut()
        elif fault == "certificate":
            await self._doors[system].open(self.certificates.strange)

    async def looked_at(self, system: str) -> None:
        """Return when a system has answered the next question that changes nothing."""
        self._looked_at[system].clear()
        await self._looked_at[system].wait()

    async def clear_fault(self) -> None:
        """Let everything be well again, and wait until what a slow system was at has been done."""
        system, fault = self._system, self._fault
        self._system, self._fault = "", "none"
        if fault in LISTENER:
            await self._doors[system].open(self.certificates.trusted)
        await self._rested.wait()

    # --- requests -------------------------------------------------------------------------------------

    def _answerer(self, system: str) -> Handler:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await self._answer(system, request)

        return answer

    async def _answer(self, system: str, request: web.BaseRequest) -> web.StreamResponse:
        if system == _ELSEWHERE:
            self.books.eavesdropped += 1
            return web.json_response({})
        self.books.asked[system] += 1
        body = await request.read()
        changes = request.method != "GET"
        faulty = system == self._system and (changes or system in ("orders", "tickets"))
        fault = self._fault if faulty else "none"
        if fault in ("none", *LISTENER):
            made = self._do(system, request, body)
            sent = await faulty_responses.send(request, web.json_response(made[1], status=made[0]))
            if not changes:
                self._looked_at[system].set()
            return sent
        return await self._misbehave(fault, system, request, body)

    async def _misbehave(self, fault: str, system: str, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        if fault == "slow":
            made = await self._do_later(system, request, body)
        else:
            made = self._do(system, request, body) if fault in ACTS else (200, {})
        status, answer = made
        if fault == "late":
            await asyncio.sleep(faulty_responses.SLOW_SECONDS)
        if fault in ("slow", "late"):
            return web.json_response(answer, status=status)
        if fault == "dripping":
            return await faulty_responses.drip(request, answer)
        if fault == "malformed":
            return faulty_responses.truncated_json(answer)
        if fault == "wrong_type":
            return web.json_response(faulty_responses.other_types(answer))
        if fault == "huge":
            return await faulty_responses.flood(request)
        if fault == "redirect":
            status = 302 if request.method == "GET" else 307
            return web.Response(status=status, headers={"Location": self.url(_ELSEWHERE) + request.path_qs})
        if fault == "untrue":
            return web.json_response({"return": {"number": UNTRUE_NUMBER}})
        if fault == "lying":
            strangers = {"order": order(STRANGERS_ORDER, today())}
            return web.json_response(strangers if system in _READS_ONLY else {"ok": True})
        headers = {"Retry-After": "60"} if fault == "429" else {}
        return web.json_response({"error": "no"}, status=int(fault), headers=headers)

    async def _do_later(self, system: str, request: web.BaseRequest, body: bytes) -> tuple[int, Mapping[str, Any]]:
        """Do it after a while, whether or not anybody still waits for it."""
        self._at_work += 1
        self._rested.clear()
        try:
            await asyncio.sleep(faulty_responses.SLOW_SECONDS)
            return self._do(system, request, body)
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._rested.set()

    # --- what the systems do when they do it ------------------------------------------------------------

    def _do(self, system: str, request: web.BaseRequest, body: bytes) -> tuple[int, Mapping[str, Any]]:
        """Do what is asked; return status and answer."""
        data = json.loads(body) if body else {}
        key = request.headers.get("Idempotency-Key", "") or str(data.get("key", ""))
        if system == "orders":
            found = order(request.path.rpartition("/")[2], today())
            return (200, {"order": found}) if found else (404, {"error": "no such order"})
        if system == "webhooks":
            return self._hear(request, body, data)
        if system == "returns":
            return self._returns(request, key, data)
        effect = self.books.do(system, key, data)
        return 200, {"deliveries": {"confirmation": effect.number}}.get(system, {"id": effect.number})

    def _returns(self, request: web.BaseRequest, key: str, data: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """A system that knows nothing of keys: who asks twice gets two; but one can look what stands under a key."""
        if request.method == "GET":
            wanted = request.query.get("key")
            found = [
                {**effect.body, "number": effect.number}
                for effect in self.books.effects["returns"]
                if wanted in (None, effect.key)
            ]
            return 200, {"returns": found}
        effect = self.books.do("returns", key, data, honours_keys=False)
        return 200, {"return": {**data, "number": effect.number}}

    def _hear(self, request: web.BaseRequest, body: bytes, data: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Check the signature, as docs/webhooks.md says, and note the event."""
        stamp = request.headers.get("webhook-timestamp", "0")
        signed = signature(self._secrets, request.headers.get("webhook-id", ""), int(stamp), body)
        if signed != request.headers.get("webhook-signature") or abs(time.time() - int(stamp)) > 300:
            self.books.forged += 1
            return 401, {}
        self.books.record_event(data)
        return 200, {"taken": True}


def today() -> dt.date:
    """Return the day it is on this machine, which is the agent's too."""
    return dt.datetime.now().astimezone().date()
