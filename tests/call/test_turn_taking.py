"""Turn-taking, told in plain numbers."""

from __future__ import annotations

import pytest

from agent.call.turn_taking import TurnAction, TurnTaker, TurnTakingOptions, has_words
from agent.dialog.contract import BargeIn, Completeness

OPTIONS = TurnTakingOptions()
SPEECH, MAYBE_SPEECH, QUIET = 0.95, 0.7, 0.02
FAINT = 0.4


def taker(*, playing: bool = False, barge_in: BargeIn = BargeIn.ANY, no_input_ms: int = 3000) -> TurnTaker:
    return TurnTaker(OPTIONS, barge_in=barge_in, no_input_ms=no_input_ms, max_speech_ms=8000, prompt_playing=playing)


def run(
    turn: TurnTaker,
    milliseconds: int,
    probability: float,
    text: str = "",
    completeness: Completeness = Completeness.OPEN,
) -> tuple[TurnAction, int]:
    """Feed equal frames until something happens; returns what, and after how many milliseconds."""
    for elapsed in range(20, milliseconds + 20, 20):
        action = turn.frame(probability, text, completeness)
        if action is not TurnAction.WAIT:
            return action, elapsed
    return TurnAction.WAIT, milliseconds


class TestTheEndOfTheCallersTurn:
    def test_a_whole_answer_ends_after_a_short_silence(self) -> None:
        turn = taker()
        assert run(turn, 600, SPEECH, "yes", Completeness.COMPLETE) == (TurnAction.WAIT, 600)
        action, after_ms = run(turn, 3000, QUIET, "yes", Completeness.COMPLETE)
        assert action is TurnAction.END_OF_TURN
        assert after_ms == pytest.approx(OPTIONS.end_complete_ms, abs=20)

    def test_half_a_number_is_waited_for_longer_than_a_sentence(self) -> None:
        waits = {}
        for completeness in Completeness:
            turn = taker()
            run(turn, 600, SPEECH, "one oh four", completeness)
            action, waits[completeness] = run(turn, 5000, QUIET, "one oh four", completeness)
            assert action is TurnAction.END_OF_TURN
        levels = (Completeness.COMPLETE, Completeness.LIKELY, Completeness.OPEN, Completeness.INCOMPLETE)
        assert [waits[level] for level in levels] == sorted(waits[level] for level in levels)
        assert len({waits[level] for level in levels}) == 4

    @pytest.mark.parametrize(("completeness", "wait_ms"), [(Completeness.INCOMPLETE, 1600), (Completeness.OPEN, 700)])
    def test_a_number_is_waited_for_1600_ms_while_it_is_certainly_partial_and_700_ms_while_it_may_grow(
        self, completeness: Completeness, wait_ms: int
    ) -> None:
        turn = taker()
        run(turn, 600, SPEECH, "one oh four", completeness)
        assert run(turn, 5000, QUIET, "one oh four", completeness) == (TurnAction.END_OF_TURN, wait_ms)

    def test_the_longest_turn_ends_the_wait_for_the_rest_of_a_number(self) -> None:
        options = TurnTakingOptions(end_incomplete_ms=8000)
        turn = TurnTaker(options, barge_in=BargeIn.ANY, no_input_ms=3000, max_speech_ms=2000, prompt_playing=False)
        run(turn, 600, SPEECH, "one oh four", Completeness.INCOMPLETE)
        action, after_ms = run(turn, 8000, QUIET, "one oh four", Completeness.INCOMPLETE)
        assert action is TurnAction.END_OF_TURN
        assert after_ms == pytest.approx(2000 - 600 + options.onset_ms, abs=20)

    def test_a_caller_who_pauses_between_digits_and_goes_on_is_not_cut_off(self) -> None:
        turn = taker()
        run(turn, 500, SPEECH, "one oh four", Completeness.INCOMPLETE)
        assert run(turn, 1200, QUIET, "one oh four", Completeness.INCOMPLETE)[0] is TurnAction.WAIT
        assert run(turn, 500, SPEECH, "one oh four seven", Completeness.INCOMPLETE)[0] is TurnAction.WAIT
        assert run(turn, 5000, QUIET, "one oh four seven three", Completeness.COMPLETE)[0] is TurnAction.END_OF_TURN

    def test_a_number_that_becomes_whole_late_ends_the_turn_at_once(self) -> None:
        turn = taker()
        run(turn, 800, SPEECH, "one oh four seven", Completeness.INCOMPLETE)
        run(turn, 400, QUIET, "one oh four seven", Completeness.INCOMPLETE)
        assert turn.frame(QUIET, "one oh four seven three", Completeness.COMPLETE) is TurnAction.END_OF_TURN

    def test_speech_that_nobody_understood_still_ends_the_turn(self) -> None:
        turn = taker()
        run(turn, 900, SPEECH)
        action, after_ms = run(turn, 5000, QUIET)
        assert action is TurnAction.END_OF_TURN
        assert after_ms == pytest.approx(OPTIONS.end_unheard_ms, abs=20)

    def test_a_caller_who_never_stops_is_cut_after_the_longest_turn(self) -> None:
        action, after_ms = run(taker(), 20_000, SPEECH, "and then", Completeness.OPEN)
        assert action is TurnAction.END_OF_TURN
        assert after_ms == pytest.approx(8000 + OPTIONS.onset_ms, abs=100)


class TestSilence:
    def test_silence_counts_from_the_end_of_the_prompt(self) -> None:
        turn = taker(playing=True)
        assert run(turn, 6000, QUIET)[0] is TurnAction.WAIT
        turn.prompt_ended()
        action, after_ms = run(turn, 6000, QUIET)
        assert action is TurnAction.NO_INPUT
        assert after_ms == 3000

    def test_a_short_sound_that_was_taken_for_a_word_nobody_expects_is_forgotten(self) -> None:
        turn = taker()
        run(turn, 200, SPEECH, "package", Completeness.UNEXPECTED)
        action, after_ms = run(turn, 3000, QUIET, "package", Completeness.UNEXPECTED)
        assert action is TurnAction.DISCARD
        assert after_ms == pytest.approx(OPTIONS.end_open_ms, abs=20)
        assert run(turn, 5000, QUIET)[0] is TurnAction.NO_INPUT

    def test_a_long_answer_that_nobody_expects_is_an_answer(self) -> None:
        turn = taker()
        run(turn, 1200, SPEECH, "purple elephants", Completeness.UNEXPECTED)
        assert run(turn, 3000, QUIET, "purple elephants", Completeness.UNEXPECTED)[0] is TurnAction.END_OF_TURN

    def test_a_cough_is_neither_an_answer_nor_the_end_of_patience(self) -> None:
        turn = taker()
        assert run(turn, 160, SPEECH)[0] is TurnAction.WAIT
        assert run(turn, 10_000, QUIET)[0] is TurnAction.DISCARD
        assert run(turn, 10_000, QUIET)[0] is TurnAction.NO_INPUT

    def test_a_word_in_a_faint_voice_is_an_answer(self) -> None:
        turn = taker()
        run(turn, 40, FAINT, "no", Completeness.COMPLETE)
        run(turn, 20, MAYBE_SPEECH, "no", Completeness.COMPLETE)
        assert turn.caller_is_speaking
        action, after_ms = run(turn, 3000, QUIET, "no", Completeness.COMPLETE)
        assert action is TurnAction.END_OF_TURN
        assert after_ms == pytest.approx(OPTIONS.end_complete_ms, abs=20)

    def test_a_faint_sound_without_a_word_or_a_word_without_a_voice_is_none(self) -> None:
        turn = taker()
        run(turn, 40, FAINT)
        run(turn, 20, MAYBE_SPEECH)
        assert not turn.caller_is_speaking
        turn = taker()
        run(turn, 400, FAINT, "no", Completeness.COMPLETE)
        assert not turn.caller_is_speaking

    def test_faint_sounds_far_apart_do_not_add_up(self) -> None:
        turn = taker()
        run(turn, 40, FAINT)
        run(turn, OPTIONS.forget_ms + 40, QUIET)
        run(turn, 20, MAYBE_SPEECH, "no", Completeness.COMPLETE)
        assert not turn.caller_is_speaking

    def test_a_key_starts_the_silence_anew(self) -> None:
        turn = taker()
        assert run(turn, 2900, QUIET)[0] is TurnAction.WAIT
        turn.hold()
        assert run(turn, 2900, QUIET)[0] is TurnAction.WAIT


class TestInterruption:
    def test_steady_voice_stops_the_prompt(self) -> None:
        turn = taker(playing=True)
        run(turn, 500, QUIET)
        action, after_ms = run(turn, 1000, MAYBE_SPEECH)
        assert action is TurnAction.INTERRUPT
        assert after_ms == OPTIONS.barge_in_ms

    def test_a_voice_that_is_surely_one_stops_it_sooner(self) -> None:
        turn = taker(playing=True)
        run(turn, 500, QUIET)
        assert run(turn, 1000, SPEECH) == (TurnAction.INTERRUPT, OPTIONS.barge_in_sure_ms)
        assert OPTIONS.barge_in_sure_ms < OPTIONS.barge_in_ms

    def test_sure_speech_a_while_ago_makes_no_voice_of_a_breath(self) -> None:
        turn = taker(playing=True)
        run(turn, 40, SPEECH)
        run(turn, 200, QUIET)
        assert run(turn, 60, MAYBE_SPEECH)[0] is TurnAction.WAIT

    def test_a_recognised_word_stops_it_before_the_voice_is_steady(self) -> None:
        turn = taker(playing=True)
        run(turn, 40, SPEECH)
        run(turn, 100, QUIET)
        run(turn, 20, SPEECH)
        assert turn.frame(SPEECH, "where", Completeness.OPEN) is TurnAction.INTERRUPT

    def test_a_word_without_a_voice_is_imagined_and_stops_nothing(self) -> None:
        turn = taker(playing=True)
        run(turn, 40, SPEECH)
        assert run(turn, 3000, QUIET, "back", Completeness.UNEXPECTED)[0] is TurnAction.WAIT

    def test_an_interruption_by_a_sound_that_no_answer_begins_with_resumes_the_prompt(self) -> None:
        turn = taker(playing=True)
        assert run(turn, 1000, SPEECH)[0] is TurnAction.INTERRUPT
        run(turn, 100, SPEECH, "back", Completeness.UNEXPECTED)
        assert run(turn, 5000, QUIET, "back", Completeness.UNEXPECTED)[0] is TurnAction.RESUME

    def test_a_click_does_not_stop_it(self) -> None:
        turn = taker(playing=True)
        for _ in range(20):
            assert run(turn, 40, SPEECH)[0] is TurnAction.WAIT
            assert run(turn, 140, QUIET)[0] is TurnAction.WAIT

    def test_unknown_words_alone_do_not_stop_it(self) -> None:
        turn = taker(playing=True)
        assert run(turn, 60, MAYBE_SPEECH, "[unk]")[0] is TurnAction.WAIT

    @pytest.mark.parametrize("barge_in", [BargeIn.KEYS, BargeIn.OFF])
    def test_a_prompt_that_voice_may_not_interrupt_is_not(self, barge_in: BargeIn) -> None:
        assert run(taker(playing=True, barge_in=barge_in), 3000, SPEECH, "hello")[0] is TurnAction.WAIT

    def test_a_false_interruption_resumes_the_prompt_once(self) -> None:
        turn = taker(playing=True)
        assert run(turn, 1000, SPEECH)[0] is TurnAction.INTERRUPT
        action, after_ms = run(turn, 5000, QUIET)
        assert action is TurnAction.RESUME
        assert after_ms == pytest.approx(OPTIONS.resume_after_ms, abs=20)
        assert run(turn, 1000, SPEECH)[0] is TurnAction.INTERRUPT
        assert run(turn, 9000, QUIET)[0] is TurnAction.DISCARD
        assert run(turn, 9000, QUIET)[0] is TurnAction.NO_INPUT

    def test_an_interruption_with_an_answer_ends_like_any_turn(self) -> None:
        turn = taker(playing=True)
        assert run(turn, 1000, SPEECH)[0] is TurnAction.INTERRUPT
        assert run(turn, 600, SPEECH, "agent", Completeness.COMPLETE)[0] is TurnAction.WAIT
        assert run(turn, 3000, QUIET, "agent", Completeness.COMPLETE)[0] is TurnAction.END_OF_TURN

    def test_a_long_noise_does_not_resume_over_the_noise(self) -> None:
        turn = taker(playing=True)
        assert run(turn, 1000, SPEECH)[0] is TurnAction.INTERRUPT
        assert run(turn, 4000, SPEECH)[0] is TurnAction.WAIT


def test_unknown_words_are_not_words() -> None:
    assert not has_words("")
    assert not has_words("[unk] [unk]")
    assert has_words("[unk] yes")
