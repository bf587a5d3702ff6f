"""Makes a believable year of a shop's calls, for tests and measurements of lists, searches and reports. No real data.

``python -m agent.rehearsal.year_of_calls FILE --calls 1000000`` writes them into a new ``calls.sqlite``. The same seed
gives the same calls. They follow the hours of a day, the days of a week and the sales of a year; callers come back;
the editions of the procedures change; the first months have records without the fields that older versions lacked.
"""

from __future__ import annotations

import argparse
import bisect
import datetime as dt
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.records.database import connect
from agent.rehearsal.year_of_calls_talks import FAULTS, GREETING, TALKS, UNCLEAR, WEIGHTS, Talk

DAYS = 365
_HOURS = (1, 1, 1, 1, 1, 2, 6, 18, 45, 70, 80, 78, 70, 72, 76, 72, 66, 58, 46, 34, 24, 14, 6, 2)
"""How the calls of a day spread over its hours."""
_WEEKDAYS = (1.35, 1.15, 1.05, 1.0, 1.0, 0.7, 0.55)
_SALE_DAYS = range(325, 333)
"""Days of the year with a sale: three times the calls."""
_EDITIONS = 26
_NEW_FIELDS_FROM = 0.25
"""The part of the year after which records have all fields."""
_FAR_ZONE_HOURS = (-5, -4)
"""The shop's clock from UTC in winter and summer."""


def year_of_calls(count: int, *, seed: int = 1, start: dt.date = dt.date(2025, 12, 1)) -> Iterator[dict[str, Any]]:
    """Yield ``count`` redacted records in the order in which calls began, as ``call_record`` makes them."""
    chance = random.Random(seed)  # noqa: S311 - made-up calls
    callers = [f"{area}555{number:04d}" for area in ("202", "212", "303", "415", "617") for number in range(100, 200)]
    per_day = _days(count, start)
    number = 0
    for day, calls in enumerate(per_day):
        for second in _seconds_of_day(chance, calls):
            number += 1
            yield _record(chance, start, day, second, number, callers)


def write_year(path: Path, count: int, *, seed: int = 1) -> int:
    """Write them into the call database ``path``, as an agent would have; return how many."""
    insert = (
        "INSERT INTO calls (id, started_at, caller_number, outcome, ended_by, duration_seconds, record, written_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    with closing(connect(path)) as db:
        records = year_of_calls(count, seed=seed)
        while batch := list(itertools.islice(records, 5000)):
            db.execute("BEGIN")
            db.executemany(insert, map(_row, batch))
            db.execute("COMMIT")
    return count


def _row(record: dict[str, Any]) -> tuple[object, ...]:
    ended = dt.datetime.fromisoformat(record["started_at"]) + dt.timedelta(seconds=record["duration_seconds"])
    return (
        *(record["id"], record["started_at"], record["caller"]["number"], record["outcome"], record["ended_by"]),
        *(record["duration_seconds"], json.dumps(record), f"{ended.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"),
    )


def _days(count: int, start: dt.date) -> list[int]:
    """Return how many calls each day has."""
    weights = []
    for day in range(DAYS):
        weight = _WEEKDAYS[(start + dt.timedelta(days=day)).weekday()] * (1 + day / DAYS / 2)
        weights.append(weight * (3 if day in _SALE_DAYS else 1))
    edges = [round(count * part / sum(weights)) for part in itertools.accumulate(weights)]
    return [edge - before for before, edge in itertools.pairwise([0, *edges])]


def _seconds_of_day(chance: random.Random, calls: int) -> list[float]:
    edges = list(itertools.accumulate(_HOURS))
    hours = (bisect.bisect_right(edges, chance.random() * edges[-1]) for _ in range(calls))
    return sorted(round((min(hour, 23) + chance.random()) * 3600, 3) for hour in hours)


def _record(
    chance: random.Random, start: dt.date, day: int, second: float, number: int, callers: Sequence[str]
) -> dict[str, Any]:
    date = start + dt.timedelta(days=day)
    zone = dt.timezone(dt.timedelta(hours=_FAR_ZONE_HOURS[4 <= date.month <= 10]))
    began = dt.datetime.combine(date, dt.time(), zone) + dt.timedelta(seconds=second)
    talk = TALKS[bisect.bisect_right(WEIGHTS, chance.random() * WEIGHTS[-1])]
    made = _Made(chance, talk, f"orderline-{'ab'[number % 2]}-{began.timestamp():.0f}.{number}")
    caller = chance.choice(callers) if chance.random() < 0.4 else f"{chance.randrange(201, 989)}55501{number % 100:02d}"
    record = made.record("" if chance.random() < 0.03 else caller, began)
    if day >= DAYS * _NEW_FIELDS_FROM:
        made.add_new_fields(record, f"{(day * _EDITIONS) // DAYS + 1:04d}", began)
    return record


class _Made:
    """One call as it is made up."""

    def __init__(self, chance: random.Random, talk: Talk, call_id: str) -> None:
        self._chance = chance
        self._talk = talk
        self._id = call_id
        self._order = f"{chance.randrange(10_000, 99_999)}{chance.randrange(10)}"
        self._turns: list[dict[str, Any]] = []
        self._trail: list[dict[str, Any]] = []
        self._at = 0.0
        self._score: int | None = None
        self._hung_up = chance.random() < 0.09
        self._verified = talk.verifies
        self._facts: list[dict[str, Any]] = []

    def record(self, caller: str, began: dt.datetime) -> dict[str, Any]:
        """Return the record as versions without the new fields wrote it."""
        talk, chance = self._talk, self._chance
        self._say("main", "greet", GREETING, chance.choice(talk.openings), f"request={talk.flow}", "request")
        last = chance.randrange(1, len(talk.exchanges) + 1) if self._hung_up else len(talk.exchanges)
        for exchange in talk.exchanges[:last]:
            if chance.random() < 0.07:
                self._say(
                    exchange.flow, exchange.step, exchange.says(self._values()), self._unclear(), "", exchange.slot
                )
            heard = chance.choice(exchange.hears)
            understood = exchange.understood.format(**self._values())
            self._say(exchange.flow, exchange.step, exchange.says(self._values()), heard, understood, exchange.slot)
        handed = not self._hung_up and chance.random() < talk.hand_over_rate
        reason = chance.choice(talk.reasons) if handed else ""
        outcome, ended_by = ("caller_hung_up", "caller") if self._hung_up else ("answered", "agent")
        faults = [chance.choice(FAULTS)] if chance.random() < 0.004 else []
        if handed:
            outcome, ended_by = "handed_over", "fault" if faults else "handover"
            self._say("transfer", "words", "I'm putting you through to a colleague now.", "", "", "")
        elif outcome == "answered":
            self._close()
        return {
            "schema": 1,
            "id": self._id,
            "caller": {"number": caller, "name": "", "dialled": chance.choice(("7000", "7000", "7001"))},
            "started_at": began.isoformat(timespec="milliseconds"),
            "greeting_ms": round(chance.uniform(2, 40), 1),
            "duration_seconds": round(self._at + chance.uniform(0.5, 3), 3),
            "outcome": outcome,
            "ended_by": ended_by,
            "turns": self._turns,
            "effects": self._effects(),
            "handover": self._handover(reason) if handed else None,
            "slots": {"request": talk.flow, **({"order_number": self._order} if self._verified else {})},
            "faults": faults,
            "consent": "announced",
        }

    def add_new_fields(self, record: dict[str, Any], edition: str, began: dt.datetime) -> None:
        """Add what later versions record as well."""
        outcome = record["outcome"]
        result = {"caller_hung_up": "hung_up"}.get(outcome, outcome)
        started = began.timestamp()
        asked = {
            "intent": self._talk.flow,
            "at_seconds": 2.0,
            "result": result,
            "ended_at_seconds": self._at,
            "about": {},
        }
        waited = record["handover"] is not None and self._chance.random() < 0.9
        record |= {
            "edition": edition,
            "direction": "inbound",
            "entry": "inbound",
            "started_utc": started,
            "answered_utc": started + 0.1,
            "ended_utc": started + record["duration_seconds"],
            "trail": self._trail,
            "intents": [asked],
            "facts": self._facts,
            "queue_wait": {
                "queue": "support",
                "standing": "open",
                "expected_minutes": 2,
                "waited_seconds": round(self._chance.expovariate(1 / 80), 1),
                "ended": "answered",
            }
            if waited
            else None,
        }

    def _unclear(self) -> str:
        """Return an answer that is not understood: words, or silence."""
        kind, which = divmod(int(self._order), 10)
        return UNCLEAR[which % len(UNCLEAR)] if kind % 2 else ""

    def _values(self) -> dict[str, str]:
        return {"order": self._order, "day": self._chance.choice(("today", "tomorrow", "on Friday", "next Monday"))}

    def _say(self, flow: str, step: str, agent: str, heard: str, understood: str, slot: str) -> None:
        chance = self._chance
        response = round(min(chance.lognormvariate(5.75, 0.35), 9000), 1) if self._turns else None
        self._turns.append(
            {
                "at_seconds": round(self._at, 3),
                "agent": agent,
                "heard": heard,
                "understood": understood,
                "via": "speech" if heard else "",
                "confidence": round(chance.uniform(0.6, 1), 2) if heard else None,
                "flow": flow,
                "step": step,
                "slot": slot,
                "barged_in": bool(heard) and chance.random() < 0.1,
                "response_ms": response,
                "spent_ms": {"wait": 260.0, "recognition": 0.6, "rules": 3.1, "voice": 1.4},
            }
        )
        left = self._at + len(agent) / 15 + (1 + len(heard) / 12 if heard else 5)
        kind, way = (
            ("collect", "answered" if understood else "no_match" if heard else "no_input") if slot else ("say", "then")
        )
        self._trail.append(
            {
                "flow": flow,
                "step": step,
                "kind": kind,
                "at_seconds": round(self._at, 3),
                "way": way,
                "left_at_seconds": round(left, 3),
            }
        )
        self._at = left

    def _close(self) -> None:
        if self._chance.random() < 0.25:
            self._score = self._chance.choices((1, 2, 3, 4, 5), (6, 5, 12, 30, 47))[0]
            words = ("one", "two", "three", "four", "five")[self._score - 1]
            question = "One last question. From one to five, how was this call? Five is very good."
            self._say("survey", "ask", question, words, f"survey_score={self._score}", "survey_score")
        self._say("anything_else", "close", "Thanks for calling. Goodbye.", "", "", "")

    def _effects(self) -> list[dict[str, Any]]:
        effects = []
        for operation, fact, values in self._talk.operations:
            slow = round(self._chance.lognormvariate(3.5, 0.8), 1)
            effects.append({"name": operation, "code": "ok", "ms": slow, "key": f"{self._id}-{operation}"})
            if fact:
                value = self._chance.choice(values)
                self._facts.append(
                    {"operation": operation, "name": fact, "value": value, "at_seconds": 9.0, "code": "ok"}
                )
        return effects

    def _handover(self, reason: str) -> dict[str, Any]:
        return {
            "reason": reason,
            "queue": "support",
            "priority": 0,
            "summary": f"{self._talk.flow.replace('_', ' ')}, {reason.replace('_', ' ')}",
            "ticket": f"T-{self._chance.randrange(1000, 99999)}",
            "facts": {"order_number": self._order, "verified": self._verified},
        }


def main() -> None:
    """Write a year of calls into a file."""
    parser = argparse.ArgumentParser(description="Make a year of a shop's calls.")
    parser.add_argument("file", type=Path, help="the database to write, as an agent's calls.sqlite")
    parser.add_argument("--calls", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.file.exists():
        parser.error(f"{options.file} is there already; name a new file")
    print(f"{write_year(options.file, options.calls, seed=options.seed)} calls in {options.file}")


if __name__ == "__main__":
    main()
