"""The callers' voices: what each says, what is kept, and what is said when one is missing."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from agent.rehearsal.audio import level_dbfs, voiced_span, write_wav
from agent.rehearsal.errors import CallerVoiceError
from agent.rehearsal.espeak import EspeakVoice
from agent.rehearsal.noises import make_noise
from agent.rehearsal.recorded_voice import AllisonVoice
from agent.rehearsal.script import Noise, Speech
from agent.rehearsal.voices import Voices, parse_voice


@pytest.fixture
def sounds_dir(tmp_path: Path) -> Path:
    """Asterisk's sounds folder with recordings of known lengths: silence, a tone, silence."""
    lengths = {"digits/1": 0.3, "digits/4": 0.4, "digits/oh": 0.2, "letters/b": 0.5, "phonetic/b_p": 0.6}
    for name, seconds in lengths.items():
        path = tmp_path / "sounds" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = np.sin(2 * np.pi * 500 * np.arange(int(seconds * 8000)) / 8000) * 9000
        write_wav(path, np.concatenate([np.zeros(1600), tone, np.zeros(2400)]).astype("<i2"))
    return tmp_path / "sounds"


def speech(text: str, voice: str, speed: float = 1.0) -> Speech:
    return Speech(text, text, voice, speed)


class TestNames:
    def test_a_voice_is_an_engine_a_variant_and_a_speed(self) -> None:
        assert parse_voice("hibari:1.15") == ("hibari", "", 1.15)
        assert parse_voice("joe") == ("joe", "", 1.0)
        assert parse_voice("espeak:en-gb+f2@0.9") == ("espeak", "en-gb+f2", 0.9)
        assert parse_voice("espeak") == ("espeak", "en-us", 1.0)
        assert parse_voice("allison") == ("allison", "", 1.0)

    @pytest.mark.parametrize("name", ["jo", "", "hibari:quick", "joe:9", "espeak:en-us@0", "allison:1.2"])
    def test_any_other_name_is_refused_with_the_names_there_are(self, name: str) -> None:
        with pytest.raises(CallerVoiceError, match=r"espeak:NAME|speed must be"):
            parse_voice(name)


class TestEspeak:
    def test_it_speaks_at_telephone_rate(self) -> None:
        said = EspeakVoice("en-us").speak("where is my order")
        assert 0.6 < len(said) / 8000 < 3.0
        assert level_dbfs(said) > -40

    def test_british_english_goes_by_its_usual_name(self) -> None:
        british, american = EspeakVoice("en-gb").speak("hello there"), EspeakVoice("en-us").speak("hello there")
        assert abs(len(british) - len(american)) > 80

    def test_speed_makes_it_shorter(self) -> None:
        assert len(EspeakVoice("en-us", 1.5).speak("where is my order")) < len(
            EspeakVoice("en-us").speak("where is my order")
        )

    def test_a_voice_it_does_not_have_is_refused(self) -> None:
        with pytest.raises(CallerVoiceError, match="no voice 'xx-yy'"):
            EspeakVoice("xx-yy").speak("hello")

    def test_threads_take_turns(self) -> None:
        alone = len(EspeakVoice("en-us").speak("one two three"))
        lengths: list[int] = []
        threads = [
            threading.Thread(target=lambda: lengths.append(len(EspeakVoice("en-us").speak("one two three"))))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert lengths == [pytest.approx(alone, abs=80)] * 6

    def test_a_missing_package_is_named_with_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "espeakng_loader", None)
        with pytest.raises(CallerVoiceError, match=r"espeakng-loader: pip install 'orderline\[rehearse\]'"):
            EspeakVoice("en-us")


class TestAllison:
    def test_recordings_are_trimmed_and_strung_together(self, sounds_dir: Path) -> None:
        said = AllisonVoice(sounds_dir).speak("one oh, four")
        # 0.3 + 0.2 + 0.4 s of voice, 40 ms around each, pauses of 0.15, 0.35 and 0.15 s
        assert len(said) / 8000 == pytest.approx(0.9 + 6 * 0.04 + 0.65, abs=0.05)

    def test_letters_and_spelling_words_are_known_and_the_words_between_are_skipped(self, sounds_dir: Path) -> None:
        voice = AllisonVoice(sounds_dir)
        assert len(voice.speak("b as in bravo")) > len(voice.speak("b")) + 0.6 * 8000

    def test_a_word_that_was_never_recorded_is_named(self, sounds_dir: Path) -> None:
        with pytest.raises(CallerVoiceError, match="no recording of 'elephant'"):
            AllisonVoice(sounds_dir).speak("one elephant")

    def test_missing_recordings_are_told_with_the_package(self, tmp_path: Path) -> None:
        with pytest.raises(CallerVoiceError, match="asterisk-core-sounds-en-wav"):
            AllisonVoice(tmp_path)


class TestKeeping:
    def test_what_was_rendered_once_is_read_from_the_cache(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = Voices(tmp_path).render_now(speech("hello", "espeak:en-us"), -20)
        monkeypatch.setattr(EspeakVoice, "speak", lambda *_: pytest.fail("rendered again"))
        assert np.array_equal(Voices(tmp_path).render_now(speech("hello", "espeak:en-us"), -20), first)

    def test_text_voice_and_speed_are_kept_apart(self, tmp_path: Path) -> None:
        voices = Voices(tmp_path)
        for one in (
            speech("hello", "espeak:en-us"),
            speech("hello", "espeak:en-us", 1.2),
            speech("hello", "espeak:en-gb"),
            speech("goodbye", "espeak:en-us"),
        ):
            voices.render_now(one, -20)
        assert len(list(tmp_path.glob("espeak-*.wav"))) == 4
        assert not list(tmp_path.glob("*.part"))

    async def test_speech_has_the_level_of_its_call(self, tmp_path: Path) -> None:
        voices = Voices(tmp_path)
        loud = await voices.render(speech("where is my order", "espeak:en-us"), -20)
        soft = await voices.render(speech("where is my order", "espeak:en-us"), -36)
        assert level_dbfs(loud) - level_dbfs(soft) == pytest.approx(16, abs=0.5)

    def test_a_recording_of_ones_own_is_played(self, tmp_path: Path, sounds_dir: Path) -> None:
        own = Speech("[1.wav]", "", "", file=sounds_dir / "digits" / "1.wav")
        assert len(Voices(tmp_path / "cache").render_now(own, -20)) == 0.3 * 8000 + 4000

    def test_a_recording_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CallerVoiceError, match=r"gone\.wav"):
            Voices(tmp_path).render_now(Speech("", "", "", file=tmp_path / "gone.wav"), -20)

    def test_a_recorded_voice_has_no_speed(self, tmp_path: Path, sounds_dir: Path) -> None:
        with pytest.raises(CallerVoiceError, match="no speed"):
            Voices(tmp_path / "cache", sounds_dir).render_now(speech("one", "allison", 1.2), -20)


class TestNoises:
    @pytest.mark.parametrize("kind", ["white", "hum"])
    def test_noise_for_a_whole_call_has_its_level_and_is_the_same_each_time(self, kind: str) -> None:
        noise = make_noise(Noise(kind, -40), None)
        assert level_dbfs(noise) == pytest.approx(-40, abs=0.3)
        assert np.array_equal(noise, make_noise(Noise(kind, -40), None))

    def test_a_cough_is_short_and_begins_at_once(self) -> None:
        cough = make_noise(Noise("cough", -20, seconds=0.45), None)
        assert len(cough) == 3600
        span = voiced_span(cough)
        assert span is not None
        assert span[0] < 400

    def test_babble_needs_recordings(self, tmp_path: Path) -> None:
        with pytest.raises(CallerVoiceError, match="recorded prompts"):
            make_noise(Noise("babble", -30), None)
        with pytest.raises(CallerVoiceError, match=r"vm-instructions\.wav"):
            make_noise(Noise("babble", -30), tmp_path)

    def test_a_noise_from_a_file_is_looped_to_its_length(self, sounds_dir: Path) -> None:
        noise = make_noise(Noise("file", -30, sounds_dir / "digits" / "1.wav", seconds=2.0), None)
        assert len(noise) == 16000
        assert level_dbfs(noise) == pytest.approx(-30, abs=0.3)
