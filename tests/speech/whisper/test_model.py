"""Whisper's features, its texts, and a real model where one lies ready."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.speech.whisper.features import log_mel, mel_filters
from agent.speech.whisper.model import WhisperError, WhisperModel, check_directory, has_library, resampled, text_of

_MODEL = os.environ.get("ORDERLINE_WHISPER_MODEL", "")


def tone(hertz: float, seconds: float, rate: int) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


def test_features_have_the_shape_of_the_window_whatever_the_sound() -> None:
    for seconds in (0.0, 1.0, 20.0):
        assert log_mel(np.zeros(int(seconds * 16000), np.float32), 1500).shape == (1, 80, 1500)
    assert log_mel(np.zeros(16000, np.float32), 1500, bands=128).shape == (1, 128, 1500)


def test_a_tone_stands_in_the_band_of_its_frequency_and_what_follows_is_silence() -> None:
    features = log_mel(0.5 * tone(1000.0, 1.0, 16000), 300)[0]
    loudest = int(features[:, 50].argmax())
    centre = np.fft.rfftfreq(400, 1 / 16000)[int(mel_filters(80)[loudest].argmax())]
    assert abs(centre - 1000.0) <= 40.0
    assert features[:, 50].max() - features[:, 200].max() == pytest.approx(2.0)  # the whole range


def test_the_loudness_of_a_sound_shifts_its_features_and_keeps_their_shape() -> None:
    sound = tone(700.0, 1.0, 16000)
    loud, quiet = (log_mel(level * sound, 100)[0] for level in (0.5, 0.05))
    assert (loud - quiet)[10, 20:80] == pytest.approx(0.5, abs=0.01)  # a tenth: two powers of ten of four


def test_telephone_audio_becomes_twice_as_many_samples_between_minus_one_and_one() -> None:
    pcm = (20000 * tone(440.0, 1.0, 8000)).astype(np.int16).tobytes()
    samples = resampled(pcm)
    assert len(samples) == 16000
    assert 0.5 < np.abs(samples).max() < 0.7


def test_pieces_of_words_become_a_text() -> None:
    assert text_of(["ĠWhere", "'s", "Ġmy", "Ġcaf", "Ã©", "?", "<|endoftext|>"]) == "Where's my café?"


def test_a_directory_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WhisperError, match=r"model\.bin, config\.json is not there"):
        check_directory(tmp_path)


def test_without_the_library_a_model_is_refused_with_what_to_install(tmp_path: Path) -> None:
    if has_library():
        pytest.skip("CTranslate2 is installed here")
    for name in ("model.bin", "config.json"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(WhisperError, match=r"orderline\[second-opinion\]"):
        WhisperModel(tmp_path)


def test_a_real_model_writes_down_a_sound_of_silence_and_refuses_one_that_is_too_long() -> None:
    if not _MODEL or not has_library():
        pytest.skip("needs CTranslate2, and the directory of a converted model in ORDERLINE_WHISPER_MODEL")
    model = WhisperModel(Path(_MODEL))
    assert 0.0 <= model.transcribe(bytes(2 * 8000)).confidence <= 1.0
    with pytest.raises(WhisperError, match=r"14\.5 s"):
        model.transcribe(bytes(2 * 8000 * 15))
