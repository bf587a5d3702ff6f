"""Checks the wired dialplan: contexts, their edition, the queue, the last-resort sounds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError, AriNotFound
from agent.common.resources import ResourceMissing, resource_directory
from agent.preflight.finding import Finding, Verdict

CONTEXTS = ("orderline,s", "orderline-queue-escape,0", "orderline-rescue,s", "orderline-transfer-back,s")
"""Entry points of the dialplan that a running agent relies on, besides the hand-over context."""
DEFAULT_HANDOVER = "orderline-handover"
DEFAULT_QUEUE = "orderline-humans"
LAST_RESORT_SOUNDS = ("vm-nobodyavail", "please-try-call-later", "goodbye")
"""What the dialplan says when nobody at all can take a call (ORDERLINE_SORRY)."""
_PLAYABLE = frozenset({"wav", "wav16", "gsm", "ulaw", "alaw", "sln", "sln16", "slin", "slin16", "g722"})

_WIRE = "orderline wire --apply (or docs/asterisk.md, step 1), then: asterisk -rx 'dialplan reload'"


def shipped_dialplan_edition() -> str:
    """The edition of the dialplan that belongs to this program, ``""`` when the file is not installed."""
    try:
        text = (resource_directory("dialplan") / "orderline.conf").read_text(encoding="utf-8")
    except (ResourceMissing, OSError):
        return ""
    found = re.search(r"^\[orderline-edition\]\s*^exten => (\w+),1", text, re.MULTILINE)
    return found[1] if found else ""


EvaluateFunction = Callable[[str], Awaitable[str]]
"""Evaluates a dialplan function or variable."""


OUTBOUND_MODULES: Mapping[str, str] = {
    "func_db.so": "notes which customers have answered: without it an answer may count as none after a crash",
    "res_ari_endpoints.so": "tells how many calls the trunk has: without it nobody is called",
}
"""Module -> what it does for calls to customers."""


async def outbound_findings(ari: AriClient, modules: set[str], endpoint: str, context: str) -> AsyncIterator[Finding]:
    """Look at what calls to customers need: trunk, context and modules; nobody is called. Raises what ARI raises.

    ``endpoint`` is ``PJSIP/trunk``; ``ari`` is opened, not started.
    """
    what = "outbound"
    for module, use in OUTBOUND_MODULES.items():
        if module not in modules:
            yield Finding(what, "failed", f"{module} is not running; it {use}", f"asterisk -rx 'module load {module}'")
    technology, _, resource = endpoint.partition("/")
    try:
        state = str((await ari.endpoints.get(technology, resource)).get("state", "unknown"))
    except AriNotFound:
        fix = "outbound.trunk in orderline.yaml names another endpoint: asterisk -rx 'pjsip show endpoints' shows all"
        yield Finding(what, "failed", f"Asterisk knows no endpoint {endpoint}: nobody can be called", fix)
    else:
        verdict: Verdict = "warning" if state == "offline" else "ok"
        fix = (
            "asterisk -rx 'pjsip show endpoint NAME'; a trunk that is watched (qualify_frequency) answers when it is up"
        )
        yield Finding(what, verdict, f"the trunk {endpoint} is {state}", fix if verdict == "warning" else "")
    channel_id = f"{ari.app}-outbound-eye"
    await ari.channels.create(channel_id, endpoint="Local/s@orderline", app=ari.app)
    try:
        found = [await ari.channels.get_variable(channel_id, f"DIALPLAN_EXISTS({context},{place},1)") for place in "sT"]
    finally:
        await ari.channels.hangup(channel_id)
    if found == ["1", "1"]:
        yield Finding(what, "ok", f"who answers goes to [{context}]")
    else:
        yield Finding(what, "failed", f"[{context}] is not in the dialplan: who answers would hear nothing", _WIRE)


async def dialplan_findings(
    ari: AriClient, modules: set[str], handover_context: str, queues: Sequence[str] = ()
) -> AsyncIterator[Finding]:
    """Look at the loaded dialplan, the queues and the sounds; ``ari`` is connected under a name of its own.

    ``queues`` are those the settings name.

    Asterisk evaluates functions on channels alone, so a channel that never dials is made and removed again.
    """
    channel_id = f"{ari.app}-eye"
    try:
        await ari.channels.create(channel_id, endpoint="Local/s@orderline", app=ari.app)
        try:

            async def ask(name: str) -> str:
                return await ari.channels.get_variable(channel_id, name)

            if "func_dialplan.so" not in modules:
                detail = "func_dialplan.so is not running: whether the contexts are there cannot be seen"
                yield Finding("dialplan", "warning", detail, "asterisk -rx 'module load func_dialplan.so'")
            else:
                yield await _contexts(ask, handover_context)
                if (staff := await ask("ORDERLINE_STAFF")) and await ask(f"DIALPLAN_EXISTS({staff})") != "1":
                    yield _staff_place_missing(staff)
            usual = await ask("ORDERLINE_DEFAULT_QUEUE") or DEFAULT_QUEUE
            for name in dict.fromkeys((usual, *queues)):
                yield await _queue(ask, name)
            yield allowed_queues_finding(await ask("ORDERLINE_QUEUES"), usual, queues)
        finally:
            await ari.channels.hangup(channel_id)
        yield await _sounds(ari)
    except AriError as error:
        yield Finding(
            "dialplan", "failed", error.message, "asterisk -rx 'module load res_ari_channels.so'; then: orderline check"
        )


async def _contexts(ask: EvaluateFunction, handover_context: str) -> Finding:
    async def there(place: str) -> bool:
        return await ask(f"DIALPLAN_EXISTS({place},1)") == "1"

    missing = [place for place in (*CONTEXTS, f"{handover_context},no_match") if not await there(place)]
    if missing == [f"{handover_context},no_match"] and handover_context != DEFAULT_HANDOVER:
        detail = f"call.handover_context names {handover_context}, which is not loaded or has no extension no_match"
        fix = (
            f"call.handover_context: {DEFAULT_HANDOVER} in orderline.yaml, or add [{handover_context}] to your dialplan"
        )
        return Finding("dialplan", "failed", detail, fix)
    if missing:
        contexts = ", ".join(place.split(",")[0] for place in missing)
        return Finding("dialplan", "failed", f"not loaded: {contexts}", _WIRE)
    edition = shipped_dialplan_edition()
    if edition and not await there(f"orderline-edition,{edition}"):
        detail = f"the loaded orderline.conf is of another edition than this program's ({edition})"
        fix = (
            "copy dialplan/orderline.conf (in /usr/share/orderline after make install) to /etc/asterisk/, "
            "then: asterisk -rx 'dialplan reload'"
        )
        return Finding("dialplan", "warning", detail, fix)
    return Finding("dialplan", "ok", f"all contexts are loaded, edition {edition or 'unknown'}")


def _staff_place_missing(staff: str) -> Finding:
    detail = f"ORDERLINE_STAFF names {staff}, which is not in the dialplan: calls go to the queue without it"
    fix = (
        "ORDERLINE_STAFF=context,extension,priority of a place that is there, in [globals] of extensions.conf "
        "(FreePBX: globals_custom.conf), or nothing; then: asterisk -rx 'dialplan reload'"
    )
    return Finding("dialplan", "failed", detail, fix)


async def _queue(ask: EvaluateFunction, name: str) -> Finding:
    if await ask(f"QUEUE_EXISTS({name})") != "1":
        shown = " (orderline wire --apply does)" if name == DEFAULT_QUEUE else ""
        fix = (
            f"add [{name}] to queues.conf{shown}; then: asterisk -rx 'queue reload all'; or name a queue of yours in "
            "queues: of orderline.yaml and in ORDERLINE_DEFAULT_QUEUE of [globals] in extensions.conf; then: "
            "asterisk -rx 'dialplan reload'"
        )
        return Finding("queue", "failed", f"there is no queue {name}: callers could reach nobody", fix)
    members = await ask(f"QUEUE_MEMBER({name},count)") or "0"
    if members == "0":
        fix = (
            f"add 'member => PJSIP/601' lines to [{name}] in queues.conf; then: asterisk -rx 'queue reload all'; "
            "or let staff log in"
        )
        return Finding("queue", "warning", f"{name} has no members: nobody's phone will ring", fix)
    return Finding("queue", "ok", f"{name} has {members} members")


def allowed_queues_finding(allowed: str, usual: str, queues: Sequence[str]) -> Finding:
    """Judge the list of queues that the dialplan lets calls go to; ``usual`` is always among them."""
    what = "allowed queues"
    wanted = tuple(dict.fromkeys((usual, *queues)))
    fix = (
        f"ORDERLINE_QUEUES={'&'.join(wanted)} in [globals] of extensions.conf (FreePBX: globals_custom.conf); "
        "then: asterisk -rx 'dialplan reload'"
    )
    if not allowed:
        detail = "ORDERLINE_QUEUES is not set: calls may go to any queue"
        return Finding(what, "warning", detail, f"orderline wire --apply, or {fix}")
    refused = [name for name in queues if name not in allowed.split("&") and name != usual]
    if refused:
        detail = f"ORDERLINE_QUEUES lacks {', '.join(refused)}: calls meant for them go to {usual}"
        return Finding(what, "failed", detail, fix)
    return Finding(what, "ok", ", ".join(allowed.split("&")))


async def _sounds(ari: AriClient) -> Finding:
    missing = [sound for sound in LAST_RESORT_SOUNDS if not await ari.system.sound_formats(sound) & _PLAYABLE]
    if missing:
        fix = (
            "install Asterisk's English core sounds (Debian: asterisk-core-sounds-en-wav), or set ORDERLINE_SORRY to "
            "sounds of yours"
        )
        detail = f"{', '.join(missing)}: a caller whom nobody can help would hear nothing"
        return Finding("sounds", "warning", detail, fix)
    return Finding("sounds", "ok", "the dialplan's own words are installed")
