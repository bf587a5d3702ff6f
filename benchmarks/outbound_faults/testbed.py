"""Testbed of the cases: a call centre that calls customers, their telephones, and the ways to disturb both."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.config.queues import WEEKDAYS
from agent.outbound.model import Attempt, Job, JobFacts, JobState, NewJob, Purpose, Reason
from agent.outbound.store import OutboundStore
from agent.rehearsal.call_centre import AgentProcess, PrivateCallCentre, RehearsalHome
from agent.rehearsal.called_customer import CalledCustomer
from agent.rehearsal.live_feed import CallFeed
from agent.rehearsal.pbx_pair import running_pair
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.script import DEFAULT_VOICE
from agent.rehearsal.voices import Voices
from benchmarks.faults.cutting_proxy import CuttingProxy
from benchmarks.faults.fault_caller import FaultCaller
from benchmarks.faults.observation import joined
from benchmarks.faults.testbed import FaultTestbed, open_testbed

CALLER_ID = "+12025550100"
RING_SECONDS = 15
QUIET_SECONDS = 3.0
"""Nobody was dialled when nothing rang for so long: the dialler looks every second."""
NOON = 18
"""Hour of the day, UTC, at which every zone of the United States is inside the window of the rehearsal."""
WINDOW = "09:00-20:00"
NUMBER_ZONE = ZoneInfo("America/Chicago")
"""Of the numbers below."""
_RING_WAIT_SECONDS = 30.0
_FIRST_NUMBER, _LAST_NUMBER = 0, 99
_AREAS = (312, 512, 615, 504, 214, 713, 816, 314)
"""Area codes of one zone; 555-01NN is kept for fiction in each."""


@dataclass(frozen=True)
class Wish:
    """What a job is to be like, besides its number."""

    order: str = "10437"
    """A delivered order of the demo shop."""
    purpose: Purpose = Purpose.DELIVERY
    name: str = "James"
    parcels: int = 1
    due_in: timedelta = timedelta(seconds=-1)
    expires_in: timedelta = timedelta(days=4)
    zone: str = ""
    last: bool = False
    """True: no further try would be in time, so that a message is left on a voicemail."""
    number: str = ""


class OutboundTestbed:
    """Jobs, the dialler's clock, and customers who are called. ``place`` is everything else."""

    def __init__(self, place: FaultTestbed, voices: Voices, trigger_port: int, trigger_secret: str) -> None:
        """``trigger_secret`` is that of the source ``own``, as in Standard Webhooks."""
        self.place = place
        self.trigger_secret = trigger_secret
        self.trigger_url = f"http://127.0.0.1:{trigger_port}/triggers/own"
        self.store = OutboundStore(place.stack.run_dir / "state")
        self.voices = voices
        self._numbers = 0
        self._keys = 0
        self._ahead = timedelta(0)

    # --- time ---------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the dialler's time, UTC."""
        return datetime.now(UTC) + self._ahead

    def set_clock(self, moment: datetime) -> None:
        """Set the dialler's clock; it only goes forward."""
        if moment < self.now():
            raise ValueError(f"the dialler's clock is at {self.now()} already, not before {moment}")
        self._ahead = moment - datetime.now(UTC)
        path = self.place.stack.run_dir / "dialler-clock"
        part = path.with_suffix(".part")
        part.write_text(str(self._ahead.total_seconds()), encoding="utf-8")
        part.replace(path)

    def move_clock(self, **by: float) -> None:
        """Let time pass: ``hours=4``."""
        self.set_clock(self.now() + timedelta(**by))

    async def begin(self) -> None:
        """Begin a case: it is noon, nothing is left of the case before, customers are called."""
        noon = self.now().replace(hour=NOON, minute=0, second=0, microsecond=0)
        if not noon <= self.now() < noon + timedelta(hours=2):
            self.set_clock(noon + timedelta(days=int(self.now() > noon)))
        for job in await self.store.jobs((JobState.OPEN, JobState.BLOCKED), 10_000):
            await self.store.drop(job.key, Reason.REMOVED, self.now())
        await self.campaign("running")

    async def campaign(self, state: str) -> None:
        """Run, pause or stop."""
        await self.store.set_campaign(state, "the case", "", self.now())

    def disturb(self, what: str) -> None:
        """``hold`` dials, ``lose-answer`` of Asterisk, or ``""``."""
        self.place.break_agent(what)

    # --- jobs ---------------------------------------------------------------------------------------

    def next_number(self) -> str:
        """Return a customer's number that nobody has had yet."""
        area, line = divmod(self._numbers, _LAST_NUMBER - _FIRST_NUMBER + 1)
        self._numbers += 1
        return f"+1{_AREAS[area % len(_AREAS)]}55501{line + _FIRST_NUMBER:02d}"

    async def add(self, wish: Wish | None = None) -> Job:
        """Write a job; the dialler finds it within a second."""
        wish = wish or Wish()
        number = wish.number or self.next_number()
        self._keys += 1
        now = self.now()
        due, expires = now + wish.due_in, timedelta(hours=3) if wish.last else wish.expires_in
        key = f"{wish.purpose}:{wish.order}:{self._keys}"
        facts = JobFacts("Maple and Finch", wish.name, wish.order, _yesterday(now), wish.parcels)
        new = NewJob(key, wish.purpose, number, facts, "order_terms", due, now + expires, wish.zone, "case")
        await self.store.add([new], now)
        return await self.job(key)

    async def job(self, key: str) -> Job:
        """Return a job as it stands. Raises LookupError."""
        found = await self.store.job(key)
        if found is None:
            raise LookupError(f"there is no job {key}")
        return found

    async def attempts(self, job: Job) -> list[Attempt]:
        """Return the attempts of a job, the oldest first."""
        return await self.store.attempts_of(job.key)

    async def ended(self, job: Job, count: int = 1, seconds: float = 30.0) -> Attempt:
        """Wait until a job has so many attempts that are over and told of; return the last. Raises TimeoutError."""
        attempts: list[Attempt] = []

        async def over() -> bool:
            open_ones = {one.id for one in await self.store.unfinished()}  # before the attempts: none is read half told
            attempts[:] = await self.attempts(job)
            return len(attempts) >= count and all(one.ended_at and one.id not in open_ones for one in attempts)

        await self.until(over, f"{job.key} has no end", seconds)
        return attempts[-1]

    async def until(self, condition: Callable[[], Any], what: str, seconds: float = 20.0) -> None:
        """Wait until something that is read from a file is so. Raises TimeoutError with ``what``."""
        try:
            async with asyncio.timeout(seconds):
                while not await condition():  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise TimeoutError(f"{what} after {seconds:g} s") from error

    # --- telephones ---------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def rings(
        self, job: Job, voice: str = DEFAULT_VOICE, seconds: float = _RING_WAIT_SECONDS
    ) -> AsyncIterator[CalledCustomer]:
        """The customer's telephone, once it rings; it is put down when the block ends. Raises TimeoutError."""
        async with self.place.feed.follow(job.number) as feed:
            ringing = await self.place.desk.ring(job.number[1:], CALLER_ID, seconds)
            if ringing is None:
                said = await self.job(job.key)
                raise TimeoutError(f"{job.key} does not ring: {said.state} {said.reason} {await self.store.notes()}")
            try:
                yield CalledCustomer(job.number, ringing.leg, feed, self.voices, voice)
            finally:
                await ringing.leg.close()

    @contextlib.asynccontextmanager
    async def called(
        self, wish: Wish | None = None, voice: str = DEFAULT_VOICE
    ) -> AsyncIterator[tuple[Job, CalledCustomer]]:
        """Write a job, and hold the telephone that rings for it."""
        job = await self.add(wish)
        async with self.rings(job, voice) as customer:
            yield job, customer

    async def stays_silent(self, job: Job, seconds: float = QUIET_SECONDS) -> bool:
        """Return whether a customer's telephone does not ring for so long."""
        return await self.place.desk.ring(job.number[1:], CALLER_ID, seconds) is None

    @contextlib.asynccontextmanager
    async def rings_in(
        self, number: str, voice: str = DEFAULT_VOICE, feed: CallFeed | None = None
    ) -> AsyncIterator[CalledCustomer]:
        """The customer calls the shop; ``feed`` is that of a call to the same number which has not been answered."""
        following = contextlib.nullcontext(feed) if feed is not None else self.place.feed.follow(number)
        async with following as feed, joined(await self.place.exchange.dial("7000", number[1:], "")) as leg:
            yield CalledCustomer(number, leg, feed, self.voices, voice)

    @contextlib.asynccontextmanager
    async def anybody_rings_in(self, count: int) -> AsyncIterator[list[FaultCaller]]:
        """So many callers whom nobody has called."""
        async with contextlib.AsyncExitStack() as stack:
            yield [await stack.enter_async_context(self.place.caller()) for _ in range(count)]

    # --- what must be true afterwards ---------------------------------------------------------------

    async def record(self, job: Job, seconds: float = 20.0) -> dict[str, Any]:
        """Return the record of the call for a job; the last, where there are several. Raises TimeoutError."""
        found: list[dict[str, Any]] = []

        async def written() -> bool:
            found[:] = [one for one in await asyncio.to_thread(self.place.all_records) if one["job"] == job.key]
            return bool(found)

        await self.until(written, f"{job.key} has no record", seconds)
        return found[-1]

    async def close(self) -> None:
        """Let go of the file of jobs."""
        await self.store.close()


def _yesterday(now: datetime) -> date:
    return (now - timedelta(days=1)).date()


def with_number(wish: Wish, number: str) -> Wish:
    """Return the same wish for a given number."""
    return replace(wish, number=number)


def _settings(port: int) -> dict[str, Any]:
    return {
        "outbound": {
            "enabled": True,
            "trunk": "PJSIP/{number}@carrier",
            "trunk_channels": 40,
            "max_outbound": 10,
            "caller_id": CALLER_ID,
            "purposes": ["delivery", "survey", "callback"],
            "window": dict.fromkeys(WEEKDAYS, WINDOW),
            "ring_seconds": RING_SECONDS,
            "delivery_delay_hours": 0,
            "triggers": {
                "enabled": True,
                "port": port,
                "sources": {"own": {"scheme": "standard", "consent": "order_terms"}},
            },
        }
    }


@contextlib.asynccontextmanager
async def outbound_testbed(
    asterisk: Asterisk, home: RehearsalHome, run_dir: Path, report: Callable[[str], None]
) -> AsyncIterator[OutboundTestbed]:
    """Hold a call centre that calls customers, whose dialler can be disturbed."""
    async with contextlib.AsyncExitStack() as stack:
        pbx, phones = await stack.enter_async_context(running_pair(asterisk, run_dir / "pbx", report))
        proxy = CuttingProxy("127.0.0.1", pbx.ports.http)
        await proxy.start()
        stack.push_async_callback(proxy.close)
        control_port, trigger_port = _free_port(), _free_port()
        settings: Mapping[str, Any] = {
            "ari": {"url": proxy.url},
            "control": {"port": control_port},
            **_settings(trigger_port),
        }
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        environment = {
            "ORDERLINE_SABOTAGE": str(run_dir / "sabotage"),
            "ORDERLINE_DIALLER_CLOCK": str(run_dir / "dialler-clock"),
            "ORDERLINE_TRIGGER_OWN_SECRET": secret,
        }
        agent = AgentProcess(
            pbx, run_dir, home.shared, settings,
            module="benchmarks.outbound_faults.faulty_dialler", environment=environment,
        )  # fmt: skip
        report("Starting the agent")
        await agent.start()
        stack.push_async_callback(agent.stop)
        call_centre = PrivateCallCentre(asterisk, pbx, phones, agent, run_dir)
        place = await stack.enter_async_context(open_testbed(call_centre, proxy, home))
        voices = Voices(home.shared / "callers", asterisk.data_dir / "sounds" / "en")
        rig = OutboundTestbed(place, voices, trigger_port, secret)
        stack.push_async_callback(rig.close)
        yield rig


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port
