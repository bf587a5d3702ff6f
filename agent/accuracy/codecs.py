"""Passes audio through telephone codecs packet by packet, with packet loss.

G.711, G.722, AMR and Opus are FFmpeg's (PyAV), GSM 06.10 is libsndfile's: the packets are really coded and decoded,
and a decoder that keeps a state keeps it over a loss. A lost packet is 20 ms of silence, which is what Asterisk's
mixing bridge makes of it without a jitter buffer that conceals losses.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from agent.accuracy.errors import AccuracyError
from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import FRAME_SAMPLES, FULL_SCALE, Pcm, to_pcm

Packets = list[bytes]
Coding = tuple[Callable[[Pcm], Packets], Callable[[Packets], Pcm]]

_GSM_SAMPLES, _GSM_BYTES = 160, 33


def through_codec(pcm: Pcm, codec: str, lost: npt.NDArray[np.bool_] | None = None) -> Pcm:
    """Return the audio as it arrives: coded, without its ``lost`` packets (one flag per 20 ms), decoded.

    The length stays. Raises :class:`AccuracyError` for an unknown codec or a missing package.
    """
    if codec not in CODECS:
        raise AccuracyError(f"There is no codec {codec!r}; there are {', '.join(CODECS)}.")
    whole = -len(pcm) % FRAME_SAMPLES
    padded = np.concatenate((pcm, np.zeros(whole, "<i2")))
    coding = CODECS[codec]()
    if coding is None:
        decoded = padded.copy()
        if lost is not None:
            _silence(decoded, lost)
        return decoded[: len(pcm)]
    encode, decode = coding
    packets = encode(padded)
    kept = [packet for index, packet in enumerate(packets) if lost is None or index >= len(lost) or not lost[index]]
    arrived = decode(kept)
    if lost is None:
        return _fitted(arrived, len(pcm))
    return _fitted(_with_gaps(arrived, lost, len(padded)), len(pcm))


def packet_losses(count: int, share: float, burst: float, seed: int) -> npt.NDArray[np.bool_]:
    """Say which of ``count`` packets are lost: a share of them, in rows of ``burst`` on average (Gilbert's model)."""
    random = np.random.default_rng(seed)
    flags = np.zeros(count, dtype=bool)
    if share <= 0:
        return flags
    leave = 1.0 / max(1.0, burst)
    enter = min(1.0, leave * share / (1.0 - share)) if share < 1 else 1.0
    bad = bool(random.random() < share)
    for index in range(count):
        flags[index] = bad
        bad = bool(random.random() < enter) if not bad else bool(random.random() >= leave)
    return flags


def _with_gaps(arrived: Pcm, lost: npt.NDArray[np.bool_], count: int) -> Pcm:
    out = np.zeros(count, "<i2")
    taken = 0
    for index in range(count // FRAME_SAMPLES):
        if index < len(lost) and lost[index]:
            continue
        frame = arrived[taken : taken + FRAME_SAMPLES]
        out[index * FRAME_SAMPLES : index * FRAME_SAMPLES + len(frame)] = frame
        taken += FRAME_SAMPLES
    return out


def _silence(pcm: Pcm, lost: npt.NDArray[np.bool_]) -> None:
    for index in np.flatnonzero(lost[: len(pcm) // FRAME_SAMPLES]):
        pcm[index * FRAME_SAMPLES : (index + 1) * FRAME_SAMPLES] = 0


def _fitted(pcm: Pcm, count: int) -> Pcm:
    return np.concatenate((pcm, np.zeros(max(0, count - len(pcm)), "<i2")))[:count]


def _package(module: str, distribution: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise AccuracyError(
            f"Telephone codecs need the Python package {distribution}: pip install 'orderline[bench]' ({error})"
        ) from error


def _ffmpeg(name: str, rate: int = SAMPLE_RATE, bit_rate: int = 0) -> Coding:
    """A codec of FFmpeg; one packet is 20 ms."""
    av = _package("av", "av")
    frame_samples = FRAME_SAMPLES * rate // SAMPLE_RATE

    def encode(pcm: Pcm) -> Packets:
        context = av.CodecContext.create(name, "w")
        context.sample_rate, context.format, context.layout = rate, "s16", "mono"
        if bit_rate:
            context.bit_rate = bit_rate
        wide = pcm if rate == SAMPLE_RATE else _resampled(pcm, SAMPLE_RATE, rate)
        packets = []
        for start in range(0, len(wide), frame_samples):
            frame = av.AudioFrame.from_ndarray(wide[np.newaxis, start : start + frame_samples], "s16", "mono")
            frame.sample_rate, frame.pts = rate, start
            packets += [bytes(packet) for packet in context.encode(frame)]
        return packets + [bytes(packet) for packet in context.encode(None)]

    def decode(packets: Packets) -> Pcm:
        context = av.CodecContext.create(name, "r")
        context.sample_rate, context.layout = rate, "mono"
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        frames = [frame for data in packets for frame in context.decode(av.Packet(data))]
        frames += context.decode(None)
        pieces = [piece.to_ndarray()[0] for frame in frames for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
        return np.concatenate(pieces).astype("<i2") if pieces else np.zeros(0, "<i2")

    return encode, decode


def _gsm() -> Coding:
    """GSM 06.10 full rate: 33 bytes for 20 ms."""
    soundfile = _package("soundfile", "soundfile")

    def encode(pcm: Pcm) -> Packets:
        coded = io.BytesIO()
        soundfile.write(coded, pcm, SAMPLE_RATE, format="RAW", subtype="GSM610")
        data = coded.getvalue()
        return [data[at : at + _GSM_BYTES] for at in range(0, len(data), _GSM_BYTES)]

    def decode(packets: Packets) -> Pcm:
        if not packets:
            return np.zeros(0, "<i2")
        samples, _ = soundfile.read(
            io.BytesIO(b"".join(packets)), dtype="int16", format="RAW", subtype="GSM610",
            samplerate=SAMPLE_RATE, channels=1,
        )  # fmt: skip
        return np.asarray(samples, "<i2")

    return encode, decode


def _resampled(pcm: Pcm, rate: int, new_rate: int) -> Pcm:
    return to_pcm(soxr.resample(pcm.astype(np.float64) / FULL_SCALE, rate, new_rate))


CODECS: dict[str, Callable[[], Coding | None]] = {
    "none": lambda: None,
    "ulaw": lambda: _ffmpeg("pcm_mulaw"),
    "alaw": lambda: _ffmpeg("pcm_alaw"),
    "gsm": _gsm,
    "g722": lambda: _ffmpeg("g722", rate=2 * SAMPLE_RATE),
    "amr": lambda: _ffmpeg("libopencore_amrnb", bit_rate=12200),
    "amr_475": lambda: _ffmpeg("libopencore_amrnb", bit_rate=4750),
    "opus": lambda: _ffmpeg("libopus", bit_rate=12000),
}
"""Name -> what codes and decodes; ``amr`` is mobile networks' codec at 12.2 kbit/s, ``amr_475`` at its lowest."""


__all__ = ["CODECS", "packet_losses", "through_codec"]
