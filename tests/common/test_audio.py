"""Audio that arrives in pieces of any length is cut into the same whole frames."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.common.audio import FRAME_BYTES, FrameCutter


@given(st.binary(max_size=4000), st.lists(st.integers(0, 1000), max_size=30))
def test_the_frames_do_not_depend_on_the_pieces(audio: bytes, sizes: list[int]) -> None:
    cutter, frames, at = FrameCutter(), [], 0
    for size in [*sizes, len(audio)]:
        frames += cutter.take(audio[at : at + size])
        at += size
    assert {len(frame) for frame in frames} <= {FRAME_BYTES}
    assert b"".join(frames) == audio[: len(audio) // FRAME_BYTES * FRAME_BYTES]
