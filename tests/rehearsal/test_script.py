"""Caller scripts: what an administrator writes, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.rehearsal.errors import ScriptError
from agent.rehearsal.patterns import matches
from agent.rehearsal.script import (
    CallScript,
    Keys,
    Noise,
    ScriptedBargeIn,
    ScriptedHangUp,
    ScriptedSilence,
    ScriptedStaffPhone,
    ScriptedTurn,
    Speech,
)
from agent.rehearsal.script_reader import load_script, load_scripts, parse_script
from agent.rehearsal.spoken_numbers import digit_words, spelling_words

SCRIPTS = Path(__file__).parents[2] / "agent" / "rehearsal" / "scripts"
FILE = Path("calls.yaml")


def call_of(text: str) -> CallScript:
    (call,) = parse_script(text, FILE)
    return call


def problems_of(text: str, file: Path = FILE) -> tuple[str, ...]:
    with pytest.raises(ScriptError) as caught:
        parse_script(text, file)
    return caught.value.problems


class TestWhatIsRead:
    def test_the_scripts_that_come_with_the_product_are_valid(self) -> None:
        calls = load_scripts(sorted(SCRIPTS.glob("*.yaml")))
        assert len(calls) > 20
        demo = load_script(SCRIPTS / "demo.yaml")
        assert len(demo) == 5
        voices = {speech.voice for call in demo for speech in call.speeches}
        assert len({voice.split(":")[0] for voice in voices} - {"hibari"}) >= 3

    def test_one_call_may_stand_alone_in_a_file(self) -> None:
        call = call_of("name: short\nsteps: [hang_up]\n")
        assert call.name == "short"
        assert call.steps == (ScriptedHangUp(2),)
        assert call.dial == "7000"

    def test_a_caller_is_a_number_a_name_with_a_number_or_a_mapping(self) -> None:
        for caller in ("202-555-0143", "Maria Lopez <202-555-0143>", "{number: 202-555-0143, name: Maria Lopez}"):
            call = call_of(f"name: a\ncaller: {caller}\nsteps: [hang_up]\n")
            assert call.number == "2025550143"
            assert call.caller_name in ("", "Maria Lopez")

    def test_defaults_hold_for_every_call_that_says_nothing_else(self) -> None:
        text = (
            "defaults: {voice: 'espeak:en-us', dial: '7001', level_dbfs: -30}\n"
            "calls:\n- {name: a, steps: [say: hello]}\n- {name: b, voice: joe, steps: [say: hello]}\n"
        )
        first, second = parse_script(text, FILE)
        assert [speech.voice for call in (first, second) for speech in call.speeches] == ["espeak:en-us", "joe"]
        assert (first.dial, first.level_dbfs) == ("7001", -30)

    def test_words_that_yaml_takes_for_something_else_stay_as_they_are_written(self) -> None:
        call = call_of(
            "name: 010\nsteps:\n- say: no\n- say: 12:30\n- say: on\n- keys: 010\nexpect: {heard: [yes, no]}\n"
        )
        assert call.name == "010"
        assert [speech.text for speech in call.speeches] == ["no", "12:30", "on"]
        assert call.steps[3] == ScriptedTurn(Keys("010"), 6)
        assert call.expect.heard == ("yes", "no")

    def test_options_stand_beside_a_step_or_inside_its_braces(self) -> None:
        beside = call_of("name: a\nsteps:\n- say: hello there\n  voice: joe\n  speed: 1.2\n  wait: none\n")
        assert beside.steps == (ScriptedTurn(Speech("hello there", "hello there", "joe", 1.2), 3, wait=False),)

    def test_digits_are_spoken_by_recordings_and_keys_are_keyed(self) -> None:
        call = call_of('name: a\nsteps:\n- digits: "104 73"\n- keys: 104-73#\n')
        assert call.speeches == (Speech("104 73", "one zero four, seven three", "allison"),)
        assert call.steps[1] == ScriptedTurn(Keys("10473#"), 4)

    def test_a_barge_in_holds_one_thing_to_do_and_when(self) -> None:
        call = call_of("name: a\nsteps:\n- barge_in: {after_ms: 800, say: agent, voice: joe}\n")
        assert call.steps == (ScriptedBargeIn(Speech("agent", "agent", "joe"), 800, 3),)

    def test_noise_is_measured_against_the_speech_level(self) -> None:
        call = call_of("name: a\nlevel_dbfs: -24\nnoise: {kind: white, snr_db: 12}\nsteps: [cough]\n")
        assert call.noise == Noise("white", -36)
        assert isinstance(call.steps[0], ScriptedTurn)
        assert isinstance(call.steps[0].action, Noise)
        assert call.noises == (call.steps[0].action, call.noise)

    def test_silence_in_the_middle_of_an_answer_need_not_wait_for_the_agent(self) -> None:
        call = call_of("name: a\nsteps:\n- silence: 1.5\n- silence: 2\n  wait: none\n")
        assert call.steps == (ScriptedSilence(1.5, 3), ScriptedSilence(2, 4, wait=False))

    def test_a_human_talks_even_when_the_script_gives_no_words(self) -> None:
        call = call_of("name: a\nsteps:\n- human: {ticket_matches: '/T-[0-9]+/', summary_contains: [order]}\n")
        (human,) = call.steps
        assert isinstance(human, ScriptedStaffPhone)
        assert human.says is not None
        assert human.talks is not None
        assert call.speeches == (human.says, human.talks)

    def test_a_list_of_hang_up_moments_makes_a_call_of_each(self) -> None:
        calls = parse_script(
            "name: a\nhang_up_at_ms: [0, 250]\nsteps: [say: hello]\nexpect: {outcome: answered}\n", FILE
        )
        assert [(call.name, call.hang_up_at_ms) for call in calls] == [
            ("a, hung up at 0 ms", 0.0),
            ("a, hung up at 250 ms", 250.0),
        ]
        assert all(not call.expect.outcome for call in calls)


class TestMistakes:
    def test_every_mistake_is_told_with_its_line(self) -> None:
        problems = problems_of("name: a\nvoise: joe\nsteps:\n- sya: hello\n- keys: hello\nexpect: {outcom: answered}\n")
        assert problems == (
            "calls.yaml:2: a call has no 'voise'; did you mean 'voice'?",
            "calls.yaml:4: there is no step 'sya'; did you mean 'say'?",
            "calls.yaml:5: 'hello' are not keys of a telephone (0-9 * #); quote them",
            "calls.yaml:6: expect has no 'outcom'; did you mean 'outcome'?",
        )

    def test_a_key_that_stands_twice_is_refused(self) -> None:
        assert problems_of("name: a\nsteps: [hang_up]\nname: b\n") == (
            "calls.yaml:3: name: stands twice; the first one is on line 1",
        )

    def test_two_calls_of_one_name_are_refused(self) -> None:
        text = "calls:\n- {name: a, steps: [hang_up]}\n- {name: a, steps: [hang_up]}\n"
        assert problems_of(text) == ("calls.yaml:3: two calls are named 'a' (first in line 2)",)

    def test_what_is_not_yaml_is_told_with_its_line(self) -> None:
        (problem,) = problems_of("name: a\nsteps: [\n")
        assert problem.startswith("calls.yaml:3: is not readable YAML")

    def test_an_empty_file_is_refused(self) -> None:
        assert problems_of("") == ("calls.yaml:1: the file is empty",)

    def test_an_alias_that_points_at_itself_is_refused(self) -> None:
        (problem,) = problems_of("name: a\nsteps: &s [*s]\n")
        assert problem == "calls.yaml:2: steps[0]: an alias contains itself"

    def test_a_regular_expression_that_does_not_compile_is_refused(self) -> None:
        (problem,) = problems_of("name: a\nsteps:\n- expect: /(help/\n")
        assert problem.startswith("calls.yaml:3: /(help/ is not a regular expression")

    def test_an_expectation_without_words_is_refused(self) -> None:
        (problem,) = problems_of('name: a\nsteps: [hang_up]\nexpect: {heard: ["..."]}\n')
        assert "would match everything" in problem

    def test_a_recording_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        (problem,) = problems_of("name: a\nsteps:\n- play: hello.wav\n", tmp_path / "s.yaml")
        assert problem.endswith("s.yaml:3: there is no file 'hello.wav' beside the script")

    def test_numbers_have_bounds(self) -> None:
        (problem,) = problems_of("name: a\nsteps:\n- silence: 9999\n")
        assert problem == "calls.yaml:3: 'value' must be between 0 and 600, not 9999"

    def test_a_name_that_could_break_out_of_a_caller_id_is_refused(self) -> None:
        (problem,) = problems_of("name: a\ncaller: {number: 202-555-0143, name: 'x\"<1>'}\nsteps: [hang_up]\n")
        assert "may not hold quotes" in problem

    def test_every_call_is_read_once_for_each_voice_unless_it_names_its_own(self, tmp_path: Path) -> None:
        file = tmp_path / "calls.yaml"
        file.write_text(
            "defaults: {scenario: greeting}\ncalls:\n- {name: a, steps: [say: hello]}\n"
            "- {name: b, voice: joe, scenario: other, steps: [say: hello]}\n",
            encoding="utf-8",
        )
        calls = load_scripts([file], ["hibari", "espeak:en-us"])
        assert [call.name for call in calls] == ["a (hibari)", "b (hibari)", "a (espeak:en-us)", "b (espeak:en-us)"]
        voices = [speech.voice for call in calls for speech in call.speeches]
        assert voices == ["hibari", "joe", "espeak:en-us", "joe"]
        assert [call.scenario for call in calls] == ["greeting", "other", "greeting", "other"]

    def test_a_mistake_is_told_once_however_many_voices_read_it(self, tmp_path: Path) -> None:
        (tmp_path / "one.yaml").write_text("name: a\n", encoding="utf-8")
        with pytest.raises(ScriptError) as caught:
            load_scripts([tmp_path / "one.yaml"], ["joe", "hibari"])
        assert len(caught.value.problems) == 1

    def test_the_mistakes_of_all_files_come_together(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / f"{name}.yaml").write_text("name: a\n", encoding="utf-8")
        with pytest.raises(ScriptError) as caught:
            load_scripts([tmp_path / "one.yaml", tmp_path / "two.yaml", tmp_path / "three.yaml"])
        assert len(caught.value.problems) == 3


class TestWords:
    def test_words_match_as_words_whatever_the_punctuation(self) -> None:
        assert matches("order number", "What's the ORDER, number?")
        assert not matches("order", "the orders")

    def test_an_expression_between_slashes_is_searched_for(self) -> None:
        assert matches("/(on its way|arrive)/", "It should ARRIVE tomorrow.")
        assert not matches("/^way/", "It is on its way.")

    def test_digits_become_words_with_pauses_between_groups(self) -> None:
        assert digit_words("104 73") == "one zero four, seven three"
        assert digit_words("10", zero="oh") == "one oh"

    def test_a_code_is_spelt_and_words_are_said(self) -> None:
        assert spelling_words("AB-1") == "a, b, dash, one"
        assert spelling_words("B as in bravo") == "b as in bravo"
