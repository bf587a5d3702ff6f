"""Live calls for browsers: one reader of each node's feed, any number of browsers, nothing lost when one comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agent.common.backoff import Backoff
from agent.common.tasks import cancel_and_wait, report_failure
from agent.console.control_client import AgentClient, AgentSilent
from agent.console.live_calls import LiveCall, LiveEvent, live_event
from agent.console.rights import ConsolePerson, Right

log = logging.getLogger(__name__)

MOST_RECENT = 10_000
"""Events that are kept for browsers that come back."""
BACKLOG = 1_000
"""Messages a slow browser may be behind; then it is cut off and comes back with the number of its last one."""
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.2, 5.0


@dataclass
class NodeState:
    """How a node's feed is."""

    name: str
    state: str = "starting"
    """``starting``, ``connected`` or ``away``."""
    since: str = ""
    """ISO 8601."""
    detail: str = ""
    """Why it is away."""
    epoch: str = ""
    last_seq: int = 0
    lost: int = 0
    """Events that were told while nobody of ours was there to hear them, and are kept no longer."""


@dataclass(eq=False)
class LiveReader:
    """One browser: leave with :meth:`LiveHub.leave`."""

    person: ConsolePerson
    queue: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    """Messages in the form of server-sent events; None: cut off."""
    shown: set[tuple[str, str]] = field(default_factory=set)
    """Calls of which this reader has had everything so far."""

    async def next(self) -> str:
        """Return the next message; ``behind`` where this reader was cut off."""
        message = await self.queue.get()
        return sse("behind", "{}") if message is None else message

    @property
    def whole_numbers(self) -> bool:
        """Whether callers' numbers are shown as they are."""
        return self.person.may(Right.NUMBERS)


class LiveHub:
    """Follows all nodes and tells browsers. Everything happens on the event loop."""

    def __init__(self, clients: Sequence[AgentClient], now: Callable[[], str], most_recent: int = MOST_RECENT) -> None:
        """``now()`` gives ISO 8601 in the shop's time."""
        self._clients = clients
        self._now = now
        self._recent: deque[LiveEvent] = deque(maxlen=most_recent)
        self._forgotten: dict[str, tuple[str, int]] = {}
        """Node -> epoch and ``seq`` of the latest event that is kept no longer."""
        self._calls: dict[tuple[str, str], LiveCall] = {}
        self._readers: set[LiveReader] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._replaying: dict[str, int] = {}
        """Node -> messages still to come that were told before anybody here listened: they make up the snapshot."""
        self.nodes = {client.name: NodeState(client.name, since=now()) for client in clients}

    async def start(self) -> None:
        """Begin to follow the nodes; they need not be there."""
        for client in self._clients:
            task = asyncio.create_task(self._follow(client), name=f"live-{client.name}")
            task.add_done_callback(report_failure)
            self._tasks.append(task)

    async def close(self) -> None:
        """Stop, and end all readers; idempotent."""
        await cancel_and_wait(*self._tasks)
        self._tasks.clear()
        for reader in self._readers:
            reader.queue.put_nowait(None)
        self._readers.clear()

    # --- for pages ------------------------------------------------------------------------------------

    def calls(self, person: ConsolePerson) -> list[LiveCall]:
        """Return the calls that somebody may see, the oldest first."""
        return [call for call in self._calls.values() if call.visible_to(person)]

    def call(self, person: ConsolePerson, call_id: str) -> LiveCall | None:
        """Return one call, None where there is none that this person may see."""
        return next((call for call in self.calls(person) if call.call_id == call_id), None)

    def snapshot(self, person: ConsolePerson) -> dict[str, Any]:
        """Return nodes and calls as they are now, each call with its events so far, as JSON-like data."""
        whole = person.may(Right.NUMBERS)
        calls = [
            {
                **call.summary(whole_numbers=whole),
                "events": [json.loads(event.text(whole_numbers=whole)) for event in call.events],
            }
            for call in self.calls(person)
        ]
        return {"nodes": [asdict(node) for node in self.nodes.values()], "calls": calls}

    # --- for server-sent events -----------------------------------------------------------------------

    def follow(self, person: ConsolePerson, last_event_id: str = "") -> LiveReader:
        """Begin to read: what was missed since an id, or a snapshot where that is not known any more."""
        reader = LiveReader(person)
        missed = self._missed(last_event_id)
        if missed is None:
            self._show_all(reader)
        else:
            reader.shown = {key for key, call in self._calls.items() if call.visible_to(person)}
            for event in missed:
                if self._may_see(reader, event):
                    reader.queue.put_nowait(self._frame(reader, event))
            for node in self.nodes.values():
                reader.queue.put_nowait(sse("node", json.dumps(asdict(node))))
        self._readers.add(reader)
        return reader

    def leave(self, reader: LiveReader) -> None:
        """End reading."""
        self._readers.discard(reader)

    def streams(self, person_id: int | None = None) -> int:
        """Return how many read, or how many of one person's do."""
        return sum(1 for reader in self._readers if person_id is None or reader.person.id == person_id)

    @contextlib.contextmanager
    def reading(self, person: ConsolePerson, last_event_id: str = "") -> Iterator[LiveReader]:
        """Read for as long as the block lasts."""
        reader = self.follow(person, last_event_id)
        try:
            yield reader
        finally:
            self.leave(reader)

    # --- events -----------------------------------------------------------------------------------------

    def take(self, node: str, message: Mapping[str, Any]) -> None:
        """Take one message of a node's feed in and tell the readers."""
        if message.get("event") == "replay":
            self._greeted(self.nodes[node], message)
            return
        event = live_event(node, message)
        state = self.nodes[node]
        if event is None or (event.epoch == state.epoch and event.seq <= state.last_seq):
            return
        state.epoch, state.last_seq = event.epoch, event.seq
        event.place = self._place()
        if len(self._recent) == self._recent.maxlen:
            gone = self._recent[0]
            self._forgotten[gone.node] = (gone.epoch, gone.seq)
        self._recent.append(event)
        key = (node, event.call_id)
        name = event.message["event"]
        if name in ("call_started", "call_resumed") and key not in self._calls:
            self._calls[key] = LiveCall(node, event.call_id, str(event.message.get("at", "")))
        if (call := self._calls.get(key)) is not None:
            call.take(event)
            if name == "consent" and event.message["data"].get("answer") == "refused":
                self._forget_words(key)
        replayed = self._is_replayed(node)
        for reader in tuple(self._readers) if not replayed else ():
            self._tell(reader, event, call)
        if name in ("call_ended", "call_refused"):
            self._calls.pop(key, None)
        if replayed and not self._replaying[node]:
            self._show_all_to_everybody()

    def _tell(self, reader: LiveReader, event: LiveEvent, call: LiveCall | None) -> None:
        key = (event.node, event.call_id)
        if not self._may_see(reader, event):
            return
        if call is not None and key not in reader.shown:  # it has become visible just now: all of it so far
            reader.shown.add(key)
            for earlier in call.events:
                self._put(reader, self._frame(reader, earlier))
        else:
            self._put(reader, self._frame(reader, event))
        if event.message["event"] == "call_ended":
            reader.shown.discard(key)

    def _may_see(self, reader: LiveReader, event: LiveEvent) -> bool:
        if not reader.person.scopes:
            return True
        call = self._calls.get((event.node, event.call_id))
        return call is not None and call.visible_to(reader.person)

    def _put(self, reader: LiveReader, frame: str) -> None:
        if reader.queue.qsize() >= BACKLOG:
            log.warning("A browser of %s is %d messages behind and is cut off", reader.person.name, BACKLOG)
            self._readers.discard(reader)
            reader.queue.put_nowait(None)
        else:
            reader.queue.put_nowait(frame)

    def _forget_words(self, key: tuple[str, str]) -> None:
        for kept in self._recent:
            if (kept.node, kept.call_id) == key:
                kept.without_words()

    def _show_all(self, reader: LiveReader) -> None:
        reader.shown = {key for key, call in self._calls.items() if call.visible_to(reader.person)}
        data = json.dumps(self.snapshot(reader.person), ensure_ascii=False, default=str)
        reader.queue.put_nowait(sse("snapshot", data, self._place()))

    def _show_all_to_everybody(self) -> None:
        for reader in self._readers:
            self._show_all(reader)

    @staticmethod
    def _frame(reader: LiveReader, event: LiveEvent) -> str:
        return sse("call", event.text(whole_numbers=reader.whole_numbers), event.place)

    # --- where a browser is -----------------------------------------------------------------------------

    def _place(self) -> str:
        """Return the id of now: ``node=epoch:seq`` of each node."""
        return ",".join(f"{node.name}={node.epoch}:{node.last_seq}" for node in self.nodes.values() if node.epoch)

    def _missed(self, last_event_id: str) -> list[LiveEvent] | None:
        """Return the events after an id; None where that is unknown, or some of them are kept no longer."""
        places = _places(last_event_id)
        if not places or not places.keys() <= self.nodes.keys():
            return None
        for name, (epoch, seq) in places.items():
            node = self.nodes[name]
            forgotten = self._forgotten.get(name)
            if epoch != node.epoch or seq > node.last_seq or (forgotten is not None and seq < forgotten[1]):
                return None
        return [event for event in self._recent if event.seq > places.get(event.node, ("", 0))[1]]

    # --- nodes ------------------------------------------------------------------------------------------

    def _greeted(self, node: NodeState, greeting: Mapping[str, Any]) -> None:
        """A feed was connected: what it says about what was missed."""
        epoch, lost, replayed = str(greeting.get("epoch", "")), greeting.get("lost"), greeting.get("events")
        anew = epoch != node.epoch
        if anew:  # what another process told is gone with it: all that this one knows of calls follows
            for key in [key for key in self._calls if key[0] == node.name]:
                del self._calls[key]
            node.last_seq = 0
        node.epoch, node.lost = epoch, lost if isinstance(lost, int) else 0
        self._node_is(node, "connected", "")
        if anew or node.lost:
            self._replaying[node.name] = replayed if isinstance(replayed, int) else 0
            if not self._replaying[node.name]:
                self._show_all_to_everybody()

    def _is_replayed(self, node: str) -> bool:
        """Return whether the message just taken is of before this connection, and count it."""
        left = self._replaying.get(node, 0)
        self._replaying[node] = max(0, left - 1)
        return left > 0

    def _node_is(self, node: NodeState, state: str, detail: str) -> None:
        if node.state == state and node.detail == detail:
            return
        node.state, node.detail, node.since = state, detail, self._now()
        log.log(logging.INFO if state == "connected" else logging.WARNING, "%s is %s %s", node.name, state, detail)
        for reader in tuple(self._readers):
            self._put(reader, sse("node", json.dumps(asdict(node))))

    async def _follow(self, client: AgentClient) -> None:
        node, backoff = self.nodes[client.name], Backoff(_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS)
        while True:
            try:
                async for message in client.feed(after=node.last_seq, epoch=node.epoch):
                    backoff.reset()
                    self.take(client.name, message)
                why = "it has ended the connection"
            except AgentSilent as error:
                why = error.message
            self._replaying[client.name] = 0
            self._node_is(node, "away", why)
            await asyncio.sleep(backoff.next_seconds())


def sse(event: str, data: str, place: str = "") -> str:
    """Return one server-sent event; ``data`` is JSON, which has no line ends."""
    number = f"id: {place}\n" if place else ""
    return f"{number}event: {event}\ndata: {data}\n\n"


def _places(text: str) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for part in text.split(",")[:64]:
        name, _, place = part.partition("=")
        epoch, _, seq = place.partition(":")
        if not (name and epoch and seq.isascii() and seq.isdigit() and len(seq) <= 15):
            return {}
        found[name] = (epoch, int(seq))
    return found
