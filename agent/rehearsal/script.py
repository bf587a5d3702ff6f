"""Typed model of a caller script: what the caller does and what must come of it.

The format, with examples, is in ``docs/rehearse.md``; :func:`load_script` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

DEFAULT_VOICE = "joe"
DEFAULT_LEVEL_DBFS = -20.0
"""Speech level while talking (RMS of the voiced frames), a normal telephone level."""


@dataclass(frozen=True)
class Noise:
    """A sound under or between the caller's words."""

    kind: str
    """``white``, ``babble``, ``hum``, ``cough`` or ``file``."""
    level_dbfs: float
    """RMS level of the sound."""
    file: Path | None = None
    """For ``file``: a WAV, any rate, looped when it is too short."""
    seconds: float = 0.0
    """Length of a burst; 0 for noise that lasts the whole call."""


@dataclass(frozen=True)
class SpeakerphoneEcho:
    """What a speakerphone lets back into its own microphone."""

    delay_ms: float
    loss_db: float
    """How much softer than it came out."""


@dataclass(frozen=True)
class Speech:
    """Something the caller says."""

    said: str
    """As the script puts it, for transcripts."""
    text: str
    """As it is given to the voice: words."""
    voice: str
    speed: float = 1.0
    file: Path | None = None
    """A recording to play in place of the voice."""


@dataclass(frozen=True)
class Keys:
    """Keypad keys, ``0-9 * #``."""

    keys: str
    tone_ms: int = 100
    gap_ms: int = 100


Action = Speech | Keys | Noise
"""What a caller can put on the line."""


@dataclass(frozen=True)
class ScriptedTurn:
    """Speak, key or make a noise, by default when the agent's prompt has ended."""

    action: Action
    line: int
    wait: bool = True


@dataclass(frozen=True)
class ScriptedBargeIn:
    """Act over the agent's prompt."""

    action: Action
    after_ms: float
    """Counted from the prompt's first sound at the caller's end."""
    line: int


@dataclass(frozen=True)
class WaitForPromptEnd:
    """Wait until the agent has finished its prompt and listens."""

    line: int


@dataclass(frozen=True)
class WaitForHangUp:
    """Wait until the far end hangs up."""

    line: int
    within_seconds: float = 30.0


@dataclass(frozen=True)
class ScriptedSilence:
    """Say nothing, by default from the end of the agent's prompt on."""

    seconds: float
    line: int
    wait: bool = True


@dataclass(frozen=True)
class ScriptedHangUp:
    """End the call from the caller's side."""

    line: int
    after_ms: float | None = None
    """Counted from the first sound of the agent's prompt; None: at once."""


@dataclass(frozen=True)
class ExpectSays:
    """The agent's next prompt must say all of these."""

    says: tuple[str, ...]
    """Words, or a regular expression between slashes."""
    line: int
    within_ms: float | None = None
    """First sound of that prompt at most this long after the caller's last sound."""
    never_says: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScriptedStaffPhone:
    """The human's phone rings; it is answered and both talk."""

    line: int
    phone: str = "601"
    rings_within_seconds: float = 30.0
    answers_after_ms: float = 1000.0
    says: Speech | None = None
    """What the human says first."""
    talks: Speech | None = None
    """What the caller then says to the human."""
    hears_caller: bool = True
    """Check from the audio that each heard what the other said."""
    ticket_matches: str = ""
    reason: str = ""
    summary_contains: tuple[str, ...] = ()
    order: str = ""
    verified: str = ""
    hangs_up: str = "human"
    """Who ends the call afterwards: ``human`` or ``caller``."""


Step = (
    ScriptedTurn
    | ScriptedBargeIn
    | WaitForPromptEnd
    | WaitForHangUp
    | ScriptedSilence
    | ScriptedHangUp
    | ExpectSays
    | ScriptedStaffPhone
)


@dataclass(frozen=True)
class Expectation:
    """What must be true when the call is over. Empty or None: not checked."""

    outcome: str = ""
    ended_by: str = ""
    says_sometime: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    reason: str = ""
    max_duration_seconds: float | None = None
    greeting_ms_max: float | None = None
    response_ms_max: float | None = None
    barge_in_stop_ms_max: float | None = None
    longest_silence_seconds_max: float | None = None
    line: int = 0


@dataclass(frozen=True)
class CallScript:
    """One call."""

    name: str
    steps: tuple[Step, ...]
    number: str = ""
    """The caller's number, digits only; empty: the runner gives it one of a fictional range."""
    caller_name: str = ""
    dial: str = "7000"
    scenario: str = ""
    """What the call is an example of; results are also told by scenario."""
    voice: str = DEFAULT_VOICE
    level_dbfs: float = DEFAULT_LEVEL_DBFS
    noise: Noise | None = None
    echo: SpeakerphoneEcho | None = None
    """The caller uses a speakerphone."""
    expect: Expectation = field(default_factory=Expectation)
    hang_up_at_ms: float | None = None
    """Hang up this long after dialling, whatever is going on."""
    prompt_gap_ms: float = 700.0
    """Without a live feed from the agent: this much quiet ends a prompt."""
    limit_seconds: float = 180.0
    """The caller gives up here."""
    cooperates: bool = False
    """The caller answers the agent's questions back (yes, no, once more) wherever the script expects its words."""
    settings: str = ""
    """Settings of the agent that this call needs besides the private call centre's own, as JSON."""
    cast: str = ""
    """The voice of ``--voices`` that plays the call; empty without."""
    file: str = ""
    line: int = 0

    @property
    def reactions(self) -> Mapping[str, Speech]:
        """What a caller who cooperates says when asked back."""
        return {word: Speech(word, word, self.voice) for word in ("yes", "no")} if self.cooperates else {}

    @property
    def speeches(self) -> tuple[Speech, ...]:
        """Every speech of the call, so that they can be rendered before it is dialled."""
        found: list[Speech] = [*self.reactions.values()]
        for step in self.steps:
            if isinstance(step, ScriptedTurn | ScriptedBargeIn) and isinstance(step.action, Speech):
                found.append(step.action)
            elif isinstance(step, ScriptedStaffPhone):
                found.extend(speech for speech in (step.says, step.talks) if speech is not None)
        return tuple(found)

    @property
    def noises(self) -> tuple[Noise, ...]:
        """Every noise of the call, for the same purpose."""
        bursts = [step.action for step in self.steps if isinstance(step, ScriptedTurn | ScriptedBargeIn)]
        found = [action for action in bursts if isinstance(action, Noise)]
        return (*found, self.noise) if self.noise else tuple(found)


def hang_up_sweep(call: CallScript, moments_ms: Sequence[float]) -> tuple[CallScript, ...]:
    """Return the same call once for each moment, hung up that long after dialling.

    Nothing else is expected of it: a caller who leaves must leave nothing behind, and that is checked elsewhere
    (channels, records). Every moment of a call is worth trying, so the moments should be close together.
    """
    expect = Expectation(never_says=call.expect.never_says, line=call.expect.line)
    return tuple(
        replace(call, name=f"{call.name}, hung up at {moment:g} ms", hang_up_at_ms=moment, expect=expect)
        for moment in moments_ms
    )
