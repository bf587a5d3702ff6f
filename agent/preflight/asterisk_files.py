"""The preflight of Asterisk's own files: what ARI cannot tell (RTP ports, addresses, dangerous settings)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.common.addresses import is_loopback
from agent.installation.asterisk_files import AsteriskFile, read, yes
from agent.installation.wiring import DEFAULT_STAFF_QUEUE
from agent.preflight.finding import Finding

LEAST_RTP_PORTS = 400
"""Four for each of a hundred calls. A range that is used up ends calls; with ARI's RTP media it has ended Asterisk."""
LEAST_HTTP_SESSIONS = 500
_DEFAULT_RTP = (5000, 31000)
LEAST_WRITE_TIMEOUT_MS = 1000
_NAMES = ("rtp.conf", "http.conf", "ari.conf", "asterisk.conf", "manager.conf", "queues.conf")
AMI_ALLOWED = {"read": frozenset({"reporting", "agent"}), "write": frozenset({"reporting"})}
"""The classes of rights that the agent's user of the manager interface needs."""
_QUEUE_LINES = {
    "joinempty": ("paused,invalid,unavailable", "callers wait in it for nobody", ("", "yes")),
    "leavewhenempty": ("paused,invalid,unavailable", "callers stay when the last of the staff leaves", ("", "no")),
    "context": ("orderline-queue-escape", "pressing 0 while waiting does not bring a caller back", ("",)),
}
"""Setting of a queue -> what it should be, what is wrong without it, and the values that are as none."""
_RESTART = "asterisk -rx 'core restart when convenient'"
_RELOAD_ARI = "asterisk -rx 'module reload res_ari.so'"


@dataclass(frozen=True)
class AsteriskFiles:
    """What could be read; files that are not there, or are not for our eyes, are missing."""

    directory: Path = Path("/etc/asterisk")
    files: Mapping[str, AsteriskFile] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> AsteriskFiles:
        """Read what there is."""
        files = {name: read(directory, name) for name in _NAMES}
        return cls(directory, {name: file for name, file in files.items() if file.found})


def file_findings(files: AsteriskFiles, queues: Sequence[str] = (), ami_user: str = "orderline") -> Iterator[Finding]:
    """Judge the files. Where Asterisk runs on another machine there is nothing to judge.

    ``queues`` are those the settings name, ``ami_user`` is our user of the manager interface.
    """
    if not files.files:
        yield Finding("Asterisk's files", "ok", f"none can be read in {files.directory}: not looked at")
        return
    yield rtp_finding(files.files.get("rtp.conf", AsteriskFile()))
    if (http := files.files.get("http.conf")) is not None:
        yield from http_findings(http)
    if (ari := files.files.get("ari.conf")) is not None:
        yield from ari_findings(ari)
    if (manager := files.files.get("manager.conf")) is not None:
        yield from manager_findings(manager, ami_user)
    if (known := files.files.get("queues.conf")) is not None:
        for name in dict.fromkeys(queues or (DEFAULT_STAFF_QUEUE,)):
            yield from queue_file_findings(known, name)
    if yes(files.files.get("asterisk.conf", AsteriskFile()).get("options", "live_dangerously")):
        detail = "live_dangerously=yes lets ARI and AMI run shell commands"
        yield Finding("asterisk.conf", "warning", detail, f"live_dangerously=no in asterisk.conf; then: {_RESTART}")


def ari_findings(ari: AsteriskFile) -> Iterator[Finding]:
    """Whether web pages are kept away from ARI, and a busy agent is not cut off."""
    if "*" in ari.get("general", "allowed_origins"):
        detail = "allowed_origins=* lets any web page someone has open talk to ARI"
        yield Finding("ARI origins", "warning", detail, f"take allowed_origins out of ari.conf; then: {_RELOAD_ARI}")
    timeout = ari.get("general", "websocket_write_timeout", "100")
    if not timeout.isdecimal() or int(timeout) < LEAST_WRITE_TIMEOUT_MS:
        detail = (
            f"websocket_write_timeout={timeout} ms cuts an agent off that is busy for an instant: every call is lost"
        )
        fix = f"websocket_write_timeout={LEAST_WRITE_TIMEOUT_MS} in [general] of ari.conf; then: {_RELOAD_ARI}"
        yield Finding("ARI write timeout", "warning", detail, fix)


def manager_findings(manager: AsteriskFile, user: str) -> Iterator[Finding]:
    """Whether the manager interface is closed to the network, and our user may do no more than it needs."""
    if not yes(manager.get("general", "enabled")):
        return
    address = manager.get("general", "bindaddr", "0.0.0.0")  # noqa: S104 - what Asterisk takes for none
    if not is_loopback(address):
        detail = f"AMI listens on {address}, not on loopback"
        fix = "bindaddr=127.0.0.1 in [general] of manager.conf; then: asterisk -rx 'manager reload'"
        yield Finding("AMI address", "warning", detail, fix)
    if user not in manager.sections:
        return
    beyond = sorted(
        {f"{way}={name}" for way, allowed in AMI_ALLOWED.items() for name in _classes(manager.get(user, way)) - allowed}
    )
    if beyond:
        fix = f"read=reporting and write=reporting for [{user}] in manager.conf; then: asterisk -rx 'manager reload'"
        yield Finding("AMI rights", "warning", f"[{user}] has {', '.join(beyond)}: more than the agent needs", fix)


def _classes(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")} - {""}


def queue_file_findings(queues: AsteriskFile, name: str) -> Iterator[Finding]:
    """Whether a queue gives its callers back when nobody can answer; one that is in no file is not judged."""
    if name not in queues.sections:
        return
    for key, (wanted, without, as_none) in _QUEUE_LINES.items():
        value = queues.get(name, key)
        if value.lower() in as_none:
            detail = f"{name} has {f'{key}={value}' if value else f'no {key}'}: {without}"
            fix = f"{key}={wanted} in [{name}] of queues.conf; then: asterisk -rx 'queue reload all'"
            yield Finding("queue file", "warning", detail, fix)


def rtp_finding(rtp: AsteriskFile) -> Finding:
    """Whether the callers' audio has ports enough."""
    first, last = rtp.get("general", "rtpstart"), rtp.get("general", "rtpend")
    try:
        low, high = int(first or _DEFAULT_RTP[0]), int(last or _DEFAULT_RTP[1])
    except ValueError:
        return Finding(
            "RTP ports",
            "failed",
            f"rtpstart={first} rtpend={last}",
            "rtpstart=10000 and rtpend=20000 in rtp.conf; then: asterisk -rx 'module reload res_rtp_asterisk.so'",
        )
    ports = high - low + 1
    fix = (
        "rtpstart=10000 and rtpend=20000 in rtp.conf (and the firewall); "
        "then: asterisk -rx 'module reload res_rtp_asterisk.so'"
    )
    if not 1024 <= low < high <= 65535:
        return Finding("RTP ports", "failed", f"{low}-{high} is no range of ports", fix)
    if ports < LEAST_RTP_PORTS:
        calls = ports // 4
        return Finding("RTP ports", "warning", f"{low}-{high} are enough for about {calls} calls at once", fix)
    return Finding("RTP ports", "ok", f"{low}-{high}")


def http_findings(http: AsteriskFile) -> Iterator[Finding]:
    """Whether the web server that carries ARI is closed to the network and wide enough for the busiest hour."""
    address = http.get("general", "bindaddr")
    if yes(http.get("general", "enabled")) and address and not is_loopback(address):
        detail = f"ARI listens on {address}, not on loopback"
        fix = (
            "bindaddr=127.0.0.1 in [general] of http.conf unless the agent runs elsewhere (then TLS and a firewall); "
            f"then: {_RESTART}"
        )
        yield Finding("HTTP address", "warning", detail, fix)
    sessions = http.get("general", "sessionlimit", "100")
    if sessions.isdecimal() and int(sessions) < LEAST_HTTP_SESSIONS:
        detail = f"sessionlimit={sessions}: each call holds one connection for its audio"
        yield Finding(
            "HTTP sessions", "warning", detail, f"sessionlimit=1000 in [general] of http.conf; then: {_RESTART}"
        )
