"""One mapped system, opened: connections, credentials and the runner of its operations."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from agent.common.service_error import ServiceError
from agent.shop.http.auth import Authenticator
from agent.shop.http.fields import FieldReader
from agent.shop.http.idempotency_cache import IdempotencyCache
from agent.shop.http.mapping import SystemMapping
from agent.shop.http.requester import Requester
from agent.shop.http.runner import OperationRunner
from agent.shop.http.templates import RequestTemplates
from agent.shop.http.transport import Transport


class HttpSystem:
    """One system behind its mapping. ``open`` in a running loop, then ``close``."""

    def __init__(
        self,
        spec: SystemMapping,
        now: Callable[[], dt.datetime],
        region: str,
        repeats: IdempotencyCache,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``now`` gives the shop's local time, aware. Its zone and ``region`` hold where the mapping names none.

        Raises ServiceError ``unavailable`` for a CA file that cannot be used.
        """
        self.spec = spec
        self.region = spec.region or region
        """ISO country whose national phone numbers are understood."""
        zone: dt.tzinfo = ZoneInfo(spec.timezone) if spec.timezone else now().tzinfo or dt.UTC
        templates = RequestTemplates()
        reader = FieldReader(templates, zone)
        self._transport = Transport(spec, clock)
        self._auth = Authenticator(spec.auth, self._transport, clock)
        self.requester = Requester(spec, self._transport, self._auth, templates, reader)
        self.runner = OperationRunner(spec, self.requester, reader, zone, clock, now, repeats)

    @property
    def name(self) -> str:
        """The system's name."""
        return self.spec.system

    def has_list(self, operation: str) -> bool:
        """Return whether an operation is mapped to candidates to choose from."""
        return self.spec.operations[operation].items is not None

    def finds_each(self, operation: str) -> bool:
        """Return whether an operation gives numbers that are then looked up one by one."""
        return self.spec.operations[operation].find_each is not None

    def status(self) -> Mapping[str, Any]:
        """Return the breaker's state and the last failure."""
        return {"breaker": self._transport.state, "last_error": self.runner.last_error}

    def reject_mismatch(self, operation: str, message: str) -> NoReturn:
        """Refuse an answer that is about something else than was asked for."""
        self.runner.trouble(operation, message)
        raise ServiceError("unavailable", f"{self.name}: {operation}: {message}")

    def open(self) -> None:
        """Make the connections' pools."""
        self._transport.open()

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._transport.close()
