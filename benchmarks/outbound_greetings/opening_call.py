"""One call to somebody who answers, without a telephone: the real listening, opening, recogniser and procedures.

Time is counted in frames of audio, and each frame waits until the recogniser is done with those before: the result does
not depend on the machine's speed. What the agent says lasts as long as its text would, and goes on while the other side
speaks, until something stops it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.accuracy.call_listener import CallListenerFactory, SteppedRecognizer
from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, Inbox, PlaybackFinished
from agent.call.listening import ListeningComponents, TurnListener
from agent.call.opening import CalleeWatcher
from agent.call.playback import PromptPlayback
from agent.call.ports import Recognizer
from agent.call.turn_taking import TurnTakingOptions
from agent.common.audio import FRAME_MS, SAMPLE_RATE
from agent.common.tasks import cancel_and_wait
from agent.dialog.callee import CalleeReport
from agent.dialog.contract import Effect, EffectSucceeded, Event, Listen, Turn
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.rehearsal.audio import FRAME_SAMPLES, Pcm
from agent.speech.gain import AutomaticGain
from agent.speech.gate import SpeechGate
from agent.speech.vad import VoiceActivityFactory
from agent.telemetry.log_format import CALL_ID

LONGEST_SECONDS = 90.0
_SECONDS_A_LETTER = 0.062
"""The agent's own voice: sixteen letters a second."""
_ANSWER_AFTER_SECONDS = 0.4
_MOST_TURNS = 8


@dataclass
class OpeningOutcome:
    """What came of one call."""

    reached: str
    """Who the agent takes it for, by the words of records; ``right_person`` after their yes."""
    said: list[str] = field(default_factory=list)
    """The prompts that were begun, by their ids."""
    words: str = ""
    """All that was said."""
    heard: list[str] = field(default_factory=list)
    """What was recognised, turn by turn."""
    first_word_seconds: float | None = None
    """From the end of the greeting, or from the answer when nothing was said, to the agent's first word."""


class FarEnd:
    """Whoever answers: plays what it has to say, then the quiet line; a person answers when asked."""

    def __init__(self, greeting: Pcm, answer: Pcm | None, quiet: Callable[[int], Pcm]) -> None:
        self._waiting = greeting
        self._answer = answer
        self._quiet = quiet

    def frame(self) -> bytes:
        """Return the next 20 ms."""
        now, self._waiting = self._waiting[:FRAME_SAMPLES], self._waiting[FRAME_SAMPLES:]
        line = self._quiet(FRAME_SAMPLES).astype("<i4")
        line[: len(now)] += now
        return line.clip(-32768, 32767).astype("<i2").tobytes()

    def asked(self) -> None:
        """Our question was heard to its end."""
        if self._answer is not None and not len(self._waiting):
            self._waiting = _joined(round(_ANSWER_AFTER_SECONDS * SAMPLE_RATE), self._answer)


def _joined(quiet_samples: int, pcm: Pcm) -> Pcm:
    return np.concatenate((np.zeros(quiet_samples, "<i2"), pcm)).astype("<i2")


class TimedVoice:
    """Speaks silence that lasts as long as the words would; implements :class:`agent.call.ports.Voice`."""

    def pieces(self, prompt_id: str, text: str) -> Sequence[str]:
        """Return the text as one piece."""
        return [text]

    def cached(self, prompt_id: str, text: str) -> bytes | None:
        """Return the silence."""
        return bytes(2 * round(len(text) * _SECONDS_A_LETTER * SAMPLE_RATE))

    def pause_after(self, piece: str) -> bytes:
        """Return nothing."""
        return b""

    async def render(self, prompt_id: str, text: str) -> bytes:
        """Return the silence."""
        return self.cached(prompt_id, text) or b""


class TimedMedia:
    """Tells when what was played has been heard, in the call's own time; implements :class:`agent.call.ports.Media`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = 0.0
        self._marks: list[tuple[float, str]] = []
        self.first_word_at: float | None = None

    async def play(self, pcm: bytes, mark: str) -> None:
        """Take audio to play behind what plays."""
        now = self._clock()
        if self.first_word_at is None:
            self.first_word_at = now
        self._until = max(self._until, now) + len(pcm) / 2 / SAMPLE_RATE
        self._marks.append((self._until, mark))

    async def flush(self) -> None:
        """Fall silent."""
        self._until, self._marks = 0.0, []

    async def close(self) -> None:
        """Do nothing."""

    def heard(self) -> list[str]:
        """Return the marks of what has been heard to its end since the last question."""
        now = self._clock()
        over = [mark for at, mark in self._marks if at <= now]
        self._marks = [(at, mark) for at, mark in self._marks if at > now]
        return over


class OpeningCalls:
    """Holds calls, one after the other, with one recogniser."""

    def __init__(self, listeners: CallListenerFactory, pack: FlowPack, render: SandboxRenderer) -> None:
        self._recognizer = listeners.recognizer
        self._activities = VoiceActivityFactory()
        self._pack = pack
        self._render = render

    async def hold(self, facts: CallFacts, far: FarEnd, greeting_ends: float) -> OpeningOutcome:
        """Hold one call until it is known who answers; ``greeting_ends`` is when theirs is over, in seconds."""
        CALL_ID.set(facts.call_id)
        call = _OpeningCall(self._recognizer, self._activities, Conversation(self._pack, facts, self._render), far)
        outcome = await call.run()
        if call.media.first_word_at is not None:
            outcome.first_word_seconds = call.media.first_word_at - greeting_ends
        return outcome


class _OpeningCall:
    def __init__(
        self, recognizer: Recognizer, activities: VoiceActivityFactory, conversation: Conversation, far: FarEnd
    ) -> None:
        self._recognizer = SteppedRecognizer(recognizer)
        self._vad = activities.new()
        self._gain = AutomaticGain()
        self._dialog = conversation
        self._far = far
        self._frames = 0
        self._marks = itertools.count(1)
        self._watcher: CalleeWatcher | None = None
        self.media = TimedMedia(self._clock)

    def _clock(self) -> float:
        return self._frames * FRAME_MS / 1000

    async def run(self) -> OpeningOutcome:
        """Go on until the right person has said yes, or the call is over."""
        outcome = OpeningOutcome("")
        turn = self._dialog.start()
        for _ in range(_MOST_TURNS):
            outcome.said += [prompt.id for prompt in turn.say]
            outcome.words = " ".join([outcome.words, *(prompt.text for prompt in turn.say)]).strip()
            if isinstance(turn.then, Effect):
                turn = self._dialog.hear(EffectSucceeded(turn.then.id, {}))
                continue
            story = self._dialog.outbound
            outcome.reached = story.reached if story is not None else ""
            if not isinstance(turn.then, Listen) or outcome.reached == "right_person":
                break
            if self._clock() > LONGEST_SECONDS:
                break
            event = await self._listen(turn, turn.then)
            outcome.heard.append(_told(event))
            turn = self._dialog.hear(event)
        return outcome

    async def _listen(self, turn: Turn, listen: Listen) -> Event:
        callee = self._watch(listen)
        usual = TurnTakingOptions()
        parts = ListeningComponents(
            recognizer=self._recognizer,
            gain=self._gain,
            vad=self._vad,
            gate=SpeechGate,
            completeness=self._dialog.completeness,
            clock=self._clock,
            on_listening=self._far.asked if turn.say else lambda: None,
            options=usual if callee is None else callee.turn_taking(usual),
            callee=callee,
        )
        speaking = PromptPlayback(TimedVoice(), self.media, turn.say, self._marks, self._clock, lambda _: None)
        speaking.start()
        inbox: Inbox = asyncio.Queue()
        listener = TurnListener(InboxReader(inbox, quiet_after_seconds=None), parts, listen, speaking)
        listening = asyncio.ensure_future(listener.run())
        try:
            while not listening.done():
                for mark in self.media.heard():
                    inbox.put_nowait(PlaybackFinished(mark))
                self._frames += 1
                inbox.put_nowait(AudioFrame(self._far.frame()))
                await self._recognizer.settled(inbox, listening)
            return (await listening).event
        finally:
            await cancel_and_wait(listening)
            await speaking.close()

    def _watch(self, listen: Listen) -> CalleeWatcher | None:
        if listen.callee is None:
            return None
        if self._watcher is None:
            self._watcher = CalleeWatcher(listen.callee)
        self._watcher.begin_turn(listen.callee)
        return self._watcher


def _told(event: Event) -> str:
    return f"<{event.kind}>" if isinstance(event, CalleeReport) else str(getattr(event, "text", "") or "")
