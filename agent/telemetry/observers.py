"""Passes every call event to several observers; one that fails costs neither the call nor the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from agent.call.ports import CallObserver

log = logging.getLogger(__name__)


class ObserverFanOut:
    """Implements :class:`agent.call.ports.CallObserver` by telling all of them."""

    def __init__(self, *observers: CallObserver) -> None:
        self._observers = observers

    def notify(self, event: str, call_id: str, data: Mapping[str, Any]) -> None:
        """Pass one event on."""
        for observer in self._observers:
            try:
                observer.notify(event, call_id, data)
            except (ValueError, TypeError, KeyError, AttributeError, RuntimeError):
                log.exception("An observer has failed at %s", event)
