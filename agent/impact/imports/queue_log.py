"""Asterisk's queue log: who came, waited, was answered, hung up. Told by line where the log is not what it seems."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.measured_volumes import Ending, ImportedCaller, ImportSummary, MeasuredVolumes, measure
from agent.impact.imports.queue_events import QueueEvent, QueueEvents, QueueStep

_SAME_MOMENT_SECONDS = 2.0
_TRANSFER_SECONDS = 5.0
"""So long after a transfer the same number may enter the next queue, and is the same caller."""
_LONGEST_TALK_SECONDS = 2 * 3600.0


def read_queue_log(paths: Sequence[Path], zone: ZoneInfo, queues: Sequence[str] = ()) -> MeasuredVolumes:
    """Return what queue logs say about ``queues`` (all of them where none is named).

    Files may overlap and come in any order: ``queue_log``, ``queue_log.1.gz``, CSV of the realtime table. ``zone`` is
    the shop's, for the hours of the week and for the realtime table's times. Raises :class:`CallLogUnusable`.
    """
    log = QueueEvents(zone)
    for path, name in zip(paths, _names(paths), strict=True):
        log.read(path, name)
    if queues:
        wanted = {queue.lower() for queue in queues}
        known = {event.queue for event in log.events}
        if not wanted & {queue.lower() for queue in known}:
            raise CallLogUnusable(
                f"there is no queue {', '.join(queues)} in it; there are: {', '.join(sorted(known)) or 'none'}"
            )
        log.events = [event for event in log.events if event.queue.lower() in wanted]
    ways = _Ways(log)
    callers = ways.callers()
    by_queue = Counter(way.first_queue for way in ways.arrived())
    summary = ImportSummary(
        "queue log", tuple(log.files), log.notes, zone.key, tuple(sorted(by_queue.items(), key=lambda one: -one[1]))
    )
    return measure(callers, log.span or (0.0, 0.0), zone, summary)


def _names(paths: Sequence[Path]) -> list[str]:
    """Return what the files are called in notes: their own names, or all of the path where names stand twice."""
    short = [path.name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


@dataclass
class _Visit:
    """One stay in one queue."""

    queue: str
    entered: QueueEvent
    waited: float | None = None
    talked: float | None = None
    connected: QueueEvent | None = None
    ended: QueueEvent | None = None

    @property
    def waits(self) -> bool:
        return self.connected is None and self.ended is None


@dataclass
class _Way:
    """One caller's way: every visit under the call's id, and under others that a transfer gave the same caller."""

    visits: list[_Visit] = field(default_factory=list)
    began_before: bool = False
    """Its first event is none of entering: the file begins within the call."""

    @property
    def first_queue(self) -> str:
        return self.visits[0].queue if self.visits else ""


class _Ways:
    """Follows every call through the events, in order of time."""

    def __init__(self, log: QueueEvents) -> None:
        self._notes = log.notes
        self._ways: dict[str, _Way] = {}
        """Call -> the way it belongs to; several calls may share one."""
        self._waiting: dict[str, dict[str, _Visit]] = defaultdict(dict)
        """Queue -> call -> its visit there, while it is neither answered nor over."""
        self._transferred: dict[str, tuple[float, str]] = {}
        """Caller's number -> when and under which id it was transferred last."""
        self._locals = 0
        for event in sorted(log.events, key=lambda one: (one.at, one.order)):
            self._take(event)
        self._tell_what_never_ended()

    def arrived(self) -> list[_Way]:
        """Return the ways of callers whose arrival is in the files, one a caller."""
        ways = {id(way): way for way in self._ways.values()}
        return [way for way in ways.values() if way.visits and not way.began_before]

    def callers(self) -> list[ImportedCaller]:
        """Return the callers."""
        return [_caller(way) for way in self.arrived()]

    def _take(self, event: QueueEvent) -> None:
        way = self._ways.setdefault(event.call, _Way())
        match event.kind:
            case QueueStep.ENTER:
                self._enter(way, event)
            case QueueStep.CONNECT:
                self._connect(way, event)
            case QueueStep.COMPLETE | QueueStep.TRANSFER:
                self._complete(way, event)
            case QueueStep.ABANDON | QueueStep.EXIT:
                self._leave(way, event)

    def _enter(self, way: _Way, event: QueueEvent) -> None:
        if way.visits and way.visits[-1].waits:
            self._notes.add("call that enters again without having left: it left without a trace", event.place)
            self._close(event.call, way.visits[-1], event, waited=event.at - way.visits[-1].entered.at)
        elif way.visits:
            self._notes.add("call that enters a queue again: the same caller, counted once", event.place)
        elif event.caller and (before := self._transferred.get(event.caller)):
            at, call = before
            if call != event.call and event.at - at <= _TRANSFER_SECONDS:
                self._notes.add("transfer to another queue under a new id: the same caller, counted once", event.place)
                way = self._ways[event.call] = self._ways[call]
        visit = _Visit(event.queue, event)
        way.visits.append(visit)
        self._waiting[event.queue][event.call] = visit

    def _connect(self, way: _Way, event: QueueEvent) -> None:
        if event.local:
            self._locals += 1
            if self._locals == 1:
                self._notes.add(
                    "staff rung through Local channels (FreePBX): transfers are not seen, talk times may run on",
                    event.place,
                )
        visit = self._waiting[event.queue].pop(event.call, None) or self._entered_elsewhere(way, event)
        if visit is None:
            self._notes.add(
                "answered without having entered: began before the file, or was transferred under another id",
                event.place,
            )
            way.began_before = way.began_before or not way.visits
            visit = _Visit(event.queue, event)
            way.visits.append(visit)
        visit.connected = event
        visit.waited = event.wait if event.wait is not None else event.at - visit.entered.at

    def _entered_elsewhere(self, way: _Way, event: QueueEvent) -> _Visit | None:
        """Return the visit of a caller who was transferred here: entered under a new id, answered under the old one."""
        if event.wait is None or not way.visits:
            return None
        for call, visit in self._waiting[event.queue].items():
            if abs(visit.entered.at + event.wait - event.at) <= _SAME_MOMENT_SECONDS:
                del self._waiting[event.queue][call]
                way.visits += self._ways[call].visits
                self._ways[call] = way
                self._notes.add(
                    f"transfer: entered under another id ({visit.entered.place}), answered under this one: one caller",
                    event.place,
                )
                return visit
        return None

    def _complete(self, way: _Way, event: QueueEvent) -> None:
        visit = next((one for one in reversed(way.visits) if one.connected and one.ended is None), None)
        talk = event.talk
        if talk is not None and talk > _LONGEST_TALK_SECONDS:
            self._notes.add("talk time of more than two hours: not used", event.place)
            talk = None
        if event.kind is QueueStep.TRANSFER and visit is not None and visit.entered.caller:
            self._transferred[visit.entered.caller] = (event.at, event.call)
        if visit is None:
            self._notes.add("end of a call that was never answered in these files: began before them", event.place)
            way.began_before = way.began_before or not way.visits
            if way.visits and way.visits[-1].waits:  # its CONNECT is missing
                self._close(event.call, way.visits[-1], event, waited=event.wait)
                way.visits[-1].connected = event
                way.visits[-1].talked = talk
            return
        visit.ended = event
        if talk is None and visit.connected is not None and event.talk is None:
            talk = event.at - visit.connected.at
        visit.talked = talk

    def _leave(self, way: _Way, event: QueueEvent) -> None:
        visit = next((one for one in reversed(way.visits) if one.waits), None)
        if visit is None:
            self._notes.add("hung up or left without having entered: began before the file", event.place)
            way.began_before = way.began_before or not way.visits
            return
        waited = event.wait if event.wait is not None else event.at - visit.entered.at
        self._close(event.call, visit, event, waited)

    def _close(self, call: str, visit: _Visit, event: QueueEvent, waited: float | None) -> None:
        visit.ended = event
        visit.waited = waited
        self._waiting[visit.queue].pop(call, None)

    def _tell_what_never_ended(self) -> None:
        for way in self.arrived():
            last = way.visits[-1]
            if last.waits:
                self._notes.add(
                    "call that enters and is not heard of again: counted, its wait is not", last.entered.place
                )
            elif last.ended is None and last.connected is not None:
                self._notes.add(
                    "call that is answered and does not end in these files: counted, its talk is not",
                    last.connected.place,
                )


def _caller(way: _Way) -> ImportedCaller:
    waits = [visit.waited for visit in way.visits if visit.waited is not None]
    talks = [visit.talked for visit in way.visits if visit.talked is not None]
    last = way.visits[-1]
    ending: Ending
    if any(visit.connected for visit in way.visits):
        ending = "answered"
    elif last.ended is None:
        return ImportedCaller(way.visits[0].entered.at, "unknown", None, None)
    else:
        ending = "abandoned" if last.ended.kind is QueueStep.ABANDON else "left"
    return ImportedCaller(
        arrived=way.visits[0].entered.at,
        ending=ending,
        waited=sum(waits) if waits else None,
        talked=sum(talks) if talks else None,
    )


__all__ = ["read_queue_log"]
