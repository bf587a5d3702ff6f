"""The people's side of the agent, put together from settings: queues, whisper, pause, supervisors, dialplan."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.asterisk.ari import Ari
from agent.asterisk.fastagi import FastAgiServer
from agent.asterisk.queues import ManagerAddress, QueueFigures
from agent.asterisk.supervising import ENTRIES, Supervising
from agent.asterisk.telephony import Telephony
from agent.call.pausing import PauseFlag
from agent.call.protocols import Caller, CallRecord, ComeBacks, Line, Records, Services, Voice
from agent.call.queue_desk import QueueDesk, QueuePlan
from agent.call.queueing import QueueRules, QueueState
from agent.call.whisper import PROMPT, WhisperFiles
from agent.desk_settings import DAYS, QueueSettings
from agent.dialog.engine import CallFacts, Conversation
from agent.dialog.errors import DialogError
from agent.dialog.loader import FlowPack
from agent.dialog.rendering import Renderer
from agent.dialplan_services import DialplanServices, LeftValues
from agent.live_calls import LiveCalls
from agent.records.come_backs import ComeBackStore
from agent.records.pause_file import PauseFile
from agent.settings import Settings, SettingsError

log = logging.getLogger(__name__)

PAUSED = "paused"
"""The reason on a person's phone for calls that come while the agent is paused."""


class Unasked:
    """Implements :class:`agent.call.queue_desk.Queues` where no manager interface is configured."""

    async def state(self, name: str) -> QueueState | None:
        """Nothing is known."""
        return None


class Desk:
    """Everything between the agent and the people it works with."""

    def __init__(self, settings: Settings, stack: contextlib.AsyncExitStack, wall: Callable[[], datetime]) -> None:
        """What has to be closed goes on ``stack``. ``wall`` gives the shop's aware local time."""
        self._settings = settings
        self._stack = stack
        self._wall = wall
        self.figures: QueueFigures | None = None
        self.pause: PauseFlag = PauseFile(settings.state_directory / "pause.json")
        self.left = LeftValues(settings.agi.values)
        come_backs = ComeBackStore(
            settings.state_directory / "come-backs.sqlite", settings.handover.remember_minutes * 60
        )
        stack.push_async_callback(come_backs.close)
        self.come_backs: ComeBacks = come_backs
        self.agi: FastAgiServer | None = None

    def queues(self, voice: Voice, pack: Callable[[], FlowPack], render: Renderer) -> QueueDesk | None:
        """Return the desk that hand-overs ask, None where no queue is configured. Raises SettingsError."""
        settings = self._settings
        if not settings.queues:
            return None

        def words(values: Mapping[str, Any]) -> str:
            text = pack().contents.prompts.get(PROMPT)
            context = {"now": self._wall(), **values}
            return render(text, context) if isinstance(text, str) else ""

        directory = settings.handover.whisper_directory or settings.state_directory / "whisper"
        plans = {
            name: QueuePlan(rules_of(name, queue, self._wall().tzinfo), queue.screen_pop_url, queue.whisper)
            for name, queue in settings.queues.items()
        }
        return QueueDesk(plans, self._figures(), WhisperFiles(directory, words, voice), self._wall)

    def _figures(self) -> QueueFigures | Unasked:
        secret, ami = self._settings.ami_secret(), self._settings.ami
        if not secret:
            return Unasked()
        self.figures = QueueFigures(ManagerAddress(ami.host, ami.port, ami.user, secret))
        self.figures.start()
        self._stack.push_async_callback(self.figures.close)
        return self.figures

    async def conversation(self, line: Line, pack: FlowPack, facts: CallFacts, render: Renderer) -> Conversation:
        """Begin a call's conversation: with what was known before, when it comes back from people."""
        if line.entry != "inbound":
            snapshot = await self.come_backs.take(line.channel_id)
            if snapshot is not None:
                try:
                    return Conversation.come_back(pack, facts, snapshot, render)
                except DialogError:
                    # the procedures were edited meanwhile: the order's number holds, that it was verified does not
                    conversation = Conversation(pack, facts, render)
                    slots = snapshot.get("state", {}).get("slots", {})
                    number = slots.get("order_number", {}).get("value", "")
                    conversation.remember(
                        {"order_number": number} if str(number).strip() not in ("", "unknown") else {}
                    )
                    return conversation
        return Conversation(pack, facts, render)

    def refusal(self, records: Records, observer: LiveCalls) -> Callable[[Line], Any]:
        """Return what tells the telephony whether to take a call; a call that is not taken is recorded too."""

        async def refuse(line: Line) -> str:
            back_from_nobody = line.entry in ("queue_failed", "queue_escape")
            if not self.pause.pause.is_on or back_from_nobody:
                return ""
            record = CallRecord(
                id=line.id,
                caller=line.caller,
                started_at=self._wall().isoformat(timespec="milliseconds"),
                outcome="handed_over",
                ended_by="handover",
                handover={"reason": PAUSED, "pause": self.pause.pause.reason},
            )
            observer.notify("call_started", line.id, {"caller": asdict(line.caller), "dialled": line.caller.dialled})
            await records.begin(record)
            await records.write(record)
            observer.notify("handed_over", line.id, dict(record.handover or {}))
            ended = {"outcome": record.outcome, "ended_by": record.ended_by, "duration_seconds": 0.0}
            observer.notify("call_ended", line.id, {**ended, "record": asdict(record)})
            return PAUSED

        return refuse

    def open_to_supervisors(self, ari: Ari, telephony: Telephony) -> None:
        """Let supervisors' feature codes in."""
        supervising = Supervising(ari, telephony, self.pause)
        for entry in ENTRIES:
            telephony.on_visit(entry, supervising.take)

    async def open_to_the_dialplan(self, services: Services) -> None:
        """Answer the dialplan's questions, where that is configured. Raises OSError when the port is taken."""
        agi = self._settings.agi
        if agi.port is None:
            return
        server = FastAgiServer(DialplanServices(services, self.pause, self.left).by_name, workers=agi.workers)
        await server.start(agi.host, agi.port)
        self._stack.push_async_callback(server.close)
        self.agi = server
        log.info("The dialplan's questions are answered at agi://%s:%d/", agi.host, server.port)

    def status(self) -> Mapping[str, Any]:
        """Whether calls are taken, and whether the queues' figures are to be had."""
        pause = self.pause.pause
        return {
            "paused": pause.reason,
            "paused_at": pause.at if pause.is_on else 0.0,
            "queues_known": bool(self.figures and self.figures.connected),
            "agi_port": self.agi.port if self.agi else 0,
        }


def calls_of(telephony: Telephony, live: LiveCalls) -> list[dict[str, Any]]:
    """Return the live calls, each with number, caller and what it is doing."""
    return [
        {
            "number": line.number,
            "id": line.id,
            "caller": caller_text(line.caller),
            "entry": line.entry,
            **live.row(line.id),
        }
        for line in telephony.lines
    ]


def caller_text(caller: Caller) -> str:
    """The caller's number."""
    return caller.number


def rules_of(name: str, queue: QueueSettings, shop_zone: tzinfo | None) -> Callable[[], QueueRules]:
    """Return what gives a queue's rules now. Raises SettingsError for an unknown zone or an unusable holidays' file."""
    zone = shop_zone
    if queue.timezone:
        try:
            zone = ZoneInfo(queue.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingsError(f"queues.{name}.timezone: there is no time zone {queue.timezone!r}") from error
    if zone is None:
        raise SettingsError(f"queues.{name}: the shop's clock has no time zone")
    hours = None if queue.hours is None else {DAYS.index(day): windows for day, windows in queue.hours.items()}
    holidays = Holidays(queue.holidays_file, queue.holidays)
    holidays.load()

    def rules() -> QueueRules:
        return QueueRules(zone, hours, holidays.current(), queue.max_wait_seconds, queue.max_callers)

    return rules


class Holidays:
    """Holidays from the settings and from a file that may be edited at any time."""

    def __init__(self, file: Path | None, always: tuple[date, ...]) -> None:
        self._file = file
        self._always = frozenset(always)
        self._dates: frozenset[date] = self._always
        self._seen = 0.0

    def load(self) -> None:
        """Read the file. Raises SettingsError with file and line for what is no date."""
        if self._file is None:
            return
        dates = set()
        try:
            self._seen = self._file.stat().st_mtime
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise SettingsError(f"{self._file}: cannot be read ({error.strerror}); it is a holidays_file") from error
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            try:
                dates |= {date.fromisoformat(text)} if text else set()
            except ValueError as error:
                raise SettingsError(f"{self._file}:{number}: {text!r} is no date; write 2026-12-25") from error
        self._dates = self._always | dates

    def current(self) -> frozenset[date]:
        """Return the dates; an edit is taken up, a broken one is told in the log and changes nothing."""
        try:
            if self._file is not None and self._file.stat().st_mtime != self._seen:
                self.load()
        except (OSError, SettingsError) as error:
            log.error("The holidays stay as they were: %s", error)
        return self._dates
