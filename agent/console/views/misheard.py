"""Sentences of callers that nothing took, grouped by what was asked and by their words. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from agent.console.views import formats, labels
from agent.history.words import words_of

_MOST_GROUPS = 200
_MOST_PLACES = 3


@dataclass(frozen=True)
class MisheardPlace:
    """Where it was said."""

    link: str
    text: str


@dataclass(frozen=True)
class MisheardGroup:
    """One sentence, however often it was said."""

    sentence: str
    times: int
    step: str
    asked: str
    """What the agent had said."""
    search: str
    """The address of all calls with these words."""
    places: tuple[MisheardPlace, ...]


@dataclass(frozen=True)
class MisheardView:
    """Everything the page shows."""

    groups: tuple[MisheardGroup, ...]
    turns: int
    """How many answers were not understood."""
    answers: int
    """Of how many."""
    silent: int
    calls: int
    by_step: tuple[tuple[str, int], ...]
    more: bool = False
    """There were more calls than were looked at."""


@dataclass(frozen=True)
class _Found:
    sentence: str
    step: str
    asked: str
    place: MisheardPlace


def misheard(records: Iterable[Mapping[str, Any]]) -> MisheardView:
    """Return what was not understood in records, the most frequent first."""
    counted: Counter[str] = Counter()
    groups: dict[tuple[str, tuple[str, ...]], list[_Found]] = {}
    by_step: Counter[str] = Counter()
    for record in records:
        counted["calls"] += 1
        for found in _turns(record, counted):
            by_step[found.step] += 1
            groups.setdefault((found.step, words_of(found.sentence)), []).append(found)
    ordered = sorted(groups.values(), key=len, reverse=True)[:_MOST_GROUPS]
    return MisheardView(
        groups=tuple(map(_group, ordered)),
        turns=sum(map(len, groups.values())),
        answers=counted["answers"],
        silent=counted["silent"],
        calls=counted["calls"],
        by_step=tuple(by_step.most_common(8)),
    )


def _turns(record: Mapping[str, Any], counted: Counter[str]) -> Iterator[_Found]:
    call_id = str(record.get("id"))
    turns = record.get("turns")
    for turn in turns if isinstance(turns, list) else ():
        if not isinstance(turn, Mapping):
            continue
        heard, result = str(turn.get("heard") or ""), turn.get("result")
        counted["answers"] += bool(heard)
        counted["silent"] += result == "no_input"
        if result == "no_match" and heard and not turn.get("secret"):
            step = ".".join(filter(None, (str(turn.get("flow") or ""), str(turn.get("step") or ""))))
            at = turn.get("heard_from_seconds")
            when = formats.moment(at) if isinstance(at, int | float) else "some place"
            place = MisheardPlace(f"/calls/{quote(call_id, safe='')}", f"{_began(record)}, at {when}")
            yield _Found(heard, step, str(turn.get("agent") or ""), place)


def _began(record: Mapping[str, Any]) -> str:
    """Return when a call began, as ``30 Nov 12:00`` by the shop's clock."""
    text = str(record.get("started_at"))
    try:
        began = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{began.day} {began:%b %H:%M}"


def _group(found: list[_Found]) -> MisheardGroup:
    first = found[0]
    query = urlencode({"when": "365d", "caller_said": f'"{first.sentence}"'})
    places = tuple(one.place for one in found[:_MOST_PLACES])
    return MisheardGroup(
        first.sentence, len(found), first.step or labels.humanise("unknown"), first.asked, f"/calls?{query}", places
    )
