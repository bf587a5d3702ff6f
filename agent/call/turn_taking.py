"""Turn taking, decided frame by frame: barge-in, resumption, endpointing, no-input. Pure and time-stepped.

:class:`TurnTaker` sees 20 ms frames as numbers (probability of speech, the text recognised so far, what that text
would be worth) and answers with a :class:`TurnAction`. It knows no audio, no clock and no telephone, so every rule
here is tested with plain numbers. ``agent/call/keypad.py`` does the same for the keypad.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from agent.dialog.contract import BargeIn, Completeness

UNKNOWN_WORD = "[unk]"
"""What the recogniser writes for speech outside the grammar."""


@dataclass(frozen=True)
class TurnTakingOptions:
    """The waits of a conversation, in one table."""

    speech_probability: float = 0.5
    """A frame counts as speech from this probability on."""
    onset_ms: int = 80
    """This much speech in a row begins the caller's turn when the agent is silent."""
    dropout_ms: int = 60
    """A gap this short inside speech does not break the row (a stop consonant, a lost packet)."""
    faint_probability: float = 0.3
    """From this probability on a frame may be speech. A bare "no" of a soft voice had 20 ms above 0.5 and 100 ms above
    0.3."""
    faint_ms: int = 60
    """So much that may be speech begins the caller's turn when words were recognised in it."""
    barge_in_ms: int = 80
    """Steady speech over the prompt that stops it even before a word is recognised."""
    barge_in_sure_ms: int = 60
    """... when at least one frame of it was speech for sure. Breath reached 60 ms, but never this probability."""
    sure_probability: float = 0.9
    """A frame is speech for sure from this probability on."""
    barge_in_guard_ms: int = 0
    """No interruption by voice in the first part of a prompt (a caller finishing the last sentence)."""
    resume_after_ms: int = 2000
    """An interruption with no intelligible word after this long was none: the prompt goes on."""
    settle_ms: int = 160
    """Silence after which the recogniser's final text is worked out ahead: its running text lags up to 280 ms, and
    a turn is judged by what was really said. Most pauses inside a sentence are shorter."""
    settle_digits_ms: int = 400
    """... when the text is part of a number that was asked for: the pauses between two digits are shorter than this."""
    end_complete_ms: int = 250
    """Silence that ends a turn whose text is a whole answer."""
    end_likely_ms: int = 450
    """Silence that ends a turn whose text is a whole answer that callers often continue."""
    end_open_ms: int = 700
    """Silence that ends a turn whose text may or may not be whole."""
    end_incomplete_ms: int = 1600
    """Silence that ends a turn that is certainly unfinished: callers pause while reading digits."""
    end_unheard_ms: int = 900
    """Silence that ends a turn in which somebody spoke but nothing was recognised."""
    noise_ms: int = 400
    """Sound shorter than this, without a word this turn expects, was not a turn (a cough, a door)."""
    forget_ms: int = 500
    """Sounds further apart than this do not add up to one."""


class TurnAction(enum.Enum):
    """What the holder of the call has to do now."""

    WAIT = "wait"
    INTERRUPT = "interrupt"
    """Stop the prompt: the caller is speaking."""
    RESUME = "resume"
    """It was nothing: go on with the prompt where it stopped."""
    DISCARD = "discard"
    """It was noise: forget what was heard and go on listening."""
    END_OF_TURN = "end_of_turn"
    NO_INPUT = "no_input"


class TurnTaker:
    """One turn: from the first sample of the agent's prompt to the end of the caller's answer.

    Call :meth:`frame` every 20 ms, :meth:`prompt_ended` when the prompt has been heard to its end. Times in
    milliseconds of audio, counted from the frames themselves.
    """

    def __init__(
        self,
        options: TurnTakingOptions,
        *,
        barge_in: BargeIn,
        no_input_ms: int,
        max_speech_ms: int,
        prompt_playing: bool,
    ) -> None:
        self._options = options
        self._barge_in = barge_in
        self._no_input_ms = no_input_ms
        self._max_speech_ms = max_speech_ms
        self._prompt_playing = prompt_playing
        self._now_ms = 0
        self._run_ms = 0
        self._run_is_sure = False
        self._gap_ms = 0
        self._voiced_ms = 0
        self._faint_ms = 0
        self._listening_since_ms = 0
        self._speaking_since_ms: int | None = None
        self._onset_ms = 0
        """Voice that was there before it counted as the beginning of the caller's turn."""
        self._last_voice_ms = 0
        self._interrupted_ms: int | None = None
        self._resumed = False

    @property
    def caller_is_speaking(self) -> bool:
        """True from the first frame of the caller's turn to its end."""
        return self._speaking_since_ms is not None

    @property
    def speaking_ms(self) -> int:
        """How long ago the first voice of the caller's turn was; 0 before it."""
        return 0 if self._speaking_since_ms is None else self._now_ms - self._speaking_since_ms + self._onset_ms

    @property
    def silence_ms(self) -> int:
        """How long the caller has been silent within the turn."""
        return self._now_ms - self._last_voice_ms

    @property
    def interrupted(self) -> bool:
        """True when the caller stopped the prompt and it has not been resumed."""
        return self._interrupted_ms is not None

    def prompt_ended(self) -> None:
        """The prompt has been heard to its end: now the caller's silence counts."""
        self._prompt_playing = False
        self._listening_since_ms = self._now_ms

    def hold(self) -> None:
        """Something else happened (a key): the caller's silence starts counting anew."""
        self._listening_since_ms = self._now_ms

    def listen_on(self) -> None:
        """What was said was no answer: go on listening, without words, as if the turn began now."""
        self._prompt_playing = False
        self._interrupted_ms = None
        self._listening_since_ms = self._now_ms
        self._forget_speech()

    def frame(self, speech_probability: float, text: str, completeness: Completeness, frame_ms: int = 20) -> TurnAction:
        """Take one frame and what has been recognised up to it; say what to do."""
        self._now_ms += frame_ms
        self._track_voice(speech_probability, frame_ms)
        intelligible = has_words(text)
        if self._prompt_playing:
            return self._over_the_prompt(intelligible)
        if self._interrupted_ms is not None and not intelligible and not self._resumed:
            quiet = self._gap_ms >= self._options.dropout_ms
            if quiet and self._now_ms - self._interrupted_ms >= self._options.resume_after_ms:
                return self._resume()
        if self._speaking_since_ms is None:
            return self._before_speech(intelligible)
        return self._in_speech(text, intelligible, completeness)

    def _track_voice(self, speech_probability: float, frame_ms: int) -> None:
        if speech_probability >= self._options.faint_probability:
            self._faint_ms += frame_ms
        if speech_probability >= self._options.speech_probability:
            self._run_ms += frame_ms
            self._run_is_sure = self._run_is_sure or speech_probability >= self._options.sure_probability
            self._voiced_ms += frame_ms
            self._gap_ms = 0
            self._last_voice_ms = self._now_ms
            return
        self._gap_ms += frame_ms
        if self._gap_ms > self._options.dropout_ms:
            self._run_ms = 0
            self._run_is_sure = False
        if self._gap_ms > self._options.forget_ms and self._speaking_since_ms is None:
            self._voiced_ms = self._faint_ms = 0

    def _over_the_prompt(self, intelligible: bool) -> TurnAction:
        if self._barge_in is not BargeIn.ANY or self._now_ms <= self._options.barge_in_guard_ms:
            return TurnAction.WAIT
        options = self._options
        steady_ms = min(options.barge_in_ms, options.barge_in_sure_ms) if self._run_is_sure else options.barge_in_ms
        # words without a voice are the recogniser's imagination
        if (intelligible and self._voiced_ms >= options.onset_ms) or self._run_ms >= steady_ms:
            self._prompt_playing = False
            self._interrupted_ms = self._now_ms
            self._listening_since_ms = self._now_ms
            self._begin_speech()
            return TurnAction.INTERRUPT
        return TurnAction.WAIT

    def _resume(self) -> TurnAction:
        self._resumed = True
        self._interrupted_ms = None
        self._prompt_playing = True
        self._forget_speech()
        return TurnAction.RESUME

    def _before_speech(self, intelligible: bool) -> TurnAction:
        options = self._options
        faint = self._voiced_ms > 0 and self._faint_ms >= options.faint_ms
        if self._run_ms >= options.onset_ms or (intelligible and faint):
            self._begin_speech()
            return TurnAction.WAIT
        if self._now_ms - self._listening_since_ms >= self._no_input_ms:
            return TurnAction.NO_INPUT
        return TurnAction.WAIT

    def _in_speech(self, text: str, intelligible: bool, completeness: Completeness) -> TurnAction:
        options = self._options
        if self._now_ms - (self._speaking_since_ms or 0) >= self._max_speech_ms:
            return TurnAction.END_OF_TURN
        if not intelligible:
            may_still_resume = self.interrupted and not self._resumed
            if self.silence_ms < options.end_unheard_ms or may_still_resume:
                return TurnAction.WAIT
            if self._voiced_ms < options.noise_ms and not text:
                self._forget_speech()
                return TurnAction.DISCARD
            return TurnAction.END_OF_TURN
        limit_ms = {
            Completeness.COMPLETE: options.end_complete_ms,
            Completeness.LIKELY: options.end_likely_ms,
            Completeness.OPEN: options.end_open_ms,
            Completeness.INCOMPLETE: options.end_incomplete_ms,
            Completeness.UNEXPECTED: options.end_open_ms,
        }[completeness]
        if self.silence_ms < limit_ms:
            return TurnAction.WAIT
        if completeness is Completeness.UNEXPECTED and self._voiced_ms < options.noise_ms:
            if self.interrupted and not self._resumed:
                return self._resume()
            self._forget_speech()
            return TurnAction.DISCARD
        return TurnAction.END_OF_TURN

    def _begin_speech(self) -> None:
        self._speaking_since_ms = self._now_ms
        self._onset_ms = max(self._voiced_ms, self._faint_ms)
        self._last_voice_ms = max(self._last_voice_ms, self._now_ms - self._gap_ms)

    def _forget_speech(self) -> None:
        self._speaking_since_ms = None
        self._voiced_ms = self._faint_ms = 0
        self._run_ms = 0
        self._run_is_sure = False


def has_words(text: str) -> bool:
    """True when the text holds anything but unknown words."""
    return any(word != UNKNOWN_WORD for word in text.split())
