"""Days in a sentence: what the caller wants, and what the caller refuses."""

from __future__ import annotations

import datetime as dt

import pytest

from agent.dialog.engine.named_days import wanted_day
from agent.dialog.grammar.spoken_dates import day_options
from agent.languages.en.choices import CHANGES
from agent.languages.en.days import name_day

DAYS = day_options(dt.date(2026, 11, 23), 35, name_day)  # a Monday


@pytest.mark.parametrize(
    ("sentence", "day"),
    [
        ("can you bring it on thursday", "2026-11-26"),
        ("nobody's in on thursday can you bring my parcel another time", ""),
        ("i won't be home on friday could you deliver it on monday", "2026-11-30"),
        ("i work on tuesdays so wednesday please", "2026-11-25"),
        ("any day but thursday", ""),
        ("anything other than friday", ""),
        ("not thursday", ""),
        ("not on thursday but friday works", "2026-11-27"),
        ("i can't do wednesday or thursday", ""),
        ("the day after tomorrow would be great", "2026-11-25"),
        ("thursday or friday", ""),
        ("before friday", ""),
        ("i'm away until saturday", ""),
        ("thursday is bad thursday is out", ""),
        ("whenever you like", ""),
        ("it comes on thursday can you make it another day", ""),
        ("where nine on thursday to it come another day", ""),
        ("i need a different day friday would be good", "2026-11-27"),
        ("could it come some other time on monday", "2026-11-30"),
        ("it was thursday and i want another day like friday", "2026-11-27"),
    ],
)
def test_a_day_is_wanted_only_where_nothing_refuses_it(sentence: str, day: str) -> None:
    assert wanted_day(sentence.split(), DAYS, CHANGES) == day
