"""What a report is made of: the calls it is about, what is added up of them, and cells that lead to their calls."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from agent.history.filters import Bounds, CallFilter
from agent.history.report_facts import Value
from agent.history.search import CallIndex
from agent.reports.intervals import wilson
from agent.reports.model import Cell
from agent.reports.percentiles import Bins, count_from, percentile
from agent.reports.periods import By, Period

_PLAIN = re.compile(r"[a-z0-9_.:=#-]+")


@dataclass(frozen=True)
class ReportRequest:
    """What was asked for."""

    source: CallIndex
    period: Period
    by: By | None
    filter: CallFilter
    """The calls it is about, with the times of the period."""
    now_ms: int

    def counts(self, kinds: Collection[str], *, until_ms: int | None = None) -> Counts:
        """Return what is added up of the whole period, or of what began in it before ``until_ms``."""
        end = self.period.until_ms if until_ms is None else min(until_ms, self.period.until_ms)
        wanted = dataclasses.replace(self.filter, until_ms=end)
        if end <= self.period.since_ms:
            return Counts(Counter(), wanted)
        (total,) = self.source.totals(wanted, [self.period.since_ms, end], {*kinds, "direction"})
        return Counts(total, wanted)

    def parts(self, kinds: Collection[str]) -> list[tuple[str, Counts]]:
        """Return the same for each hour, day or week with its name; all in one where that was not asked for."""
        if self.by is None:
            return [(str(self.period), self.counts(kinds))]
        cuts = self.period.cuts(self.by)
        totals = self.source.totals(self.filter, cuts, {*kinds, "direction"})
        filters = (dataclasses.replace(self.filter, since_ms=since, until_ms=until) for since, until in pairwise(cuts))
        return [
            (name, Counts(total, wanted))
            for name, total, wanted in zip(self.period.names(self.by), totals, filters, strict=True)
        ]


class Counts:
    """What is added up of some calls."""

    def __init__(self, total: Mapping[Value, int], wanted: CallFilter) -> None:
        self.filter = wanted
        self._total = total

    @property
    def n(self) -> int:
        """How many calls there are."""
        return sum(self.of("direction").values())

    def amount(self, kind: str, value: str = "") -> int:
        """Return how much there is of one value."""
        return self._total.get((kind, value), 0)

    def of(self, kind: str) -> Mapping[str, int]:
        """Return all values of a kind, the most frequent first."""
        return self._by_kind.get(kind, {})

    def bins(self, kind: str) -> Bins:
        """Return how many there are in each bin, by the edge at which it begins."""
        return {int(edge): amount for edge, amount in self.of(kind).items()}

    # --- cells ----------------------------------------------------------------------------------------

    def every(self) -> Cell:
        """Return how many calls there are."""
        return Cell(self.n, self.n, self.filter)

    def calls(self, kind: str, value: str) -> Cell:
        """Return how many calls have a value."""
        return self.cell(self.amount(kind, value), {kind: value})

    def cell(self, calls: int, values: Mapping[str, str | Collection[str]], **spans: Bounds) -> Cell:
        """Return a number of calls: those that have all these values, and lie in these spans."""
        return Cell(calls, calls, self.narrowed(values, **spans))

    def share(self, part: int, of: int, values: Mapping[str, str | Collection[str]], **spans: Bounds) -> Cell:
        """Return the share of calls that have these values, with its interval; nothing where there are none."""
        wanted = self.narrowed(values, **spans)
        return Cell(part / of if of else None, part, wanted, of, wilson(part, of))

    def time(
        self, bins: Bins, share: float, calls: Bins, span: str, values: Mapping[str, str] | None = None, unit: int = 1
    ) -> Cell:
        """Return a percentile in ``unit`` milliseconds; it leads to the calls above it.

        ``calls`` has the calls by the bin of ``span``, which is what they are found by.
        """
        end = percentile(bins, share)
        if end is None:
            return Cell(None, of=0)
        wanted = self.narrowed(values or {}, **{span: Bounds(end)})
        return Cell(end / unit, count_from(calls, end), wanted, sum(bins.values()))

    def with_misheard(self, heard: str) -> CallFilter:
        """Return the filter of the calls in which these words were not understood."""
        return dataclasses.replace(self.filter, misheard=heard)

    def narrowed(self, values: Mapping[str, str | Collection[str]], **spans: Bounds) -> CallFilter:
        """Return the filter of these calls with more that must be true of them."""
        kinds, also = dict(self.filter.values), list(self.filter.also)
        for kind, value in values.items():
            texts = tuple(self._exact(kind, one) for one in ((value,) if isinstance(value, str) else value))
            if kind in kinds and kinds[kind] != texts:
                also.append((kind, texts))
            else:
                kinds[kind] = texts
        bounds: dict[str, Any] = {name: _within(getattr(self.filter, name), span) for name, span in spans.items()}
        return dataclasses.replace(self.filter, values=kinds, also=tuple(also), **bounds)

    @cached_property
    def _by_kind(self) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for (kind, value), amount in sorted(self._total.items(), key=lambda one: (-one[1], one[0])):
            if amount:
                found[kind][value] = amount
        return found

    def _exact(self, kind: str, value: str) -> str:
        """Return a value as a filter finds nothing but it: plain where that is enough."""
        plain = _PLAIN.fullmatch(value) and not value.startswith("=")
        twins = (other for other in self.of(kind) if other != value and other.casefold() == value)
        return value if plain and next(twins, None) is None else f"={value}"


def most_frequent(parts: Iterable[Counts], kind: str, most: int) -> list[str]:
    """Return the values that are the most frequent in all parts together."""
    total = Counter[str]()
    for part in parts:
        total.update(part.of(kind))
    return [value for value, _ in sorted(total.items(), key=lambda one: (-one[1], one[0]))[:most]]


def _within(span: Bounds, other: Bounds) -> Bounds:
    leasts = [one for one in (span.least, other.least) if one is not None]
    mosts = [one for one in (span.most, other.most) if one is not None]
    return Bounds(max(leasts, default=None), min(mosts, default=None))
