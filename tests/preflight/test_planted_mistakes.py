"""`orderline check` names each planted mistake with the fix that mends it, and is silent on a right system."""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.cli.main import _parser, main
from agent.config.loader import load_settings
from agent.preflight import checks, machine
from agent.preflight.asterisk_files import AsteriskFiles
from agent.preflight.checks import all_findings
from agent.preflight.dialplan import LAST_RESORT_SOUNDS
from agent.preflight.finding import Finding
from agent.records.database import connect
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.asterisk.fake_manager import FakeManager
from tests.fuzz.samples import SMALL_PACK
from tests.preflight.test_asterisk import ALL, WIRED

pytestmark = pytest.mark.slow

FILES = {
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=20000\n",
    "http.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nsessionlimit=1000\n",
    "ari.conf": "[general]\nwebsocket_write_timeout=1000\n[orderline]\ntype=user\nread_only=no\n",
    "asterisk.conf": "[options]\n",
    "manager.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\n[orderline]\nread=reporting\nwrite=reporting\n",
    "queues.conf": (
        "[staff](!)\njoinempty=paused,invalid,unavailable\nleavewhenempty=paused,invalid,unavailable\n"
        "[orderline-humans](staff)\ncontext=orderline-queue-escape\nmember => PJSIP/601\n"
    ),
}


@dataclass
class System:
    """A right one, to be spoilt."""

    directory: Path
    asterisk: FakeAsterisk
    manager: FakeManager

    def setting(self, old: str, new: str) -> None:
        """Change a line of orderline.yaml."""
        self.replace(self.directory / "orderline.yaml", old, new)

    def asterisk_file(self, name: str, old: str, new: str) -> None:
        """Change a file of Asterisk's."""
        self.replace(self.directory / "asterisk" / name, old, new)

    def pack(self, old: str, new: str) -> None:
        """Change the procedures."""
        self.replace(self.directory / "flows" / "pack.yaml", old, new)

    def holidays(self, content: bytes) -> None:
        """Name a file of holidays with this in it."""
        (self.directory / "holidays").write_bytes(content)
        self.setting("{orderline-humans: {}}", "{orderline-humans: {holidays_file: holidays}}")

    @staticmethod
    def replace(path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    async def wrong(self) -> list[Finding]:
        """What the check finds that is not ok."""
        settings = load_settings(self.directory)
        files = AsteriskFiles.read(self.directory / "asterisk")
        found = [one async for one in all_findings(settings, files, self.directory)]
        return [one for one in found if one.verdict != "ok"]


@pytest.fixture
async def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    async def well(*_: object) -> Finding:
        return Finding("voice", "ok")

    for look in ("voice_finding", "prompts_finding"):  # they take seconds each; test_checks looks at them
        monkeypatch.setattr(checks, look, well)
    for name in ("ARI_PASSWORD", "CONTROL_TOKEN", "AMI_SECRET", "REDIS_URL"):
        monkeypatch.delenv(f"ORDERLINE_{name}", raising=False)
    fake = FakeAsterisk()
    fake.modules, fake.functions = set(ALL), dict(WIRED)
    fake.sounds = {sound: ["slin"] for sound in LAST_RESORT_SOUNDS}
    await fake.start()
    queues = {"orderline-humans": {"LoggedIn": 1, "Available": 1, "Callers": 0}}
    async with FakeManager(queues=queues, refused=("Command",)) as manager:
        (tmp_path / "flows").mkdir()
        (tmp_path / "flows" / "pack.yaml").write_text(SMALL_PACK, encoding="utf-8")
        (tmp_path / "asterisk").mkdir()
        for name, text in FILES.items():
            (tmp_path / "asterisk" / name).write_text(text, encoding="utf-8")
        for name, secret in (("ari", "secret"), ("ami", manager.secret), ("token", "sesame")):
            (tmp_path / name).write_text(secret, encoding="utf-8")
            (tmp_path / name).chmod(0o600)
        (tmp_path / "orderline.yaml").write_text(
            "shop:\n  demo_directory: shop\n  timezone: America/Chicago\n"
            f"ari: {{url: '{fake.url}', password_file: ari}}\n"
            f"ami: {{host: 127.0.0.1, port: {manager.port}, secret_file: ami}}\n"
            "queues: {orderline-humans: {}}\n"
            "control: {port: 0, token_file: token}\n"
            "flows_directory: flows\nstate_directory: state\n",
            encoding="utf-8",
        )
        yield System(tmp_path, fake, manager)
    await fake.stop()


def dead_letter(system: System) -> None:
    (system.directory / "state").mkdir()
    with closing(connect(system.directory / "state" / "calls.sqlite")) as db:
        db.execute(
            "INSERT INTO outbox (kind, lane, key, call_id, payload, state, created_at, due_at) "
            "VALUES ('sms', 'sms', 'k', 'c', '{}', 'dead', 1, 1)"
        )


def readable(system: System) -> None:
    (system.directory / "token").chmod(0o644)


def fifo_of_holidays(system: System) -> None:
    os.mkfifo(system.directory / "holidays")
    system.setting("{orderline-humans: {}}", "{orderline-humans: {holidays_file: holidays}}")


def fifo_among_flows(system: System) -> None:
    os.mkfifo(system.directory / "flows" / "more.yaml")


def device_among_flows(system: System) -> None:
    (system.directory / "flows" / "more.yaml").symlink_to("/dev/zero")


def state_in_a_file(system: System) -> None:
    (system.directory / "state").write_text("no directory", encoding="utf-8")


def dial(system: System, name: str, value: str | None) -> None:
    if value is None:
        del system.asterisk.functions[name]
    else:
        system.asterisk.functions[name] = value


def commands_allowed(system: System, *lines: str) -> None:
    system.manager.commands = {name: f"does it ({rights})" for name, _, rights in (one.partition(" ") for one in lines)}


Plant = Callable[[System], object]
MISTAKES: dict[str, tuple[Plant, str, str]] = {
    "AMI listens everywhere": (
        lambda s: s.asterisk_file("manager.conf", "bindaddr=127.0.0.1", "bindaddr=0.0.0.0"),
        "AMI address", "bindaddr=127.0.0.1 in [general] of manager.conf",
    ),
    "AMI has no address": (
        lambda s: s.asterisk_file("manager.conf", "bindaddr=127.0.0.1\n", ""),
        "AMI address", "bindaddr=127.0.0.1 in [general] of manager.conf",
    ),
    "AMI listens on IPv6 everywhere": (
        lambda s: s.asterisk_file("manager.conf", "bindaddr=127.0.0.1", "bindaddr=::"),
        "AMI address", "bindaddr=127.0.0.1",
    ),
    "AMI user reads everything": (
        lambda s: s.asterisk_file("manager.conf", "read=reporting", "read=all"),
        "AMI rights", "read=reporting and write=reporting for [orderline]",
    ),
    "AMI user may originate, says the file": (
        lambda s: s.asterisk_file("manager.conf", "write=reporting", "write = reporting, originate,call"),
        "AMI rights", "write=reporting",
    ),
    "AMI user may originate, says Asterisk": (
        lambda s: commands_allowed(s, "QueueSummary Priv: <none>", "Originate Priv: originate,all"),
        "AMI rights", "read=reporting and write=reporting for [orderline]",
    ),
    "AMI user may run commands": (
        lambda s: setattr(s.manager, "refused", ()), "AMI rights", "write=reporting",
    ),
    "AMI secret is another": (
        lambda s: (s.directory / "ami").write_text("other"), "AMI user", "ami.secret_file",
    ),
    "AMI secret is missing": (
        lambda s: (s.directory / "ami").unlink(), "AMI secret", "secret of [orderline] in manager.conf",
    ),
    "a queue without joinempty": (
        lambda s: s.asterisk_file("queues.conf", "joinempty=paused,invalid,unavailable\nleave", "leave"),
        "queue file", "joinempty=paused,invalid,unavailable in [orderline-humans] of queues.conf",
    ),
    "a queue that may be joined empty": (
        lambda s: s.asterisk_file("queues.conf", "joinempty=paused,invalid,unavailable\nleave", "joinempty=yes\nleave"),
        "queue file", "joinempty=paused,invalid,unavailable in [orderline-humans]",
    ),
    "a queue without leavewhenempty": (
        lambda s: s.asterisk_file("queues.conf", "leavewhenempty=paused,invalid,unavailable\n", ""),
        "queue file", "leavewhenempty=paused,invalid,unavailable in [orderline-humans]",
    ),
    "a queue without context": (
        lambda s: s.asterisk_file("queues.conf", "context=orderline-queue-escape\n", ""),
        "queue file", "context=orderline-queue-escape in [orderline-humans]",
    ),
    "the write timeout is Asterisk's own": (
        lambda s: s.asterisk_file("ari.conf", "websocket_write_timeout=1000\n", ""),
        "ARI write timeout", "websocket_write_timeout=1000 in [general] of ari.conf",
    ),
    "the write timeout is short": (
        lambda s: s.asterisk_file("ari.conf", "websocket_write_timeout=1000", "websocket_write_timeout=200"),
        "ARI write timeout", "websocket_write_timeout=1000",
    ),
    "any web page may talk to ARI": (
        lambda s: s.asterisk_file("ari.conf", "[general]\n", "[general]\nallowed_origins=*\n"),
        "ARI origins", "allowed_origins out of ari.conf",
    ),
    "ARI listens everywhere": (
        lambda s: s.asterisk_file("http.conf", "bindaddr=127.0.0.1", "bindaddr=0.0.0.0"),
        "HTTP address", "bindaddr=127.0.0.1 in [general] of http.conf",
    ),
    "few HTTP sessions": (
        lambda s: s.asterisk_file("http.conf", "sessionlimit=1000\n", ""), "HTTP sessions", "sessionlimit=1000",
    ),
    "few RTP ports": (
        lambda s: s.asterisk_file("rtp.conf", "rtpend=20000", "rtpend=10050"), "RTP ports", "rtpend=20000",
    ),
    "Asterisk lives dangerously": (
        lambda s: s.asterisk_file("asterisk.conf", "[options]\n", "[options]\nlive_dangerously=yes\n"),
        "asterisk.conf", "live_dangerously=no",
    ),
    "ARI password is another": (
        lambda s: s.asterisk.change_password("rotated"), "ARI user", "ari.password_file",
    ),
    "ARI password is missing": (
        lambda s: (s.directory / "ari").unlink(), "ARI password", "password of [orderline] in ari.conf",
    ),
    "ARI user may only read": (
        lambda s: setattr(s.asterisk, "read_only", True), "ARI rights", "read_only=no for [orderline] in ari.conf",
    ),
    "a module is missing": (
        lambda s: s.asterisk.modules.remove("func_timeout.so"), "module", "module load func_timeout.so",
    ),
    "no codec of telephone lines": (
        lambda s: s.asterisk.modules.difference_update({"codec_ulaw.so", "codec_alaw.so"}), "codecs", "codec_ulaw.so",
    ),
    "the dialplan is not loaded": (
        lambda s: dial(s, "DIALPLAN_EXISTS(orderline,s,1)", None), "dialplan", "orderline wire --apply",
    ),
    "a hand-over context that is not there": (
        lambda s: s.setting("queues:", "call: {handover_context: to-people}\nqueues:"),
        "dialplan", "call.handover_context: orderline-handover",
    ),
    "a queue that is not there": (
        lambda s: dial(s, "QUEUE_EXISTS(orderline-humans)", "0"), "queue", "orderline wire --apply",
    ),
    "a queue that Asterisk does not know": (
        lambda s: s.manager.queues.clear(), "queue now", "add [orderline-humans] to queues.conf",
    ),
    "a queue without members": (
        lambda s: dial(s, "QUEUE_MEMBER(orderline-humans,count)", "0"), "queue", "member => PJSIP/601",
    ),
    "calls may go to any queue": (
        lambda s: dial(s, "ORDERLINE_QUEUES", ""), "allowed queues", "ORDERLINE_QUEUES=orderline-humans",
    ),
    "the dialplan refuses a queue of ours": (
        lambda s: dial(s, "ORDERLINE_DEFAULT_QUEUE", "other") or dial(s, "QUEUE_EXISTS(other)", "1")
        or dial(s, "QUEUE_MEMBER(other,count)", "1") or dial(s, "ORDERLINE_QUEUES", "other"),
        "allowed queues", "ORDERLINE_QUEUES=other&orderline-humans in [globals]",
    ),
    "holidays in another form": (
        lambda s: s.holidays(b"2026-12-25\n26.12.2026\n"), "holidays", "2026-12-25",
    ),
    "holidays in the American form": (
        lambda s: s.holidays(b"12/25/2026\n"), "holidays", "2026-12-25",
    ),
    "holidays without hyphens": (
        lambda s: s.holidays(b"20261225\n"), "holidays", "2026-12-25",
    ),
    "a holiday that is no day": (
        lambda s: s.holidays(b"2026-02-30\n"), "holidays", "2026-12-25",
    ),
    "holidays in another encoding": (
        lambda s: s.holidays("2026-12-25 # Noël".encode("utf-16")), "holidays", "UTF-8",
    ),
    "no file of holidays": (
        lambda s: s.setting("{orderline-humans: {}}", "{orderline-humans: {holidays_file: gone}}"), "holidays", "gone",
    ),
    "a named pipe of holidays": (fifo_of_holidays, "holidays", "an ordinary file"),
    "a named pipe among the flow files": (fifo_among_flows, "procedures", "orderline flows check"),
    "a device among the flow files": (device_among_flows, "procedures", "orderline flows check"),
    "a procedure that cannot be loaded": (
        lambda s: s.pack("start: ", "start: nowhere # "), "procedures", "orderline flows check",
    ),
    "a word the model cannot hear": (
        lambda s: s.pack("no, nope", "no, supercalifragilistic"), "vocabulary", "orderline model add-words",
    ),
    "a model that is not installed": (
        lambda s: s.setting("flows_directory", "speech: {model: nosuch}\nflows_directory"),
        "speech model", "speech.model: bundled",
    ),
    "the token can be read by others": (readable, "control token", "chmod 600"),
    "the token is missing": (
        lambda s: (s.directory / "token").unlink(), "control token", "openssl rand -hex 24 >",
    ),
    "the control server is open to the network": (
        lambda s: s.setting("control: {", "control: {host: 0.0.0.0, "), "control port", "control.host: 127.0.0.1",
    ),
    "the control server has an address of another machine": (
        lambda s: s.setting("control: {", "control: {host: 192.0.2.1, "), "control port", "set control.host",
    ),
    "AMI on another machine": (
        lambda s: s.setting("ami: {host: 127.0.0.1", "ami: {host: 192.0.2.1"), "AMI address", "ami.host: 127.0.0.1",
    ),
    "ARI on another machine, unencrypted": (
        lambda s: s.setting(s.asterisk.url, "http://192.0.2.1:8088"), "ARI address", "ari.url: http://127.0.0.1:8088",
    ),
    "a Redis that is not there": (
        lambda s: s.setting("flows_directory", "redis: {url: 'redis://127.0.0.1:1/0'}\nflows_directory"),
        "Redis", "redis.url in orderline.yaml",
    ),
    "a PostgreSQL that is not there": (
        lambda s: s.setting("flows_directory", "records: {url: 'postgresql://a@127.0.0.1:1/b'}\nflows_directory"),
        "PostgreSQL", "records.url in orderline.yaml",
    ),
    "no shop": (
        lambda s: s.setting("  demo_directory: shop\n", ""), "shop", "orderline shop check",
    ),
    "a time zone that is none": (
        lambda s: s.setting("America/Chicago", "Chicago"), "time zone", "America/Chicago",
    ),
    "a state directory that is none": (state_in_a_file, "state directory", "install -d"),
    "a delivery that was given up": (dead_letter, "outbox", "orderline outbox retry --all"),
    "a webhook without its secret": (
        lambda s: s.setting(
            "flows_directory", "webhooks: [{name: crm, url: 'https://192.0.2.1/h', secret_file: hook}]\nflows_directory"
        ),
        "webhook crm", "whsec_",
    ),
}  # fmt: skip


def test_there_are_many() -> None:
    assert len(MISTAKES) >= 50


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_planted_mistake_is_named_with_its_fix(name: str, system: System) -> None:
    plant, what, fix = MISTAKES[name]
    plant(system)
    found = await system.wrong()
    assert [one for one in found if one.what == what and fix in one.fix], found
    for one in found:
        for command in commands_in(one.fix):
            assert_runs(command)


async def test_a_right_system_is_met_with_silence(system: System) -> None:
    system.holidays("\ufeff2026-12-25\r\n\r\n# closed\r\n2026-12-26 # Boxing Day\r\n".encode())
    assert await system.wrong() == []


async def test_the_demo_shop_in_an_installed_system_is_told(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CONFIG_DIRECTORY", system.directory)
    (found,) = await system.wrong()
    assert (found.what, found.verdict) == ("demo shop", "warning")
    assert "shop.systems_directory" in found.fix
    for command in commands_in(found.fix):
        assert_runs(command)


async def test_a_wrong_holiday_is_told_by_file_and_line(system: System) -> None:
    system.holidays(b"2026-12-25\n\n26.12.2026 # Boxing Day\n1 Jan\n")
    (found,) = await system.wrong()
    place = system.directory / "holidays"
    assert f"{place}:3: '26.12.2026' is no date" in found.detail
    assert f"{place}:4: '1 Jan' is no date" in found.detail


async def test_a_port_that_somebody_else_has_is_told(system: System) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        system.setting("control: {port: 0", f"control: {{port: {port}")
        (found,) = await system.wrong()
    assert "set control.port" in found.fix


@pytest.mark.parametrize(
    ("section", "key", "told"),
    [
        ("redis: {url: 'redis://a:6379,b:6379/0'}", "redis.url", "several hosts"),
        ("redis: {url: 'redis://a:63790000/0'}", "redis.url", "port"),
        ("redis: {url: 'redis://a:six/0'}", "redis.url", "port"),
        ("redis: {url: 'redis://a:6379/zero'}", "redis.url", "database"),
        ("redis: {url: 'redis://:6379/0'}", "redis.url", "no host"),
        ("redis: {url: 'redis://a/0?sentinel=b'}", "redis.url", "sentinel"),
        ("redis: {url: 'http://a/0'}", "redis.url", "redis://"),
        ("records: {url: 'postgresql://a,b/calls'}", "records.url", "several hosts"),
        ("records: {url: 'postgresql://a:70000/calls'}", "records.url", "port"),
        ("records: {url: 'postgresql://user@/calls'}", "records.url", "no host"),
        ("records: {url: 'postgresql://user@a'}", "records.url", "no database"),
        ("records: {url: 'postgresql://user@a/calls?sslmod=require'}", "records.url", "sslmod"),
        ("records: {url: 'mysql://a/calls'}", "records.url", "postgresql://"),
        ("media: {audiosocket_port: 70000}", "media.audiosocket_port", "65535"),
        ("webhooks: [{name: a, url: 'https://a:99999/'}]", "webhooks.0.url", "port"),
    ],
)
async def test_an_address_that_is_none_is_told_by_file_line_and_key(
    section: str, key: str, told: str, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.setting("flows_directory", f"{section}\nflows_directory")
    assert main(["check", "--config", str(system.directory), "--asterisk-etc", str(system.directory)]) == 2
    error = capsys.readouterr().err
    assert f"{system.directory}/orderline.yaml:" in error
    assert f"{key}: " in error
    assert told in error
    assert "Traceback" not in error


@pytest.mark.parametrize("url", ["127.0.0.1:8088", "http://127.0.0.1:seven", "ws://127.0.0.1:8088", "http://:8088"])
async def test_an_ari_address_that_is_none_is_told_too(
    url: str, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.setting(system.asterisk.url, url)
    assert main(["check", "--config", str(system.directory)]) == 2
    assert "ari.url: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("ORDERLINE_REDIS_URL", "redis://:secret@a:1,b:2/0"),
        ("ORDERLINE_RECORDS_URL", "postgresql://a:secret@a:1,b:2/calls"),
        ("ORDERLINE_RECORDS_URL", "postgresql://a:secret@a"),
    ],
)
def test_an_address_in_the_environment_that_is_none_is_told_without_its_password(
    variable: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, url)
    (tmp_path / "orderline.yaml").write_text("shop: {demo_directory: shop}\nstate_directory: state\n", "utf-8")
    assert main(["check", "--config", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert variable in error
    assert "secret" not in error


# --- that a fix can be done ------------------------------------------------------------------------------

ASTERISK_COMMANDS = (
    r"module (re)?load [a-z_0-9]+(\.so)?", r"(manager|dialplan|core) reload", r"queue reload all",
    r"core restart when convenient", r"http show status", r"module reload http",
)  # fmt: skip


def commands_in(fix: str) -> Iterator[str]:
    """The commands that a fix names."""
    yield from (f"asterisk -rx '{found}'" for found in re.findall(r"asterisk -rx '([^']*)'", fix))
    yield from re.findall(r"orderline [a-z-]+(?: [a-z]+)?(?: --[a-z]+(?: /\S+)?| [A-Z]+\b)*", fix)


def assert_runs(command: str) -> None:
    """Asterisk's are those it has; ours must be taken by our own parser."""
    words = shlex.split(command)
    if words[0] == "asterisk":
        assert any(re.fullmatch(known, words[2]) for known in ASTERISK_COMMANDS), command
        return
    for cut in range(len(words), 1, -1):  # words of the sentence may stand behind the command
        try:
            _parser().parse_args(words[1:cut])
        except SystemExit:
            continue
        return
    raise AssertionError(f"{command} is no command of ours")
