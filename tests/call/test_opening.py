"""People, voicemails, screeners, menus and faxes are told apart; what a person says never makes a machine of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.opening import CalleeClassifier, CalleeWatcher, OpeningOptions, pieces_in
from agent.call.tones import Tone
from agent.call.turn_taking import TurnTakingOptions
from agent.common import yaml_reader
from agent.common.audio import FRAME_BYTES
from agent.dialog.callee import CalleeWatch
from agent.dialog.contract import Completeness
from agent.dialog.model.model import PackFile
from agent.dialog.pack.callee_phrases import callee_phrases
from agent.flows import english_pack
from tests.call.test_tones import tone

_FILE = english_pack() / "outbound.yaml"
PHRASES = callee_phrases(PackFile.model_validate(yaml_reader.read(_FILE.name, _FILE.read_text("utf-8")).data)).machines
OPTIONS = OpeningOptions()


@dataclass
class Line:
    """Plays what a callee does to a classifier; ``reports`` are what it says, with the time in milliseconds."""

    leaves_message: bool = True
    now_ms: int = 0
    reports: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.classifier = CalleeClassifier(PHRASES, leaves_message=self.leaves_message)
        self.text = ""

    def _frames(self, ms: int, *, voice: bool, tone: Tone = Tone.NONE) -> None:
        for _ in range(ms // 20):
            self.now_ms += 20
            report = self.classifier.frame(voice=voice, text=self.text, tone=tone)
            if report is not None:
                self.reports.append((self.now_ms, report.kind))

    def says(self, text: str, ms: int = 0) -> Line:
        """Say words one by one, 300 ms each unless told otherwise."""
        words = text.split()
        for word in words:
            self.text = f"{self.text} {word}".strip()
            self._frames((ms or 300 * len(words)) // len(words), voice=True)
        return self

    def silent(self, ms: int) -> Line:
        self._frames(ms, voice=False)
        return self

    def beeps(self, ms: int = 400) -> Line:
        self._frames(ms, voice=False, tone=Tone.BEEP)
        return self

    def turn_over(self) -> Line:
        self.classifier.next_turn()
        self.text = ""
        return self

    @property
    def kinds(self) -> list[str]:
        return [kind for _, kind in self.reports]


PEOPLE = [
    "hello", "yes", "hello who is this", "good morning smith and sons how can i help you",
    "this is the front desk you've reached the office of doctor smith maria speaking how can i help you today",
    "maria speaking", "hi sorry i was in the kitchen", "sorry i missed your call", "one moment please",
    "i'm not here i mean i'm not at home right now i'm in the car",
]  # fmt: skip


@pytest.mark.parametrize("greeting", PEOPLE)
def test_a_person_is_never_a_machine(greeting: str) -> None:
    line = Line().says(greeting).silent(600).turn_over().silent(1500).says("hello hello").silent(3000)
    assert line.reports == []
    assert not line.classifier.is_machine


@given(st.lists(st.sampled_from([*PEOPLE, "yes", "no", "who is calling", "she's not here"]), min_size=1, max_size=4))
def test_no_person_becomes_a_machine_by_what_they_say_in_turn(said: list[str]) -> None:
    line = Line()
    for one in said:
        line.says(one).silent(700)
        line.classifier.answered()
        line.turn_over()
    assert line.reports == []


@given(st.integers(min_value=100, max_value=20_000))
def test_length_alone_makes_no_machine(ms: int) -> None:
    assert Line().says("hello good morning", ms).silent(5000).reports == []


def test_two_pieces_and_a_beep_are_a_voicemail_that_can_be_spoken_to() -> None:
    line = Line().says("hi you've reached bob please leave a message after the tone")
    assert line.reports == []  # it is still speaking
    before = line.silent(500).now_ms
    line.beeps().silent(700)
    assert line.kinds[:1] == ["machine"]
    assert line.reports[0][0] > before + 400  # when the beep is over


def test_of_two_beeps_the_second_one_is_waited_for() -> None:
    line = Line().says("you've reached bob please leave a message").silent(500).beeps().silent(340)
    line.silent(160)  # so long the second one sounds before it is known for a tone
    assert line.reports == []
    second = line.beeps(240).now_ms
    line.silent(1000)
    assert line.reports[0] == (second + OPTIONS.after_beep_ms, "machine")


def test_without_a_beep_two_seconds_of_silence_will_do() -> None:
    line = Line().says("the person you are calling is not available please leave a message")
    spoken_until = line.now_ms
    line.silent(3000)
    assert line.reports[0] == (spoken_until + OPTIONS.message_pause_ms, "machine")


def test_where_no_message_is_left_it_is_told_at_once() -> None:
    line = Line(leaves_message=False).says("you've reached bob i can't come to the phone right now")
    assert line.kinds[:1] == ["machine"]


def test_seven_seconds_of_silence_first_change_nothing() -> None:
    line = Line().silent(7000).says("please leave your name and number after the tone").silent(300).beeps().silent(700)
    assert line.kinds[:1] == ["machine"]


def test_a_voicemail_that_never_stops_is_told_after_45_seconds() -> None:
    line = Line()
    for _ in range(40):
        line.says("please leave a message after the tone")
    assert line.kinds[:1] == ["machine"]
    assert line.reports[0][0] == pytest.approx(OPTIONS.longest_wait_ms, abs=3000)


def test_one_piece_alone_makes_suspicious_and_no_more() -> None:
    line = Line().says("please leave a message").silent(4000)
    assert line.reports == []
    assert line.classifier.is_suspect


def test_an_answer_ends_the_suspicion() -> None:
    line = Line().says("you have reached maria")
    assert line.classifier.is_suspect
    line.classifier.answered()
    assert not line.classifier.is_suspect


def test_one_piece_and_a_beep_are_a_voicemail() -> None:
    assert Line().says("leave a message").beeps().silent(700).kinds[:1] == ["machine"]


def test_a_beep_behind_a_long_speech_is_a_voicemail_whatever_was_understood() -> None:
    assert Line().says("[unk]", 2500).beeps().silent(700).kinds[:1] == ["machine"]


def test_a_beep_behind_hello_is_a_recorded_line() -> None:
    assert Line().says("hello").silent(400).beeps(300).silent(1000).reports == []


def test_a_beep_at_once_is_a_voicemail_without_a_greeting() -> None:
    assert Line().silent(500).beeps().silent(700).kinds[:1] == ["machine"]


def test_a_key_means_a_person_whatever_was_said() -> None:
    line = Line().says("please leave a message after the")
    line.classifier.key_pressed()
    line.says("tone").silent(3000).beeps().silent(3000)
    assert line.reports == []


@pytest.mark.parametrize(
    "said",
    ["hi if you record your name and reason for calling", "go ahead and say your name and why you're calling"],
)
def test_a_screener_is_told_when_it_waits_for_an_answer(said: str) -> None:
    line = Line().says(said)
    assert line.reports == []
    line.silent(600)
    assert line.kinds == ["screener"]


def test_a_screener_that_speaks_on_is_no_second_one_and_nobodys_greeting() -> None:
    watcher = CalleeWatcher(CalleeWatch(PHRASES, greeting=True, leaves_message=True))
    said = "please say your name and why you are calling"
    assert watcher.listens_on(said, Completeness.OPEN), "before it is told: it has not greeted"
    watcher.classifier.next_turn()
    reports = [watcher.frame(b"\0" * 320, voice=False, text="", frame_ms=20) for _ in range(40)]
    assert [report.kind for report in reports if report is not None] == ["screener"]
    watcher.begin_turn(CalleeWatch(PHRASES, greeting=True, leaves_message=True))
    assert watcher.listens_on("please stay on the line", Completeness.OPEN)
    watcher.classifier.next_turn()
    later = [watcher.frame(b"\0" * 320, voice=False, text="", frame_ms=20) for _ in range(40)]
    assert later == [None] * 40
    assert not watcher.listens_on("hello", Completeness.COMPLETE)


def test_a_menu_is_told() -> None:
    line = Line().says("thank you for calling press one for sales press two for support")
    assert line.kinds[:1] == ["ivr"]


def test_a_fax_is_told() -> None:
    line = Line().silent(200)
    line._frames(40, voice=False, tone=Tone.FAX)
    assert line.kinds[:1] == ["fax"]


@given(st.lists(st.sampled_from(sorted(PHRASES["voicemail"])), min_size=1, max_size=5))
def test_pieces_within_one_another_count_once(said: list[str]) -> None:
    found = pieces_in(" and then ".join(said), [piece.split() for piece in PHRASES["voicemail"]])
    assert found <= set(said) | set(PHRASES["voicemail"])
    assert len(found) <= sum(len(one.split()) for one in said)
    assert pieces_in(
        "leave your name and number", [["leave", "your", "name", "and", "number"], ["your", "name", "and", "number"]]
    ) == {"leave your name and number"}


class TestWatcher:
    def watch(self, *, greeting: bool) -> CalleeWatcher:
        return CalleeWatcher(CalleeWatch(PHRASES, greeting=greeting, leaves_message=True))

    def test_a_greeting_ends_after_a_short_silence_whatever_was_said(self) -> None:
        waits = self.watch(greeting=True).turn_taking(TurnTakingOptions())
        ends = {
            waits.end_complete_ms,
            waits.end_likely_ms,
            waits.end_open_ms,
            waits.end_incomplete_ms,
            waits.end_unheard_ms,
        }
        assert ends == {OPTIONS.greeting_end_ms}
        assert 200 <= OPTIONS.greeting_end_ms <= 300

    def test_an_answer_to_our_question_is_waited_for_as_ever(self) -> None:
        assert self.watch(greeting=False).turn_taking(TurnTakingOptions()) == TurnTakingOptions()

    @pytest.mark.parametrize(("completeness", "on"), [(Completeness.COMPLETE, False), (Completeness.OPEN, True)])
    def test_behind_a_suspicion_only_a_whole_answer_ends_the_turn(
        self, completeness: Completeness, *, on: bool
    ) -> None:
        watcher = self.watch(greeting=False)
        self._hear(watcher, ["you've reached maria"])
        assert watcher.listens_on("you've reached maria", completeness) is on

    def test_what_only_the_final_text_tells_is_seen(self) -> None:
        watcher = self.watch(greeting=True)
        assert watcher.listens_on("you've reached bob please leave a message after the tone", Completeness.OPEN)

    def _hear(self, watcher: CalleeWatcher, texts: Iterable[str]) -> None:
        for text in texts:
            for _ in range(20):
                watcher.frame(b"\0" * 320, voice=True, text=text, frame_ms=20)


@pytest.mark.parametrize("leaves_message", [True, False])
def test_the_sound_of_a_fax_is_no_voicemail(*, leaves_message: bool) -> None:
    watcher = CalleeWatcher(CalleeWatch(PHRASES, greeting=True, leaves_message=leaves_message))
    sound = tone(2100, ms=1000)
    frames = (sound[start : start + FRAME_BYTES] for start in range(0, len(sound), FRAME_BYTES))
    reports = [watcher.frame(frame, voice=False, text="", frame_ms=20) for frame in frames]
    assert next(report.kind for report in reports if report is not None) == "fax"
