"""The Protocols a call needs from outside: caller line, audio, recogniser, voice, services, records."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.call.inbox_events import Inbox
from agent.call.records import Caller, CallOrigin, CallRecord
from agent.dialog.contract import Word


class CallerLine(Protocol):
    """The caller's channel."""

    id: str
    channel_id: str
    """Stays the same when a call leaves and comes back."""
    caller: Caller
    entry: str
    """``inbound``, ``outbound``, or how the call came back: ``queue_failed``, ``queue_escape``, ``transfer_back``."""
    origin: CallOrigin
    """Why there is this call: a customer's, or one that we have placed."""
    is_answered: bool
    """True when the call was answered before it came to us."""
    inbox: Inbox

    async def answer(self) -> None:
        """Answer the call. Raises :class:`LineGone` when the caller has already left."""

    async def hang_up(self) -> None:
        """End the call; no error when it is already over."""

    async def hand_over(self, variables: Mapping[str, str], why: str) -> None:
        """Leave the call to the dialplan's hand-over context with these channel variables set."""

    async def inform(self) -> None:
        """Leave a customer whom we have called to the dialplan's information message, which ends the call."""

    async def release_to_supervisor(self) -> None:
        """Leave the call to the supervisor who takes it over."""

    async def is_lost(self) -> bool:
        """True when the channel is gone, or nobody can say: its Asterisk does not answer."""


class Media(Protocol):
    """The audio of one call, both ways."""

    async def play(self, pcm: bytes, mark: str) -> None:
        """Queue a whole utterance after what is already queued; ``PlaybackFinished(mark)`` follows when heard."""

    async def flush(self) -> None:
        """Stop at once and forget everything queued; no ``PlaybackFinished`` comes for it."""

    async def close(self) -> None:
        """Release the leg; idempotent."""


# --- hearing -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecognitionResult:
    """A finished recognition."""

    text: str = ""
    words: tuple[Word, ...] = ()
    alternatives: tuple[str, ...] = ()
    spelled: tuple[str, ...] = ()
    """Readings as single digits and letters alone, best first; none where nobody asked for them, or in time."""


class UtteranceRecognizer(Protocol):
    """The recogniser's ear for one turn of one call."""

    async def feed(self, pcm: bytes) -> str:
        """Give audio (any length, 8 kHz 16-bit); returns the text so far, ``""`` for nothing yet."""

    async def finish(self) -> RecognitionResult:
        """Return the best final text; the partial when the final came back empty."""


class Recognizer(Protocol):
    """Turns speech into text."""

    def listen(
        self,
        phrases: Sequence[str],
        words: Sequence[str] = (),
        samples: Sequence[str] = (),
        symbols: Sequence[str] = (),
    ) -> UtteranceRecognizer:
        """Open an ear for these whole phrases and loose words. Cheap: one per turn.

        ``samples`` are typical strings of the words; they weigh by how often they stand there. Where two of the loose
        words are heard, the sound is decoded once more as a string of ``symbols``.
        """


class VoiceActivityDetector(Protocol):
    """Says whether a frame holds speech. One instance a call; stateful."""

    def process(self, pcm: bytes) -> float | asyncio.Future[float]:
        """Take one 20 ms frame; return the probability of speech, 0..1, now or to come.

        The next frame may be given before.
        """


class NoiseGate(Protocol):
    """Lets speech through to the recogniser and keeps noise out. One instance a turn; stateful."""

    def process(self, pcm: bytes, speech_probability: float) -> bytes:
        """Take one 20 ms frame; return what the recogniser should get now: nothing, or any number of frames."""


class EchoSuppressor(Protocol):
    """Keeps the agent's own voice, as it comes back from a speakerphone, out of its ear. One instance a call."""

    def playing(self, pcm: bytes) -> None:
        """Note that this audio was handed over, to sound after what is still sounding."""

    def flushed(self) -> None:
        """Note that what has not sounded yet never will."""

    def process(self, pcm: bytes) -> bytes:
        """Take one 20 ms frame of the caller; return it, or silence when it is the agent's own voice."""


class NoEchoSuppression:
    """Implements :class:`EchoSuppressor` for lines without any."""

    def playing(self, pcm: bytes) -> None:
        """Do nothing."""

    def flushed(self) -> None:
        """Do nothing."""

    def process(self, pcm: bytes) -> bytes:
        """Return the frame."""
        return pcm


class GainControl(Protocol):
    """Brings the caller to a normal level. One instance a call; stateful."""

    def process(self, pcm: bytes) -> bytes:
        """Take one 20 ms frame; return it at the wanted level, same length."""


# --- speaking ----------------------------------------------------------------------------------------


class Voice(Protocol):
    """Turns prompts into audio."""

    def pieces(self, prompt_id: str, text: str) -> Sequence[str]:
        """Cut a prompt into the parts that are rendered and played one after the other."""

    def cached(self, prompt_id: str, text: str) -> bytes | None:
        """Return the audio if it needs no synthesis, else None. Never blocks."""

    def pause_after(self, piece: str) -> bytes:
        """Return the silence that belongs between this piece and the next one."""

    async def render(self, prompt_id: str, text: str) -> bytes:
        """Return the audio, synthesising if needed. Raises ``VoiceError`` when no engine can speak."""


# --- business, record ----------------------------------------------------------------------


class Services(Protocol):
    """All operations on the business systems."""

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Do one named operation; ``key`` makes repeats harmless.

        Raises ``ServiceError`` with code ``not_found``, ``not_allowed``, ``unavailable``, ``timed_out``, or
        ``bad_request`` for a name or arguments that no system of ours understands.
        """


class CallRecordWriter(Protocol):
    """Where calls go."""

    async def begin(self, record: CallRecord) -> str:
        """Note that a call has begun, so that it is recorded even if this process dies. Never raises.

        Returns the id of the latest earlier call from the same number, ``""`` where there is none or nobody knows.
        """

    async def write(self, record: CallRecord) -> None:
        """Store the record durably; a second write for the same id is refused."""


class SnapshotWriter(Protocol):
    """Keeps a live call so that another process can go on with it. Never raises."""

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        """Keep the call as it stands now (:mod:`agent.call.snapshot`). Does not wait."""

    async def written(self) -> None:
        """Return when what was kept is written, or soon after when that does not succeed.

        Waited for before anything is done in the shop's systems: who goes on with the call must know of it.
        """

    def forget(self, call_id: str) -> None:
        """Forget a call that is over. Does not wait."""


class NoSnapshots:
    """Implements :class:`SnapshotWriter` for calls that nobody can go on with."""

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        """Do nothing."""

    async def written(self) -> None:
        """Return at once."""

    def forget(self, call_id: str) -> None:
        """Do nothing."""
