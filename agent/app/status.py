"""The status of a running agent, from the parts that know it: for ``/health``, ``/status`` and the ready line."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from agent import __version__
from agent.app.outbound_factory import OutboundParts
from agent.app.outbox_factory import OutboxService, calls_path, outbox_depth
from agent.app.shop_factory import ConfiguredShop
from agent.app.speech_factory import SpeechEngines
from agent.asterisk.ari.client import AriClient
from agent.asterisk.stasis_app import StasisApplication
from agent.call.queue_status import StaffQueues
from agent.config.settings import Settings
from agent.control.admission import Admission
from agent.control.pause import PauseSwitch
from agent.dialog.pack.reloader import FlowPackReloader
from agent.records.sound_keeper import SoundKeeper
from agent.telemetry.health import DependencyAddresses, check_dependencies, records_dependency


@dataclass(frozen=True)
class AgentStatus:
    """Asks the parts each time."""

    settings: Settings
    ari: AriClient
    telephony: StasisApplication
    admission: Admission
    pause: PauseSwitch
    shop: ConfiguredShop
    speech: SpeechEngines
    procedures: FlowPackReloader
    outbox: OutboxService
    queues: StaffQueues | None
    sound: SoundKeeper
    outbound: OutboundParts

    def now(self) -> Mapping[str, Any]:
        """Return whether the agent lives and whom it can reach."""
        voices = self.speech.speaker.healthy
        sender = self.outbox.record_sender
        return {
            "version": __version__,
            "instance": self.settings.instance,
            "asterisk": self.ari.connected.is_set() and not self.ari.refusal,
            "asterisk_refuses": self.ari.refusal,
            "live_calls": self.telephony.live_calls,
            "turned_away": dict(self.telephony.counted),
            "draining": self.admission.draining,
            "systems": dict(self.shop.status()),
            "model": self.speech.model_name,
            "voice": next((name for name, healthy in voices.items() if healthy), ""),
            "procedures": self.procedures.status(),
            "paused": asdict(self.pause.now) if self.pause.now else None,
            "sharing": self.outbox.sharing,
            "queues_unknown": self.queues.problem if self.queues is not None else "",
            "outbound_problem": self.outbound.problem if self.settings.outbound.enabled else None,
            "records_waiting": self.outbox.records.waiting,
            "sound": self.sound.status if self.settings.sound.keep else None,
            "records_not_sent": None if sender is None else sender.problem,
        }

    async def with_dependencies(self) -> Mapping[str, Any]:
        """Return the same with everything the agent depends on."""
        settings = self.settings
        depth = await outbox_depth(calls_path(settings))
        records = await asyncio.to_thread(records_dependency, settings.state_directory, self.outbox.records.problem)
        addresses = DependencyAddresses(
            settings.ari.url, settings.redis.address(), settings.ami.host, settings.ami.port
        )
        return await check_dependencies(addresses, self.now(), self.speech.speaker.healthy, depth, records)

    def rejection_reason(self) -> str:
        """Return why no calls are taken now, ``""`` when they are."""
        if not self.ari.connected.is_set() or self.ari.refusal:
            return "not_connected"
        return self.admission.rejection_reason(self.telephony.live_calls)
