"""The parts one call is made of; the composition root builds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from agent.call.ports import (
    CallRecordWriter,
    EchoSuppressor,
    GainControl,
    NoEchoSuppression,
    NoiseGate,
    NoSnapshots,
    Recognizer,
    Services,
    SnapshotWriter,
    Voice,
    VoiceActivityDetector,
)
from agent.call.queue_status import StaffQueues
from agent.call.records import CallOrigin
from agent.call.second_opinion import SecondOpinionSource
from agent.call.snapshot import RecoveredCall
from agent.call.sound import CallSound, NoSound
from agent.call.turn_taking import TurnTakingOptions
from agent.dialog.contract import Dialog
from agent.telemetry.events import EventPublisher


async def _at_once() -> None:
    return


@dataclass(frozen=True)
class CallComponents:
    """What a call is made of."""

    dialog: Dialog
    recognizer: Recognizer
    voice: Voice
    gain: GainControl
    vad: VoiceActivityDetector
    gate: Callable[[], NoiseGate]
    """Makes the gate of one turn."""
    services: Services
    records: CallRecordWriter
    events: EventPublisher
    redact: Callable[[str, str], str]
    """``redact(text, slot)``: the text without what may not be kept."""
    clock: Callable[[], float]
    """Monotonic seconds."""
    wall: Callable[[], datetime]
    """Aware local time."""
    echo: EchoSuppressor = field(default_factory=NoEchoSuppression)
    known_as: Callable[[], str] = lambda: ""
    """What the shop knows the calling number as, once it has said so: for the staff, never proof."""
    queues: StaffQueues | None = None
    """Knows the staff queues, where they are set."""
    memory: SnapshotWriter = field(default_factory=NoSnapshots)
    """Lets another process go on with the call if this one dies."""
    sound: CallSound | NoSound = field(default_factory=NoSound)
    resumed: RecoveredCall | None = None
    """What an earlier process left of this call; ``dialog`` is then restored from it."""
    understanding_ready: Callable[[], Awaitable[None]] = _at_once
    """Returns when the dialog can judge what a caller said: a process that has just begun may still be loading."""
    second: SecondOpinionSource | None = None
    """Where answers in doubt are heard once more; None for a call without a second recogniser."""
    hold_seconds: float = 300.0
    """How long a caller who has put the agent on hold is waited for."""
    origin: CallOrigin = field(default_factory=CallOrigin)
    """Why there is this call."""
    turn_taking: TurnTakingOptions = field(default_factory=TurnTakingOptions)
    chunk_frames: int = 2
    """How many 20 ms frames go to the recogniser together."""
