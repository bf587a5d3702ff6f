"""Codecs are real, keep the length, and lose exactly the packets they are told to lose."""

from __future__ import annotations

import numpy as np
import pytest

from agent.accuracy.codecs import CODECS, packet_losses, through_codec
from agent.accuracy.errors import AccuracyError
from agent.rehearsal.audio import FRAME_SAMPLES, Pcm


@pytest.fixture
def vowel() -> Pcm:
    """A second of something like a vowel: harmonics of 120 Hz."""
    moments = np.arange(8000) / 8000
    tone = sum(np.sin(2 * np.pi * 120 * n * moments) / n for n in range(1, 12))
    return (tone * 4000).astype("<i2")


def likeness(one: Pcm, other: Pcm) -> float:
    """Correlation of the spectra: codecs for speech move phases about."""
    spectra = [np.abs(np.fft.rfft(pcm[800:7200].astype(float))) for pcm in (one, other)]
    return float(np.corrcoef(*spectra)[0, 1])


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_keeps_the_length_and_the_sound(codec: str, vowel: Pcm) -> None:
    arrived = through_codec(vowel, codec)
    assert len(arrived) == len(vowel)
    assert likeness(vowel, arrived) > 0.8


def test_mu_law_changes_the_samples_and_no_codec_does_not(vowel: Pcm) -> None:
    assert np.array_equal(through_codec(vowel, "none"), vowel)
    assert not np.array_equal(through_codec(vowel, "ulaw"), vowel)


@pytest.mark.parametrize("codec", ["none", "ulaw", "gsm", "g722"])
def test_a_lost_packet_is_silence_in_its_own_place(codec: str, vowel: Pcm) -> None:
    lost = np.zeros(50, dtype=bool)
    lost[[10, 11, 30]] = True
    frames = through_codec(vowel, codec, lost).reshape(-1, FRAME_SAMPLES)
    assert [index for index, frame in enumerate(frames) if not frame.any()] == [10, 11, 30]


@pytest.mark.parametrize(("share", "burst"), [(0.01, 1.0), (0.05, 1.0), (0.1, 3.0)])
def test_about_the_share_that_was_asked_for_is_lost(share: float, burst: float) -> None:
    lost = packet_losses(50_000, share, burst, seed=7)
    assert abs(lost.mean() - share) < share / 5
    rows = np.diff(np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(int), [0])))))[::2]
    # a loss of its own may happen right behind another one
    assert abs(rows.mean() - burst) < 0.25 * burst


def test_the_same_seed_loses_the_same_packets() -> None:
    assert np.array_equal(packet_losses(500, 0.1, 2.0, seed=3), packet_losses(500, 0.1, 2.0, seed=3))
    assert not np.array_equal(packet_losses(500, 0.1, 2.0, seed=3), packet_losses(500, 0.1, 2.0, seed=4))


def test_an_unknown_codec_is_named_with_those_there_are(vowel: Pcm) -> None:
    with pytest.raises(AccuracyError, match=r"carrier_pigeon.*ulaw"):
        through_codec(vowel, "carrier_pigeon")
