"""Keeps the latest events, and all of the calls that go on, for readers of the live feed who come late or come back."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from agent.telemetry.events import CallBegan, CallRefused, ConsentAnswered
from agent.telemetry.published_event import PublishedEvent

MOST_RECENT = 10_000
"""Events of all calls together that are kept, whether their calls go on or not: some minutes of 30 calls at a time."""
MOST_OF_ONE_CALL = 5_000
"""Events of one call that are kept while it goes on: some hours of talking."""


class KeptEvent:
    """An event and, once a reader has asked for it, its message as text."""

    __slots__ = ("published", "text")

    def __init__(self, published: PublishedEvent) -> None:
        self.published = published
        self.text: str | None = None


class MissedEvents(NamedTuple):
    """What a reader missed."""

    events: list[KeptEvent]
    """In order; those that are still kept."""
    lost: int
    """How many are kept no more."""


class EventHistory:
    """Events in memory, nowhere else; forgotten when there are too many, when the process ends, or on refusal."""

    def __init__(self, most_recent: int = MOST_RECENT, most_of_one_call: int = MOST_OF_ONE_CALL) -> None:
        self._recent: deque[KeptEvent] = deque(maxlen=most_recent)
        self._of_call: dict[str, deque[KeptEvent]] = {}
        self._most_of_one_call = most_of_one_call
        self.last = 0
        """``seq`` of the latest event; 0 before the first."""

    def keep(self, published: PublishedEvent) -> KeptEvent:
        """Keep one event, the next in order."""
        kept = KeptEvent(published)
        call_id = published.event.call_id
        self.last = published.seq
        self._recent.append(kept)
        if published.event.ends_call:
            self._of_call.pop(call_id, None)
        else:
            self._of_call.setdefault(call_id, deque(maxlen=self._most_of_one_call)).append(kept)
        if isinstance(published.event, ConsentAnswered) and published.event.answer == "refused":
            self._take_words_out(call_id)
        return kept

    def after(self, seq: int) -> MissedEvents:
        """Return the events after the one with this number."""
        if not self._recent or seq >= self.last:
            return MissedEvents([], 0)
        oldest = self._recent[0].published.seq
        if seq + 1 >= oldest:
            return MissedEvents(list(itertools.islice(self._recent, seq + 1 - oldest, None)), 0)
        older = sorted(
            (kept for events in self._of_call.values() for kept in events if seq < kept.published.seq < oldest),
            key=lambda kept: kept.published.seq,
        )
        return MissedEvents([*older, *self._recent], oldest - 1 - seq - len(older))

    def of_call(self, call_id: str, after: int = 0) -> MissedEvents:
        """Return the events of one call after a number; of a call that is over, those among the latest of all."""
        source: Iterable[KeptEvent] = self._of_call.get(call_id) or self._recent
        events = [kept for kept in source if kept.published.event.call_id == call_id and kept.published.seq > after]
        if not events:
            return MissedEvents([], 0)
        first = events[0].published
        from_its_beginning = isinstance(first.event, CallBegan | CallRefused)
        return MissedEvents(events, 0 if after or from_its_beginning else first.call_seq - 1)

    def _take_words_out(self, call_id: str) -> None:
        """After a refusal nothing that was said before is told again."""
        for kept in (*self._recent, *self._of_call.get(call_id, ())):
            if kept.published.event.call_id == call_id:
                kept.published = replace(kept.published, event=kept.published.event.without_words())
                kept.text = None
