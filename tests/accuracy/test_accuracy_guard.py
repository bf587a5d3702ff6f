"""The regression guard: a small fixed set must be understood about as well as when its baseline was written.

Counts, no times. A change of a few utterances passes (another processor computes the voice a little differently);
losing more than the bounds of ``baseline.json`` fails. After a change that is meant to change them:
``python -m tests.accuracy.test_accuracy_guard --write``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.accuracy import plan
from agent.accuracy.trial_runner import trials_under_condition
from agent.accuracy.trial_types import LineCondition, SpokenAnswer, Trial, TrialItem, TrialResult
from agent.accuracy.worker_pool import WorkerSetup, open_trial_runner
from agent.speech.model import bundled_model

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
BASELINE = HERE / "baseline.json"
DIGITS = HERE.parent / "data" / "human-digits"
SLACK = 0.12
"""Share of a group that may be lost (at least one utterance) before the guard speaks up."""


def trials() -> list[Trial]:
    """People's digits clean and through a bad line, and one synthetic voice's sentences."""
    said = plan.sentences()
    people = [item for person in ("george", "jackson", "lucas", "yweweler") for item in plan.digit_items(person, 4)]
    ways = [item for item in plan.number_items("hibari", 6) if item.lot in (plan.WAYS, plan.POSTCODE)]
    sentences = plan.sentence_items("hibari", said, plan.FULL)
    foreign = [
        TrialItem(
            f"foreign:{text}",
            "foreign",
            "foreign",
            "hibari",
            "order_number",
            (("order_number", SpokenAnswer("", text, text)),),
        )
        for text in said["foreign"][:12]
    ]
    clean, bad = LineCondition(), LineCondition("bad line", "line", codec="gsm", loss=0.03, noise="street", snr_db=15)
    return [
        *trials_under_condition([*people, *ways, *sentences, *foreign], clean),
        *trials_under_condition(people, bad),
    ]


def counts(results: Sequence[TrialResult]) -> dict[str, dict[str, int]]:
    """Count what is right at once, right in the end, and wrong, by group."""
    groups: dict[str, list[TrialResult]] = {}
    for one in results:
        name = "foreign" if one.kind == "foreign" else f"{one.kind}s, {one.condition}"
        groups.setdefault(name, []).append(one)
    return {
        name: {
            "of": len(some),
            "right_at_once": sum(one.outcome in ("taken", "asked") for one in some),
            "right_in_the_end": sum(one.ending in ("first_try", "repaired", "keypad") for one in some),
            "not_wrong": sum(one.outcome != "wrong" for one in some),
        }
        for name, some in groups.items()
    }


def measured() -> dict[str, dict[str, int]]:
    with tempfile.TemporaryDirectory() as folder:
        setup = WorkerSetup(bundled_model(), "bundled", Path(folder), digit_folders=(DIGITS,))
        with open_trial_runner(setup) as ready:
            return counts([ready.run(trial) for trial in trials()])


def test_no_group_is_understood_much_worse_than_its_baseline() -> None:
    before = json.loads(BASELINE.read_text(encoding="utf-8"))
    now = measured()
    assert set(now) == set(before)
    worse = {
        f"{group}: {what}": f"{now[group][what]} instead of {count} of {before[group]['of']}"
        for group, row in before.items()
        for what, count in row.items()
        if now[group][what] < count - max(1, round(SLACK * row["of"]))
    }
    assert worse == {}


def test_a_guard_that_hears_nothing_would_speak_up() -> None:
    before = json.loads(BASELINE.read_text(encoding="utf-8"))
    for group, row in before.items():
        if group != "foreign":
            assert row["right_at_once"] > max(1, round(SLACK * row["of"])), group


if __name__ == "__main__":
    found = measured()
    if "--write" in sys.argv:
        BASELINE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
