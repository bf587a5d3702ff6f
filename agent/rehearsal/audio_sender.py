"""Sends the caller's speech, noise and silence as 20 ms frames on an absolute clock, each time-stamped."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import FRAME_SAMPLES, FRAME_SECONDS, AudioTrack, Pcm, voiced_span
from agent.rehearsal.caller_measures import Span

_LEAD_FRAMES = 1
"""Frames handed over ahead of their time, so that a late wake-up of ours leaves no hole in the speech."""
_ECHO_JITTER_FRAMES = 2
_STALL_SECONDS = 1.0
"""After a longer stand-still of the machine the clock starts anew: a burst of old frames would delay what follows."""


@dataclass
class Utterance:
    """Something that is being said."""

    pcm: Pcm
    voiced: tuple[int, int] | None
    """First and one past the last voiced sample of ``pcm``."""
    done: asyncio.Future[Span | None]
    """Resolves when its last frame has left (or it was cut short): when it was voiced, None for silence."""
    sent: int = 0
    started_at: float | None = None
    ended_at: float | None = None

    def note(self, leaves_at: float, offset: int, count: int) -> None:
        """Take note that ``count`` samples leave now, at ``offset`` of their frame."""
        if self.voiced is not None:
            first, end = self.voiced
            frame_began = leaves_at - FRAME_SAMPLES / SAMPLE_RATE
            if self.sent <= first < self.sent + count:
                self.started_at = frame_began + (offset + first - self.sent) / SAMPLE_RATE
            if self.started_at is not None and self.sent < end:
                self.ended_at = frame_began + (offset + min(end, self.sent + count) - self.sent) / SAMPLE_RATE
        self.sent += count

    @property
    def span(self) -> Span | None:
        """When its voice sounded, as far as it was said."""
        if self.started_at is None or self.ended_at is None:
            return None
        return Span(self.started_at, self.ended_at)


class AudioSender:
    """Sends a frame each 20 ms for as long as the call lasts, as a phone does.

    Asterisk plays what it gets at its own steady pace, so a frame leaves when it was sent or one frame after the one
    before, whichever is later: that moment is its stamp in :attr:`spoken`.
    """

    def __init__(self, send: Callable[[bytes], Awaitable[None]], background: Pcm | None = None) -> None:
        self.spoken = AudioTrack()
        self._send = send
        self._background = background if background is not None and len(background) else None
        self._background_at = 0
        self._utterances: deque[Utterance] = deque()
        self._bursts: list[tuple[Pcm, int]] = []
        self._leaves_at = 0.0
        self._echo: Pcm | None = None
        self._echo_delay = 0
        self._echo_gain = 0.0

    async def run(self) -> None:
        """Speak until cancelled."""
        due = time.monotonic()
        for _ in range(_LEAD_FRAMES):
            await self._frame()
        while True:
            await self._frame()
            due += FRAME_SECONDS
            now = time.monotonic()
            if now - due > _STALL_SECONDS:
                due = now
            await asyncio.sleep(max(0.0, due - now))

    def begin(self, pcm: Pcm) -> asyncio.Future[Span | None]:
        """Start an utterance, after those still going on; the future gives the span of its voice, None for silence."""
        done: asyncio.Future[Span | None] = asyncio.get_running_loop().create_future()
        if len(pcm):
            self._utterances.append(Utterance(pcm, voiced_span(pcm), done))
        else:
            done.set_result(None)
        return done

    def add_noise(self, pcm: Pcm) -> None:
        """Let a noise sound from now on, over whatever is being said."""
        self._bursts.append((pcm, 0))

    def enable_echo(self, delay_ms: float, loss_db: float) -> None:
        """Send back what is given to :meth:`hear`, so much later and so much softer: a speakerphone in a room."""
        self._echo = np.zeros(0, "<i2")
        self._echo_delay = int(delay_ms / 1000 * SAMPLE_RATE)
        self._echo_gain = float(10 ** (-loss_db / 20))

    def hear(self, frame: bytes) -> None:
        """Take what the other side says, for the echo; ignored where there is none."""
        if self._echo is None:
            return
        late = self._echo_delay - len(self._echo)
        if late > _ECHO_JITTER_FRAMES * FRAME_SAMPLES:  # nothing came for a while: it still takes as long as before
            self._echo = np.concatenate((self._echo, np.zeros(late, "<i2")))
        self._echo = np.concatenate((self._echo, np.frombuffer(frame, "<i2")))

    def stop(self) -> None:
        """Cut short what is being said; whoever waits for it learns how much of it was."""
        while self._utterances:
            self._finish(self._utterances.popleft())

    @staticmethod
    def _finish(utterance: Utterance) -> None:
        if not utterance.done.done():
            utterance.done.set_result(utterance.span)

    async def _frame(self) -> None:
        speech = np.zeros(FRAME_SAMPLES, np.int32)
        pieces: list[tuple[Utterance, int, int]] = []
        filled = 0
        for utterance in self._utterances:
            piece = utterance.pcm[utterance.sent : utterance.sent + FRAME_SAMPLES - filled]
            speech[filled : filled + len(piece)] = piece
            pieces.append((utterance, filled, len(piece)))
            filled += len(piece)
            if filled == FRAME_SAMPLES:
                break
        mixed = speech + self._next_background() + self._next_bursts() + self._next_echo()
        frame = np.clip(mixed, -32768, 32767).astype("<i2").tobytes()
        await self._send(frame)
        self._leaves_at = max(time.monotonic(), self._leaves_at + FRAME_SECONDS)
        self.spoken.add(self._leaves_at, frame)
        for utterance, offset, count in pieces:
            utterance.note(self._leaves_at, offset, count)
            if utterance.sent >= len(utterance.pcm) and self._utterances and self._utterances[0] is utterance:
                self._finish(self._utterances.popleft())

    def _next_background(self) -> Pcm:
        if self._background is None:
            return np.zeros(FRAME_SAMPLES, "<i2")
        indices = (self._background_at + np.arange(FRAME_SAMPLES)) % len(self._background)
        self._background_at = int(indices[-1]) + 1
        return self._background[indices]

    def _next_echo(self) -> np.typing.NDArray[np.int32]:
        echo = np.zeros(FRAME_SAMPLES, np.int32)
        if self._echo is not None:
            piece, self._echo = self._echo[:FRAME_SAMPLES], self._echo[FRAME_SAMPLES:]
            echo[: len(piece)] = (piece * self._echo_gain).astype(np.int32)
        return echo

    def _next_bursts(self) -> np.typing.NDArray[np.int32]:
        total = np.zeros(FRAME_SAMPLES, np.int32)
        going_on = []
        for pcm, at in self._bursts:
            piece = pcm[at : at + FRAME_SAMPLES]
            total[: len(piece)] += piece
            if at + FRAME_SAMPLES < len(pcm):
                going_on.append((pcm, at + FRAME_SAMPLES))
        self._bursts = going_on
        return total
