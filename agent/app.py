"""The composition root: settings in, parts built and joined here and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from agent import __version__, service_manager
from agent.agi_services import LeftValues, agi_services
from agent.asterisk.ari import Ari
from agent.asterisk.ari_errors import AriUnreachable
from agent.asterisk.audiosocket import AudioSocketServer
from agent.asterisk.fastagi import FastAgi
from agent.asterisk.feature_codes import Codes
from agent.asterisk.line import TelephonyOptions
from agent.asterisk.telephony import EVENT_TYPES, Telephony
from agent.call.acquaintance import ORDER_NUMBER_SLOT, Introduction
from agent.call.coming_back import KeptConversations
from agent.call.discretion import DiscreetObserver, DiscreetRecords, DiscreetServices
from agent.call.passing_on import PAUSED, pass_on
from agent.call.protocols import Line, Media
from agent.call.session import CallParts, CallSession
from agent.call.turn_taking import TurnTakingOptions
from agent.clock import wall_clock
from agent.delivering import PostOffice
from agent.dependencies import look_at_all
from agent.dialog.consent import ConsentFirst
from agent.dialog.engine import CallFacts, Conversation
from agent.dialog.flow import Recording
from agent.dialog.loader import FlowPack
from agent.dialog.rendering import SandboxRenderer
from agent.flows import english_pack
from agent.human_queues import open_queues
from agent.live import ControlServer, LiveFeed
from agent.live_calls import LiveCalls
from agent.logs import CALL_ID
from agent.metrics import Metrics
from agent.observers import Observers
from agent.pausing import Pause
from agent.procedures import Procedures
from agent.records.attempts import SqliteAttemptLimits
from agent.records.redaction import redact_text
from agent.settings import Settings
from agent.shop.services import CHANGES, ShopServices
from agent.shop_systems import OpenShop, open_shop
from agent.speech.echo import EchoGuard
from agent.speech.gain import AutomaticGain
from agent.speech.gate import SpeechGate
from agent.speech.model import resolve_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.vad import VoiceActivities
from agent.speech.voice import Speaker, build_engines
from agent.speech.wording import filters
from agent.supervision_door import supervision_routes

log = logging.getLogger(__name__)

GREETING_SECONDS = 0.25
"""A greeting by name is not worth more silence before it."""

PAUSED_ENTRIES = ("inbound", "transfer_back")
"""Ways in that a pause closes. A caller the queue gives back has nobody else: the agent still says so honestly."""


class Agent:
    """Everything of one running agent. ``async with Agent(settings) as agent: await agent.ready()``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = contextlib.AsyncExitStack()
        self._feed = LiveFeed(None if settings.control.show_private else redact_event)
        self._metrics = Metrics()
        self._observer = Observers(self._feed, self._metrics)
        self._wall = wall_clock(settings.shop.timezone)
        self._live_calls = LiveCalls(self._observer, redact_event, time.monotonic)
        self._pause: Pause | None = None
        self._telephony: Telephony | None = None
        self._ari: Ari | None = None
        self._control: ControlServer | None = None
        self._procedures: Procedures | None = None
        self._shop: OpenShop | None = None
        self._model = ""
        self._voices: Callable[[], Mapping[str, bool]] = dict
        self._post_office: PostOffice | None = None

    async def __aenter__(self) -> Agent:
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
            "systems": dict(self._shop.status()) if self._shop else {},
            "model": self._model,
            "voice": next((name for name, healthy in self._voices().items() if healthy), ""),
            "procedures": self._procedures.status() if self._procedures else {},
            "paused": asdict(self._pause.now) if self._pause and self._pause.now else None,
            "sharing": bool(self._post_office and self._post_office.sharing),
        }

    async def look_at_dependencies(self) -> Mapping[str, Any]:
        """The status with everything the agent depends on."""
        return await look_at_all(self._settings, self.status(), self._voices())

    async def _build(self) -> None:
        settings = self._settings
        settings.state_directory.mkdir(parents=True, exist_ok=True)
        pause = self._pause = Pause(settings.state_directory / "paused.json", self._wall)
        render = SandboxRenderer(filters)
        shop = await open_shop(settings.shop, self._wall, self._stack, settings.state_directory / "changes.sqlite")
        self._shop = shop
        post_office = await PostOffice.open(settings, self._wall)
        self._stack.push_async_callback(post_office.close)
        self._post_office = post_office
        models = settings.speech.models_directory or settings.state_directory / "models"
        model = resolve_model(settings.speech.model, models)
        self._model = model.name
        recognizer = VoskRecognizer(model, workers=settings.speech.workers or None)
        self._stack.callback(recognizer.close)
        speaker = Speaker(
            await asyncio.to_thread(build_engines, settings.speech.voices),
            cache_dir=settings.speech.cache_directory or settings.state_directory / "voice",
            recordings_dir=settings.speech.recordings_directory,
        )
        self._stack.push_async_callback(speaker.close)
        self._voices = lambda: speaker.healthy

        async def prepare(pack: FlowPack) -> None:
            """Build every grammar and speak every fixed prompt before the first call needs them."""
            started = time.monotonic()
            await asyncio.to_thread(learn_grammars, recognizer, pack)
            prompts = pack.fixed_prompts({"shop": settings.shop.name}, render)
            await speaker.prerender(prompts)
            log.info("%d fixed prompts are ready after %.1f s", len(prompts), time.monotonic() - started)

        procedures = Procedures(
            settings.flows_directory or english_pack(),
            render.filters,
            prepare,
            self._wall,
            settings.shop.number_formats,
        )
        await procedures.load()
        self._procedures = procedures
        watching = asyncio.create_task(procedures.watch(), name="watch-procedures")
        watching.add_done_callback(report_end)
        self._stack.push_async_callback(cancelled, watching)
        allowed = settings.shop.verification
        limits = SqliteAttemptLimits(
            settings.state_directory / "attempts.sqlite",
            per_caller=allowed.per_caller,
            per_number=allowed.per_order,
            hidden=allowed.hidden_callers,
            window_seconds=allowed.window_minutes * 60.0,
        )
        self._stack.push_async_callback(limits.close)
        services = ShopServices.of(
            shop.systems,
            policy=shop.policy,
            limits=limits,
            region=settings.shop.country,
            verify_floor_seconds=shop.verify_floor_seconds,
            today=lambda: self._wall().date(),
        )
        await post_office.start(services, CHANGES)
        queues = await open_queues(settings, self._wall, lambda: procedures.current, render, speaker, self._stack)
        activities = VoiceActivities()
        call = settings.call
        turn_taking = TurnTakingOptions(
            end_complete_ms=call.end_complete_ms,
            end_likely_ms=call.end_likely_ms,
            end_open_ms=call.end_open_ms,
            end_incomplete_ms=call.end_incomplete_ms,
            barge_in_ms=call.barge_in_ms,
        )

        kept = KeptConversations(time.monotonic)
        left = LeftValues(time.monotonic)
        if settings.fastagi.host:
            fastagi = FastAgi(agi_services(services, left, self._why_not))
            fastagi.start(settings.fastagi.host, settings.fastagi.port)
            self._stack.push_async_callback(fastagi.close)

        async def handle(line: Line, media: Media) -> None:
            CALL_ID.set(line.id)
            if pause.now is not None and line.entry in PAUSED_ENTRIES:
                await pass_on(line, PAUSED, post_office.records, self._live_calls, self._wall)
                return
            introduction = Introduction(services, line.caller.number)
            customer = await introduction.customer(GREETING_SECONDS) if settings.shop.greet_by_name else {}
            facts = CallFacts(
                now=self._wall(),
                shop_name=settings.shop.name,
                caller_number=line.caller.number,
                dialled=line.caller.dialled,
                entry=line.entry,
                call_id=line.id,
                left=left.of(line.channel_id),
                customer=customer,
            )
            answered = kept.consent(line.channel_id) if line.entry != "inbound" else ""
            conversation = kept.begin(procedures.current, facts, render, line.channel_id)
            consent = ConsentFirst(
                conversation,
                call.consent if line.entry == "inbound" else "off",
                procedures.current.contents.recording or Recording(),
                lambda text: render(text, {"shop": settings.shop.name}),
                lambda answer: self._live_calls.notify("consent", line.id, {"answer": answer}),
                answered,
            )
            parts = CallParts(
                dialog=consent,
                recognizer=recognizer,
                voice=speaker,
                gain=AutomaticGain(),
                vad=activities.new(),
                gate=SpeechGate,
                echo=EchoGuard(time.monotonic),
                services=DiscreetServices(post_office.services_of(line.id), lambda: consent.answer),
                records=DiscreetRecords(post_office.records, lambda: consent.answer),
                known_as=introduction.known_as,
                observer=DiscreetObserver(self._live_calls, lambda: consent.answer),
                redact=lambda text, slot: redact_text(text, slot=slot),
                clock=time.monotonic,
                wall=self._wall,
                queues=queues,
                turn_taking=turn_taking,
            )
            learning = asyncio.create_task(learn_orders(introduction, conversation), name="learn-orders")
            try:
                await CallSession(line, media, parts).run()
            finally:
                learning.cancel()
                kept.keep(line.channel_id, consent.snapshot())
                await introduction.close()

        self._control = ControlServer(
            self._feed,
            settings.control.token(),
            self.status,
            supervision_routes(pause, self._live_calls.list),
            dependencies=self.look_at_dependencies,
            metrics=self._metrics.text,
        )
        await self._control.start(settings.control.host, settings.control.port)
        self._stack.push_async_callback(self._control.close)
        await self._connect(handle)

    async def _connect(self, handle: Callable[[Line, Media], Any]) -> None:
        settings = self._settings
        ari = Ari(
            settings.ari.url,
            settings.ari.user,
            settings.ari.password(),
            settings.ari.app,
            event_types=EVENT_TYPES,
        )
        self._ari = ari
        self._stack.push_async_callback(ari.close)
        await self._wait_for_asterisk(ari)
        audiosocket = await self._audiosocket(ari)
        options = TelephonyOptions(
            handover_context=settings.call.handover_context,
            deadman_seconds=settings.call.deadman_seconds,
            max_call_seconds=settings.call.max_call_seconds,
        )
        self._telephony = Telephony(ari, handle, options, audiosocket, self._codes())
        self._stack.push_async_callback(self._telephony.close)
        await ari.start()

    def _why_not(self) -> str:
        """Why no calls are taken now, ``""`` when they are."""
        if self._pause is not None and self._pause.now is not None:
            return "paused"
        return "" if self._ari is not None and self._ari.connected.is_set() else "not_connected"

    def _codes(self) -> Codes:
        pause = self._pause
        return Codes({"pause": pause.begin, "resume": pause.end} if pause is not None else {})

    async def _wait_for_asterisk(self, ari: Ari) -> None:
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

    async def _audiosocket(self, ari: Ari) -> AudioSocketServer | None:
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


def learn_grammars(recognizer: VoskRecognizer, pack: FlowPack) -> None:
    """Have the recogniser build, and remember, what every turn of these procedures listens for."""
    for grammar in pack.grammars.values():
        recognizer.listen(grammar.phrases, grammar.words, grammar.samples)


def report_end(task: asyncio.Task[Any]) -> None:
    """Log what ended a task that should run as long as the agent does."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has failed and does not run any more", task.get_name(), exc_info=error)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def learn_orders(introduction: Introduction, conversation: Conversation) -> None:
    """Tell the conversation the caller's own order numbers as soon as the shop has named them."""
    numbers = (await introduction.whole()).order_numbers
    if numbers:
        conversation.learn({ORDER_NUMBER_SLOT: numbers})


def redact_event(event: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reader of the live feed sees of an event: no card numbers, no second facts, no whole record."""
    slot = str(data.get("slot", ""))
    shown = {key: value for key, value in data.items() if key != "record"}
    for key in ("text", "heard", "understood", "summary"):
        if isinstance(shown.get(key), str):
            shown[key] = redact_text(shown[key], heard=key == "heard", slot=slot if key == "heard" else "")
    return shown


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run an agent until ``stop`` is set; prints one JSON line on standard output when it is ready."""
    alive = asyncio.create_task(service_manager.keep_alive(), name="watchdog")
    alive.add_done_callback(report_end)
    async with Agent(settings) as agent:
        service_manager.notify("READY=1")
        print(json.dumps({"ready": True, "control_port": agent.control_port, **agent.status()}), flush=True)
        await stop.wait()
        service_manager.notify("STOPPING=1")
        log.info("Stopping")
    await cancelled(alive)
