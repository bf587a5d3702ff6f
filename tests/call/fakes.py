"""Small fakes of a call's ports: a caller line, media, recogniser and dialog that run without a telephone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from agent.call.components import CallComponents
from agent.call.errors import LineGone
from agent.call.inbox_events import AudioFrame, Inbox, PlaybackFinished
from agent.call.ports import RecognitionResult
from agent.call.records import Caller, CallOrigin, CallRecord
from agent.common.audio import FRAME_BYTES
from agent.common.service_error import ServiceError
from agent.dialog.callee import OutboundStory
from agent.dialog.contract import (
    Completeness,
    ConversationSummary,
    Event,
    HandOverAction,
    HungUp,
    Listen,
    Prompt,
    SecondText,
    Turn,
    TurnInput,
)
from agent.telemetry.events import CallEvent

EventT = TypeVar("EventT", bound=CallEvent)

VOICE_FRAME = AudioFrame(b"\x01" * FRAME_BYTES)
QUIET_FRAME = AudioFrame(bytes(FRAME_BYTES))


class FakeCallerLine:
    """A caller who can be made to speak, key and leave."""

    __test__ = False

    def __init__(self) -> None:
        self.id = "call-1"
        self.channel_id = "call-1"
        self.caller = Caller("2025550143", "Maria", "7000")
        self.entry = "inbound"
        self.origin = CallOrigin()
        self.is_answered = False
        self.inbox: Inbox = asyncio.Queue()
        self.log: list[str] = []
        self.refuses = False
        self.lost = False
        self.variables: dict[str, str] = {}

    async def answer(self) -> None:
        self.log.append("answer")

    async def hang_up(self) -> None:
        self.log.append("hang_up")

    async def release_to_supervisor(self) -> None:
        self.log.append("release_to_supervisor")

    async def hand_over(self, variables: Mapping[str, str], why: str) -> None:
        if self.refuses:
            raise LineGone("The caller has left.")
        self.variables = dict(variables)
        self.log.append(f"hand_over {why}")

    async def inform(self) -> None:
        if self.refuses:
            raise LineGone("The caller has left.")
        self.log.append("inform")

    async def is_lost(self) -> bool:
        return self.lost

    def voice(self, milliseconds: int) -> None:
        for _ in range(milliseconds // 20):
            self.inbox.put_nowait(VOICE_FRAME)

    def silence(self, milliseconds: int) -> None:
        for _ in range(milliseconds // 20):
            self.inbox.put_nowait(QUIET_FRAME)


class FakeMedia:
    """Plays into a list; by default everything is heard at once."""

    __test__ = False

    def __init__(self, inbox: Inbox, *, instantly: bool = True) -> None:
        self.played: list[bytes] = []
        self.marks: list[str] = []
        self.flushes = 0
        self.instantly = instantly
        self._inbox = inbox
        self.came = asyncio.Event()

    async def play(self, pcm: bytes, mark: str) -> None:
        self.played.append(pcm)
        self.marks.append(mark)
        self.came.set()
        if self.instantly:
            self._inbox.put_nowait(PlaybackFinished(mark))

    async def flush(self) -> None:
        self.flushes += 1

    async def close(self) -> None:
        return

    def finish(self) -> None:
        """Everything handed over so far has been heard."""
        for mark in self.marks:
            self._inbox.put_nowait(PlaybackFinished(mark))


class FakeVoice:
    """Audio that is the text itself."""

    __test__ = False

    def pieces(self, prompt_id: str, text: str) -> list[str]:
        return text.split(" | ")

    def cached(self, prompt_id: str, text: str) -> bytes | None:
        return text.encode()

    def pause_after(self, piece: str) -> bytes:
        return b""

    async def render(self, prompt_id: str, text: str) -> bytes:
        return text.encode()


class FakeUtteranceRecognizer:
    """Hears the given text once there has been voice."""

    __test__ = False

    def __init__(self, text: str) -> None:
        self._text = text
        self._heard = False

    async def feed(self, pcm: bytes) -> str:
        self._heard = self._heard or any(pcm)
        return self._text if self._heard else ""

    async def finish(self) -> RecognitionResult:
        return RecognitionResult(self._text if self._heard else "")


class FakeRecognizer:
    """Gives each turn's ear the next of these texts."""

    __test__ = False

    def __init__(self, *texts: str) -> None:
        self._texts = itertools.chain(texts, itertools.repeat(""))

    def listen(
        self,
        phrases: Sequence[str],
        words: Sequence[str] = (),
        samples: Sequence[str] = (),
        symbols: Sequence[str] = (),
    ) -> FakeUtteranceRecognizer:
        return FakeUtteranceRecognizer(next(self._texts))


class FakeVad:
    """A frame with any sound in it is speech."""

    __test__ = False

    def process(self, pcm: bytes) -> float:
        return 1.0 if any(pcm) else 0.0


class FakeGain:
    """Leaves the level alone."""

    __test__ = False

    def process(self, pcm: bytes) -> bytes:
        return pcm


class FakeGate:
    """Lets everything through."""

    __test__ = False

    def process(self, pcm: bytes, speech_probability: float) -> bytes:
        return pcm


class FakeDialog:
    """Says the given turns in order and keeps the events it was told."""

    __test__ = False

    def __init__(self, *turns: Turn) -> None:
        self._turns = iter(turns)
        self.events: list[Event] = []
        self._last = turns[-1]

    def start(self) -> Turn:
        return next(self._turns)

    def hear(self, event: Event) -> Turn:
        self.events.append(event)
        if isinstance(event, HungUp):
            return self._last
        return next(self._turns)

    def completeness(self, text: str) -> Completeness:
        return Completeness.COMPLETE if text else Completeness.OPEN

    def doubts(self, heard: TurnInput) -> bool:
        return False

    def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
        return heard

    edition = "e-1"
    understanding = ""
    outbound: OutboundStory | None = None

    @property
    def slots(self) -> Mapping[str, Any]:
        return {"order_number": "10473"}

    @property
    def story(self) -> ConversationSummary:
        return ConversationSummary(("where an order is",), (), verified=True, about="10473")

    def snapshot(self) -> dict[str, Any]:
        return {"events": len(self.events)}

    def resume(self) -> Turn:
        return say("I lost you.", Listen(("yes", "no"), slot="answer"))

    def hand_over(self, reason: str) -> HandOverAction:
        return HandOverAction(reason, "The story.")


class FakeServices:
    """Answers by name; an exception is raised, an Event is waited for."""

    __test__ = False

    def __init__(self, **answers: Any) -> None:
        self.answers = {name.replace("__", "."): answer for name, answer in answers.items()}
        self.asked: list[tuple[str, dict[str, Any], str]] = []

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        self.asked.append((name, dict(arguments), key))
        answer = self.answers.get(name, ServiceError("unavailable", "nobody there"))
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return {}
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


class FakeRecords:
    """Keeps the records in a list."""

    __test__ = False

    def __init__(self) -> None:
        self.written: list[CallRecord] = []
        self.begun: list[str] = []
        self.earlier = ""
        """The earlier call from the same number."""

    async def begin(self, record: CallRecord) -> str:
        self.begun.append(record.id)
        return self.earlier

    async def write(self, record: CallRecord) -> None:
        self.written.append(record)


class FakeSnapshots:
    """Keeps the latest state of each call."""

    __test__ = False

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.history: list[dict[str, Any]] = []
        self.waits = asyncio.Event()
        """Set: somebody waits until it is written."""
        self.disk = asyncio.Event()
        """Set: it is written."""
        self.disk.set()

    async def written(self) -> None:
        self.waits.set()
        await self.disk.wait()

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        self.kept[call_id] = dict(state)
        self.history.append(dict(state))

    def forget(self, call_id: str) -> None:
        self.kept.pop(call_id, None)


class FakeEvents:
    """Keeps the events in a list."""

    def __init__(self) -> None:
        self.published: list[CallEvent] = []
        self.before = 0
        """Events that another process told."""

    def publish(self, event: CallEvent) -> None:
        self.published.append(event)

    def count(self, call_id: str) -> int:
        return self.before + sum(event.call_id == call_id for event in self.published)

    def go_on(self, call_id: str, count: int) -> None:
        self.before = count

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.published if isinstance(event, kind)]


def say(text: str, then: Any = None) -> Turn:
    """A turn that says one prompt and then listens, or does what is given."""
    return Turn((Prompt("test", text),) if text else (), then or Listen(("yes", "no"), slot="answer"), "flow", "step")


def parts(dialog: FakeDialog, **more: Any) -> CallComponents:
    """The parts of a call with small real ones where none is given."""
    loop = asyncio.get_running_loop()
    given = {
        "recognizer": FakeRecognizer(),
        "voice": FakeVoice(),
        "gain": FakeGain(),
        "vad": FakeVad(),
        "gate": FakeGate,
        "services": FakeServices(tickets__create={"ticket": {"id": "T-1"}}),
        "records": FakeRecords(),
        "events": FakeEvents(),
        "redact": lambda text, slot: f"[{slot}]" if slot == "postcode" else text,
        "clock": loop.time,
        "wall": lambda: datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        "chunk_frames": 1,
    }
    return CallComponents(dialog=dialog, **(given | more))
