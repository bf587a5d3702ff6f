"""One turn of listening: voice and keypad together, over the prompt and after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, JudgedAudio, KeyPressed, PlaybackFinished
from agent.call.keypad import EndedEntry, KeyCollector
from agent.call.opening import CalleeWatcher
from agent.call.playback import PromptPlayback
from agent.call.ports import (
    EchoSuppressor,
    GainControl,
    NoEchoSuppression,
    NoiseGate,
    RecognitionResult,
    Recognizer,
    VoiceActivityDetector,
)
from agent.call.recognition_stream import RecognitionStream
from agent.call.second_opinion import SecondOutcome, TurnSecondOpinion
from agent.call.turn_taking import TurnAction, TurnTaker, TurnTakingOptions, has_words
from agent.common.audio import FRAME_BYTES, FRAME_MS
from agent.dialog.callee import CalleeReport
from agent.dialog.contract import BargeIn, Completeness, Listen, NoInput, TurnInput

MAX_DIGIT_PAUSES = 2
"""Half a number may be a word misheard ("one" for "no"), which settling puts right; after so many pauses it is none."""


@dataclass(frozen=True)
class ListeningComponents:
    """What listening needs; the same for all turns of a call."""

    recognizer: Recognizer
    gain: GainControl
    vad: VoiceActivityDetector
    gate: Callable[[], NoiseGate]
    """Makes the gate of one turn."""
    completeness: Callable[[str], Completeness]
    clock: Callable[[], float]
    """Monotonic seconds."""
    on_listening: Callable[[], object]
    """Called once when the prompt has been heard and it is the caller's turn."""
    echo: EchoSuppressor = field(default_factory=NoEchoSuppression)
    options: TurnTakingOptions = field(default_factory=TurnTakingOptions)
    chunk_frames: int = 2
    """How many 20 ms frames go to the recogniser together."""
    callee: CalleeWatcher | None = None
    """Tells machines from people while a call that we placed is opening."""
    second: TurnSecondOpinion | None = None
    """Asks a second recogniser about this turn's answer where the first one leaves a doubt."""


@dataclass(frozen=True)
class ListeningResult:
    """What a turn of listening brought."""

    event: TurnInput | NoInput | CalleeReport
    caller_stopped_at: float | None
    """Clock time of the caller's last voice or key; None for silence."""
    ended_at: float | None = None
    """Clock time at which the turn was taken to be over."""
    ended_entry: EndedEntry | None = None
    """An entry whose terminator may still come."""
    caller_began_at: float | None = None
    """Clock time of the caller's first voice or key."""
    second: SecondOutcome = ""
    """What came of a second opinion."""


class _Taken(NamedTuple):
    """An action that was taken otherwise than usual; ``result`` is None where listening goes on."""

    result: ListeningResult | None


class TurnListener:
    """Listens once.

    :meth:`run` returns the caller's answer; raises LineGone, MediaLostError, or what the recogniser raises.
    """

    def __init__(
        self, reader: InboxReader, parts: ListeningComponents, listen: Listen, speaking: PromptPlayback
    ) -> None:
        self._reader = reader
        self._parts = parts
        self._listen = listen
        self._speaking = speaking
        self._keys = KeyCollector(listen.keys)
        self._gate = parts.gate()
        self._ear = self._new_ear() if listen.speech else None
        self._barged_in = False
        self._held_keys: list[str] = []
        self._entry_before: EndedEntry | None = None
        self._first_key_at: float | None = None
        self._judged: tuple[str, Completeness] = ("", parts.completeness(""))
        self._taker = TurnTaker(
            parts.options,
            barge_in=listen.barge_in,
            no_input_ms=round(listen.no_input_seconds * 1000),
            max_speech_ms=round(listen.max_speech_seconds * 1000),
            prompt_playing=speaking.active,
        )

    async def run(self, keys_ahead: Sequence[str] = (), entry_before: EndedEntry | None = None) -> ListeningResult:
        """Listen until the caller has answered or stayed silent.

        ``keys_ahead`` were keyed before we listened; ``entry_before`` is the answer of the turn before, as far as its
        terminator may still come.
        """
        self._entry_before = entry_before
        try:
            for digit in keys_ahead:
                if await self._take_key(digit, next_was_asked=False):
                    return self._keyed()
            if not self._speaking.active and not self._keys.started:
                self._parts.on_listening()
            while True:
                answer = await self._step()
                if answer is not None:
                    return answer
        finally:
            if self._ear is not None:
                await self._ear.close()
            if self._parts.second is not None:
                await self._parts.second.close()

    def _new_ear(self, instead_of: RecognitionStream | None = None) -> RecognitionStream:
        listen = self._listen
        hearing = self._parts.recognizer.listen(listen.phrases, listen.words, listen.samples, listen.symbols)
        return RecognitionStream(hearing, self._parts.chunk_frames, instead_of)

    async def _step(self) -> ListeningResult | None:
        event = await self._reader.next()
        if isinstance(event, PlaybackFinished):
            if self._speaking.played(event.mark) and await self._prompt_heard():
                return self._keyed()
        elif isinstance(event, KeyPressed):
            if self._parts.callee is not None:
                self._parts.callee.classifier.key_pressed()
            if self._ear is not None and self._may_end_speech(event.digit):
                return await self._terminated(self._ear, event.digit)
            if await self._take_key(event.digit, next_was_asked=not self._speaking.active):
                return self._keyed()
        elif isinstance(event, AudioFrame | JudgedAudio):
            prompt_over = self._speaking.active and self._speaking.check()
            if (prompt_over and await self._prompt_heard()) or self._keys.timed_out(self._parts.clock()):
                if isinstance(event, JudgedAudio):
                    self._reader.put_back(event)
                return self._keyed()
            return await self._take_audio(event if isinstance(event, JudgedAudio) else self._judge(event.pcm))
        return None

    async def _prompt_heard(self) -> bool:
        """The prompt is out: take the keys held back meanwhile; True when they are a whole entry."""
        self._taker.prompt_ended()
        self._parts.on_listening()
        held, self._held_keys = self._held_keys, []
        for digit in held:
            if await self._take_key(digit, next_was_asked=True):
                return True
        return False

    async def _take_key(self, digit: str, *, next_was_asked: bool) -> bool:
        """Take one key; True when the entry is complete. ``next_was_asked``: this turn's question has been heard."""
        now = self._parts.clock()
        before, self._entry_before = self._entry_before, None
        if before is not None and before.claims(digit, now, next_was_asked=next_was_asked):
            return False
        if self._first_key_at is None:
            self._first_key_at = now
        if self._speaking.active:
            if self._listen.barge_in is BargeIn.OFF:
                self._held_keys.append(digit)
                return False
            self._barged_in = True
            await self._speaking.stop()
            self._taker.prompt_ended()
        self._taker.hold()
        return self._keys.key(digit, now)

    def _may_end_speech(self, digit: str) -> bool:
        """Whether this key may be the terminator of a number that the caller is saying."""
        entry, speaking = self._listen.keys, self._taker.caller_is_speaking
        return digit in entry.terminators and entry.max_digits > 1 and speaking and not self._keys.started

    async def _terminated(self, ear: RecognitionStream, digit: str) -> ListeningResult:
        """End the turn with what was said; the key itself is the answer where that was nothing."""
        spoken = await self._end_of_turn(ear)
        if isinstance(spoken.event, TurnInput) and has_words(spoken.event.text):
            return spoken
        self._keys.key(digit, self._parts.clock())
        return self._keyed()

    def _judge(self, pcm: bytes) -> JudgedAudio:
        """Have whole frames judged (the reader sees to that), with those that have piled up meanwhile."""
        parts = self._parts
        pcm += self._reader.more_audio()
        frames = [parts.echo.process(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES)]
        # the raw frames: amplified babble sounds like speech
        return JudgedAudio([(frame, parts.vad.process(frame)) for frame in frames])

    async def _take_audio(self, audio: JudgedAudio) -> ListeningResult | None:
        for place, (frame, probability) in enumerate(audio.frames, 1):
            known = probability if isinstance(probability, float) else await probability
            answer = await self._take_frame(frame, known)
            if answer is not None:
                if place < len(audio.frames):
                    self._reader.put_back(JudgedAudio(audio.frames[place:]))
                return answer
        return None

    async def _take_frame(self, frame: bytes, probability: float) -> ListeningResult | None:
        parts, ear = self._parts, self._ear
        passed = self._gate.process(parts.gain.process(frame), probability)
        if self._keys.started:  # an answer on the keypad is not ended by what is said meanwhile
            return None
        callee = parts.callee
        if callee is not None:
            voice = probability >= parts.options.speech_probability
            report = callee.frame(frame, voice=voice, text=ear.text if ear is not None else "", frame_ms=FRAME_MS)
            if report is not None:
                await self._speaking.stop()
                return ListeningResult(report, None)
        if ear is None:  # nothing can be heard: only silence counts, and only keys end it
            silent = self._taker.frame(0.0, "", Completeness.OPEN, FRAME_MS) is TurnAction.NO_INPUT
            return ListeningResult(NoInput(self._listen.no_input_seconds), None) if silent else None
        self._pause_or_go_on(ear, probability)
        self._ask_ahead(ear, frame)
        ear.take(passed)
        ear.check()
        if ear.text != self._judged[0]:
            self._judged = (ear.text, parts.completeness(ear.text))
        action = self._taker.frame(probability, *self._judged, FRAME_MS)
        if callee is not None and (answer := await self._with_callee(callee, ear, action)) is not None:
            return answer.result
        if action is TurnAction.INTERRUPT:
            self._barged_in = True
            await self._speaking.stop()
        elif action in (TurnAction.RESUME, TurnAction.DISCARD):
            self._ear = self._new_ear(instead_of=ear)
            if action is TurnAction.RESUME:
                self._barged_in = False
                await self._speaking.resume()
        elif action is TurnAction.NO_INPUT:
            return ListeningResult(NoInput(self._listen.no_input_seconds), None)
        elif action is TurnAction.END_OF_TURN:
            return await self._end_of_turn(ear, may_be_terminated=self._listen.keys.max_digits > 1)
        return None

    async def _with_callee(self, callee: CalleeWatcher, ear: RecognitionStream, action: TurnAction) -> _Taken | None:
        """Take an action that a machine, or what may be one, has caused; None where it stands as it is."""
        if action is TurnAction.END_OF_TURN:
            result = await self._end_of_turn(ear)
            text = result.event.text if isinstance(result.event, TurnInput) else ""
            if not callee.listens_on(text, self._parts.completeness(text)):
                return _Taken(result)
        elif action is TurnAction.NO_INPUT and callee.classifier.is_suspect and not callee.classifier.is_machine:
            return _Taken(ListeningResult(CalleeReport("unclear"), None))
        elif not (callee.classifier.is_suspect and action in (TurnAction.RESUME, TurnAction.NO_INPUT)):
            return None
        self._taker.listen_on()
        callee.classifier.next_turn()
        await ear.close()
        self._ear = self._new_ear()
        return _Taken(None)

    async def _end_of_turn(self, ear: RecognitionStream, *, may_be_terminated: bool = False) -> ListeningResult:
        ended_at = self._parts.clock()
        began_at = ended_at - self._taker.speaking_ms / 1000
        stopped_at = ended_at - self._taker.silence_ms / 1000
        heard = self._heard(await ear.finish())
        outcome: SecondOutcome = ""
        if self._parts.second is not None:
            heard, outcome = await self._parts.second.conclude(heard)
        entry = EndedEntry.of(self._listen.keys, ended_at) if may_be_terminated else None
        return ListeningResult(heard, stopped_at, ended_at, entry, began_at, outcome)

    def _ask_ahead(self, ear: RecognitionStream, frame: bytes) -> None:
        """Ask for a second opinion in the pause that may end the turn, so that it need not be waited for after it."""
        second = self._parts.second
        if second is None:
            return
        second.frame(frame, caller_is_speaking=self._taker.caller_is_speaking)
        if not ear.settled:
            second.spoke_on()
        elif ear.final is not None:
            second.paused(self._heard(ear.final))

    def _pause_or_go_on(self, ear: RecognitionStream, probability: float) -> None:
        """Settle what was said as soon as a pause could be the end of it; a new word opens it again.

        Later and seldom where digits are read: there a pause follows each of them, and opening means decoding all of
        it again.
        """
        options, taker = self._parts.options, self._taker
        if probability >= options.speech_probability:
            if ear.settled:
                ear.go_on()
            return
        unfinished = self._judged[1] is Completeness.INCOMPLETE
        if ear.settled or (unfinished and ear.pauses >= MAX_DIGIT_PAUSES):
            return
        reads_digits = unfinished and self._listen.keys.max_digits > 1
        pause_ms = options.settle_digits_ms if reads_digits else options.settle_ms
        if taker.caller_is_speaking and taker.silence_ms >= pause_ms:
            ear.settle()

    def _keyed(self) -> ListeningResult:
        keyed = TurnInput(keys=self._keys.keys, barged_in=self._barged_in)
        return ListeningResult(
            keyed, self._parts.clock(), caller_began_at=self._first_key_at, ended_entry=self._keys.ended()
        )

    def _heard(self, recognition: RecognitionResult) -> TurnInput:
        return TurnInput(
            text=recognition.text,
            words=recognition.words,
            alternatives=recognition.alternatives,
            spelled=recognition.spelled,
            barged_in=self._barged_in,
        )
