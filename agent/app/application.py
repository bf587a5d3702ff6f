"""The composition root: builds all parts of a running agent from the settings, in order, and joins them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.app.asterisk_factory import build_asterisk_parts, connect
from agent.app.call_handler import CallHandler
from agent.app.outbound_calls import SpeechOfMessage
from agent.app.outbound_factory import open_outbound
from agent.app.outbox_factory import delivery_lock_path, open_outbox
from agent.app.queue_factory import open_staff_queues
from agent.app.recovery_factory import open_recovery, recovered_then_delivered
from agent.app.retention import run_retention
from agent.app.shop_factory import open_attempt_limits, open_shop
from agent.app.sound_factory import sound_directory, sound_keeper
from agent.app.speech_factory import ScoreWarmUp, open_procedures, open_speech
from agent.app.status import AgentStatus
from agent.app.triggers_factory import open_polling, open_triggers
from agent.asterisk.fastagi import FastAgiServer
from agent.asterisk.heartbeat import Heartbeat
from agent.asterisk.stasis_app import StasisApplication
from agent.asterisk.supervised_calls import SupervisedCalls
from agent.call.queue_waits import QueueWaits
from agent.common.redis import SharedRedis
from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.settings import Settings
from agent.config.timezone import wall_clock
from agent.control.active_calls import ActiveCalls
from agent.control.admission import Admission
from agent.control.agi import DialplanValues, agi_services
from agent.control.live_feed import LiveFeed
from agent.control.pause import PauseSwitch
from agent.control.pause_sync import PauseSync
from agent.control.routes import call_routes, control_routes, queue_routes
from agent.control.server import ControlServer
from agent.control.shutdown import StopEndpoint
from agent.dialog.templating.rendering import SandboxRenderer
from agent.records.event_redaction import redact_event
from agent.recovery.lost_calls import LostCalls
from agent.recovery.taken_calls import TAKING_SECONDS
from agent.shop.services import CHANGES, ShopServices
from agent.speech.vad_thread import SharedVoiceActivity
from agent.speech.wording import filters
from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import CallBegan, CallFinished, HandedOver
from agent.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Application:
    """One running agent, connected to its Asterisk. Made by :func:`running_application`."""

    telephony: StasisApplication
    heartbeat: Heartbeat
    admission: Admission
    control: ControlServer
    stop_endpoint: StopEndpoint
    agent_status: AgentStatus

    @property
    def control_port(self) -> int:
        """The port of the control server."""
        return self.control.port

    @property
    def replaced(self) -> asyncio.Event:
        """Set when another controller has taken our application."""
        return self.telephony.replaced

    def status(self) -> Mapping[str, Any]:
        """Return whether the agent lives and whom it can reach."""
        return self.agent_status.now()

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let the live ones end by themselves for this long."""
        self.admission.start_draining()
        log.info("Draining: %d live calls have %.0f s to end", self.telephony.live_calls, seconds)
        await self.telephony.wait_until_idle(seconds)

    async def yield_to_replacement(self) -> None:
        """Another controller has our application: hand the calls over to staff and leave everything else to it."""
        self.heartbeat.stop_beating()
        await self.telephony.hand_over_all("agent_replaced")


@contextlib.asynccontextmanager
async def running_application(settings: Settings, *, takeover: bool = False) -> AsyncIterator[Application]:
    """Run an agent for the block; it takes calls when the block begins, and hands them over to staff when it ends.

    ``takeover``: another controller that serves the same application is no reason not to start. The control server
    answers, lost calls are recorded and the outbox is delivered while Asterisk is still awaited. Raises OrderlineError
    for settings, procedures or systems that cannot be used, and OSError for ports that are taken.
    """
    async with contextlib.AsyncExitStack() as stack:
        yield await _start(settings, takeover, stack)


async def _start(settings: Settings, takeover: bool, stack: contextlib.AsyncExitStack) -> Application:
    state = settings.state_directory
    state.mkdir(parents=True, exist_ok=True)
    wall = wall_clock(settings.shop.timezone)
    render = SandboxRenderer(filters)
    metrics = Metrics(settings.instance if settings.instances > 1 else None)
    active_calls = ActiveCalls(redact_event, time.monotonic)
    events = EventBus()
    feed = LiveFeed(None if settings.control.show_private else redact_event, events.epoch)
    for subscriber in (feed.send, metrics.count, active_calls.update):
        events.subscribe(subscriber)
    redis = _open_redis(settings, stack)

    shop = await open_shop(settings.shop, wall, stack, settings.shared_directory / "changes.sqlite")
    services = ShopServices.of(
        shop.systems,
        policy=shop.policy,
        limits=open_attempt_limits(
            settings.shop.verification, settings.shared_directory / "attempts.sqlite", redis, stack
        ),
        region=settings.shop.country,
        verify_floor_seconds=shop.verify_floor_seconds,
        today=lambda: wall().date(),
    )
    outbox = await open_outbox(settings, services, CHANGES, wall, stack)
    speech = await open_speech(settings, stack)
    voice_activity = SharedVoiceActivity()
    stack.callback(voice_activity.close)
    procedures = await open_procedures(settings, speech, render, wall, stack)
    warm_up = ScoreWarmUp()
    stack.push_async_callback(warm_up.close)
    pause = await _open_pause(state / "paused.json", wall, redis, stack)
    recovery = await open_recovery(settings, redis, stack)
    waits = QueueWaits(outbox.records.note_wait, events)
    stack.push_async_callback(waits.close)
    events.subscribe(waits.update, HandedOver, CallFinished, CallBegan)
    queues = await open_staff_queues(
        settings, wall, lambda: procedures.current, render, speech.speaker, stack, waits.left_the_queue
    )
    message = SpeechOfMessage(procedures.current, render, speech.speaker)
    outbound = await open_outbound(settings, services, outbox, queues, message, stack)
    sound = sound_directory(settings)
    admission = Admission(pause, settings.call.max_calls)
    dialplan_values = DialplanValues(time.monotonic)

    calls = CallHandler(
        settings=settings,
        procedures=procedures,
        render=render,
        speech=speech,
        warm_up=warm_up,
        voice_activity=voice_activity,
        services=services,
        outbox_service=outbox,
        queues=queues,
        recovery=recovery,
        sound=sound,
        left=dialplan_values,
        events=events,
        wall=wall,
        second_facts=shop.policy.second_facts,
        outbound=outbound.results,
        recognizer=speech.model_name,
    )
    asterisk = build_asterisk_parts(settings, calls, admission, pause, recovery, takeover=takeover, stack=stack)
    telephony = asterisk.telephony
    keeper = sound_keeper(settings, sound, outbox.records, asterisk.ari)
    status = AgentStatus(
        settings, asterisk.ari, telephony, admission, pause, shop, speech, procedures, outbox, queues, keeper, outbound
    )
    lost_calls = LostCalls(
        recovery.interrupted,
        recovery.snapshots,
        outbox.records,
        taken=recovery.taken,
        taken_seconds=settings.call.deadman_seconds + TAKING_SECONDS,
    )
    await stack.enter_async_context(
        recovered_then_delivered(
            delivery_lock_path(settings),
            lost_calls,
            telephony,
            outbox,
            (keeper.run, lambda stop: run_retention(settings, stop)),
        )
    )
    if settings.fastagi.host:
        fastagi = FastAgiServer(agi_services(services, dialplan_values, status.rejection_reason))
        fastagi.start(settings.fastagi.host, settings.fastagi.port)
        stack.push_async_callback(fastagi.close)
    stop_endpoint = StopEndpoint()
    supervised = SupervisedCalls(asterisk.ari, telephony.line_of)
    control = ControlServer(
        feed,
        settings.control.token(),
        status.now,
        [
            *control_routes(pause, active_calls.list),
            *call_routes(supervised.hand_over, supervised.ring),
            *queue_routes(queues),
            stop_endpoint.route(),
        ],
        dependencies=status.with_dependencies,
        metrics=metrics.text,
    )
    await control.start(settings.control.host, settings.control.port)
    stack.push_async_callback(control.close)
    await open_triggers(settings, shop.systems, stack)
    await open_polling(settings, shop.systems, stack)
    await connect(asterisk, settings, takeover=takeover, stack=stack)
    # what the first words of a call do not need: loaded beside the calls
    warm_up.start(procedures.current.score)
    voices = asyncio.create_task(speech.speaker.load_engines(), name="load-voices")
    voices.add_done_callback(report_failure)
    stack.push_async_callback(cancel_and_wait, voices)
    await outbound.start(stack)
    return Application(telephony, asterisk.heartbeat, admission, control, stop_endpoint, status)


def _open_redis(settings: Settings, stack: contextlib.AsyncExitStack) -> SharedRedis | None:
    """Return the link to the Redis that nodes share, None for a node alone."""
    if not (address := settings.redis.address()):
        return None
    redis = SharedRedis(address)
    stack.push_async_callback(redis.close)
    return redis


async def _open_pause(
    file: Path, wall: Callable[[], datetime], redis: SharedRedis | None, stack: contextlib.AsyncExitStack
) -> PauseSwitch:
    """Return the pause of this node, which follows that of the others where there are several."""
    pause = PauseSwitch(file, wall)
    if redis is not None:
        together = PauseSync(pause, redis)
        await together.start()
        stack.push_async_callback(together.close)
    return pause
