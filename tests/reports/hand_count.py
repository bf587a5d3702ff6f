"""A second count of everything reports say, made call by call from the records' JSON alone, to hold reports against.

Nothing of the product's own counting is used, and nothing clever: the definitions of docs/reports.md, one after the
other. Times of percentiles are kept whole, so that a printed percentile can be held against the one exact time.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from agent.reports.model import Report

Call = Mapping[str, Any]
Numbers = dict[str, "float | str | Percentile"]
"""``table:row:column`` (a row is named by its first texts), or ``:figure``, with its number."""

HOUR = 3600.0
WINDOWS = {"24h": 24 * HOUR, "7d": 7 * 24 * HOUR}
WAYS = ("hung_up", "no_match", "no_input", "person", "taken_over", "fault")
PEOPLE = ("handed_over", "taken_over", "transferred", "rescued", "failed", "lost")
LENGTHS = (0, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600)
RESPONSES = (0, 250, 350, 500, 700, 1_000, 1_500, 3_000)
GREETINGS = (0, 20, 40, 60, 100, 300, 1_000)


@dataclass(frozen=True)
class Percentile:
    """Times of which one is printed."""

    times: tuple[float, ...]
    share: float

    def is_shown_as(self, shown: object) -> bool:
        """Whether a printed number is where the bin of the exact time ends: 1 ms or 5 % above it at most."""
        if not self.times or not isinstance(shown, (int, float)):
            return not self.times and shown is None
        exact = sorted(self.times)[math.ceil(self.share * len(self.times)) - 1]
        return exact < shown <= exact + max(1.001, exact * 0.0501)


def count(records: Sequence[Call]) -> dict[str, Numbers]:
    """Return every number of every report over these calls, made when all their windows are over."""
    inbound = [one for one in records if one["direction"] == "inbound"]
    return {
        "volume": _volume(inbound),
        "asked": _asked(inbound),
        "orders": {**_share_table(inbound, "by_status", _states), ":calls": len(inbound)},
        "returns": _returns(inbound),
        "promotions": {
            **_share_table(inbound, "by_promotion", _promotions),
            **_plain_table(inbound, "refused", "promotions.check", "check.reason"),
            ":calls": len(inbound),
        },
        "contained": _contained(inbound, records),
        "transfers": _transfers(inbound),
        "time": _time(inbound),
        "waiting": _waiting(inbound),
        "score": _score(inbound),
        "dropoff": _dropoff(inbound),
        "nomatch": _nomatch(inbound),
        "latency": _latency(inbound),
        "misheard": _misheard(inbound),
        "outbound": _outbound([one for one in records if one["direction"] == "outbound"]),
    }


def numbers_of(report: Report) -> dict[str, object]:
    """Return the numbers of a report that have a value, named as :func:`count` names them."""
    found: dict[str, object] = {f":{column.name}": cell.value for column, cell in report.figures}
    for table in report.tables:
        for row in table.rows:
            names: list[str] = []
            for column, cell in zip(table.columns, row, strict=True):
                if column.kind == "text" and len(names) == len(row[: len(names)]) and column.name != "slots":
                    names.append("" if column.name == "period" else str(cell.value))
                else:
                    found[f"{table.name}:{' '.join(names)}:{column.name}"] = cell.value
    return found


def assert_counted(report: Report, wanted: Numbers) -> None:
    """Every number of the report is the one that was counted, and none is missing or too many."""
    shown = {name: value for name, value in numbers_of(report).items() if value is not None}
    counted = {name: value for name, value in wanted.items() if not (isinstance(value, Percentile) and not value.times)}
    assert sorted(shown) == sorted(counted), report.name
    for name, value in counted.items():
        if isinstance(value, Percentile):
            assert value.is_shown_as(shown[name]), (report.name, name, shown[name], sorted(value.times))
        elif isinstance(value, str):
            assert shown[name] == value, (report.name, name)
        else:
            assert shown[name] == pytest.approx(value), (report.name, name)


# --- reports -------------------------------------------------------------------------------------------


def _volume(calls: Sequence[Call]) -> Numbers:
    found: Numbers = {f"calls::{outcome}": calls_with for outcome, calls_with in _top(calls, _one("outcome"), 8)}
    found |= {"calls::calls": len(calls), ":calls": len(calls)}
    found[":with_a_fault"] = sum(bool(one["faults"]) for one in calls)
    found[":without_a_number"] = sum(not _is_shown(one) for one in calls)
    return {
        **found,
        **_share_table(calls, "outcomes", _one("outcome")),
        **_share_table(calls, "ended_by", _one("ended_by")),
    }


def _asked(calls: Sequence[Call]) -> Numbers:
    found: Numbers = {":calls": len(calls)}
    ended = _calls_with(calls, lambda one: [(intent["intent"], intent["result"]) for intent in one["intents"]])
    total: Counter[str] = Counter()
    for (_, result), number in ended.items():
        if result:
            total[result] += number
    results = [result for result, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:8]]
    for intent, number in _calls_with(calls, _requests).items():
        times = sum(_requests(one).count(intent) for one in calls)
        row = {"calls": number, "share": number / len(calls), "requests": times}
        row |= {result: ended[intent, result] for result in results}
        found |= {f"requests:{intent}:{name}": value for name, value in row.items()}
    return found


def _returns(calls: Sequence[Call]) -> Numbers:
    found = _share_table(calls, "reasons", _reasons)
    for reason in _calls_with(calls, _reasons):
        made = [one for one in calls if reason in _facts(one, "returns.create", "reason")]
        found[f"reasons:{reason}:made"] = len(made)
    found |= _plain_table(calls, "refused", "returns.eligibility", "eligibility.reason")
    return {**found, ":a_return_was_asked_for": sum("returns" in _requests(one) for one in calls)}


def _contained(calls: Sequence[Call], everybody: Sequence[Call]) -> Numbers:
    again = _next_on_the_same_matter(everybody)

    def row(some: Sequence[Call]) -> dict[str, float | None]:
        known = [one for one in some if _has_matter(one)]
        good = [one for one in known if _is_solved(one)]
        part = {"calls": len(some), "contained": _share(sum(map(_is_contained, some)), len(some)), "known": len(known)}
        for name, seconds in WINDOWS.items():
            part[f"true_{name}"] = _share(sum(again.get(one["id"], math.inf) >= seconds for one in good), len(known))
        return part

    found: Numbers = {}
    for name, value in row(calls).items():
        if value is not None:
            found |= {f"contained::{name}": value, f":{name}": value}
    for intent in _calls_with(calls, _requests):
        about = row([one for one in calls if intent in _requests(one)])
        found |= {f"by_request:{intent}:{name}": value for name, value in about.items() if value is not None}
    return found


def _transfers(calls: Sequence[Call]) -> Numbers:
    gone = [one for one in calls if one["handover"] and one["handover"].get("reason")]
    found: Numbers = {":calls": len(calls), ":transfers": len(gone)}
    if gone:
        found[":transfer_rate"] = len(gone) / len(calls)
    standings = _calls_with(calls, lambda one: [(one["queue_wait"] or {}).get("standing", "")])
    for reason, number in _calls_with(gone, lambda one: [one["handover"]["reason"]]).items():
        row: dict[str, float] = {"calls": number, "share": number / len(calls)}
        mine = [one for one in gone if one["handover"]["reason"] == reason]
        for standing in standings:
            row[standing] = sum((one["queue_wait"] or {}).get("standing") == standing for one in mine)
        found |= {f"by_reason:{reason}:{name}": value for name, value in row.items()}
    return {**found, **_share_table(calls, "queues", lambda one: [(one["handover"] or {}).get("queue", "")])}


def _time(calls: Sequence[Call]) -> Numbers:
    found: Numbers = {}
    for name, value in _lengths(calls).items():
        found |= {f"handle_time::{name}": value, f":{name}": value}
    for intent in _calls_with(calls, _requests):
        row = _lengths([one for one in calls if intent in _requests(one)])
        found |= {f"by_request:{intent}:{name}": value for name, value in row.items()}
    seconds = [one["duration_seconds"] for one in calls]
    return {**found, **_distribution("lengths", seconds, LENGTHS)}


def _waiting(calls: Sequence[Call]) -> Numbers:
    waits = [
        (wait["ended"], wait["waited_seconds"])
        for one in calls
        if (wait := one["queue_wait"]) and wait.get("ended") and wait.get("waited_seconds") is not None
    ]
    found: Numbers = {}
    for ended in {ended for ended, _ in waits}:
        row = _spread([seconds for how, seconds in waits if how == ended])
        found |= {f"waits:{ended}:{name}": value for name, value in row.items()}
    answered = [seconds for ended, seconds in waits if ended == "answered"]
    lost = [seconds for ended, seconds in waits if ended == "hung_up"]
    in_time, soon = sum(one < 20 for one in answered), sum(one < 20 for one in lost)
    at_once = sum(one < 5 for one in lost)
    a, b = len(answered), len(lost)
    level: dict[str, float | None] = {"answered": a, "in_time": in_time, "abandoned": b, "after": b - soon}
    level["service_level"] = _share(in_time, a + b - soon)
    level["abandonment"] = _share(b - at_once, a + b - at_once)
    for name, value in level.items():
        if value is not None:
            found |= {f"service_level::{name}": value, f":{name}": value}
    formulas = {
        "answered in time / (answered + abandoned after that time)": _share(in_time, a + b - soon),
        "(answered in time + abandoned in time) / (answered + abandoned)": _share(in_time + soon, a + b),
        "answered in time / answered": _share(in_time, a),
        "answered in time / (answered + abandoned)": _share(in_time, a + b),
        "(answered in time + abandoned at once) / (answered + abandoned)": _share(in_time + at_once, a + b),
    }
    found |= {f"formulas:{name}:service_level": value for name, value in formulas.items() if value is not None}
    return found


def _score(calls: Sequence[Call]) -> Numbers:
    answers = [score for one in calls if (score := _answer(one)) is not None]
    asked = sum(
        _answer(one) is not None or any(turn["slot"].endswith("survey_score") for turn in one["turns"]) for one in calls
    )
    row = {
        "asked": asked,
        "answered": len(answers),
        "response_rate": _share(len(answers), asked),
        "response_of_all": _share(len(answers), len(calls)),
        "csat": _share(sum(one >= 4 for one in answers), len(answers)),
        "mean": _share(sum(answers), len(answers)),
    }
    found: Numbers = {}
    for name, value in row.items():
        if value is not None:
            found |= {f"over_time::{name}": value, f":{name}": value}
    for score in range(1, 6):
        found[f"answers:{score}:calls"] = answers.count(score)
        if answers:
            found[f"answers:{score}:share"] = answers.count(score) / len(answers)
    return found


def _dropoff(calls: Sequence[Call]) -> Numbers:
    came: dict[tuple[str, str], set[str]] = defaultdict(set)
    left: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in calls:
        steps = [step for step in one["trail"] if step["kind"] not in ("if", "set", "next", "link")]
        for step in steps:
            name = f"{step['flow']}.{step['step']}"
            came[one["edition"], name].add(one["id"])
            way = "person" if step["way"].startswith("person.") else step["way"]
            if way in WAYS:
                left[one["edition"], name, way].add(one["id"])
        if one["outcome"] == "caller_hung_up" and all(step["way"] != "hung_up" for step in steps) and steps:
            left[one["edition"], f"{steps[-1]['flow']}.{steps[-1]['step']}", "hung_up"].add(one["id"])
    found: Numbers = {":calls": len(calls)}
    for (edition, name), ids in came.items():
        if not edition:
            continue
        row: dict[str, float] = {"entered": len(ids)}
        row |= {way: len(left.get((edition, name, way), ())) for way in WAYS}
        row["lost"] = row["hung_up"] / len(ids)
        found |= {f"steps:{edition} {name}:{column}": value for column, value in row.items()}
    hung_up: Counter[str] = Counter()
    for (_, name, way), ids in left.items():
        if way == "hung_up":
            hung_up[name] += len(ids)
    for name, number in sorted(hung_up.items(), key=lambda pair: (-pair[1], f"{pair[0]}=hung_up"))[:15]:
        all_who_came = sum(len(ids) for (_, step), ids in came.items() if step == name)
        found |= {f"worst:{name}:calls": number, f"worst:{name}:share": number / all_who_came}
    return found


def _nomatch(calls: Sequence[Call]) -> Numbers:
    found: Numbers = {":calls": len(calls)}
    listened = [(one["id"], turn) for one in calls for turn in one["turns"] if turn["slot"] and turn["result"]]
    for slot in {turn["slot"] for _, turn in listened}:
        mine = [(call, turn) for call, turn in listened if turn["slot"] == slot]
        row: dict[str, float] = {"calls": len({call for call, _ in mine}), "turns": len(mine)}
        for result in ("no_match", "no_input"):
            row[result] = sum(turn["result"] == result for _, turn in mine)
            row[f"{result}_rate"] = row[result] / len(mine)
        found |= {f"slots:{slot}:{name}": value for name, value in row.items()}
    return found


def _latency(calls: Sequence[Call]) -> Numbers:
    responses = [[turn["response_ms"] for turn in one["turns"] if turn["response_ms"] is not None] for one in calls]
    every = [round(ms) for some in responses for ms in some]
    greetings = [round(one["greeting_ms"]) for one in calls if one["greeting_ms"] is not None]
    row: Numbers = {"responses": len(every)}
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        row[f"response_{name}"] = Percentile(tuple(every), share)
        row[f"greeting_{name}"] = Percentile(tuple(greetings), share)
    found: Numbers = {}
    for column, value in row.items():
        found |= {f"latency::{column}": value, f":{column}": value}
    slowest = [round(max(some)) for some in responses if some]
    return {**found, **_distribution("slowest", slowest, RESPONSES), **_distribution("greetings", greetings, GREETINGS)}


def _misheard(calls: Sequence[Call]) -> Numbers:
    said: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in calls:
        for turn in one["turns"]:
            words = " ".join(re.findall(r"[^\W_]+", turn["heard"].lower().replace("'", "")))
            if turn["slot"] and turn["result"] == "no_match" and words:
                said[re.sub(r"\d+", "#", words)].append((one["id"], turn["slot"]))
    found: Numbers = {":calls": len(calls)}
    ranked = sorted(said.items(), key=lambda pair: (-len({call for call, _ in pair[1]}), pair[0]))
    for words, places in ranked[:100]:
        slots = Counter(slot for _, slot in places)
        found |= {
            f"words:{words}:calls": len({call for call, _ in places}),
            f"words:{words}:answers": len(places),
            f"words:{words}:slots": ", ".join(sorted(slots, key=lambda slot: (-slots[slot], slot))),
        }
    return found


def _outbound(calls: Sequence[Call]) -> Numbers:
    found: Numbers = {":calls": len(calls)}
    outcomes = set(_calls_with(calls, _one("outcome")))
    for purpose, number in _calls_with(calls, _one("purpose")).items():
        row = {"calls": number}
        for outcome in outcomes:
            row[outcome] = sum(one["purpose"] == purpose and one["outcome"] == outcome for one in calls)
        found |= {f"results:{purpose}:{name}": value for name, value in row.items()}
    return found


# --- one call ------------------------------------------------------------------------------------------


def _requests(call: Call) -> list[str]:
    return [intent["intent"] for intent in call["intents"]]


def _facts(call: Call, operation: str, name: str) -> list[str]:
    return [
        str(fact["value"])
        for fact in call["facts"]
        if fact["operation"] == operation and fact["name"] == name and fact["value"] not in ("", None)
    ]


def _states(call: Call) -> list[str]:
    return [
        str(fact["value"])
        for fact in call["facts"]
        if fact["operation"].split(".")[0] in ("orders", "shipments")
        and fact["name"].endswith("status")
        and fact["code"] == "ok"
    ]


def _reasons(call: Call) -> list[str]:
    told = [intent["about"].get("reason", "") for intent in call["intents"] if intent["intent"] == "returns"]
    return [*_facts(call, "returns.create", "reason"), *told]


def _promotions(call: Call) -> list[str]:
    told = [intent["about"].get("promotion", "") for intent in call["intents"]]
    return [*_facts(call, "promotions.check", "promotion"), *told]


def _is_shown(call: Call) -> bool:
    number = call["caller"]["number"]
    return len(re.findall(r"\d", number)) >= 3 and number.lstrip("+").isalnum()


def _has_matter(call: Call) -> bool:
    return _is_shown(call) and call["direction"] == "inbound" and not call.get("continues")


def _is_contained(call: Call) -> bool:
    wanted = any(step["way"].startswith("person.") for step in call["trail"])
    wanted = wanted or any(one["result"] in ("handed_over", "nobody_there", "taken_over") for one in call["intents"])
    return not (wanted or call["outcome"] in PEOPLE or call["handover"])


def _is_solved(call: Call) -> bool:
    results = [one["result"] for one in call["intents"] if one["result"] not in ("cancelled", "not_meant")]
    bad = ("handed_over", "nobody_there", "taken_over", "hung_up", "goodbye", "fault", "")
    return _is_contained(call) and bool(results) and not any(one in bad for one in results)


def _answer(call: Call) -> int | None:
    told = [value for name, value in call["slots"].items() if name.endswith("survey_score")]
    for turn in call["turns"]:
        told += re.findall(r"survey_score=(\d+)", turn["understood"])
    told += [fact["value"] for fact in call["facts"] if fact["operation"] == "surveys.answer"]
    return int(told[-1]) if told else None


def _matters(call: Call) -> set[str]:
    """What a call was about: its procedures, its orders."""
    held = [call["slots"], (call["handover"] or {}).get("facts") or {}, *(one["about"] for one in call["intents"])]
    orders = [str(part[name]) for part in held for name in ("order_number", "order") if part.get(name)]
    for fact in call["facts"]:
        if fact["name"] in ("order_number", "order.number") or (
            fact["operation"].startswith("orders.") and fact["name"] == "number"
        ):
            orders.append(str(fact["value"]))
    for turn in call["turns"]:
        orders += re.findall(r"\border_number=(\S+)", turn["understood"])
    return {*_requests(call), *(re.sub(r"\W", "", one).upper() for one in orders)} - {""}


def _next_on_the_same_matter(calls: Iterable[Call]) -> dict[str, float]:
    """Return, by call, after how many seconds the same number called on the same matter."""
    of_number: dict[str, list[Call]] = defaultdict(list)
    for one in calls:
        if _has_matter(one):
            of_number[re.sub(r"\D", "", one["caller"]["number"])].append(one)
    found = {}
    for mine in of_number.values():
        mine.sort(key=lambda one: one["started_utc"])
        for place, one in enumerate(mine):
            later = [other for other in mine[place + 1 :] if _matters(one) & _matters(other)]
            if later:
                found[one["id"]] = round(later[0]["started_utc"] - one["started_utc"], 3)
    return found


# --- counting ------------------------------------------------------------------------------------------


def _one(name: str) -> Callable[[Call], list[str]]:
    return lambda call: [call[name]]


def _calls_with(calls: Iterable[Call], values: Callable[[Call], Collection[Any]]) -> Counter[Any]:
    """Return how many calls have each value; a call counts once for each."""
    found: Counter[Any] = Counter()
    for one in calls:
        found.update({value for value in values(one) if value})
    return found


def _top(calls: Iterable[Call], values: Callable[[Call], Collection[str]], most: int) -> list[tuple[str, int]]:
    return sorted(_calls_with(calls, values).items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def _share_table(calls: Sequence[Call], table: str, values: Callable[[Call], Collection[str]]) -> Numbers:
    found: Numbers = {}
    for value, number in _calls_with(calls, values).items():
        found |= {f"{table}:{value}:calls": number, f"{table}:{value}:share": number / len(calls)}
    return found


def _plain_table(calls: Sequence[Call], table: str, operation: str, name: str) -> Numbers:
    reasons = _calls_with(calls, lambda one: _facts(one, operation, name))
    return {f"{table}:{value}:calls": number for value, number in reasons.items()}


def _share(part: float, of: float) -> float | None:
    return part / of if of else None


def _lengths(calls: Sequence[Call]) -> Numbers:
    return _spread([one["duration_seconds"] for one in calls])


def _spread(seconds: Sequence[float]) -> Numbers:
    row: Numbers = {"calls": len(seconds)}
    if seconds:
        row["mean"] = sum(seconds) / len(seconds)
    return {**row, "median": Percentile(tuple(seconds), 0.5), "p90": Percentile(tuple(seconds), 0.9)}


def _distribution(table: str, times: Sequence[float], edges: Sequence[int]) -> Numbers:
    found: Numbers = {}
    for edge, end in zip(edges, (*edges[1:], None), strict=True):
        name = f"{edge}+" if end is None else f"{edge}-{end}"
        found[f"{table}:{name}:calls"] = sum(edge <= one and (end is None or one < end) for one in times)
    return found
