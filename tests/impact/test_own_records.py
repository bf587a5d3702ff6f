"""What the agent's own calls put into the inputs."""

from __future__ import annotations

from agent.impact.inputs import ImpactInputs
from agent.impact.own_records import with_own_records
from agent.reports.measured import MeasuredFacts, MeasuredIntent, MeasuredShare, MeasuredTime


def intent(name: str, calls: int, part: int, of: int, *, within_day: bool = False, mean: float = 31) -> MeasuredIntent:
    share = MeasuredShare(part, of, 0.0, 1.0) if of else None
    return MeasuredIntent(
        intent=name,
        calls=calls,
        contained=share,
        true_24h=share,
        true_7d=None if within_day else share,
        agent_seconds=MeasuredTime(calls, mean, mean),
    )


def facts(n: int, *intents: MeasuredIntent) -> MeasuredFacts:
    return MeasuredFacts(n, intent("", n, 1, 2), {one.intent: one for one in intents})


def test_containment_time_and_shares_are_measured() -> None:
    measured = with_own_records(
        ImpactInputs(),
        facts(400, intent("order_status", 160, 120, 150), intent("returns", 40, 18, 36, within_day=True)),
    )
    inputs = measured.inputs
    assert inputs.kinds["status"].containment == 0.8
    assert inputs.kinds["returns"].containment == 0.5
    assert inputs.kinds["status"].agent_seconds == 31
    assert [round(inputs.kinds[kind].share, 3) for kind in ("status", "returns", "other")] == [0.4, 0.1, 0.5]
    assert inputs.source("kinds.status.containment") == "measured"
    assert "120 of 150" in measured.warnings[0]
    assert "24 hours" in measured.warnings[1]


def test_several_procedures_about_one_kind_are_added() -> None:
    measured = with_own_records(
        ImpactInputs(),
        facts(400, intent("order_status", 100, 80, 100, mean=30), intent("not_received", 50, 10, 50, mean=60)),
    )
    assert measured.inputs.kinds["status"].containment == 0.6
    assert measured.inputs.kinds["status"].agent_seconds == 40


def test_too_few_calls_change_nothing_and_are_told() -> None:
    measured = with_own_records(ImpactInputs(), facts(20, intent("order_status", 12, 11, 12)))
    assert measured.inputs == ImpactInputs()
    assert "12 calls about status: too few" in measured.warnings[0]
    assert with_own_records(ImpactInputs(), facts(0)).warnings == ()


def test_what_is_yours_stays() -> None:
    yours = ImpactInputs().with_values(
        {"kinds.status.containment": 0.33, "kinds.status.share": 0.4, "kinds.other.share": 0.4}, "yours"
    )
    inputs = with_own_records(yours, facts(400, intent("order_status", 160, 120, 150))).inputs
    assert inputs.kinds["status"].containment == 0.33
    assert inputs.kinds["status"].share == 0.4
    assert inputs.kinds["status"].agent_seconds == 31
