"""Runs a call's listening without a call: VAD, gain, gate, turn-taking and recognition, frame by frame.

The frames of an utterance go through the same :class:`~agent.call.listening.TurnListener` as in a call, as fast as the
machine can, each one only after the recogniser is done with what came before. So the result does not depend on the
machine's speed; what a slow machine would make of it (a partial text that comes late) is measured by ``make bench``.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from agent.accuracy.errors import AccuracyError
from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, Inbox
from agent.call.listening import ListeningComponents, ListeningResult, TurnListener
from agent.call.playback import PromptPlayback
from agent.call.ports import GainControl, RecognitionResult, Recognizer, UtteranceRecognizer, VoiceActivityDetector
from agent.call.second_opinion import (
    NoSecondOpinion,
    OpinionJudge,
    SecondOpinionSource,
    SecondOutcome,
    TurnSecondOpinion,
)
from agent.common.audio import FRAME_MS
from agent.common.tasks import cancel_and_wait
from agent.dialog.callee import CalleeReport
from agent.dialog.contract import Completeness, Listen, NoInput, SecondText, TurnInput
from agent.speech.gain import AutomaticGain
from agent.speech.gate import SpeechGate
from agent.speech.recognizer import VoskRecognizer
from agent.speech.vad import VoiceActivityFactory
from agent.speech.whisper.model import WhisperError, WhisperModel

_PATIENCE_SECONDS = 60.0
_TASK_STEPS = 4
"""Turns of the event loop in which a frame reaches the recogniser: inbox, listening, recognition stream, decoder."""


class SteppedRecognizer:
    """A recogniser that tells when it is busy."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._idle = asyncio.Event()
        self._idle.set()

    def listen(
        self,
        phrases: Sequence[str],
        words: Sequence[str] = (),
        samples: Sequence[str] = (),
        symbols: Sequence[str] = (),
    ) -> UtteranceRecognizer:
        """Open a recognition stream."""
        return _SteppedHearing(self._recognizer.listen(phrases, words, samples, symbols), self._idle)

    async def settled(self, inbox: Inbox, listening: asyncio.Future[ListeningResult]) -> None:
        """Return when everything on the line so far has been heard, or nobody listens any more."""
        while not inbox.empty() and not listening.done():
            await self._idle.wait()
            await asyncio.sleep(0)
        for _ in range(_TASK_STEPS):
            await asyncio.sleep(0)
        await self._idle.wait()


class _SteppedHearing:
    def __init__(self, hearing: UtteranceRecognizer, idle: asyncio.Event) -> None:
        self._hearing = hearing
        self._idle = idle

    async def feed(self, pcm: bytes) -> str:
        self._idle.clear()
        try:
            return await self._hearing.feed(pcm)
        finally:
            self._idle.set()

    async def finish(self) -> RecognitionResult:
        self._idle.clear()
        try:
            return await self._hearing.finish()
        finally:
            self._idle.set()


class CallListener:
    """What listens in one call: the state of gain and voice activity goes on from turn to turn, as in a call."""

    def __init__(
        self,
        recognizer: Recognizer,
        vad: VoiceActivityDetector,
        gain: GainControl,
        opinions: SecondOpinionSource | None = None,
    ) -> None:
        self._recognizer = recognizer
        self._vad = vad
        self._gain = gain
        self._opinions = opinions
        self._frames = 0

    second: SecondOutcome = ""
    """What came of a second opinion about the answer heard last."""

    async def hear(
        self,
        listen: Listen,
        completeness: Callable[[str], Completeness],
        frames: Iterable[bytes],
        judge: OpinionJudge | None = None,
    ) -> TurnInput | NoInput:
        """Listen once; the frames must go on for as long as anybody listens.

        ``judge`` says what a second recogniser is asked about, where there is one.
        """
        stepped = SteppedRecognizer(self._recognizer)
        inbox: Inbox = asyncio.Queue()
        parts = ListeningComponents(
            recognizer=stepped,
            gain=self._gain,
            vad=self._vad,
            gate=SpeechGate,
            completeness=completeness,
            clock=lambda: self._frames * FRAME_MS / 1000,
            on_listening=_nothing,
            second=TurnSecondOpinion(self._opinions, judge) if self._opinions is not None and judge else None,
        )
        speaking = PromptPlayback(_NoVoice(), _NoMedia(), (), itertools.count(1), lambda: 0.0, _nothing)
        answering = asyncio.ensure_future(
            TurnListener(InboxReader(inbox, quiet_after_seconds=None), parts, listen, speaking).run()
        )
        try:
            for pcm in frames:
                if answering.done():
                    break
                self._frames += 1
                inbox.put_nowait(AudioFrame(pcm))
                await stepped.settled(inbox, answering)
            answer = await answering
            event, self.second = answer.event, answer.second
            if isinstance(event, CalleeReport):
                raise AccuracyError("A turn of an inbound call told who had answered an outbound one.")
            return event
        finally:
            await cancel_and_wait(answering)


class CallListenerFactory:
    """Makes the listeners of calls for one model; load once a process."""

    def __init__(self, model_dir: Path, second: WhisperModel | None = None) -> None:
        """Raise ``ModelError`` when the directory holds no usable model; ``second`` is a larger recogniser."""
        self.recognizer = VoskRecognizer(model_dir, workers=1, stall_seconds=60.0, spelling_seconds=60.0)
        self._activities = VoiceActivityFactory()
        self._opinions = SecondOpinionSource(PatientWhisper(second), _PATIENCE_SECONDS) if second is not None else None

    def new(self) -> CallListener:
        """Return the listener of a new call."""
        return CallListener(self.recognizer, self._activities.new(), AutomaticGain(), self._opinions)


class PatientWhisper:
    """A larger recogniser that is waited for, so that the result does not depend on the machine's speed."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    async def hear(self, pcm: bytes) -> SecondText:
        """Return what is said. Raises :class:`NoSecondOpinion` for what the model cannot take."""
        try:
            told = self._model.transcribe(pcm)
        except WhisperError as error:
            raise NoSecondOpinion("failed") from error
        return SecondText(told.text, told.confidence)


class _NoVoice:
    """The agent says nothing here."""

    def pieces(self, prompt_id: str, text: str) -> Sequence[str]:
        return ()

    def cached(self, prompt_id: str, text: str) -> bytes | None:
        return b""

    def pause_after(self, piece: str) -> bytes:
        return b""

    async def render(self, prompt_id: str, text: str) -> bytes:
        return b""


class _NoMedia:
    """Nothing is played."""

    async def play(self, pcm: bytes, mark: str) -> None:
        return

    async def flush(self) -> None:
        return

    async def close(self) -> None:
        return


def _nothing(*_: object) -> None:
    return


__all__ = ["CallListener", "CallListenerFactory", "SteppedRecognizer"]
