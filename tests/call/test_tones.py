"""Single tones are told from speech, noise and two tones at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.tones import BEEP_MS, FAX_MS, Tone, ToneFinder, frequency_of

FRAME = 160


def tone(*hertz: float, ms: int, level: float = 6000.0, noise: float = 0.0) -> bytes:
    at = np.arange(ms * 8) / 8000
    random = np.random.default_rng(7)
    audio = sum(np.sin(2 * np.pi * one * at) for one in hertz) * level + random.normal(0, noise or 1e-9, at.size)
    return bytes(audio.astype("<i2").tobytes())


def heard(pcm: bytes) -> list[Tone]:
    finder = ToneFinder()
    return [finder.process(pcm[start : start + FRAME * 2]) for start in range(0, len(pcm), FRAME * 2)]


@given(st.floats(min_value=400, max_value=2150))
def test_a_single_tone_is_a_beep_after_160_ms(hertz: float) -> None:
    found = heard(tone(hertz, ms=300, noise=100) + bytes(FRAME * 2))
    assert found[: BEEP_MS // 20 - 1] == [Tone.NONE] * (BEEP_MS // 20 - 1)
    assert Tone.BEEP in found[BEEP_MS // 20 - 1 :]


@given(st.floats(min_value=0, max_value=20_000))
def test_noise_is_no_tone(level: float) -> None:
    assert set(heard(tone(ms=400, noise=level))) == {Tone.NONE}


@pytest.mark.parametrize("hertz", [(697, 1209), (941, 1477), (400, 650)])
def test_two_tones_apart_are_none(hertz: tuple[float, float]) -> None:
    assert Tone.BEEP not in heard(tone(*hertz, ms=400))


@pytest.mark.parametrize("hertz", [100, 250, 2600, 3300])
def test_hum_and_whistles_are_no_beep(hertz: float) -> None:
    assert set(heard(tone(hertz, ms=400))) == {Tone.NONE}


def test_the_long_tone_of_a_fax_that_answers_is_told() -> None:
    found = heard(tone(2100, ms=600))
    assert found[FAX_MS // 20] is Tone.FAX
    assert Tone.BEEP not in found, "it would be taken for a voicemail before it is long enough for a fax"


def test_the_tone_of_a_fax_that_calls_is_a_beep() -> None:
    assert heard(tone(1100, ms=600))[-1] is Tone.BEEP


def test_a_tone_too_faint_to_hear_is_none() -> None:
    assert frequency_of(tone(1000, ms=20, level=50)) is None


def test_a_tone_that_moves_like_a_voice_is_none() -> None:
    sweep = b"".join(tone(hertz, ms=20) for hertz in range(400, 2200, 100))
    assert Tone.BEEP not in heard(sweep)
