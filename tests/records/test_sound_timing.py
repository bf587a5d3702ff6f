"""What Asterisk left out of a recording is put back where it was lost, by the times at which the agent spoke."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from agent.records.sound_timing import completed

RATE = 8000


def side(seconds: float, *sounds: tuple[float, float]) -> npt.NDArray[np.int16]:
    samples = np.zeros(round(seconds * RATE), dtype=np.int16)
    for begin, end in sounds:
        samples[round(begin * RATE) : round(end * RATE)] = 5000
    return samples


def onsets(samples: npt.NDArray[np.int16]) -> list[float]:
    loud = (samples > 0).astype(int)
    return [round(float(place) / RATE, 3) for place in np.flatnonzero(np.diff(loud, prepend=0) == 1)]


def cut(samples: npt.NDArray[np.int16], at: float, seconds: float) -> npt.NDArray[np.int16]:
    """What Asterisk does."""
    return np.concatenate((samples[: round(at * RATE)], samples[round((at + seconds) * RATE) :]))


AGENT = side(20, (0.1, 3.5), (8.0, 10.0), (14.0, 16.0))
CALLER = side(20, (5.0, 6.0), (11.0, 12.0))
SPOKEN = [0.1, 8.0, 14.0]


def test_a_recording_of_which_nothing_is_missing_stays_as_it_is() -> None:
    caller, agent = completed(CALLER, AGENT, SPOKEN)
    assert (caller == CALLER).all()
    assert (agent == AGENT).all()


def test_what_was_lost_after_a_prompt_is_put_back_there_for_both_sides() -> None:
    caller, agent = completed(cut(CALLER, 3.6, 0.08), cut(AGENT, 3.6, 0.08), SPOKEN)
    assert onsets(agent) == pytest.approx([0.1, 8.0, 14.0], abs=0.002)
    assert onsets(caller) == pytest.approx([5.0, 11.0], abs=0.002)
    assert len(caller) == len(agent) == 20 * RATE


def test_several_losses_add_up() -> None:
    sides = (cut(cut(one, 10.1, 0.06), 3.6, 0.08) for one in (CALLER, AGENT))
    caller, agent = completed(*sides, SPOKEN)
    assert onsets(agent) == pytest.approx([0.1, 8.0, 14.0], abs=0.002)
    assert onsets(caller) == pytest.approx([5.0, 11.0], abs=0.002)


def test_the_usual_delay_of_a_prompt_is_no_loss() -> None:
    caller, agent = completed(CALLER, AGENT, [at - 0.03 for at in SPOKEN])
    assert (caller == CALLER).all()
    assert (agent == AGENT).all()


def test_a_prompt_that_was_never_heard_changes_nothing() -> None:
    caller, agent = completed(CALLER, AGENT, [*SPOKEN, 12.5, 30.0])
    assert (caller == CALLER).all()
    assert (agent == AGENT).all()


def test_an_empty_side_is_no_error() -> None:
    empty = side(0)
    assert len(completed(CALLER, empty, SPOKEN)[0]) == len(CALLER)
    assert onsets(completed(empty, cut(AGENT, 3.6, 0.08), SPOKEN)[1]) == pytest.approx([0.1, 8.0, 14.0], abs=0.002)
