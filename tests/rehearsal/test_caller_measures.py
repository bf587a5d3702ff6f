"""Times as the caller hears them, measured on signals whose times are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from agent.rehearsal.audio import (
    AudioTrack,
    Pcm,
    level_dbfs,
    pcm_on_timeline,
    read_wav,
    scaled_to_level,
    voiced_span,
    write_call,
    write_wav,
)
from agent.rehearsal.caller_measures import (
    Span,
    barge_in_stop_ms,
    correlation_peak,
    first_sound_at,
    greeting_ms,
    lateness,
    longest_silence,
    percentiles,
    response_ms,
    sounds,
)
from agent.rehearsal.sound_detector import SoundDetector

START = 100.0


def tone(seconds: float, hertz: float = 440.0, amplitude: float = 8000.0) -> Pcm:
    moments = np.arange(round(seconds * 8000)) / 8000
    return np.round(np.sin(2 * np.pi * hertz * moments) * amplitude).astype("<i2")


def quiet(seconds: float) -> Pcm:
    return np.zeros(round(seconds * 8000), "<i2")


def speech_like(seconds: float, seed: int) -> Pcm:
    random = np.random.default_rng(seed)
    envelope = np.repeat(random.uniform(0.1, 1.0, math.ceil(seconds * 10)), 800)[: round(seconds * 8000)]
    return np.round(random.standard_normal(len(envelope)) * envelope * 3000).clip(-32768, 32767).astype("<i2")


def track_of(*pieces: Pcm, start: float = START) -> AudioTrack:
    track = AudioTrack()
    samples = np.concatenate(pieces)
    for index in range(0, len(samples) - 159, 160):
        track.add(start + index / 8000, samples[index : index + 160].tobytes())
    return track


class TestTheAgentsSounds:
    def test_an_onset_is_found_to_the_sample_inside_its_frame(self) -> None:
        heard = track_of(quiet(0.5125), tone(1.0), quiet(0.5))
        at = first_sound_at(heard, START)
        assert at == pytest.approx(START + 0.5125, abs=0.001)

    def test_a_click_is_not_an_onset(self) -> None:
        click = np.full(160, 9000, "<i2")
        heard = track_of(quiet(0.2), click, quiet(0.5), tone(0.5))
        assert first_sound_at(heard, START) == pytest.approx(START + 0.72, abs=0.002)

    def test_short_gaps_belong_to_the_speech_and_long_ones_part_it(self) -> None:
        heard = track_of(tone(0.4), quiet(0.2), tone(0.4), quiet(0.6), tone(0.4))
        found = sounds(heard)
        assert [round(span.seconds, 1) for span in found] == [1.0, 0.4]

    def test_line_noise_below_the_threshold_is_silence(self) -> None:
        hiss = (np.random.default_rng(1).standard_normal(8000) * 40).astype("<i2")
        assert sounds(track_of(hiss)) == ()

    def test_time_in_which_no_frame_came_was_silence(self) -> None:
        first, second = track_of(tone(0.4)), track_of(tone(0.4), start=START + 2.0)
        both = AudioTrack(
            first.stamps + second.stamps, first.frames + second.frames, first.levels_dbfs + second.levels_dbfs
        )
        assert [round(span.start - START, 2) for span in sounds(both)] == [0.0, 2.0]

    def test_nothing_heard_has_no_onset(self) -> None:
        assert first_sound_at(AudioTrack(), START) is None
        assert greeting_ms(track_of(quiet(1.0)), START) is None


class TestTheMeasures:
    def test_the_greeting_counts_from_the_answer(self) -> None:
        assert greeting_ms(track_of(quiet(0.3), tone(1)), START) == pytest.approx(300, abs=2)

    def test_the_response_counts_from_the_end_of_the_voice(self) -> None:
        heard = track_of(tone(1.0), quiet(2.0), tone(1.0))
        assert response_ms(heard, START + 2.6) == pytest.approx(400, abs=2)

    def test_a_prompt_still_going_on_is_no_response(self) -> None:
        heard = track_of(tone(1.0), quiet(1.0), tone(1.0))
        assert response_ms(heard, START + 0.5) == pytest.approx(1500, abs=2)

    def test_a_response_after_the_callers_next_words_is_theirs(self) -> None:
        heard = track_of(quiet(2.0), tone(1.0))
        assert response_ms(heard, START + 0.5, START + 1.0) is None

    def test_a_barge_in_is_measured_to_the_end_of_the_last_loud_frame(self) -> None:
        heard = track_of(tone(1.0), quiet(3.0), tone(1.0))
        assert barge_in_stop_ms(heard, Span(START + 0.86, START + 2.5)) == pytest.approx(140, abs=1)

    def test_an_agent_that_does_not_stop_is_measured_to_its_prompts_end(self) -> None:
        heard = track_of(tone(4.0), quiet(0.5))
        assert barge_in_stop_ms(heard, Span(START + 1.0, START + 2.0)) == pytest.approx(3000, abs=1)

    def test_a_barge_in_into_a_pause_of_the_prompt_counts_what_was_still_said(self) -> None:
        heard = track_of(tone(1.0), quiet(0.5), tone(0.3), quiet(2.0))
        assert barge_in_stop_ms(heard, Span(START + 1.2, START + 3.0)) == pytest.approx(600, abs=1)

    def test_an_agent_that_was_not_speaking_has_nothing_to_stop(self) -> None:
        assert barge_in_stop_ms(track_of(tone(1.0), quiet(2.0)), Span(START + 1.5, START + 2.5)) is None

    def test_the_longest_silence_is_where_neither_side_spoke(self) -> None:
        heard = track_of(tone(1.0), quiet(4.0), tone(1.0), quiet(1.0))
        silence = longest_silence(heard, [Span(START + 2.0, START + 3.0)], START, START + 7.0)
        assert (silence.start, silence.seconds) == (pytest.approx(START + 3.0), pytest.approx(2.0, abs=0.01))

    def test_percentiles_are_values_that_were_measured(self) -> None:
        spread = percentiles([float(n) for n in range(1, 101)])
        assert (spread.p50, spread.p95, spread.n) == (50.0, 95.0, 100)
        assert percentiles([]).p50 is None


class TestWhoHeardWhom:
    def test_speech_that_came_through_late_quiet_and_noisy_is_known_again(self) -> None:
        sent = speech_like(2.0, seed=1)
        noise = np.random.default_rng(3).standard_normal(20000) * 100
        received = noise.astype("<i2")
        received[1200 : 1200 + len(sent)] += (sent // 2).astype("<i2")
        assert correlation_peak(sent, received) > 0.9

    def test_other_speech_is_not(self) -> None:
        assert correlation_peak(speech_like(2.0, seed=1), speech_like(3.0, seed=2)) < 0.3

    def test_silence_is_like_nothing(self) -> None:
        assert correlation_peak(speech_like(1.0, seed=1), quiet(2.0)) == 0.0
        assert correlation_peak(quiet(1.0), quiet(2.0)) == 0.0


class TestTheVoicedPart:
    def test_silence_around_a_voice_does_not_count(self) -> None:
        span = voiced_span(np.concatenate([quiet(0.25), tone(1.0), quiet(0.75)]))
        assert span is not None
        assert span[0] / 8000 == pytest.approx(0.25, abs=0.005)
        assert span[1] / 8000 == pytest.approx(1.25, abs=0.005)

    def test_silence_has_no_voice(self) -> None:
        assert voiced_span(quiet(1.0)) is None
        assert voiced_span(quiet(0)) is None

    def test_speech_is_brought_to_its_level_by_its_voiced_frames(self) -> None:
        levelled = scaled_to_level(np.concatenate([quiet(1.0), tone(1.0, amplitude=300), quiet(2.0)]), -20)
        assert level_dbfs(levelled[8000:16000]) == pytest.approx(-20, abs=0.2)


class TestRecordings:
    def test_a_recording_keeps_the_real_time_between_sounds(self) -> None:
        track = track_of(tone(0.4))
        for index in range(20):
            track.add(START + 2.0 + index * 0.02, tone(0.02).tobytes())
        laid = pcm_on_timeline(track, START, 3.0)
        assert len(laid) == 24000
        assert level_dbfs(laid[3300:15900]) == -120
        assert level_dbfs(laid[16000:19000]) > -20

    def test_frames_that_arrive_together_are_laid_end_to_end(self) -> None:
        sound = tone(0.2)
        track = AudioTrack()
        for index in range(10):
            late = 0.06 if 3 <= index < 6 else index * 0.02
            track.add(START + max(late, index * 0.02), sound[index * 160 : (index + 1) * 160].tobytes())
        assert np.array_equal(pcm_on_timeline(track, START, 0.2), sound)

    def test_both_sides_of_a_call_share_one_time_line(self, tmp_path: Path) -> None:
        spoken = track_of(quiet(1.0), tone(0.5), start=START)
        heard = track_of(tone(0.5), quiet(1.0), start=START + 0.5)
        write_call(tmp_path / "call.wav", spoken, heard)
        mixed = read_wav(tmp_path / "call.wav")
        assert level_dbfs(mixed[0:3900]) == -120
        assert level_dbfs(mixed[4100:7900]) == pytest.approx(level_dbfs(mixed[8100:11900]), abs=0.3)

    def test_a_wav_of_another_rate_is_brought_to_8_khz(self, tmp_path: Path) -> None:
        write_wav(tmp_path / "a.wav", tone(1.0))
        raw = (tmp_path / "a.wav").read_bytes()
        # the same samples declared as 16 kHz last half as long
        (tmp_path / "b.wav").write_bytes(
            raw[:24] + (16000).to_bytes(4, "little") + (32000).to_bytes(4, "little") + raw[32:]
        )
        assert len(read_wav(tmp_path / "b.wav")) == pytest.approx(4000, abs=8)

    def test_what_is_no_wav_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(b"not a recording")
        with pytest.raises(ValueError, match=r"a\.wav"):
            read_wav(tmp_path / "a.wav")


class TestTheSoundDetector:
    def test_the_ear_follows_a_track_while_it_grows(self) -> None:
        complete = track_of(quiet(0.5), tone(0.5), quiet(1.0), tone(0.5))
        track = AudioTrack()
        ear = SoundDetector(track)
        assert ear.quiet_seconds(START) == math.inf
        for stamp, frame in zip(complete.stamps[:75], complete.frames[:75], strict=True):
            track.add(stamp, frame)
        assert ear.onset_since(START) == pytest.approx(START + 0.5, abs=0.021)
        assert ear.quiet_seconds(START + 1.5) == pytest.approx(0.5, abs=0.021)
        assert ear.onset_since(START + 1.2) is None
        for stamp, frame in zip(complete.stamps[75:], complete.frames[75:], strict=True):
            track.add(stamp, frame)
        assert ear.onset_since(START + 1.2) == pytest.approx(START + 2.0, abs=0.021)


class TestHowEvenlySpeechArrives:
    LOUD = tone(0.02).tobytes()

    def track(self, *gaps: float, frame: bytes = LOUD) -> AudioTrack:
        track = AudioTrack()
        at = START
        for gap in gaps:
            at += gap
            track.add(at, frame)
        return track

    def test_a_frame_that_keeps_the_caller_waiting_is_late(self) -> None:
        found = lateness(self.track(0.0, 0.02, 0.02, 0.07, 0.02))
        assert (found.frames, found.late) == (4, 1)
        assert found.worst_ms == pytest.approx(70)

    def test_a_little_unevenness_is_hidden_by_every_phone(self) -> None:
        assert lateness(self.track(0.0, 0.03, 0.015, 0.039)).late == 0

    def test_pauses_are_the_speakers_own(self) -> None:
        assert lateness(self.track(0.0, 0.02, 0.4, 0.02)).late == 0
        assert lateness(self.track(0.0, 0.1, 0.1, frame=bytes(320))).frames == 0
