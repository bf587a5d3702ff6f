"""Decides whether a new call is taken: not while the agent is paused, drains, or holds as many as it may."""

from __future__ import annotations

from agent.call.reject import PAUSED
from agent.control.pause import PauseSwitch


class Admission:
    """One agent's admission of new calls. A call that is not admitted goes to the staff queue."""

    def __init__(self, pause: PauseSwitch, max_calls: int) -> None:
        """``max_calls`` is how many calls may go on at once, 0 for any number."""
        self._pause = pause
        self._max_calls = max_calls
        self._draining = False

    @property
    def draining(self) -> bool:
        """True when the agent is about to stop: it ends with its last call."""
        return self._draining

    def start_draining(self) -> None:
        """Admit no new calls any more."""
        self._draining = True

    def rejection_reason(self, live_calls: int) -> str:
        """Return why a new call is not taken beside these: ``draining``, ``paused``, ``overload``; ``""`` if it is."""
        if self._draining:
            return "draining"
        if self._pause.now is not None:
            return PAUSED
        return "overload" if self._max_calls and live_calls >= self._max_calls else ""
