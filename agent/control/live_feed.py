"""The live feed's readers: each gets every event once and in order, also one who comes late or comes back."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.telemetry.event_history import EventHistory, KeptEvent
from agent.telemetry.events import CallEvent
from agent.telemetry.published_event import PublishedEvent

log = logging.getLogger(__name__)

BACKLOG = 1000
"""Messages a slow reader may be behind before it is cut off; calls never wait for readers."""
_REPLAYED_AT_ONCE = 10
"""Messages made between two looks at everything else: a reader who comes back holds up no call."""
_MOST_DIGITS = 15


class BadFeedPosition(ValueError):
    """What a reader asks for is no place in the feed."""


@dataclass(frozen=True)
class FeedPosition:
    """From where a reader wants to go on."""

    after: int
    """``seq`` of the last event it has; 0 for none."""
    epoch: str = ""
    """The process that event came from; ``""`` for whichever runs."""
    call_id: str = ""
    """The only call it wants to read of; ``""`` for all."""

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> FeedPosition | None:
        """Read ``after``, ``epoch`` and ``call`` of an address; None where none stands. Raises BadFeedPosition."""
        if not {"after", "epoch", "call"} & query.keys():
            return None
        after = query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= _MOST_DIGITS):
            raise BadFeedPosition("'after' is the whole number 'seq' of the last event you have, or 0.")
        return cls(int(after), query.get("epoch", ""), query.get("call", ""))


class FeedReader:
    """One reader: what it missed first, then what happens."""

    def __init__(self, feed: LiveFeed, call_id: str, missed: list[KeptEvent], greeting: str | None) -> None:
        self._feed = feed
        self._missed = missed
        self._greeting = greeting
        self.call_id = call_id
        self.queue: asyncio.Queue[str | None] = asyncio.Queue()
        """What happens from now on; None ends it."""

    async def messages(self) -> AsyncIterator[str]:
        """Yield messages as text until the feed ends or this reader is cut off."""
        if self._greeting is not None:
            yield self._greeting
        missed, self._missed = self._missed, []
        for place, kept in enumerate(missed):
            if place % _REPLAYED_AT_ONCE == 0:
                await asyncio.sleep(0)
            yield self._feed.text(kept)
        while (message := await self.queue.get()) is not None:
            yield message


class LiveFeed:
    """Sends every event to its readers without waiting for them; :meth:`send` subscribes to the event bus."""

    def __init__(self, redact: Callable[[CallEvent], CallEvent] | None = None, epoch: str = "") -> None:
        """``redact(event)`` gives what readers may see of it; without one they see everything.

        ``epoch`` names this process, as the event bus does.
        """
        self._redact = redact
        self._epoch = epoch
        self._history = EventHistory()
        self._readers: set[FeedReader] = set()

    def send(self, published: PublishedEvent) -> None:
        """Keep one event and send it to all readers."""
        kept = self._history.keep(published)
        for reader in tuple(self._readers):
            if reader.call_id and reader.call_id != published.event.call_id:
                continue
            if reader.queue.qsize() >= BACKLOG:
                log.warning("A reader of the live feed is %d messages behind and is cut off", BACKLOG)
                self._readers.discard(reader)
                reader.queue.put_nowait(None)
            else:
                reader.queue.put_nowait(self.text(kept))

    def follow(self, position: FeedPosition | None = None) -> FeedReader:
        """Begin to read; None: from now on. Leave with :meth:`leave`."""
        if position is None:
            reader = FeedReader(self, "", [], None)
        else:
            # what another process told is gone with it: all that this one knows comes after that
            restarted = (position.epoch not in ("", self._epoch)) or position.after > self._history.last
            after = 0 if restarted else position.after
            history, call_id = self._history, position.call_id
            missed = history.of_call(call_id, after) if call_id else history.after(after)
            greeting = {
                "event": "replay",
                "epoch": self._epoch,
                "after": after,
                "last": history.last,
                "events": len(missed.events),
                "lost": missed.lost,
                "restarted": restarted,
            }
            reader = FeedReader(self, call_id, missed.events, json.dumps(greeting))
        self._readers.add(reader)
        return reader

    def leave(self, reader: FeedReader) -> None:
        """End reading."""
        self._readers.discard(reader)

    def close(self) -> None:
        """End every reader."""
        for reader in tuple(self._readers):
            reader.queue.put_nowait(None)
        self._readers.clear()

    def text(self, kept: KeptEvent) -> str:
        """Return the message of an event as readers may see it; made once, however many read it."""
        if kept.text is None:
            published = kept.published
            if self._redact is not None:
                published = replace(published, event=self._redact(published.event))
            message: dict[str, Any] = published.message()
            kept.text = json.dumps(message, ensure_ascii=False, default=str)
        return kept.text
