"""The call log's filter as it stands in its address: read with patience, shown as chips, written as links. Pure.

``/calls?when=yesterday&outcome=caller_hung_up&step=identify.postcode``. The names are those of the API
(:class:`agent.console.call_query.CallQuery`); an address of the page has a period by name (``when``) besides. A list
always has a time: where an address has none, the last seven days are meant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from urllib.parse import urlencode

from agent.console.views.formats import day
from agent.console.views.labels import value_label
from agent.history.filters import VALUE_KINDS, CallFilter

Pairs = Iterable[tuple[str, str]]
USUAL_PERIOD = "7d"
PERIODS: Mapping[str, str] = {
    "today": "Today",
    "yesterday": "Yesterday",
    "week": "This week",
    "last_week": "Last week",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "365d": "Last 12 months",
}
_MISHEARD = "misheard"
WORDS = {"said": "anyone", "caller_said": "the caller", "agent_said": "the agent"}
"""Words looked for, by whose they are."""
KIND_NAMES = {
    "outcome": "Outcome",
    "ended_by": "Ended by",
    "asked": "Asked for",
    "result": "Request came to",
    "step": "Step reached",
    "reason": "Hand-over reason",
    "queue": "Queue",
    "edition": "Edition",
    "fault": "Fault",
    "direction": "Direction",
    "purpose": "Purpose",
    "fact": "Fact",
    "contained": "Contained",
    "solved": "Solved",
    "number": "Caller’s number",
    "status": "Order state told",
    "return_reason": "Return reason",
    "promotion": "Promotion",
    "standing": "Queue was",
    "wait_ended": "Wait in the queue",
    "left": "Ended at step",
    "survey": "Survey",
    "listened": "Was asked for",
    "no_match": "Not understood at",
    "no_input": "Silent at",
}
_SPANS = {
    "length": ("least_seconds", "most_seconds"),
    "score": ("least_score", "most_score"),
    "latency": ("least_latency_ms", "most_latency_ms"),
    "wait": ("least_wait_ms", "most_wait_ms"),
    "greeting": ("least_greeting_ms", "most_greeting_ms"),
    "again": ("least_again_ms", "most_again_ms"),
}
"""Bounds -> the names of their ends in an address."""
_SPAN_NAMES = {
    "length": ("Length", " s"),
    "score": ("Score", ""),
    "latency": ("Slowest response", " ms"),
    "wait": ("Wait in the queue", " ms"),
    "greeting": ("Greeting after", " ms"),
    "again": ("Called again after", " ms"),
}
_ALSO = "also"
_MOST_VALUES = 50
_MOST_CHARS = 200
_MOST_DIGITS = 10


@dataclass(frozen=True)
class ChosenPeriod:
    """From when to when, as the shop's days or moments."""

    name: str = USUAL_PERIOD
    """Of :data:`PERIODS`; ``""`` where the ends are given."""
    since: str = ""
    until: str = ""

    @property
    def ends(self) -> list[tuple[str, str]]:
        """The ends that are given, as pairs of an address."""
        return [(name, text) for name, text in (("from", self.since), ("to", self.until)) if text]

    @property
    def text(self) -> str:
        """The period for people."""
        if self.name:
            return PERIODS[self.name]
        since, until = _for_people(self.since), _for_people(self.until)
        if since and until:
            return since if since == until else f"{since} to {until}"
        return f"from {since}" if since else f"until {until}"


@dataclass(frozen=True)
class Chip:
    """One condition as it is shown above the list, with the address without it."""

    name: str
    text: str
    without: str


@dataclass(frozen=True)
class CallAddress:
    """What an address asks for."""

    period: ChosenPeriod = field(default_factory=ChosenPeriod)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: str = ""
    caller: str = ""
    spans: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """``length`` (seconds), ``score``, ``latency`` (ms) -> from, to; an empty end is open."""
    words: Mapping[str, str] = field(default_factory=dict)
    """By the names of :data:`WORDS`."""
    also: tuple[str, ...] = ()
    """Second conditions of a kind: ``KIND:VALUE``."""
    misheard: str = ""
    """Words of an answer that was not understood, as the index has them."""
    after: str = ""
    """Where the page begins."""
    problems: tuple[str, ...] = ()
    """What could not be understood, for people; it is left out of the search."""

    def pairs(self) -> list[tuple[str, str]]:
        """Return the query of the page's address, without what is usual."""
        pairs: list[tuple[str, str]] = []
        if self.period.name:
            pairs += [("when", self.period.name)] if self.period.name != USUAL_PERIOD else []
        else:
            pairs += self.period.ends
        return pairs + self._conditions()

    def api_pairs(self, now: dt.datetime) -> list[tuple[str, str]]:
        """Return the query of the API: days instead of the period's name. ``now`` is the shop's time."""
        return _days(self.period, now.date()) + self._conditions()

    def _conditions(self) -> list[tuple[str, str]]:
        pairs = [(kind, value) for kind in VALUE_KINDS for value in self.values.get(kind, ())]
        pairs += [(name, text) for name, text in (("order", self.order), ("caller", self.caller)) if text]
        for name, ends in self.spans.items():
            pairs += [(end, text) for end, text in zip(_SPANS[name], ends, strict=True) if text]
        pairs += [(name, self.words[name]) for name in WORDS if self.words.get(name)]
        pairs += [(_ALSO, condition) for condition in self.also]
        pairs += [(_MISHEARD, self.misheard)] if self.misheard else []
        return pairs + ([("after", self.after)] if self.after else [])

    def link(self, path: str = "/calls") -> str:
        """Return the address of this query."""
        pairs = self.pairs()
        return f"{path}?{urlencode(pairs)}" if pairs else path

    @property
    def first_page(self) -> CallAddress:
        """The same from the beginning."""
        return replace(self, after="")

    def chips(self) -> Iterator[Chip]:
        """Yield every condition but the time."""
        query = self.first_page
        for kind in VALUE_KINDS:
            chosen = query.values.get(kind, ())
            for value in chosen:
                left = {**query.values, kind: tuple(one for one in chosen if one != value)}
                without = replace(query, values=left).link()
                yield Chip(KIND_NAMES[kind], value_label(kind, value.removeprefix("=")), without)
        if query.order:
            yield Chip("Order", query.order, replace(query, order="").link())
        if query.caller:
            yield Chip("Caller", query.caller, replace(query, caller="").link())
        for name, (least, most) in query.spans.items():
            rest = {other: span for other, span in query.spans.items() if other != name}
            label, unit = _SPAN_NAMES[name]
            yield Chip(label, _span_text(least, most, unit), replace(query, spans=rest).link())
        for condition in query.also:
            kind, _, value = condition.partition(":")
            others = tuple(one for one in query.also if one != condition)
            text = " or ".join(value_label(kind, one.removeprefix("=")) for one in value.split("|"))
            yield Chip(f"{KIND_NAMES.get(kind, kind)}, also", text, replace(query, also=others).link())
        for name, text in query.words.items():
            left_words = {other: words for other, words in query.words.items() if other != name}
            yield Chip(f"Said by {WORDS[name]}", text, replace(query, words=left_words).link())
        if query.misheard:
            yield Chip("Not understood", query.misheard, replace(query, misheard="").link())


def read_address(pairs: Pairs) -> CallAddress:
    """Read the query of an address. What cannot be understood is among the problems; never raises."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        text = value.strip()[:_MOST_CHARS]
        if text:
            given.setdefault(name.replace("-", "_"), []).append(text)
    problems: list[str] = []
    words = {name: given[name][-1] for name in WORDS if name in given}
    if text := _last(given, "words"):  # what the form has: words, and whose they are
        by = _last(given, "by")
        words.setdefault(by if by in WORDS else "said", text)
    values = {kind: tuple(dict.fromkeys(given[kind]))[:_MOST_VALUES] for kind in VALUE_KINDS if kind in given}
    return CallAddress(
        period=_period(given, problems),
        values=values,
        order=_last(given, "order"),
        caller=_with_digit(_last(given, "caller"), problems),
        spans=dict(_spans(given, problems)),
        words=words,
        also=tuple(dict.fromkeys(given.get(_ALSO, ()))),
        misheard=_last(given, _MISHEARD),
        after=_last(given, "after"),
        problems=tuple(problems),
    )


def address_of(wanted: CallFilter, zone: dt.tzinfo) -> CallAddress:
    """Return the address of the calls that fulfil a filter; ``zone`` is the shop's."""
    spans: dict[str, tuple[str, str]] = {}
    for name, bounds, factor in (
        ("length", wanted.length_ms, 1000),
        ("score", wanted.score, 1),
        ("latency", wanted.latency_ms, 1),
        ("wait", wanted.wait_ms, 1),
        ("greeting", wanted.greeting_ms, 1),
        ("again", wanted.again_ms, 1),
    ):
        if bounds:
            spans[name] = (_edge(bounds.least, factor), _edge(bounds.most, factor))
    words = {"said": wanted.said, "caller_said": wanted.caller_said, "agent_said": wanted.agent_said}
    return CallAddress(
        period=ChosenPeriod("", _end(wanted.since_ms, zone, last=False), _end(wanted.until_ms, zone, last=True)),
        values=wanted.values,
        order=wanted.order,
        caller=wanted.caller,
        spans=spans,
        words={name: text for name, text in words.items() if text},
        also=tuple(f"{kind}:{'|'.join(values)}" for kind, values in wanted.also),
        misheard=wanted.misheard,
    )


def _edge(value: int | None, factor: int) -> str:
    """Return an end of a span in its unit, with all its digits."""
    return "" if value is None else f"{Decimal(value) / factor:f}"


def _end(ms: int | None, zone: dt.tzinfo, *, last: bool) -> str:
    """Return an end of a period: a day where it is a midnight of the shop (the last: the day before), else a moment."""
    if ms is None:
        return ""
    moment = dt.datetime.fromtimestamp(ms / 1000, dt.UTC).astimezone(zone)
    if moment.time() != dt.time():
        return moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return str((moment - dt.timedelta(days=1)).date() if last else moment.date())


def _last(given: Mapping[str, Sequence[str]], name: str) -> str:
    return given[name][-1] if name in given else ""


def _with_digit(caller: str, problems: list[str]) -> str:
    if caller and not any(one.isdigit() for one in caller):
        problems.append(f"“{caller}” has no digit: give a caller's number, or how it ends, like 0143.")
        return ""
    return caller


def _period(given: Mapping[str, Sequence[str]], problems: list[str]) -> ChosenPeriod:
    name, since, until = (_last(given, one) for one in ("when", "from", "to"))
    ends = []
    for text in (since, until):
        if text and _moment(text) is None:
            problems.append(f"“{text}” is no day: write 2026-11-29, or 2026-11-29T14:30.")
            text = ""
        ends.append(text)
    if any(ends) and name in ("", "custom"):
        return ChosenPeriod("", *ends)
    if name and name not in PERIODS and name != "custom":
        problems.append(f"“{name}” is no period: choose one of the list.")
    return ChosenPeriod(name if name in PERIODS else USUAL_PERIOD)


def _spans(given: Mapping[str, Sequence[str]], problems: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, ends in _SPANS.items():
        least, dash, most = _last(given, name).partition("-")  # as on the command line: 60-120
        if least and not dash:
            most = least
        least, most = _last(given, ends[0]) or least, _last(given, ends[1]) or most
        bad = [text for text in (least, most) if text and not _is_count(text, whole=name != "length")]
        if bad:
            problems.append(f"“{bad[0]}” is no number that can be searched.")
        elif least or most:
            yield name, (least, most)


def _is_count(text: str, *, whole: bool) -> bool:
    digits = text if whole else text.replace(".", "", 1)
    return digits.isascii() and digits.isdigit() and len(text) < _MOST_DIGITS


def _span_text(least: str, most: str, unit: str) -> str:
    if least and most:
        return f"{least}{unit}" if least == most else f"{least} to {most}{unit}"
    return f"{least}{unit} or more" if least else f"{most}{unit} or less"


def _days(period: ChosenPeriod, today: dt.date) -> list[tuple[str, str]]:
    """Return the first and the last day of a period."""
    monday = today - dt.timedelta(days=today.weekday())
    match period.name:
        case "":
            return period.ends
        case "today":
            return [("from", str(today))]
        case "yesterday":
            before = str(today - dt.timedelta(days=1))
            return [("from", before), ("to", before)]
        case "week":
            return [("from", str(monday))]
        case "last_week":
            return [("from", str(monday - dt.timedelta(days=7))), ("to", str(monday - dt.timedelta(days=1)))]
    return [("from", str(today - dt.timedelta(days=int(period.name.removesuffix("d")) - 1)))]


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _for_people(text: str) -> str:
    moment = _moment(text)
    if moment is None:
        return ""
    return f"{day(moment)}, {moment:%H:%M}" if "T" in text else day(moment)
