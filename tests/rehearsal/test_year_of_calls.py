"""The made-up year is believable, the same every time, and of the shape that agents write."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path

from agent.call.records import Caller, CallRecord
from agent.history.facts import call_facts
from agent.history.local import LocalHistory
from agent.records.call_record import call_record
from agent.rehearsal.year_of_calls import write_year, year_of_calls

CALLS = list(year_of_calls(4000))


def test_the_same_seed_gives_the_same_calls() -> None:
    assert list(year_of_calls(50, seed=3)) == list(year_of_calls(50, seed=3))
    assert list(year_of_calls(50, seed=3)) != list(year_of_calls(50, seed=4))


def test_there_are_as_many_as_asked_for_spread_over_a_year_in_order() -> None:
    starts = [dt.datetime.fromisoformat(call["started_at"]) for call in CALLS]
    assert len(CALLS) == len({call["id"] for call in CALLS}) == 4000
    assert starts == sorted(starts)
    assert starts[-1] - starts[0] > dt.timedelta(days=360)
    by_hour = Counter(start.hour for start in starts)
    assert by_hour[10] > 20 * by_hour[3] > 0


def test_records_have_fields_that_agents_write_and_no_others() -> None:
    known = call_record(CallRecord("", Caller(), ""))
    assert all(call.keys() <= known.keys() for call in CALLS)
    first, last = CALLS[0], CALLS[-1]
    assert "edition" not in first
    assert {"trail", "intents", "facts", "edition"} <= last.keys()


def test_calls_are_of_every_kind() -> None:
    facts = [call_facts(call, 0) for call in CALLS]
    outcomes = Counter(one.outcome for one in facts)
    assert outcomes["answered"] > outcomes["handed_over"] > outcomes["caller_hung_up"] > 100
    assert len({one.asked for one in facts}) == 7
    assert len({one.edition for one in facts}) > 15
    assert sum(one.faults for one in facts) > 5
    assert {1, 2, 3, 4, 5} <= {one.score for one in facts}
    again = Counter(one.caller for one in facts if one.caller)
    assert again.most_common(1)[0][1] > 3
    assert all(one.caller[3:8] in ("55501", "") for one in facts)


def test_it_is_written_as_an_agent_would_have(tmp_path: Path) -> None:
    assert write_year(tmp_path / "calls.sqlite", 100) == 100
    history = LocalHistory(tmp_path / "calls.sqlite")
    history.catch_up()
    ids = [call["id"] for call in year_of_calls(100)]
    assert history.index.records(ids) == {call["id"]: json.loads(json.dumps(call)) for call in year_of_calls(100)}
    history.close()
