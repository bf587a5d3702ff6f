"""Recorded digits joined into numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.accuracy.errors import AccuracyError
from agent.accuracy.recorded_digits import digit_speakers_in

DIGITS = Path(__file__).parents[1] / "data" / "human-digits"


def test_the_test_data_has_four_people_with_all_ten_digits() -> None:
    people = digit_speakers_in([DIGITS])
    assert list(people) == ["george", "jackson", "lucas", "yweweler"]
    assert all(len(takes) == 2 for person in people.values() for takes in person.takes.values())


def test_a_number_is_the_same_for_the_same_seed_only() -> None:
    george = digit_speakers_in([DIGITS])["george"]
    one = george.speak("one zero four, seven three", seed=1)
    assert np.array_equal(one, george.speak("one zero four, seven three", seed=1))
    assert len(one) != len(george.speak("one zero four, seven three", seed=2))


def test_people_say_digits_and_nothing_else() -> None:
    george = digit_speakers_in([DIGITS])["george"]
    assert george.can_say("oh one two,")
    assert not george.can_say("ten")
    with pytest.raises(AccuracyError, match="digits only"):
        george.speak("ten", seed=1)


def test_a_speaker_without_all_digits_is_left_out(tmp_path: Path) -> None:
    for path in DIGITS.glob("[0-8]_george_*.wav"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert digit_speakers_in([tmp_path]) == {}
