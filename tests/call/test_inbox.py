"""What a call reads from its inbox: whole frames, whatever packets the telephone sends."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, HoldBegan, Inbox, JudgedAudio, KeyPressed
from agent.common.audio import FRAME_BYTES

BYTES_PER_MS = 16


async def frames_of(pieces: list[bytes]) -> list[bytes]:
    inbox: Inbox = asyncio.Queue()
    for piece in pieces:
        inbox.put_nowait(AudioFrame(piece))
    reader, frames = InboxReader(inbox, quiet_after_seconds=None), []
    for _ in pieces:
        event = await reader.next()
        assert isinstance(event, AudioFrame)
        assert len(event.pcm) % FRAME_BYTES == 0
        frames += [event.pcm[at : at + FRAME_BYTES] for at in range(0, len(event.pcm), FRAME_BYTES)]
    return frames


@given(st.lists(st.integers(0, 1500), max_size=40), st.randoms(use_true_random=False))
def test_packets_of_any_length_make_the_same_frames(sizes: list[int], dice: random.Random) -> None:
    audio = dice.randbytes(sum(sizes))
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    pieces = [audio[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    assert b"".join(asyncio.run(frames_of(pieces))) == audio[: len(audio) // FRAME_BYTES * FRAME_BYTES]


@pytest.mark.parametrize("packet_ms", [10, 20, 30, 40, 60])
async def test_no_sample_is_lost_or_added_at_any_packet_length(packet_ms: int) -> None:
    audio = random.Random(packet_ms).randbytes(1200 * BYTES_PER_MS)
    size = packet_ms * BYTES_PER_MS
    frames = await frames_of([audio[at : at + size] for at in range(0, len(audio), size)])
    assert len(frames) == 60
    assert b"".join(frames) == audio


async def test_what_else_happens_between_two_packets_changes_no_frame() -> None:
    inbox: Inbox = asyncio.Queue()
    audio = bytes(range(240)) * 4
    for event in (AudioFrame(audio[:480]), KeyPressed("1"), AudioFrame(b""), AudioFrame(audio[480:])):
        inbox.put_nowait(event)
    reader = InboxReader(inbox, quiet_after_seconds=None)
    events = [await reader.next() for _ in range(4)]
    assert events[1] == KeyPressed("1")
    assert b"".join(event.pcm for event in events if isinstance(event, AudioFrame)) == audio


async def test_the_time_between_two_long_packets_is_no_silence() -> None:
    inbox: Inbox = asyncio.Queue()
    inbox.put_nowait(AudioFrame(bytes(300 * BYTES_PER_MS)))
    reader = InboxReader(inbox, quiet_after_seconds=0.02)
    await reader.next()
    waiting = asyncio.create_task(reader.next())
    loop = asyncio.get_running_loop()
    began = loop.time()
    quiet = await waiting
    assert loop.time() - began >= 0.3
    assert quiet == AudioFrame(bytes(460 * BYTES_PER_MS)) or quiet == AudioFrame(bytes(440 * BYTES_PER_MS))


async def test_waiting_audio_is_taken_in_one_piece_and_what_stands_behind_it_comes_next() -> None:
    inbox: Inbox = asyncio.Queue()
    audio = bytes(range(240)) * 8
    for event in (AudioFrame(audio[:400]), AudioFrame(audio[400:900]), KeyPressed("1"), AudioFrame(audio[900:])):
        inbox.put_nowait(event)
    reader = InboxReader(inbox, quiet_after_seconds=None)
    assert reader.more_audio() == audio[:640]
    assert reader.more_audio() == b""
    assert await reader.next() == KeyPressed("1")
    assert reader.more_audio() == audio[640:]


async def test_what_is_put_back_comes_first_and_is_not_lost_in_a_hold() -> None:
    inbox: Inbox = asyncio.Queue()
    for event in (AudioFrame(bytes(FRAME_BYTES)), HoldBegan(), KeyPressed("5")):
        inbox.put_nowait(event)
    reader = InboxReader(inbox, quiet_after_seconds=None)
    left = JudgedAudio([(bytes(FRAME_BYTES), 0.7)])
    reader.more_audio()
    reader.put_back(left)
    assert await reader.next() is left
    await reader.wait_off_hold(5.0)  # the hold had been taken out of the inbox already; the key ends it
    assert await reader.next() == KeyPressed("5")


async def test_a_line_that_falls_quiet_is_silent_until_something_comes() -> None:
    inbox: Inbox = asyncio.Queue()
    reader = InboxReader(inbox, quiet_after_seconds=0.02)
    assert await reader.next() == AudioFrame(bytes(FRAME_BYTES))
    inbox.put_nowait(KeyPressed("2"))
    assert await reader.next() == KeyPressed("2")
    assert [await reader.next() for _ in range(2)] == [AudioFrame(bytes(FRAME_BYTES))] * 2


async def test_time_in_which_nobody_reads_is_no_silence() -> None:
    inbox: Inbox = asyncio.Queue()
    reader = InboxReader(inbox, quiet_after_seconds=0.02)
    inbox.put_nowait(AudioFrame(bytes(FRAME_BYTES)))
    await reader.next()
    reading = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    await asyncio.sleep(0.1)
    assert inbox.empty()
