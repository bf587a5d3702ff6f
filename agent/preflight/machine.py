"""The preflight of the machine itself: secrets, directories, name, clock, ports."""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from agent.app.outbox_factory import webhook_target
from agent.common.addresses import host_port, is_loopback, local_url
from agent.common.paths import CONFIG_DIRECTORY, STATE_DIRECTORY
from agent.common.privileges import AGENT_USER
from agent.config.base import SettingsError
from agent.config.control import ControlSettings
from agent.config.loader import load_settings
from agent.config.settings import Settings
from agent.config.timezone import wall_clock
from agent.errors import OrderlineError
from agent.preflight.finding import Finding

LEAST_FREE_BYTES = 500_000_000
"""Room for records, voice cache and logs of some months."""
HEALTH = "orderline"
"""What the unauthenticated health page of an agent begins with: its port is not taken by a stranger."""
_ROOM = "make room on that disk, or set state_directory in orderline.yaml to a directory on a larger one"
_TRIAL_BYTES = 64 * 1024
_BUILT_IN = 2025
"""No machine of today is older: an earlier year is a clock that was never set."""
_TIME_ERROR = 5
"""adjtimex(2): nobody disciplines this clock."""


def secret_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the secrets are there, and for nobody else's eyes."""
    secrets: list[tuple[str, Callable[[], object], Path | None, str]] = [
        ("ARI password", settings.ari.password, settings.ari.password_file, _shared_secret(settings, "ari")),
        ("control token", settings.control.token, settings.control.token_file, _own_token(settings)),
    ]
    if settings.ami.host:
        secrets.append(("AMI secret", settings.ami.secret, settings.ami.secret_file, _shared_secret(settings, "ami")))
    for hook in settings.webhooks:
        fix = (
            f"put the secret that the receiver of {hook.name} gave you (whsec_...) into {hook.secret_file or 'FILE'}, "
            f"name it as secret_file of the webhook, and chmod 600 it; then: orderline webhooks test {hook.name}"
        )
        secrets.append((f"webhook {hook.name}", partial(webhook_target, hook), hook.secret_file, fix))
    for what, read, file, fix in secrets:
        try:
            read()
        except SettingsError as error:
            yield Finding(what, "failed", error.message, fix)
            continue
        yield Finding(what, "ok") if file is None or not file.exists() else secret_mode_finding(what, file)


def _shared_secret(settings: Settings, door: str) -> str:
    """What to do for a secret that Asterisk must know, too: a new one on our side alone would be refused."""
    file, key, theirs, reload = {
        "ari": (
            settings.ari.password_file,
            "ari.password_file",
            "password of [{}] in ari.conf",
            "module reload res_ari.so",
        ),
        "ami": (settings.ami.secret_file, "ami.secret_file", "secret of [{}] in manager.conf", "manager reload"),
    }[door]
    user = settings.ari.user if door == "ari" else settings.ami.user
    path = file or Path(f"/etc/orderline/{door}-{'password' if door == 'ari' else 'secret'}")
    return (
        f"openssl rand -hex 24 > {path}; chmod 600 {path}; {key}: {path} in orderline.yaml; the same as the "
        f"{theirs.format(user)}; then: asterisk -rx '{reload}'"
    )


def _own_token(settings: Settings) -> str:
    path = settings.control.token_file or Path("/etc/orderline/control-token")
    return f"openssl rand -hex 24 > {path}; chmod 600 {path}; control.token_file: {path} in orderline.yaml"


def address_findings(settings: Settings) -> Iterator[Finding]:
    """Whether secrets would go over the network in plain text on their way to Asterisk."""
    ari = urlsplit(settings.ari.url)
    if ari.scheme == "http" and not is_loopback(ari.hostname or ""):
        detail = f"{settings.ari.url} is not loopback: password and audio go over the network unencrypted"
        fix = (
            "ari.url: http://127.0.0.1:8088 with the agent on Asterisk's machine, or https:// (tlsenable in http.conf)"
        )
        yield Finding("ARI address", "warning", detail, fix)
    if settings.ami.host and not is_loopback(settings.ami.host):
        detail = f"ami.host {settings.ami.host} is not loopback: the secret goes over the network unencrypted"
        fix = (
            "ami.host: 127.0.0.1 with the agent on Asterisk's machine, or reach it through a tunnel (ssh -L, WireGuard)"
        )
        yield Finding("AMI address", "warning", detail, fix)


def holiday_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the files of holidays can be used; a wrong one would stop the next start."""
    for name, queue in settings.queues.items():
        if queue.holidays_file is None:
            continue
        try:
            queue.rules(UTC)
        except OSError as error:
            detail = f"queues.{name}.holidays_file: {queue.holidays_file}: {error.strerror or error}"
            fix = (
                f"make {queue.holidays_file} an ordinary file that {_user()} can read: chmod 644 {queue.holidays_file}"
            )
            yield Finding("holidays", "failed", detail, fix)
        except ValueError as error:
            fix = f"write one day a line in {queue.holidays_file}, as 2026-12-25, in UTF-8"
            yield Finding("holidays", "failed", str(error), fix)


def demo_shop_finding(settings: Settings, directory: Path | None) -> Finding | None:
    """Whether an installed agent would tell real callers about the demo shop's made-up orders."""
    shop = settings.shop
    if shop.demo_directory is None or directory is None:
        return None
    if directory.resolve() != CONFIG_DIRECTORY and settings.state_directory != STATE_DIRECTORY:
        return None
    detail = "shop.demo_directory is set: callers are told about made-up orders" + (
        " where no system is mapped" if shop.systems_directory is not None else ""
    )
    fix = (
        "shop.systems_directory: systems in orderline.yaml with the mappings of your own systems in it "
        "(orderline shop mappings lists some, orderline shop check tries them), and take demo_directory out"
    )
    return Finding("demo shop", "warning", detail, fix)


def _user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def secret_mode_finding(what: str, file: Path) -> Finding:
    """Whether a secret is closed to everybody else. Root's file may be read by the agent's own group (mode 640)."""
    state = file.stat()
    mode = stat.S_IMODE(state.st_mode)
    own_group = state.st_gid in {os.getgid(), *os.getgroups()}
    allowed = 0o640 if state.st_uid == 0 and own_group and state.st_gid != 0 else 0o600
    if mode & ~allowed & 0o077:
        return Finding(what, "failed", f"{file} can be read by others (mode {mode:o})", f"chmod {allowed:o} {file}")
    return Finding(what, "ok")


def directory_finding(directory: Path) -> Finding:
    """Whether records can be kept, and for how long."""
    what = "state directory"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding(
            what, "failed", f"{directory}: {error.strerror}", f"install -d -o {_user()} -m 751 {directory}, as root"
        )
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(os.urandom(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        fix = f"chown {_user()} {directory}; where it is full: make room on its disk, or name another state_directory"
        return Finding(what, "failed", f"{directory} cannot be written: {error.strerror}", fix)
    free = shutil.disk_usage(directory).free
    if free < LEAST_FREE_BYTES:
        return Finding(what, "warning", f"only {free // 10**6} MB are free in {directory}", _ROOM)
    return Finding(what, "ok", f"{directory}, {free // 10**9} GB free")


def settings_finding(directory: Path) -> Finding:
    """Whether the agent's own user, whom this runs as, can read all of its settings."""
    what = "settings"
    try:
        load_settings(directory)
    except OrderlineError as error:
        fix = f"chgrp {_user()} FILE; chmod 640 FILE, for each that is named; directories 750"
        return Finding(what, "failed", error.message.replace("\n", "; "), fix)
    return Finding(what, "ok", str(directory))


def whisper_finding(directory: Path) -> Finding:
    """Whether Asterisk can open what is whispered to staff: a file that the agent makes below the state directory."""
    what = "whisper"
    place = directory / "whispers"
    if left_out := sorted(set(re.sub(r"[A-Za-z0-9._/-]", "", str(place)))):
        detail = f"{place}: the dialplan leaves {' '.join(map(repr, left_out))} out of the path: staff hear no whisper"
        return Finding(what, "warning", detail, "a state_directory of letters, digits, '.', '_', '-' and '/'")
    made = f"install -d -o {AGENT_USER} -g asterisk -m 2750 {place}"
    fix = f"chmod 751 {directory}; {made} (or give your Asterisk's group)"
    try:
        outer, inner = directory.stat(), place.stat()
    except OSError as error:
        return Finding(what, "warning", f"{error.filename}: {error.strerror}: Asterisk may not be able to read it", fix)
    shared = inner.st_gid not in (outer.st_gid, 0)
    if outer.st_mode & 0o001 and (inner.st_mode & 0o001 or (shared and inner.st_mode & 0o010)):
        return Finding(what, "ok", f"Asterisk can open {place}")
    return Finding(what, "warning", f"Asterisk may not open {place}: staff hear no whisper", fix)


def host_name_finding() -> Finding:
    """Whether this machine's own name resolves; where it does not, calls can stall for seconds in Asterisk."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        fix = f"echo '127.0.0.1 {name}' >> /etc/hosts"
        return Finding("host name", "failed", f"{name} does not resolve: calls can stall for 5 s", fix)
    return Finding("host name", "ok", f"{name} resolves")


def port_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the ports of the agent's own doors are free, or its own, and closed to the network."""
    control, fastagi, media = settings.control, settings.fastagi, settings.media
    yield port_finding("control", control.host, control.port, control)
    if fastagi.host:
        yield port_finding("fastagi", fastagi.host, fastagi.port, control)
    if media.audiosocket_port:
        yield port_finding("audiosocket", media.audiosocket_host, media.audiosocket_port, control)


_PORTS = {
    "control": ("control port", "control.host", "control.port", "the feed is not encrypted"),
    "fastagi": ("FastAGI port", "fastagi.host", "fastagi.port", "it asks nobody for a password"),
    "audiosocket": ("AudioSocket port", "media.audiosocket_host", "media.audiosocket_port", "audio is not encrypted"),
}


def port_finding(listener: str, host: str, port: int, control: ControlSettings) -> Finding:
    """Judge one port; one that is taken is ours when an agent answers at ``control``."""
    what, host_key, port_key, why_closed = _PORTS[listener]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            if not _agent_listens(control.host, control.port):
                detail = f"{host_port(host, port)}: {error.strerror or error}"
                return Finding(what, "failed", detail, _port_fix(error, host_key, port_key))
            state = "is this agent's, running"
        else:
            state = "is free"
    if is_loopback(host):
        return Finding(what, "ok", f"{host_port(host, port)} {state}")
    return Finding(what, "warning", f"{host} is not loopback: {why_closed}", f"{host_key}: 127.0.0.1")


def _port_fix(error: OSError, host_key: str, port_key: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"set {port_key} in orderline.yaml to a free port (ss -ltnp shows who has this one)"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"set {port_key} in orderline.yaml to 1024 or more"
    return f"set {host_key} in orderline.yaml to an address of this machine: 127.0.0.1"


def _agent_listens(host: str, port: int) -> bool:
    """Whether it is an agent that holds the port."""
    try:
        with urllib.request.urlopen(local_url(host, port, "/healthz"), timeout=2) as answer:  # noqa: S310 - http:// always
            return bool(answer.read(100).startswith(HEALTH.encode()))
    except (OSError, urllib.error.URLError, ValueError):
        return False


def rescuer_finding(control: ControlSettings, active: Callable[[str], bool | None]) -> Finding:
    """Whether the rescuer runs beside a running agent. ``active(unit)`` tells of a unit, None where no systemd is."""
    what = "rescuer"
    running = active("orderline-rescuer")
    if running is None:
        return Finding(what, "ok", "no systemd here: start orderline rescuer as you start the agent")
    if running or not _agent_listens(control.host, control.port):
        return Finding(what, "ok", "it is running" if running else "the agent does not run yet")
    detail = "it does not run: calls of a hanging agent hang on the dead-man timer alone"
    return Finding(what, "warning", detail, "systemctl enable --now orderline-rescuer")


def console_finding(settings: Settings, active: Callable[[str], bool | None]) -> Finding:
    """Whether the console may be served as it is set, and somebody can sign in; one that is off is in order."""
    what, console = "console", settings.console
    if refusal := console.refusal():
        key, _, detail = refusal.partition(": ")
        return Finding(what, "failed", detail or refusal, f"correct {key} in orderline.yaml (docs/console.md)")
    for key, file in (("certificate_file", console.certificate_file), ("key_file", console.key_file)):
        if file is not None and not os.access(file, os.R_OK):
            return Finding(what, "failed", f"{file} cannot be read", f"console.{key}: a file the agent's user may read")
    if active("orderline-console") is False:
        return Finding(what, "ok", "it is switched off: systemctl enable --now orderline-console")
    if not (settings.state_directory / "console.sqlite").exists():
        if active("orderline-console") is None:
            return Finding(what, "ok", "nobody has an account: orderline console people add NAME --role admin")
        detail, fix = "it runs, and nobody has an account", "orderline console people add NAME --role admin"
        return Finding(what, "warning", detail, fix)
    return Finding(what, "ok", f"at {host_port(console.host, console.port)}")


def unit_active(unit: str) -> bool | None:
    """Ask systemd whether a unit runs; None where there is no systemd."""
    program = shutil.which("systemctl")
    if program is None or not Path("/run/systemd/system").is_dir():
        return None
    return subprocess.run([program, "--quiet", "is-active", unit], check=False).returncode == 0


def clock_finding() -> Finding:
    """Whether this machine's clock can be believed: records, hours and dates said aloud depend on it."""
    what = "clock"
    now = datetime.now().astimezone()
    if now.year < _BUILT_IN:
        return Finding(what, "failed", f"it is not {now:%Y-%m-%d}", "timedatectl set-ntp true, or date -s")
    if _disciplined() is not False:
        return Finding(what, "ok", f"{now:%Y-%m-%d %H:%M %Z}")
    if not Path("/run/systemd/system").is_dir():
        return Finding(what, "ok", f"{now:%Y-%m-%d %H:%M %Z}; synchronising it is up to this container's host")
    return Finding(
        what, "warning", "nobody synchronises it", "timedatectl set-ntp true (Debian: apt install systemd-timesyncd)"
    )


def _disciplined() -> bool | None:
    """Ask the kernel whether something synchronises its clock; None where it does not tell."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        state = library.adjtimex(ctypes.byref((ctypes.c_byte * 512)()))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def timezone_finding(name: str) -> Finding:
    """Whether the shop's local time can be told."""
    try:
        now = wall_clock(name)()
    except OrderlineError as error:
        return Finding("time zone", "failed", error.message, "shop.timezone: an IANA name, such as America/Chicago")
    if not name and now.utcoffset() is not None and now.tzname() == "UTC":
        detail = "shop.timezone is not set and the machine is on UTC"
        return Finding("time zone", "ok", f"{detail}; callers are told UTC dates")
    return Finding("time zone", "ok", f"it is {now:%A %H:%M} at the shop")
