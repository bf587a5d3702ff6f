"""The preflight of the machine: secrets, directories, ports."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from agent.config.asterisk import AriSettings
from agent.config.control import ControlSettings
from agent.config.settings import Settings
from agent.config.shop import ShopSettings
from agent.control.live_feed import LiveFeed
from agent.control.server import ControlServer
from agent.preflight.asterisk_files import AsteriskFiles, file_findings
from agent.preflight.checks import shop_finding
from agent.preflight.finding import Finding
from agent.preflight.machine import (
    clock_finding,
    directory_finding,
    host_name_finding,
    port_findings,
    rescuer_finding,
    secret_findings,
    settings_finding,
    timezone_finding,
    whisper_finding,
)


def settings(directory: Path) -> Settings:
    return Settings(
        ari=AriSettings(password_file=directory / "ari"), control=ControlSettings(token_file=directory / "token")
    )


@pytest.fixture(autouse=True)
def no_secrets_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERLINE_ARI_PASSWORD", raising=False)
    monkeypatch.delenv("ORDERLINE_CONTROL_TOKEN", raising=False)


def test_secrets_for_the_owner_alone_are_ok(tmp_path: Path) -> None:
    for name in ("ari", "token"):
        (tmp_path / name).write_text("sesame")
        (tmp_path / name).chmod(0o600)
    assert [finding.verdict for finding in secret_findings(settings(tmp_path))] == ["ok", "ok"]


def test_a_secret_that_others_can_read_and_one_that_is_missing_are_told_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "ari").write_text("sesame")
    (tmp_path / "ari").chmod(0o644)
    readable, missing = secret_findings(settings(tmp_path))
    assert (readable.verdict, readable.fix) == ("failed", f"chmod 600 {tmp_path / 'ari'}")
    assert missing.verdict == "failed"
    assert "openssl rand" in missing.fix


def test_a_directory_that_can_be_made_is_made(tmp_path: Path) -> None:
    assert directory_finding(tmp_path / "a" / "b").verdict in ("ok", "warning")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_file_where_the_directory_should_be_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    assert directory_finding(tmp_path / "state").verdict == "failed"


def doors(control_port: int, **more: object) -> list[tuple[str, str]]:
    wanted = Settings.model_validate({"control": {"port": control_port}, **more})
    return [(finding.what, finding.verdict) for finding in port_findings(wanted)]


def test_a_taken_port_is_a_failure_and_an_open_address_a_warning() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert doors(port) == [("control port", "failed")]
        assert doors(0, fastagi={"host": "127.0.0.1", "port": port})[1:] == [("FastAGI port", "failed")]
        assert doors(0, media={"audiosocket_port": port})[1:] == [("AudioSocket port", "failed")]
    assert doors(0) == [("control port", "ok")]
    everywhere = "0.0.0.0"  # noqa: S104 - it must be warned about
    assert doors(0, fastagi={"host": everywhere, "port": 0})[1:] == [("FastAGI port", "warning")]
    (control,) = port_findings(Settings.model_validate({"control": {"host": everywhere, "port": 0}}))
    assert "loopback" in control.detail


async def test_the_ports_that_a_running_agent_holds_are_its_own() -> None:
    door = ControlServer(LiveFeed(), "token", dict)
    await door.start("127.0.0.1", 0)
    with socket.socket() as fastagi:
        fastagi.bind(("127.0.0.1", 0))
        fastagi.listen()
        more = {"fastagi": {"host": "127.0.0.1", "port": fastagi.getsockname()[1]}}
        assert await asyncio.to_thread(lambda: doors(door.port, **more)) == [
            ("control port", "ok"),
            ("FastAGI port", "ok"),
        ]
    await door.close()


async def test_an_agent_without_a_rescuer_is_warned_about() -> None:
    door = ControlServer(LiveFeed(), "token", dict)
    await door.start("127.0.0.1", 0)
    control = ControlSettings(port=door.port)
    finding = await asyncio.to_thread(rescuer_finding, control, lambda unit: False)
    assert (finding.verdict, finding.fix) == ("warning", "systemctl enable --now orderline-rescuer")
    for state in (True, None):
        assert (await asyncio.to_thread(rescuer_finding, control, lambda unit, state=state: state)).verdict == "ok"
    await door.close()
    assert (await asyncio.to_thread(rescuer_finding, control, lambda unit: False)).verdict == "ok"


def test_settings_that_the_agents_user_cannot_read_are_told_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "orderline.yaml").write_text("log: {level: INFO}\n")
    assert settings_finding(tmp_path).verdict == "ok"
    (tmp_path / "conf.d/mine.yaml").mkdir()  # root reads every file; this nobody can read
    finding = settings_finding(tmp_path)
    assert finding.verdict == "failed"
    assert "mine.yaml" in finding.detail
    assert "chmod 640" in finding.fix


def test_a_whisper_that_asterisk_cannot_open_is_told_with_the_command(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert whisper_finding(state).verdict == "warning"
    (state / "whispers").mkdir(parents=True)
    state.chmod(0o750)
    finding = whisper_finding(state)
    assert finding.verdict == "warning"
    assert "chmod 751" in finding.fix
    state.chmod(0o751)
    (state / "whispers").chmod(0o755)
    assert whisper_finding(state).verdict == "ok"


def test_no_finding_leaves_the_administrator_alone() -> None:
    assert Finding("clock", "ok").fix == ""
    with pytest.raises(ValueError, match="how to mend it"):
        Finding("clock", "warning", "it is slow")


def test_a_clock_that_was_never_set_and_a_name_that_does_not_resolve_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clock_finding().verdict in ("ok", "warning")
    monkeypatch.setattr(socket, "gethostname", lambda: "no-such-host.invalid")
    finding = host_name_finding()
    assert (finding.verdict, finding.fix) == ("failed", "echo '127.0.0.1 no-such-host.invalid' >> /etc/hosts")


def test_a_shop_that_is_not_there_and_one_whose_secret_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop_finding(Settings()).verdict == "failed"
    demo = ShopSettings(demo_directory=tmp_path / "demo")
    assert shop_finding(Settings(shop=demo)).detail == "the demo shop"
    (tmp_path / "desk.yaml").write_text(
        "system: desk\nbase_url: https://desk.example.com\nauth: {bearer: {env: DESK_TOKEN}}\n"
        "operations: {tickets.create: {post: /t, fields: {id: id}}}\n"
    )
    both = Settings(shop=ShopSettings(demo_directory=tmp_path / "demo", systems_directory=tmp_path))
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    assert shop_finding(both).detail == "the environment variable DESK_TOKEN is not set"
    monkeypatch.setenv("DESK_TOKEN", "t")
    assert shop_finding(both).detail == "desk (tickets.create); the demo shop for the rest"


def asterisk_files(tmp_path: Path, **texts: str) -> dict[str, str]:
    """Verdict by what was looked at, for files of these texts."""
    for name, text in texts.items():
        (tmp_path / f"{name}.conf").write_text(text)
    return {finding.what: finding.verdict for finding in file_findings(AsteriskFiles.read(tmp_path))}


def test_a_narrow_rtp_range_is_a_warning_and_an_impossible_one_a_failure(tmp_path: Path) -> None:
    assert asterisk_files(tmp_path, rtp="[general]\nrtpstart=10000\nrtpend=20000\n")["RTP ports"] == "ok"
    assert asterisk_files(tmp_path, rtp="[general]\nrtpstart=10000 ; few\nrtpend=10019\n")["RTP ports"] == "warning"
    assert asterisk_files(tmp_path, rtp="[general]\nrtpstart=20000\nrtpend=10000\n")["RTP ports"] == "failed"


def test_doors_that_stand_open_are_warned_about(tmp_path: Path) -> None:
    found = asterisk_files(
        tmp_path,
        rtp="",
        http="[general]\nenabled=yes\nbindaddr=0.0.0.0\nsessionlimit=1000\n",
        ari="[general]\nallowed_origins=*\nwebsocket_write_timeout=1000\n",
        asterisk="[options]\nlive_dangerously = yes\n",
    )
    assert {what for what, verdict in found.items() if verdict == "warning"} == {
        "HTTP address",
        "ARI origins",
        "asterisk.conf",
    }


def test_values_of_included_files_count(tmp_path: Path) -> None:
    (tmp_path / "more.conf").write_text("bindaddr=127.0.0.1\nsessionlimit=900\n")
    found = asterisk_files(tmp_path, rtp="", http='[general]\nenabled=yes\nbindaddr=0.0.0.0\n#include "more.conf"\n')
    assert "HTTP address" not in found


def test_files_that_cannot_be_read_are_said_not_to_be_looked_at(tmp_path: Path) -> None:
    assert asterisk_files(tmp_path / "nowhere") == {"Asterisk's files": "ok"}


def test_an_unknown_time_zone_is_a_failure() -> None:
    assert timezone_finding("America/Chicago").verdict == "ok"
    assert timezone_finding("Middle/Earth").verdict == "failed"
