"""The call log: one page of finished calls as it is shown, with its filter. Pure."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from agent.console.views import formats, labels
from agent.console.views.call_address import KIND_NAMES, PERIODS, WORDS, CallAddress, Chip
from agent.console.views.labels import Label
from agent.history.search import CallLine

SLOW_MS = 1000
"""A response above this is marked: callers begin to say "hello?"."""
OFFERED = (
    *("outcome", "asked", "left", "reason", "step", "result", "status", "return_reason", "promotion", "queue"),
    *("wait_ended", "no_match", "ended_by", "edition", "fault", "fact"),
)
"""What can be chosen in the filter, the most used first."""
FIRST = 4
"""So many of them stand beside the list; the others are behind a button."""
_MOST_CHOICES = 200


@dataclass(frozen=True)
class ShownCalls:
    """One page of calls as the reader may see them."""

    lines: Sequence[CallLine]
    next: str
    """``after`` of the next page; ``""`` where there is none."""
    count: int | None = None
    """How many there are on all pages; None where nobody counted."""
    most_counted: int = 10_000
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallLogRow:
    """One call in the list."""

    link: str
    started: dt.datetime
    clock: str
    caller: str
    asked: str
    outcome: Label
    reason: str
    last_step: str
    length: str
    latency: str
    slow: bool
    score: str
    orders: str
    faults: int


@dataclass(frozen=True)
class DayOfCalls:
    """The calls of one day."""

    day: str
    rows: tuple[CallLogRow, ...]


@dataclass(frozen=True)
class Choice:
    """Something to choose in a filter."""

    value: str
    text: str
    count: str
    chosen: bool


@dataclass(frozen=True)
class Field:
    """One field of the filter with its choices."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class CallLogView:
    """Everything the page shows."""

    address: CallAddress
    days: tuple[DayOfCalls, ...]
    shown: int
    count: str
    """How many calls there are in all: ``1 204``, or ``10 000 or more``; ``""`` where nobody counted."""
    next_link: str
    first_link: str
    """Where the page is not the first one."""
    chips: tuple[Chip, ...]
    periods: tuple[Choice, ...]
    fields: tuple[Field, ...]
    words: str
    words_by: tuple[Choice, ...]
    export_links: Mapping[str, str]
    """Format -> address: what is on the screen, all pages of it."""
    problems: tuple[str, ...] = ()
    """What is wrong, for people; the latest calls may be missing, for one."""

    @property
    def first_fields(self) -> tuple[Field, ...]:
        """Those that stand beside the list."""
        return self.fields[:FIRST]

    @property
    def other_fields(self) -> tuple[Field, ...]:
        """Those behind a button."""
        return tuple(field for field in self.fields[FIRST:] if field.choices)

    @property
    def others_chosen(self) -> int:
        """How many values are chosen in those."""
        return sum(one.chosen for field in self.other_fields for one in field.choices)


def call_log(
    address: CallAddress,
    page: ShownCalls,
    values: Mapping[str, Sequence[tuple[str, int]]],
    now: dt.datetime,
    *,
    may_export: bool,
) -> CallLogView:
    """Return the view of one page.

    ``values`` has what can be chosen, by kind, with its number of calls; ``now`` is the shop's time.
    """
    rows = [_row(line) for line in page.lines]
    days = tuple(
        DayOfCalls(formats.day(date), tuple(group))
        for date, group in itertools.groupby(rows, key=lambda row: row.started.date())
    )
    first = address.first_page
    by = next((name for name in WORDS if address.words.get(name)), "said")
    return CallLogView(
        address=address,
        days=days,
        shown=len(rows),
        count=_count(page),
        next_link=replace(address, after=page.next).link() if page.next else "",
        first_link=first.link() if address.after else "",
        chips=tuple(address.chips()),
        periods=_periods(address),
        fields=tuple(_field(kind, address, values.get(kind, ())) for kind in OFFERED),
        words=address.words.get(by, ""),
        words_by=tuple(Choice(name, f"Said by {who}", "", name == by) for name, who in WORDS.items()),
        export_links=_exports(first, now) if may_export else {},
        problems=(*address.problems, *page.problems),
    )


def _count(page: ShownCalls) -> str:
    if page.count is None:
        return ""
    if page.count >= page.most_counted:
        return f"{formats.number(page.most_counted)} or more"
    return formats.number(page.count)


def _exports(address: CallAddress, now: dt.datetime) -> Mapping[str, str]:
    query = urlencode(address.api_pairs(now))
    return {name: f"/api/v1/calls.{name}?{query}" for name in ("csv", "jsonl")}


def _row(line: CallLine) -> CallLogRow:
    return CallLogRow(
        link=f"/calls/{quote(line.id, safe='')}",
        started=line.started_at,
        clock=formats.clock(line.started_at),
        caller=formats.phone(line.caller) if line.caller else "Hidden",
        asked=labels.humanise(line.asked),
        outcome=labels.outcome(line.outcome),
        reason=labels.humanise(line.reason),
        last_step=line.last_step,
        length=formats.span(line.duration_seconds),
        latency=formats.milliseconds(line.latency_ms),
        slow=(line.latency_ms or 0) > SLOW_MS,
        score="" if line.score is None else str(line.score),
        orders=", ".join(line.orders),
        faults=line.faults,
    )


def _periods(address: CallAddress) -> tuple[Choice, ...]:
    named = tuple(Choice(name, text, "", name == address.period.name) for name, text in PERIODS.items())
    return (*named, Choice("custom", "From … to …", "", not address.period.name))


def _field(kind: str, address: CallAddress, values: Sequence[tuple[str, int]]) -> Field:
    chosen = address.values.get(kind, ())
    known = [value for value, _ in values]
    choices = [
        Choice(value, labels.value_label(kind, value), formats.number(calls), value in chosen)
        for value, calls in values[:_MOST_CHOICES]
    ]
    # a value that no call has, or a pattern, stays chosen
    others = [value for value in chosen if value not in known[:_MOST_CHOICES]]
    choices += [Choice(value, labels.value_label(kind, value), "", chosen=True) for value in others]
    return Field(kind, KIND_NAMES[kind], tuple(choices))
