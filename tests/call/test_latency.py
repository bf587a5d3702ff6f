"""Where the time of a response goes."""

from __future__ import annotations

from agent.call.latency import LOOK_UP, RECOGNITION, RULES, VOICE, WAIT, ResponseTimer


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_parts_of_a_response_add_up_to_it() -> None:
    clock = Clock()
    watch = ResponseTimer(clock)
    watch.caller_stopped(100.0, 100.25)
    for part, at in ((RECOGNITION, 100.26), (RULES, 100.27), (LOOK_UP, 100.37), (RULES, 100.38)):
        clock.now = at
        watch.lap(part)
    response = watch.stop_at_first_audio(100.4)
    assert response.ms == 400.0
    assert response.spent_ms == {WAIT: 250.0, RECOGNITION: 10.0, RULES: 20.0, LOOK_UP: 100.0, VOICE: 20.0}


def test_a_caller_who_said_nothing_is_not_answered_but_asked_again() -> None:
    watch = ResponseTimer(Clock())
    watch.caller_stopped(None)
    watch.lap(RULES)
    response = watch.stop_at_first_audio(101.0)
    assert response.ms is None
    assert response.spent_ms == {}


def test_only_the_first_sound_answers() -> None:
    watch = ResponseTimer(Clock())
    watch.caller_stopped(99.0, 99.2)
    assert watch.stop_at_first_audio(100.0).ms == 1000.0
    assert watch.stop_at_first_audio(103.0).ms is None


def test_a_key_needs_no_waiting() -> None:
    watch = ResponseTimer(Clock())
    watch.caller_stopped(100.0)
    assert watch.stop_at_first_audio(100.02).spent_ms == {WAIT: 0.0, VOICE: 20.0}
