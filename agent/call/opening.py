"""The opening of a call that we placed: tells people, voicemails, screeners, menus and faxes apart meanwhile.

:class:`CalleeClassifier` sees 20 ms frames as numbers (is there voice, the text so far, a tone) and answers with a
:class:`agent.dialog.callee.CalleeReport` once no person answers. It never says that a person does: whoever is no
machine is spoken to. So one piece of a machine's sentence changes nothing but that we do not speak on into it, and
length alone changes nothing at all: offices greet for four seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.call.tones import Tone, ToneFinder
from agent.call.turn_taking import TurnTakingOptions
from agent.dialog.callee import CalleeKind, CalleeReport, CalleeWatch, PhraseKind
from agent.dialog.contract import Completeness


@dataclass(frozen=True)
class OpeningOptions:
    """The waits and counts of an opening, in one table."""

    greeting_end_ms: int = 280
    """Silence that ends the callee's greeting: then we speak."""
    shortest_greeting_ms: int = 100
    """Voice shorter than this is a click."""
    machine_phrases: int = 2
    """So many different pieces of a machine's sentences are a machine. Two were never heard in 36 greetings of people,
    and in 16 of 24 of voicemails; one was heard in 5 of the people's."""
    long_speech_ms: int = 8000
    """... or one, and so long a speech: the longest greeting of a person was 3.7 s, that of an office may be six."""
    menu_speech_ms: int = 3000
    """One piece of a menu, and so long a speech."""
    screener_pause_ms: int = 400
    """Silence in which something that asked who is calling is answered."""
    pause_ms: int = 700
    """Voice after a longer silence is another speech."""
    message_pause_ms: int = 2000
    """Silence after which a voicemail is spoken to where no beep came."""
    longest_wait_ms: int = 45_000
    """So long the beep, or the silence, is waited for."""
    beep_behind_ms: int = 1500
    """A tone behind so long a speech is a voicemail's. Behind less it may be a line that says it is being recorded."""
    after_beep_ms: int = 600
    """Quiet after the beep before it counts as over: a second one may follow, and is known for a tone late."""


class CalleeClassifier:
    """One call's opening, over all its turns. Times in milliseconds of audio, counted from the frames themselves."""

    def __init__(
        self,
        phrases: Mapping[PhraseKind, Sequence[str]],
        *,
        leaves_message: bool,
        options: OpeningOptions | None = None,
    ) -> None:
        """``leaves_message``: a voicemail is told when it can be spoken to; at once otherwise."""
        self._pieces = {kind: [tuple(one.split()) for one in texts] for kind, texts in phrases.items()}
        self._leaves_message = leaves_message
        self._options = options or OpeningOptions()
        self._text = ""
        self._now: dict[PhraseKind, frozenset[str]] = {}
        self._before: dict[PhraseKind, frozenset[str]] = {}
        self._speech_ms = 0
        self._voiced_ms = 0
        self._silence_ms = 0
        self._beeped_ms: int | None = None
        """Time since the last frame of a beep."""
        self._waited_ms = 0
        self._person = False
        self._screened = False
        """True once a screener was told: its further sentences are no second one."""
        self.is_machine = False
        """True once it is a voicemail; it is reported when it can be spoken to."""

    @property
    def is_suspect(self) -> bool:
        """Whether a piece of a machine's sentence was heard, and nothing since that a person says."""
        return not self._person and (self.is_machine or any(self._found(kind) for kind in self._pieces))

    def key_pressed(self) -> None:
        """A key: only people press keys."""
        self._person, self.is_machine = True, False

    def answered(self) -> None:
        """Something was said that answers our question as a whole: what was heard before was no machine."""
        if not self.is_machine:
            self._now, self._before, self._text = {}, {}, ""
            self._speech_ms = 0

    def next_turn(self) -> None:
        """The recogniser begins anew; what it has heard stands."""
        kinds = {*self._before, *self._now}
        self._before = {kind: self._found(kind) for kind in kinds}
        self._text, self._now = "", {}

    def frame(self, *, voice: bool, text: str, tone: Tone, frame_ms: int = 20) -> CalleeReport | None:
        """Take one frame, and the text recognised up to it in this turn; say what answers, once that is no person."""
        if self._person:
            return None
        self._track(voice=voice, tone=tone, frame_ms=frame_ms)
        self._read(text)
        kind = self._judge(tone, frame_ms)
        if kind is None:
            return None
        if kind == "screener":
            self._screened = True
            self._forget_pieces()  # it is answered once: the same words count no second time
        return CalleeReport(kind)

    def screens(self, text: str) -> bool:
        """Return whether the text of a turn is a screener's: nobody has greeted yet."""
        if self._person or not pieces_in(text, self._pieces.get("screener", ())):
            return False
        if self._screened:
            self._forget_pieces()
        return True

    def _forget_pieces(self) -> None:
        self._now, self._before = {}, {}

    def heard(self, text: str) -> None:
        """Take the final text of a turn: it is whole where the running one lags."""
        self._read(text)
        if not self._person and len(self._found("voicemail")) >= self._options.machine_phrases:
            self.is_machine = True

    def _read(self, text: str) -> None:
        if text != self._text:
            self._text, self._now = text, {kind: pieces_in(text, self._pieces[kind]) for kind in self._pieces}

    def _track(self, *, voice: bool, tone: Tone, frame_ms: int) -> None:
        if tone is not Tone.NONE:
            self._beeped_ms = 0
        elif self._beeped_ms is not None:
            self._beeped_ms += frame_ms
        if voice and tone is Tone.NONE:
            if self._silence_ms > self._options.pause_ms:
                self._speech_ms = 0
            self._speech_ms += frame_ms
            self._voiced_ms += frame_ms
            self._silence_ms = 0
        else:
            self._silence_ms += frame_ms

    def _judge(self, tone: Tone, frame_ms: int) -> CalleeKind | None:
        options = self._options
        if tone is Tone.FAX and self._voiced_ms < options.pause_ms and not self.is_machine:
            return "fax"
        if self._found("screener") and not self._screened:
            return "screener" if self._silence_ms >= options.screener_pause_ms else None
        menu, spoken = len(self._found("ivr")), len(self._found("voicemail"))
        if menu >= options.machine_phrases or (menu and self._speech_ms >= options.menu_speech_ms):
            return "ivr"
        long_speech = spoken > 0 and self._speech_ms >= options.long_speech_ms
        if spoken >= options.machine_phrases or long_speech or self._beep_is_voicemail(tone, spoken):
            self.is_machine = True
        return self._ready(frame_ms) if self.is_machine else None

    def _beep_is_voicemail(self, tone: Tone, spoken: int) -> bool:
        nothing_said = self._voiced_ms < self._options.shortest_greeting_ms
        return tone in (Tone.BEEP, Tone.FAX) and (
            spoken > 0 or nothing_said or self._speech_ms >= self._options.beep_behind_ms
        )

    def _ready(self, frame_ms: int) -> CalleeKind | None:
        """Return the voicemail once it can be spoken to."""
        options = self._options
        self._waited_ms += frame_ms
        beep_over = self._beeped_ms is not None and self._beeped_ms >= options.after_beep_ms
        quiet = self._beeped_ms is None and self._silence_ms >= options.message_pause_ms
        if not self._leaves_message or beep_over or quiet or self._waited_ms >= options.longest_wait_ms:
            return "machine"
        return None

    def _found(self, kind: PhraseKind) -> frozenset[str]:
        return self._before.get(kind, frozenset()) | self._now.get(kind, frozenset())


def pieces_in(text: str, pieces: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the pieces that a text holds, none within another: the longest at each place counts."""
    return frozenset(_pieces_in(text.split(), pieces))


def _pieces_in(tokens: list[str], pieces: Sequence[Sequence[str]]) -> Iterator[str]:
    at = 0
    while at < len(tokens):
        fits = [piece for piece in pieces if tokens[at : at + len(piece)] == list(piece)]
        longest = max(fits, key=len, default=None)
        if longest:
            yield " ".join(longest)
        at += len(longest) if longest else 1


class CalleeWatcher:
    """Joins the classifier with the audio of one call; the turns of the opening share it."""

    def __init__(self, watch: CalleeWatch, options: OpeningOptions | None = None) -> None:
        self._options = options or OpeningOptions()
        self._tones = ToneFinder()
        self._greeting = watch.greeting
        self.classifier = CalleeClassifier(watch.phrases, leaves_message=watch.leaves_message, options=self._options)

    def begin_turn(self, watch: CalleeWatch) -> None:
        """Begin a turn of listening."""
        self._greeting = watch.greeting
        self.classifier.next_turn()

    def turn_taking(self, usual: TurnTakingOptions) -> TurnTakingOptions:
        """Return the waits of this turn: a greeting ends after a short silence, whatever was said."""
        if not self._greeting:
            return usual
        end = self._options.greeting_end_ms
        return replace(
            usual, end_complete_ms=end, end_likely_ms=end, end_open_ms=end, end_incomplete_ms=end, end_unheard_ms=end,
            noise_ms=self._options.shortest_greeting_ms,
        )  # fmt: skip

    def frame(self, pcm: bytes, *, voice: bool, text: str, frame_ms: int) -> CalleeReport | None:
        """Take one frame of the callee's audio."""
        return self.classifier.frame(voice=voice, text=text, tone=self._tones.process(pcm), frame_ms=frame_ms)

    def listens_on(self, text: str, completeness: Completeness) -> bool:
        """Return whether a turn that has ended with ``text`` is no answer: a machine speaks, or may speak."""
        classifier = self.classifier
        classifier.heard(text)
        if classifier.is_machine or (self._greeting and classifier.screens(text)):
            return True
        if completeness in (Completeness.COMPLETE, Completeness.LIKELY):
            classifier.answered()
        return classifier.is_suspect and not self._greeting
