"""The engines, each for real: what they return, how they fail, what they leave behind."""

import os
import signal
import wave
from pathlib import Path

import numpy as np
import pytest

from agent.speech.engines.audio import SPEECH_DBFS, read_wav, to_telephone_audio
from agent.speech.engines.base import Engine, EngineError
from agent.speech.engines.child import SubprocessEngine, piper_engine, pyttsx3_engine
from agent.speech.engines.hibari import HibariEngine
from agent.speech.engines.recorded import RecordedPrompts
from agent.speech.level import level_dbfs

TEXT = "Your order is on its way."


def sounding_level(pcm: np.ndarray) -> float:
    steps = pcm[: len(pcm) // 40 * 40].astype(np.float32).reshape(-1, 40)
    powers = np.sqrt((steps**2).mean(axis=1))
    return level_dbfs(steps[powers > powers.max() * 10 ** (-30 / 20)].ravel())


@pytest.mark.parametrize("make", [HibariEngine, pyttsx3_engine, piper_engine])
def test_every_engine_speaks_at_the_same_level_and_begins_at_once(make):
    engine: Engine = make()
    try:
        pcm = engine.synthesise(TEXT)
    finally:
        engine.close()
    assert pcm.dtype == np.int16
    assert 0.8 < len(pcm) / 8000 < 3.5
    assert sounding_level(pcm) == pytest.approx(SPEECH_DBFS, abs=2.5)
    loud = np.abs(pcm.astype(int)) > 0.005 * np.abs(pcm.astype(int)).max()
    assert loud.argmax() < 8 * 30
    assert loud[::-1].argmax() < 8 * 60


def test_hibari_says_the_same_text_the_same_way_every_time():
    engine = HibariEngine()
    assert np.array_equal(engine.synthesise(TEXT), engine.synthesise(TEXT))


def test_an_unknown_hibari_voice_names_those_there_are():
    with pytest.raises(EngineError, match="heart"):
        HibariEngine("nobody").load()


@pytest.mark.slow
def test_the_voice_and_the_speed_are_part_of_an_engines_identity():
    plain, fast = HibariEngine(), HibariEngine(speed=1.25)
    assert plain.identity != fast.identity
    assert len(fast.synthesise(TEXT)) < len(plain.synthesise(TEXT))


def test_a_child_that_was_killed_is_replaced_at_the_next_text():
    engine = pyttsx3_engine("en-gb+f3")
    try:
        first = engine.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        with pytest.raises(EngineError, match=r"gone|died"):
            engine.synthesise(TEXT)
        assert len(engine.synthesise(TEXT)) > 8000
        assert engine.pid not in (None, first)
    finally:
        engine.close()
    assert engine.pid is None


def test_a_child_that_hangs_is_ended_by_the_watchdog():
    engine = SubprocessEngine("pyttsx3", "en-us", 1.0, text_seconds=0.2)
    try:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match=r"did not answer within 0\.2 s"):
            engine.synthesise(TEXT)
        assert engine.pid is None
    finally:
        engine.close()


def test_a_voice_that_does_not_exist_is_known_when_the_engine_is_made(tmp_path: Path):
    with pytest.raises(EngineError, match="piper failed"):
        piper_engine(str(tmp_path / "nobody.onnx"))


def test_raw_audio_is_brought_to_8_khz_trimmed_and_levelled():
    rate = 24000
    tone = 0.02 * np.sin(2 * np.pi * 300 * np.arange(rate) / rate)
    audio = np.concatenate([np.zeros(rate // 2), tone, np.zeros(rate)]).astype(np.float32)
    pcm = to_telephone_audio(audio, rate)
    assert len(pcm) / 8000 == pytest.approx(1.0, abs=0.05)
    assert sounding_level(pcm) == pytest.approx(SPEECH_DBFS, abs=0.5)
    assert abs(int(pcm[0])) < 50
    assert abs(int(pcm[-1])) < 50


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros(8000)])
def test_an_engine_that_returned_nothing_to_hear_has_failed(audio: np.ndarray):
    with pytest.raises(EngineError):
        to_telephone_audio(audio.astype(np.float32), 24000)


def write_wav(path: Path, seconds: float, *, rate: int = 16000, channels: int = 1, width: int = 2) -> None:
    tone = 9000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(tone, channels).astype(f"<i{width}").tobytes())


class TestRecordings:
    def test_a_recording_of_any_rate_answers_for_its_prompt_id(self, tmp_path: Path):
        write_wav(tmp_path / "greeting.wav", 1.0, rate=44100, channels=2)
        found = RecordedPrompts(tmp_path).find("greeting", "Whatever the text says.")
        assert found is not None
        assert len(found) / 16000 == pytest.approx(1.0, abs=0.05)
        assert RecordedPrompts(tmp_path).find("goodbye", "Bye.") is None

    def test_with_its_words_beside_it_it_is_used_only_for_those(self, tmp_path: Path):
        write_wav(tmp_path / "status.wav", 0.5)
        (tmp_path / "status.txt").write_text("your order is on its way\n")
        recordings = RecordedPrompts(tmp_path)
        assert recordings.find("status", "Your order is on its way.") is not None
        assert recordings.find("status", "Your order is delayed.") is None

    def test_a_file_that_cannot_be_used_is_left_out_and_named(self, tmp_path: Path, caplog):
        (tmp_path / "broken.wav").write_bytes(b"RIFFnothing")
        write_wav(tmp_path / "eight-bit.wav", 0.2, width=1)
        write_wav(tmp_path / "good.wav", 0.2)
        recordings = RecordedPrompts(tmp_path)
        assert recordings.find("broken", "") is None
        assert recordings.find("good", "") is not None
        assert "broken.wav" in caplog.text
        assert "8-bit samples" in caplog.text

    def test_a_new_file_is_found_after_a_reload(self, tmp_path: Path):
        recordings = RecordedPrompts(tmp_path)
        write_wav(tmp_path / "late.wav", 0.2)
        assert recordings.find("late", "") is None
        recordings.reload()
        assert recordings.find("late", "") is not None


def test_a_wav_file_is_read_as_mono_at_its_own_rate(tmp_path: Path):
    write_wav(tmp_path / "stereo.wav", 0.5, rate=22050, channels=2)
    audio, rate = read_wav(tmp_path / "stereo.wav")
    assert (len(audio), rate) == (11025, 22050)
