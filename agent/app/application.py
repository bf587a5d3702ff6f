"""The composition root: builds all parts of a running agent from the settings and joins them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from agent import __version__
from agent.app.call_handler import CallHandler
from agent.app.outbox_factory import OutboxService
from agent.app.queue_factory import open_staff_queues
from agent.app.shop_factory import ConfiguredShop, open_shop
from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriUnreachable
from agent.asterisk.fastagi import FastAgiServer
from agent.asterisk.feature_codes import FeatureCodes
from agent.asterisk.heartbeat import Heartbeat, ensure_single_controller
from agent.asterisk.media_audiosocket import AudioSocketServer
from agent.asterisk.stasis_app import EVENT_TYPES, StasisApplication, StasisOptions
from agent.config.settings import Settings
from agent.config.timezone import wall_clock
from agent.control.active_calls import ActiveCalls
from agent.control.agi import DialplanValues, agi_services
from agent.control.pause import PauseSwitch
from agent.control.routes import control_routes
from agent.control.server import ControlServer, LiveFeed
from agent.control.shutdown import StopEndpoint
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import SandboxRenderer
from agent.flows import english_pack
from agent.records.redaction import redact_text
from agent.recovery.manager import RecoveryManager
from agent.shop.services import CHANGES, ShopServices
from agent.speech.model import resolve_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.vad import VoiceActivityFactory
from agent.speech.voice import PromptSynthesizer, build_engines
from agent.speech.wording import filters
from agent.telemetry.health import check_dependencies
from agent.telemetry.metrics import Metrics
from agent.telemetry.observers import ObserverFanOut

log = logging.getLogger(__name__)

TAKEOVER_SECONDS = 2.5
"""A controller whose application is taken gives its calls to people within this time."""


class Application:
    """Everything of one running agent. ``async with Agent(settings) as agent: await agent.ready()``."""

    def __init__(self, settings: Settings, *, takeover: bool = False) -> None:
        """``takeover``: another controller that serves the same application is no reason not to start."""
        self._settings = settings
        self._takeover = takeover
        self._heartbeat: Heartbeat | None = None
        self._recovery: RecoveryManager | None = None
        self.stop_endpoint = StopEndpoint()
        self.replaced = asyncio.Event()
        """Set when another controller has taken our application."""
        self._stack = contextlib.AsyncExitStack()
        self._feed = LiveFeed(None if settings.control.show_private else redact_event)
        self._metrics = Metrics()
        self._observer = ObserverFanOut(self._feed, self._metrics)
        self._wall = wall_clock(settings.shop.timezone)
        self._live_calls = ActiveCalls(self._observer, redact_event, time.monotonic)
        self._pause: PauseSwitch | None = None
        self._telephony: StasisApplication | None = None
        self._ari: AriClient | None = None
        self._control: ControlServer | None = None
        self._procedures: FlowPackReloader | None = None
        self._shop: ConfiguredShop | None = None
        self._model = ""
        self._voices: Callable[[], Mapping[str, bool]] = dict
        self._outbox_service: OutboxService | None = None

    async def __aenter__(self) -> Application:
        try:
            await self._build()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def control_port(self) -> int:
        """The port of the live feed."""
        return self._control.port if self._control is not None else 0

    def status(self) -> Mapping[str, Any]:
        """Whether the agent lives and whom it can reach."""
        return {
            "version": __version__,
            "asterisk": bool(self._ari and self._ari.connected.is_set()),
            "live_calls": self._telephony.live_calls if self._telephony else 0,
            "turned_away": dict(self._telephony.counted) if self._telephony else {},
            "draining": bool(self._recovery and self._recovery.draining),
            "systems": dict(self._shop.status()) if self._shop else {},
            "model": self._model,
            "voice": next((name for name, healthy in self._voices().items() if healthy), ""),
            "procedures": self._procedures.status() if self._procedures else {},
            "paused": asdict(self._pause.now) if self._pause and self._pause.now else None,
            "sharing": bool(self._outbox_service and self._outbox_service.sharing),
        }

    async def dependency_status(self) -> Mapping[str, Any]:
        """The status with everything the agent depends on."""
        return await check_dependencies(self._settings, self.status(), self._voices())

    async def _build(self) -> None:
        settings = self._settings
        settings.state_directory.mkdir(parents=True, exist_ok=True)
        pause = self._pause = PauseSwitch(settings.state_directory / "paused.json", self._wall)
        render = SandboxRenderer(filters)
        shop = await open_shop(settings.shop, self._wall, self._stack, settings.state_directory / "changes.sqlite")
        self._shop = shop
        outbox_service = await OutboxService.open(settings, self._wall)
        self._stack.push_async_callback(outbox_service.close)
        self._outbox_service = outbox_service
        recognizer, speaker = await self._open_speech()
        procedures = self._procedures = await self._open_procedures(recognizer, speaker, render)
        survival = self._recovery = await RecoveryManager.open(settings, pause, self._wall, self._stack)
        services = ShopServices.of(
            shop.systems,
            policy=shop.policy,
            limits=survival.limits,
            region=settings.shop.country,
            verify_floor_seconds=shop.verify_floor_seconds,
            today=lambda: self._wall().date(),
        )
        queues = await open_staff_queues(settings, self._wall, lambda: procedures.current, render, speaker, self._stack)
        adopted = asyncio.Event()
        await outbox_service.start(
            services, CHANGES, lambda: survival.take_over(outbox_service.records, adopted, lambda: self._ari)
        )
        left = DialplanValues(time.monotonic)
        if settings.fastagi.host:
            fastagi = FastAgiServer(agi_services(services, left, self._rejection_reason))
            fastagi.start(settings.fastagi.host, settings.fastagi.port)
            self._stack.push_async_callback(fastagi.close)

        reception = CallHandler(
            settings=settings,
            procedures=procedures,
            render=render,
            recognizer=recognizer,
            speaker=speaker,
            vad_factory=VoiceActivityFactory(),
            services=services,
            outbox_service=outbox_service,
            queues=queues,
            survival=survival,
            left=left,
            observer=self._observer,
            live_calls=self._live_calls,
            wall=self._wall,
        )
        self._control = ControlServer(
            self._feed,
            settings.control.token(),
            self.status,
            [*control_routes(pause, self._live_calls.list), self.stop_endpoint.route()],
            dependencies=self.dependency_status,
            metrics=self._metrics.text,
        )
        await self._control.start(settings.control.host, settings.control.port)
        self._stack.push_async_callback(self._control.close)
        await self._connect(reception, survival)
        adopting = asyncio.create_task(self._signal_recovered(adopted), name="adoption")
        self._stack.push_async_callback(cancel_and_wait, adopting)

    async def _open_speech(self) -> tuple[VoskRecognizer, PromptSynthesizer]:
        """Load the model and the voices."""
        speech, state = self._settings.speech, self._settings.state_directory
        model = resolve_model(speech.model, speech.models_directory or state / "models")
        self._model = model.name
        recognizer = VoskRecognizer(model, workers=speech.workers or None)
        self._stack.callback(recognizer.close)
        speaker = PromptSynthesizer(
            await asyncio.to_thread(build_engines, speech.voices),
            cache_dir=speech.cache_directory or state / "voice",
            recordings_dir=speech.recordings_directory,
        )
        self._stack.push_async_callback(speaker.close)
        self._voices = lambda: speaker.healthy
        return recognizer, speaker

    async def _open_procedures(
        self, recognizer: VoskRecognizer, speaker: PromptSynthesizer, render: SandboxRenderer
    ) -> FlowPackReloader:
        """Load the procedures, and take up every edit of them from then on."""
        settings = self._settings

        async def prepare(pack: FlowPack) -> None:
            """Build every grammar and speak every fixed prompt before the first call needs them."""
            started = time.monotonic()
            await asyncio.to_thread(preload_grammars, recognizer, pack)
            prompts = pack.fixed_prompts({"shop": settings.shop.name}, render)
            await speaker.prerender(prompts)
            log.info("%d fixed prompts are ready after %.1f s", len(prompts), time.monotonic() - started)

        procedures = FlowPackReloader(
            settings.flows_directory or english_pack(),
            render.filters,
            prepare,
            self._wall,
            settings.shop.number_formats,
        )
        await procedures.load()
        watching = asyncio.create_task(procedures.watch(), name="watch-procedures")
        watching.add_done_callback(log_task_failure)
        self._stack.push_async_callback(cancel_and_wait, watching)
        return procedures

    async def _signal_recovered(self, adopted: asyncio.Event) -> None:
        if self._telephony is not None:
            await self._telephony.adopted.wait()
            adopted.set()

    async def _connect(self, reception: CallHandler, survival: RecoveryManager) -> None:
        settings = self._settings
        ari = AriClient.of(settings.ari, event_types=EVENT_TYPES)
        self._ari = ari
        self._stack.push_async_callback(ari.close)
        await self._wait_for_asterisk(ari)
        if not self._takeover:
            await ensure_single_controller(ari)
        audiosocket = await self._audiosocket(ari)
        options = StasisOptions(
            handover_context=settings.call.handover_context,
            deadman_seconds=settings.call.deadman_seconds,
            max_call_seconds=settings.call.max_call_seconds,
        )
        telephony = self._telephony = StasisApplication(
            ari,
            reception.take,
            options,
            audiosocket,
            self._codes(),
            admit=lambda: survival.admit(telephony.live_calls),
            reject=reception.reject,
            id_of=survival.id_of,
            adopt_after_seconds=TAKEOVER_SECONDS if self._takeover else 0.0,
        )
        self.replaced = telephony.replaced
        self._heartbeat = Heartbeat(ari)
        self._stack.push_async_callback(self._heartbeat.stop)
        self._stack.push_async_callback(telephony.close)
        await ari.start()
        self._heartbeat.start()

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let the live ones end by themselves for this long."""
        if self._recovery is None or self._telephony is None:
            return
        self._recovery.draining = True
        log.info("Draining: %d live calls have %.0f s to end", self._telephony.live_calls, seconds)
        await self._telephony.wait_until_idle(seconds)

    async def yield_to_replacement(self) -> None:
        """Another controller has our application: give the calls to people and leave everything else to it."""
        if self._heartbeat is not None:
            self._heartbeat.stop_beating()
        if self._telephony is not None:
            await self._telephony.hand_over_all("agent_replaced")

    def _rejection_reason(self) -> str:
        """Why no calls are taken now, ``""`` when they are."""
        if self._recovery is None or self._telephony is None or self._ari is None or not self._ari.connected.is_set():
            return "not_connected"
        return self._recovery.admit(self._telephony.live_calls)

    def _codes(self) -> FeatureCodes:
        pause = self._pause
        return FeatureCodes({"pause": pause.begin, "resume": pause.end} if pause is not None else {})

    async def _wait_for_asterisk(self, ari: AriClient) -> None:
        """Return when Asterisk answers: the agent may be started before it. Raises AuthFailed."""
        ari.open()
        delay_seconds = 0.5
        while True:
            try:
                version = await ari.system.version()
            except AriUnreachable as error:
                log.warning("%s Trying again in %.1f s.", error, delay_seconds)
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(delay_seconds * 2, 5.0)
            else:
                log.info("Asterisk %s answers at %s", version, ari.url)
                return

    async def _audiosocket(self, ari: AriClient) -> AudioSocketServer | None:
        """The AudioSocket server when the Asterisk needs it, None where the websocket serves."""
        media = self._settings.media
        transport = media.transport
        if transport == "auto":
            transport = "websocket" if await ari.system.has_websocket_media() else "audiosocket"
        if transport == "websocket":
            return None
        server = AudioSocketServer(media.audiosocket_host, media.audiosocket_port)
        await server.start()
        self._stack.push_async_callback(server.close)
        log.info("Audio goes by AudioSocket on %s", server.address)
        return server


def preload_grammars(recognizer: VoskRecognizer, pack: FlowPack) -> None:
    """Have the recogniser build, and remember, what every turn of these procedures listens for."""
    for grammar in pack.grammars.values():
        recognizer.listen(grammar.phrases, grammar.words, grammar.samples)


def log_task_failure(task: asyncio.Task[Any]) -> None:
    """Log what ended a task that should run as long as the agent does."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has failed and does not run any more", task.get_name(), exc_info=error)


async def cancel_and_wait(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def redact_event(event: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reader of the live feed sees of an event: no card numbers, no second facts, no whole record."""
    slot = str(data.get("slot", ""))
    shown = {key: value for key, value in data.items() if key != "record"}
    for key in ("text", "heard", "understood", "summary"):
        if isinstance(shown.get(key), str):
            shown[key] = redact_text(shown[key], heard=key == "heard", slot=slot if key == "heard" else "")
    return shown
