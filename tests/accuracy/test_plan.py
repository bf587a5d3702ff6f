"""What a run tries."""

from __future__ import annotations

from agent.accuracy import plan
from agent.accuracy.codecs import CODECS
from agent.accuracy.dialog_setup import LETTERS, QUESTIONS


def test_the_same_plan_comes_out_each_time() -> None:
    one = plan.trials(plan.QUICK, ["hibari", "joe"], ["george"])
    assert one == plan.trials(plan.QUICK, ["hibari", "joe"], ["george"])
    assert len(
        {(trial.item.id, trial.item.speaker, trial.condition.name, trial.condition.sweep) for trial in one}
    ) > 0.9 * len(one)


def test_a_full_run_has_every_kind_of_speech_noise_codec_and_loss() -> None:
    trials = plan.trials(plan.FULL, ["hibari", "joe", "espeak:en-us+f3"], ["george"])
    assert {trial.item.kind for trial in trials} == {"number", "request", "choice", "yes_no", "foreign"}
    assert {trial.item.question for trial in trials} == {*QUESTIONS, LETTERS}
    conditions = {trial.condition.name for trial in trials}
    assert {"white 10 dB", "babble 10 dB", "street 10 dB", "loss 10%", "speed 1.4", "-40 dBFS"} <= conditions
    assert {trial.condition.codec for trial in trials} == {"ulaw", "alaw", "g722", "gsm", "amr"} < set(CODECS)


def test_recorded_people_say_digits_only() -> None:
    trials = plan.trials(plan.FULL, ["hibari"], ["george"])
    assert {trial.item.lot for trial in trials if trial.item.speaker == "george"} == {plan.DIGITS}


def test_the_same_utterance_has_the_same_noise_under_every_codec() -> None:
    trials = plan.trials(plan.QUICK, ["joe"], [])
    seeds: dict[tuple[str, str], set[int]] = {}
    for trial in trials:
        seeds.setdefault((trial.item.id, trial.item.speaker), set()).add(trial.seed)
    assert all(len(found) == 1 for found in seeds.values())


def test_errands_are_about_orders_of_the_demo_shop() -> None:
    orders = plan.errand_orders()
    assert ("10473", "60614") in orders
    assert len(orders) == 6
