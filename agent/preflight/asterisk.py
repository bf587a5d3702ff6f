"""Checks that an Asterisk can serve the agent: modules, codecs, and a media leg that is tried out."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriAuthFailed, AriError, AriNotFound
from agent.asterisk.media_websocket import WebsocketMedia
from agent.asterisk.version import parse_version, supports_media_marks
from agent.preflight import instances
from agent.preflight.dialplan import dialplan_findings, outbound_findings
from agent.preflight.finding import Finding
from agent.preflight.sound import sound_module_findings, sound_trial_finding
from agent.records.sound_files import SoundDirectory

REQUIRED_MODULES: Mapping[str, str] = {
    "app_stasis.so": "hands calls to the agent",
    "res_stasis.so": "hands calls to the agent",
    "res_ari_channels.so": "answers and releases calls",
    "res_ari_bridges.so": "joins the caller and the agent's audio",
    "res_ari_events.so": "tells the agent about calls and keys",
    "res_ari_applications.so": "keeps unneeded events away",
    "bridge_simple.so": "joins the caller and the agent's audio",
    "func_timeout.so": "the dead-man timer: without it a call whose agent dies is lost",
    "func_strings.so": "filters what callers dial and say",
    "func_callerid.so": "shows staff why a call comes",
    "func_volume.so": "keeps handed-over calls in the core, so that the caller hears the human",
    "app_queue.so": "the staff queue",
    "app_exec.so": "the dialplan's decisions (ExecIf)",
    "app_playback.so": "plays the apology when nobody can take a call",
    "func_logic.so": "the dialplan's decisions (IF)",
    "func_channel.so": "the dialplan's look at a phone's kind",
    "app_stack.so": "the dialplan's subroutines",
    "pbx_config.so": "reads the dialplan",
    "res_rtp_asterisk.so": "carries the callers' audio",
    "format_wav.so": "plays Asterisk's own sounds when nobody can take a call",
}
"""Module -> what the agent needs it for."""
OPTIONAL_MODULES: Mapping[str, str] = {
    "app_chanspy.so": "supervisors cannot listen, whisper or barge in",
    "res_pjsip_header_funcs.so": "staff phones do not get ticket, reason and screen-pop address",
    "res_musiconhold.so": "callers wait in silence",
}
"""Module -> what is missing without it; calls are held all the same."""


@dataclass(frozen=True)
class AsteriskRequirements:
    """What the settings ask of an Asterisk."""

    transport: str = "auto"
    """``media.transport``."""
    handover_context: str = "orderline-handover"
    """``call.handover_context``."""
    queues: tuple[str, ...] = ()
    """The names in ``queues``."""
    fastagi: bool = False
    """Whether the dialplan may ask the agent things (``fastagi.host``)."""
    sound: SoundDirectory | None = None
    """Where calls are recorded; None where they are not."""
    outbound: tuple[str, str] | None = None
    """Endpoint of the trunk and context of calls to customers (``outbound``); None where nobody is called."""
    apps: tuple[str, ...] = ("orderline",)
    """The ARI applications of all instances."""


CLOCKS_APART_SECONDS = 2.0
"""Hosts that are set by NTP differ by milliseconds."""


async def asterisk_findings(ari: AriClient, wanted: AsteriskRequirements) -> AsyncIterator[Finding]:
    """Look at one Asterisk through ARI; ``ari`` is opened, not started. Each finding comes as it is made.

    A media leg, a bridge and a channel that never dials are really made and removed again, under an application name of
    their own: calls in progress are not touched.
    """
    try:
        text = await ari.system.version()
    except AriAuthFailed:
        yield Finding(
            "ARI user",
            "failed",
            f"Asterisk at {ari.url} refuses the user or the password",
            "compare [orderline] in ari.conf with ari.user and ari.password_file; "
            "then: asterisk -rx 'module reload res_ari.so'",
        )
        return
    except AriError as error:
        yield Finding(
            "ARI",
            "failed",
            error.message,
            "in http.conf: enabled=yes, bindaddr=127.0.0.1, bindport as in ari.url; in ari.conf: enabled=yes; then: "
            "asterisk -rx 'module reload http' and asterisk -rx 'http show status'",
        )
        return
    yield Finding("ARI", "ok", f"Asterisk {text} answers at {ari.url}")
    yield await clock_finding(ari)
    release = parse_version(text) or (0, 0, 0)
    if release < (18, 0, 0):
        yield Finding("Asterisk version", "failed", text, "Orderline needs Asterisk 18 or later")
        return
    modules = await ari.system.modules()
    for finding in module_findings(modules, wanted.transport, websocket=supports_media_marks(release)):
        yield finding
    for finding in optional_module_findings(modules, fastagi=wanted.fastagi):
        yield finding
    yield codec_finding(modules)
    if wanted.sound is not None:
        for finding in sound_module_findings(modules):
            yield finding
    if wanted.outbound is not None:
        async for finding in outbound_findings(ari, modules, *wanted.outbound):
            yield finding
    if len(wanted.apps) > 1:
        for finding in instances.module_findings(modules):
            yield finding
    listed = await ari.system.get_variable(instances.APPS_VARIABLE)
    if (judged := instances.apps_finding(listed, wanted.apps)) is not None:
        yield judged
    websocket = supports_media_marks(release) and _WEBSOCKET in modules
    async for finding in _media_findings(ari, wanted, modules, websocket=websocket):
        yield finding


async def clock_finding(ari: AriClient, wall: Callable[[], float] = time.time) -> Finding:
    """Compare the clock of Asterisk's host with this one's. Raises what ARI raises."""
    asked = wall()
    theirs = await ari.system.clock()
    answered = wall()
    if theirs is None:
        return Finding("clocks", "ok", "this Asterisk does not tell its time; nothing depends on it")
    return clocks_apart("Asterisk", theirs - (asked + answered) / 2, (answered - asked) / 2)


def clocks_apart(whose: str, ahead_seconds: float, uncertain_seconds: float) -> Finding:
    """Judge how far another host's clock is ahead of this one's, known to ``uncertain_seconds``."""
    if abs(ahead_seconds) <= CLOCKS_APART_SECONDS + uncertain_seconds:
        return Finding("clocks", "ok", f"this host and that of {whose} agree to {CLOCKS_APART_SECONDS:g} s")
    apart, way = abs(round(ahead_seconds)), "ahead of" if ahead_seconds > 0 else "behind"
    return Finding(
        "clocks",
        "warning",
        f"the clock of {whose}'s host is {apart} s {way} this one's: opening hours, the dates that callers are told "
        "and the times in records and logs do not fit together; calls are held all the same",
        "let both hosts set their clocks by NTP: timedatectl set-ntp true, then timedatectl status says "
        "'System clock synchronized: yes'",
    )


def _load(module: str) -> str:
    return (
        f"asterisk -rx 'module load {module}', and take noload={module} out of modules.conf; where the file is not "
        "installed at all: the package that has it (Debian: asterisk-modules)"
    )


_WEBSOCKET = "chan_websocket.so"
_AUDIOSOCKET = frozenset({"chan_audiosocket.so", "res_audiosocket.so"})


def module_findings(modules: set[str], transport: str, *, websocket: bool) -> list[Finding]:
    """Judge the running modules. ``websocket`` says whether this release's chan_websocket is good enough."""
    missing = {name: why for name, why in REQUIRED_MODULES.items() if name not in modules}
    findings = [
        Finding("module", "failed", f"{name} is not running: it {why}", _load(name)) for name, why in missing.items()
    ]
    if not missing:
        findings.append(Finding("modules", "ok", f"all {len(REQUIRED_MODULES)} that are needed are running"))
    by_websocket = websocket and _WEBSOCKET in modules
    by_audiosocket = modules >= _AUDIOSOCKET
    if transport == "websocket" and not by_websocket:
        why = f"{_WEBSOCKET} is not running" if websocket else "this release's chan_websocket has no marks"
        findings.append(
            Finding("media", "failed", why, "set media.transport: audiosocket, or use Asterisk 20.18, 22.8 or later")
        )
    elif not by_websocket and not by_audiosocket:
        findings.append(
            Finding("media", "failed", "neither chan_websocket nor AudioSocket is there", _load("chan_audiosocket.so"))
        )
    else:
        way = "websocket" if by_websocket and transport != "audiosocket" else "AudioSocket"
        findings.append(Finding("media", "ok", f"audio goes by {way}"))
    return findings


def optional_module_findings(modules: set[str], *, fastagi: bool) -> list[Finding]:
    """Say what does not work without modules that calls can do without."""
    wanted = {**OPTIONAL_MODULES, **({"res_agi.so": "the dialplan cannot ask the agent anything"} if fastagi else {})}
    return [
        Finding("module", "warning", f"{name} is not running: {without}", f"asterisk -rx 'module load {name}'")
        for name, without in wanted.items()
        if name not in modules
    ]


_CODECS = {"codec_ulaw.so": "ulaw", "codec_alaw.so": "alaw"}
"""What telephone lines bring; the agent speaks plain samples (slin)."""
_RESAMPLER = "codec_resample.so"


def codec_finding(modules: set[str]) -> Finding:
    """Whether a telephone line's audio can be turned into the agent's."""
    there = [name for module, name in _CODECS.items() if module in modules]
    missing = [module for module in (*_CODECS, _RESAMPLER) if module not in modules]
    fix = "; ".join(_load(module) for module in missing)
    if not there:
        return Finding("codecs", "failed", "neither ulaw nor alaw is there: the agent would hear nothing", fix)
    if missing:
        detail = f"{', '.join(missing)} missing: calls in other formats may stay silent"
        return Finding("codecs", "warning", detail, fix)
    return Finding("codecs", "ok", "ulaw, alaw and resampling are there")


async def _media_findings(
    ari: AriClient, wanted: AsteriskRequirements, modules: set[str], *, websocket: bool
) -> AsyncIterator[Finding]:
    """Make what a call makes: a bridge, and a media leg with its audio connection."""
    name = f"orderline-check-{secrets.token_hex(6)}"
    try:
        await ari.bridges.create(name)
        await ari.bridges.destroy(name)
    except AriError as error:
        yield Finding(
            "ARI rights",
            "failed",
            error.message,
            f"read_only=no for [{ari.credentials[0]}] in ari.conf; then: asterisk -rx 'module reload res_ari.so'",
        )
        return
    yield Finding("ARI rights", "ok", "bridges can be made and removed")
    trial = AriClient(ari.url, *ari.credentials, app=name)
    try:
        async with trial:
            if websocket and wanted.transport != "audiosocket":
                media = WebsocketMedia(trial, f"{name}-media", asyncio.Queue())
                await media.open()
                await media.close()
                yield Finding("media leg", "ok", "an audio connection was opened and closed")
                if wanted.sound is not None:
                    yield await sound_trial_finding(trial, f"sound-{name}", f"bridge-{name}", wanted.sound)
            async for finding in dialplan_findings(trial, modules, wanted.handover_context, wanted.queues):
                yield finding
    except AriError as error:
        yield Finding("media leg", "failed", error.message, _load(_WEBSOCKET))
    try:
        await ari.applications.get(ari.app)
    except AriNotFound:
        yield Finding("application", "ok", f"nobody else is registered as {ari.app}")
    else:
        yield Finding("application", "ok", f"{ari.app} is registered: an agent is connected now")
