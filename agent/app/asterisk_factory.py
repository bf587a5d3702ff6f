"""Builds the Stasis application and connects it, as soon as Asterisk answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from agent.app.call_handler import CallHandler
from agent.app.recovery_factory import CallRecovery
from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriUnreachable
from agent.asterisk.feature_codes import FeatureCodes
from agent.asterisk.heartbeat import Heartbeat, ensure_single_controller
from agent.asterisk.media_audiosocket import AudioSocketServer
from agent.asterisk.stasis_app import EVENT_TYPES, StasisApplication, StasisOptions
from agent.common.backoff import Backoff
from agent.config.settings import Settings
from agent.control.admission import Admission
from agent.control.pause import PauseSwitch
from agent.records.withheld_log import WithheldNumberLog

log = logging.getLogger(__name__)

TAKEOVER_SECONDS = 2.5
"""A controller whose application is taken hands its calls over to staff within this time."""


@dataclass(frozen=True)
class AsteriskParts:
    """All that talks with Asterisk on behalf of calls."""

    ari: AriClient
    audiosocket: AudioSocketServer
    telephony: StasisApplication
    heartbeat: Heartbeat


def build_asterisk_parts(
    settings: Settings,
    calls: CallHandler,
    admission: Admission,
    pause: PauseSwitch,
    recovery: CallRecovery,
    *,
    takeover: bool,
    stack: contextlib.AsyncExitStack,
) -> AsteriskParts:
    """Build them; nothing is asked of Asterisk yet. ``stack`` closes the client, :func:`connect` adds the rest."""
    ari = AriClient.of(settings.ari, event_types=EVENT_TYPES)
    ari.open()
    stack.push_async_callback(ari.close)
    audiosocket = AudioSocketServer(settings.media.audiosocket_host, settings.media.audiosocket_port)
    telephony = StasisApplication(
        ari,
        calls.take,
        StasisOptions(
            handover_context=settings.call.handover_context,
            deadman_seconds=settings.call.deadman_seconds,
            max_call_seconds=settings.call.max_call_seconds,
            region=settings.shop.country,
            shared=settings.instances > 1,
        ),
        audiosocket,
        FeatureCodes({"pause": pause.begin, "resume": pause.end}),
        admit=admission.rejection_reason,
        reject=calls.reject,
        claim=recovery.interrupted.claim,
        take_stranded=recovery.take,
        record_taken=calls.record_taken,
        on_withheld=WithheldNumberLog(settings.call.withheld_log_file).write
        if settings.call.withheld_log_file
        else None,
        adopt_after_seconds=TAKEOVER_SECONDS if takeover else 0.0,
    )
    heartbeat = Heartbeat(ari, draining=lambda: bool(admission.rejection_reason(telephony.live_calls)))
    return AsteriskParts(ari, audiosocket, telephony, heartbeat)


async def connect(
    parts: AsteriskParts, settings: Settings, *, takeover: bool, stack: contextlib.AsyncExitStack
) -> None:
    """Wait for Asterisk, then take calls until ``stack`` is closed: the calls are handed over first then.

    ``takeover``: another controller that serves the same application is no reason not to connect. Raises AriAuthFailed,
    and ApplicationTaken.
    """
    for close in (parts.audiosocket.close, parts.heartbeat.stop, parts.telephony.close):
        stack.push_async_callback(close)
    if settings.instances > 1:  # new calls go to the others while those of this one are handed over
        stack.push_async_callback(parts.heartbeat.announce_end)
    ari = parts.ari
    await wait_for_asterisk(ari)
    if not takeover:
        await ensure_single_controller(ari)
    if await _uses_audiosocket(settings.media.transport, ari):
        await parts.audiosocket.start()
        log.info("Audio goes by AudioSocket on %s", parts.audiosocket.address)
    await ari.start()
    parts.heartbeat.start()


async def wait_for_asterisk(ari: AriClient) -> None:
    """Return when Asterisk answers: the agent may be started before it. Raises AriAuthFailed."""
    pauses = Backoff(0.5, 5.0)
    while True:
        try:
            version = await ari.system.version()
        except AriUnreachable as error:
            delay_seconds = pauses.next_seconds()
            log.warning("%s Trying again in %.1f s.", error, delay_seconds)
            await asyncio.sleep(delay_seconds)
        else:
            log.info("Asterisk %s answers at %s", version, ari.url)
            return


async def _uses_audiosocket(transport: str, ari: AriClient) -> bool:
    if transport == "auto":
        return not await ari.system.has_websocket_media()
    return transport == "audiosocket"
