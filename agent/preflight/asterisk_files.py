"""The preflight of Asterisk's own files: what ARI cannot tell (RTP ports, addresses, dangerous settings)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.installation.asterisk_files import AsteriskFile, read, yes
from agent.preflight.finding import Finding

LEAST_RTP_PORTS = 400
"""Four for each of a hundred calls. A range that is used up ends calls; with ARI's RTP media it has ended Asterisk."""
LEAST_HTTP_SESSIONS = 500
_DEFAULT_RTP = (5000, 31000)
_LOOPBACK = ("127.0.0.1", "::1", "localhost", "")
_NAMES = ("rtp.conf", "http.conf", "ari.conf", "asterisk.conf")


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


def file_findings(files: AsteriskFiles) -> Iterator[Finding]:
    """Judge the files. Where Asterisk runs on another machine there is nothing to judge."""
    if not files.files:
        yield Finding("Asterisk's files", "ok", f"none can be read in {files.directory}: not looked at")
        return
    yield rtp_finding(files.files.get("rtp.conf", AsteriskFile()))
    if (http := files.files.get("http.conf")) is not None:
        yield from http_findings(http)
    origins = files.files.get("ari.conf", AsteriskFile()).get("general", "allowed_origins")
    if "*" in origins:
        detail = "allowed_origins=* lets any web page someone has open talk to ARI"
        yield Finding("ARI origins", "warning", detail, "take the line out of ari.conf; module reload res_ari.so")
    if yes(files.files.get("asterisk.conf", AsteriskFile()).get("options", "live_dangerously")):
        detail = "live_dangerously=yes lets ARI and AMI run shell commands"
        yield Finding("asterisk.conf", "warning", detail, "set live_dangerously=no in asterisk.conf; core restart")


def rtp_finding(rtp: AsteriskFile) -> Finding:
    """Whether the callers' audio has ports enough."""
    first, last = rtp.get("general", "rtpstart"), rtp.get("general", "rtpend")
    try:
        low, high = int(first or _DEFAULT_RTP[0]), int(last or _DEFAULT_RTP[1])
    except ValueError:
        return Finding("RTP ports", "failed", f"rtpstart={first} rtpend={last}", "set both to numbers in rtp.conf")
    ports = high - low + 1
    fix = "rtpstart=10000 and rtpend=20000 in rtp.conf (and the firewall); module reload res_rtp_asterisk.so"
    if not 1024 <= low < high <= 65535:
        return Finding("RTP ports", "failed", f"{low}-{high} is no range of ports", fix)
    if ports < LEAST_RTP_PORTS:
        calls = ports // 4
        return Finding("RTP ports", "warning", f"{low}-{high} are enough for about {calls} calls at once", fix)
    return Finding("RTP ports", "ok", f"{low}-{high}")


def http_findings(http: AsteriskFile) -> Iterator[Finding]:
    """Whether the web server that carries ARI is closed to the network and wide enough for the busiest hour."""
    address = http.get("general", "bindaddr")
    if yes(http.get("general", "enabled")) and address not in _LOOPBACK:
        detail = f"ARI listens on {address}, not on loopback"
        fix = "bindaddr=127.0.0.1 in http.conf unless the agent runs elsewhere (then TLS and a firewall); core restart"
        yield Finding("HTTP address", "warning", detail, fix)
    sessions = http.get("general", "sessionlimit", "100")
    if sessions.isdecimal() and int(sessions) < LEAST_HTTP_SESSIONS:
        detail = f"sessionlimit={sessions}: each call holds one connection for its audio"
        yield Finding(
            "HTTP sessions", "warning", detail, "sessionlimit=1000 in http.conf; core restart when convenient"
        )
