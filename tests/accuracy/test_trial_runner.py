"""Trials with real recognition and the shipped flows: what counts as right, as asked, as wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.accuracy.call_listener import CallListener, CallListenerFactory
from agent.accuracy.dialog_setup import QUESTIONS, READ_BACK_VALUE
from agent.accuracy.phone_line import AFTER_SECONDS, BEFORE_SECONDS, frames, over_phone_line
from agent.accuracy.trial_runner import TrialRunner, seed_of
from agent.accuracy.trial_types import Kind, LineCondition, SpokenAnswer, Trial, TrialItem
from agent.accuracy.worker_pool import WorkerSetup, open_trial_runner, run
from agent.call.ports import RecognitionResult, Recognizer, UtteranceRecognizer
from agent.common.audio import FRAME_BYTES
from agent.dialog.contract import TurnInput
from agent.rehearsal.audio import write_wav
from agent.speech.gain import AutomaticGain
from agent.speech.model import bundled_model
from agent.speech.vad import VoiceActivityFactory

pytestmark = pytest.mark.slow

DIGITS = Path(__file__).parents[1] / "data" / "human-digits"
CLEAN = LineCondition(codec="none")


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> WorkerSetup:
    return WorkerSetup(bundled_model(), "bundled", tmp_path_factory.mktemp("callers"), digit_folders=(DIGITS,))


@pytest.fixture(scope="module")
def ready(setup: WorkerSetup) -> Iterator[TrialRunner]:
    with open_trial_runner(setup) as one:
        yield one


def item(kind: Kind, question: str, slot: str, value: str, text: str, speaker: str = "hibari") -> TrialItem:
    return TrialItem(text, "lot", kind, speaker, question, ((slot, SpokenAnswer(value, text, text)),))


def trial(one: TrialItem, condition: LineCondition = CLEAN) -> Trial:
    return Trial(one, condition, seed_of(one.id))


def test_a_number_heard_rightly_is_taken_at_the_first_try(ready: TrialRunner) -> None:
    found = ready.run(trial(item("number", "order_number", "order_number", "10473", "one zero four seven three")))
    assert (found.outcome, found.got, found.ending) == ("taken", "10473", "first_try")
    assert [(one.said, one.heard) for one in found.sayings] == [("one zero four seven three",) * 2]


def test_a_person_reading_digits_is_heard(ready: TrialRunner) -> None:
    number = item("number", "order_number", "order_number", "71350", "seven one three five zero", "jackson")
    assert ready.run(trial(number)).got == "71350"


def test_another_number_than_the_expected_one_is_wrong_and_the_caller_puts_it_right(ready: TrialRunner) -> None:
    """The number is said aloud on the way to the next question: there the caller says "no, it's ..."."""
    answer = SpokenAnswer("38215", "three eight two one nine", "three eight two, one five")
    found = ready.run(trial(TrialItem("slip", "lot", "number", "hibari", "order_number", (("order_number", answer),))))
    assert (found.outcome, found.got) == ("wrong", "38219")
    assert found.sayings[1].said == "no, it's three eight two, one five"
    assert found.ending == "repaired"


def test_a_number_that_can_be_read_in_two_ways_is_asked_about(ready: TrialRunner) -> None:
    found = ready.run(trial(item("number", "order_number", "order_number", READ_BACK_VALUE, "one oh seventy three")))
    assert (found.outcome, found.ending) == ("asked", "first_try")
    assert found.sayings[1].said == "yes"


def test_half_a_number_is_a_part_and_the_rest_may_follow(ready: TrialRunner) -> None:
    answer = SpokenAnswer("10473", "one zero four", "one zero four, seven three")
    found = ready.run(trial(TrialItem("half", "lot", "number", "hibari", "order_number", (("order_number", answer),))))
    assert (found.outcome, found.ending) == ("part", "repaired")


def test_a_request_is_judged_by_the_flow_it_opens(ready: TrialRunner) -> None:
    found = ready.run(trial(item("request", "request", "request", "returns", "I want to return something")))
    assert (found.outcome, found.got) == ("taken", "returns")
    other = ready.run(trial(item("request", "request", "request", "promotions", "where is my order")))
    assert (other.outcome, other.got, other.ending) == ("wrong", "order_status", "wrong")


def test_an_open_request_is_judged_by_what_is_decided_about_it(ready: TrialRunner) -> None:
    found = ready.run(trial(item("open", "request", "request", "order_status delivery_time", "where is my order")))
    assert found.open_decision is not None
    assert (found.open_decision.decision, found.open_decision.meaning) == ("act", "order_status")
    assert (found.outcome, found.sayings[0].heard) == ("taken", "where is my order")
    other = ready.run(trial(item("open_foreign", "request", "request", "", "where is my order")))
    assert (other.outcome, other.ending) == ("wrong", "wrong")


@pytest.mark.parametrize(("word", "said"), [("yes", "yes that's right"), ("no", "no that's wrong")])
def test_yes_and_no_answer_a_read_back(ready: TrialRunner, word: str, said: str) -> None:
    found = ready.run(trial(item("yes_no", "read_back", "order_number", word, said)))
    assert (found.outcome, found.got) == ("taken", word)
    turned = "no" if word == "yes" else "yes"
    assert ready.run(trial(item("yes_no", "read_back", "order_number", turned, said))).outcome == "wrong"


def test_a_choice_is_a_value_of_its_slot(ready: TrialRunner) -> None:
    found = ready.run(trial(item("choice", "return_reason", "return_reason", "wrong_size", "it's the wrong size")))
    assert (found.outcome, found.got) == ("taken", "wrong_size")


def test_a_choice_counts_though_the_procedure_has_dealt_with_it_already(ready: TrialRunner) -> None:
    """Used goods are refused at once, and the return is forgotten."""
    found = ready.run(trial(item("choice", "return_condition", "return_condition", "used", "I've used it")))
    assert (found.outcome, found.got, found.ending) == ("taken", "used", "first_try")


def test_goods_that_have_been_opened_are_heard_so(ready: TrialRunner) -> None:
    found = ready.run(trial(item("choice", "return_condition", "return_condition", "opened", "it's been opened")))
    assert (found.outcome, found.got) == ("taken", "opened")


def test_a_digit_heard_for_a_yes_changes_nothing_unasked(ready: TrialRunner) -> None:
    found = ready.run(trial(item("yes_no", "read_back", "order_number", "yes", "nine")))
    assert (found.outcome, found.got) == ("missed", "")


def test_what_is_not_for_the_agent_must_not_be_taken_for_anything(ready: TrialRunner) -> None:
    refused = ready.run(trial(item("foreign", "order_number", "order_number", "", "can you pass me the salt")))
    assert (refused.outcome, refused.got) == ("missed", "")
    acted_on = ready.run(trial(item("foreign", "order_number", "order_number", "", "one zero four seven three")))
    assert acted_on.outcome == "wrong"


def test_an_errand_is_over_when_the_caller_has_the_answer(ready: TrialRunner) -> None:
    answers = (
        ("request", SpokenAnswer("order_status", "where is my order", "where is my order")),
        ("order_number", SpokenAnswer("10473", "one zero four seven three", "one zero four, seven three")),
        ("postcode", SpokenAnswer("60614", "six zero six one four", "six zero six, one four")),
    )
    found = ready.run(trial(TrialItem("errand", "errand", "request", "hibari", "request", answers, errand=True)))
    assert found.ending == "first_try", found
    wrong = (*answers[:2], ("postcode", SpokenAnswer("60614", "nine nine six one four", "nine nine six, one four")))
    failed = ready.run(trial(TrialItem("errand", "errand", "request", "hibari", "request", wrong, errand=True)))
    assert failed.ending in ("person", "lost"), failed


def test_the_procedures_come_to_every_question(ready: TrialRunner) -> None:
    for question in QUESTIONS:
        said = ready.run(trial(item("foreign", question, "request", "", "the baby is finally asleep")))
        assert said.question == question


def test_a_recording_is_played_as_it_is(ready: TrialRunner, tmp_path: Path) -> None:
    path = tmp_path / "mine.wav"
    write_wav(path, ready.line(trial(item("number", "phone", "phone", "", "one two three four five")), "nine"))
    one = item("number", "order_number", "order_number", "99999", "nine")
    found = ready.run(trial(TrialItem(one.id, "lot", "number", "me", "order_number", one.answers, path, once=True)))
    assert found.sayings[0].heard == "nine"
    assert len(found.sayings) == 1


def test_the_same_trial_gives_the_same_result_in_any_process(setup: WorkerSetup, ready: TrialRunner) -> None:
    noisy = LineCondition("noisy", "noise: white", noise="white", snr_db=8, codec="gsm", loss=0.05)
    trials = [
        trial(item("number", "order_number", "order_number", value, words, "george"), noisy)
        for value, words in (("10473", "one zero four seven three"), ("38215", "three eight two one five"))
    ]
    here = [ready.run(one) for one in trials]
    told: list[int] = []
    assert run(setup, trials, jobs=2, progress=told.append) == here
    assert told[-1] == 2


def test_quiet_line_stands_around_the_words_and_goes_on_for_ever() -> None:
    speech = (np.sin(np.arange(8000) / 3) * 9000).astype("<i2")
    line = over_phone_line(speech, CLEAN, seed=1)
    assert len(line) == 8000 * (1 + BEFORE_SECONDS + AFTER_SECONDS)
    assert not line[: int(8000 * BEFORE_SECONDS)].any()
    stream = frames(line)
    sent = [next(stream) for _ in range(len(line) // 160 + 500)]
    assert {len(frame) for frame in sent} == {FRAME_BYTES}
    assert not any(sent[-1])


def test_noise_is_there_before_the_first_word() -> None:
    speech = (np.sin(np.arange(8000) / 3) * 9000).astype("<i2")
    line = over_phone_line(speech, LineCondition(noise="white", snr_db=10, codec="none"), seed=1)
    assert line[:4000].any()
    assert np.array_equal(line, over_phone_line(speech, LineCondition(noise="white", snr_db=10, codec="none"), seed=1))


class SlowRecognizer:
    """A recogniser on a machine that is far too busy: the wait for it is longer than a line may be silent."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer

    def listen(
        self,
        phrases: Sequence[str],
        words: Sequence[str] = (),
        samples: Sequence[str] = (),
        symbols: Sequence[str] = (),
    ) -> SlowHearing:
        return SlowHearing(self._recognizer.listen(phrases, words, samples, symbols))


class SlowHearing:
    def __init__(self, hearing: UtteranceRecognizer) -> None:
        self._hearing = hearing
        self._feeds = 0

    async def feed(self, pcm: bytes) -> str:
        self._feeds += 1
        if self._feeds % 8 == 0:
            await asyncio.sleep(0.25)
        return await self._hearing.feed(pcm)

    async def finish(self) -> RecognitionResult:
        await asyncio.sleep(0.25)
        return await self._hearing.finish()


def test_a_busy_machine_hears_the_same(ready: TrialRunner) -> None:
    """Neither a missing partial text nor the silence that a real line is given when nothing comes may get in."""
    ears = CallListenerFactory(bundled_model())
    held = ready.stage.at("order_number")
    pcm = ready.line(trial(item("number", "order_number", "order_number", "38215", "")), "three eight two one five")
    events = []
    for recognizer in (ears.recognizer, SlowRecognizer(ears.recognizer)):
        ear = CallListener(recognizer, VoiceActivityFactory().new(), AutomaticGain())
        events.append(asyncio.run(ear.hear(held.listen, held.conversation.completeness, frames(pcm))))
    assert events[0] == events[1]
    assert isinstance(events[0], TurnInput)
    assert events[0].text == "three eight two one five"


def test_a_recorded_caller_says_the_recording_again_and_other_words_with_another_voice(
    ready: TrialRunner, tmp_path: Path
) -> None:
    recording = tmp_path / "a.wav"
    write_wav(recording, (8000 * np.sin(np.arange(4000) / 3)).astype("<i2"))
    number = item("number", "order_number", "order_number", "10473", "one zero four seven three", "ann")
    recorded = trial(replace(number, file=recording))
    first, again, other = (
        ready.line(recorded, words, count)
        for count, words in enumerate((number.answer.first, number.answer.first, "no"))
    )
    assert np.array_equal(first, again)
    assert len(other) != len(first)
