"""The pair of private Asterisks: up quickly, quiet, on loopback alone, gone without a trace."""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import re
import signal
import sys
from pathlib import Path

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriAuthFailed
from agent.rehearsal import port_block as ports_module
from agent.rehearsal.pbx_config import PbxConfigError, pbx_templates, phones_templates, render
from agent.rehearsal.pbx_pair import Pbx, PbxDied, PortTaken, host_name_warning, running_pair
from agent.rehearsal.port_block import reserve_ports
from agent.rehearsal.private_asterisk import Asterisk
from tests.waiting import until

REPOSITORY = Path(__file__).resolve().parents[2]


LOOPBACK_HEX = "0100007F"


def a_pbx(asterisk: Asterisk, run_dir: Path, name: str = "alone") -> Pbx:
    """The second Asterisk's configuration, without a PBX to register at: enough for one that stands alone."""
    values = {"PEER_SIP_PORT": "9", "PHONE_PASSWORD": "unused"}
    return Pbx(name, asterisk, run_dir, phones_templates(), reserve_ports(), user="rehearse", values=values)


def sockets_of(pid: int) -> set[tuple[str, str, int]]:
    """(table of /proc/net, local address in hex, local port) of the internet sockets a process holds."""
    inodes = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(handle)))
    held = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        path = Path(f"/proc/net/{table}")
        for row in path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else []:
            columns = row.split()
            if columns[9] in inodes:
                address, port = columns[1].split(":")
                held.add((table, address, int(port, 16)))
    return held


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def ended(pid: int) -> None:
    await until(lambda: not alive(pid), 10)


async def test_the_pair_comes_up_quiet_on_loopback_and_leaves_nothing_behind(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    async with running_pair(asterisk, tmp_path, print) as (pbx, phones):
        pids = [pbx.pid, phones.pid]
        for one in (pbx, phones):
            assert one.log_problems() == []
            async with AriClient(one.ari_url, one.ari_user, one.ari_password, "probe") as ari:
                assert (await ari.system.version()).startswith(asterisk.version)
            with pytest.raises(AriAuthFailed):
                await AriClient(one.ari_url, one.ari_user, "wrong", "probe").start()
            assert one.pid is not None
            held = sockets_of(one.pid)
            ours = {port for _, address, port in held if address == LOOPBACK_HEX}
            assert ours == {one.ports.sip, one.ports.http, one.ports.ami}
            # pjproject's name resolver asks from a UDP port of the system's choosing, on both families.
            assert {table for table, address, _ in held if address != LOOPBACK_HEX} <= {"udp", "udp6"}
        assert pbx.softphone is not None
        assert pbx.softphone.port == pbx.sip_port
        assert "601" in await pbx.cli("pjsip show endpoints")
        assert "PJSIP/601" in await pbx.cli("queue show orderline-humans")
    assert not any(pid is not None and alive(pid) for pid in pids)


async def test_two_pairs_run_side_by_side(asterisk: Asterisk, tmp_path: Path) -> None:
    async with (
        running_pair(asterisk, tmp_path / "one", print) as first,
        running_pair(asterisk, tmp_path / "two", print) as second,
    ):
        everybody = (*first, *second)
        assert len({pbx.ari_url for pbx in everybody}) == 4
        assert len({pbx.ari_password for pbx in everybody}) == 4
        for pbx in everybody:
            assert "System uptime" in await pbx.cli("core show uptime")
            assert pbx.log_problems() == []


async def test_passwords_can_be_read_by_nobody_else(asterisk: Asterisk, tmp_path: Path) -> None:
    async with a_pbx(asterisk, tmp_path) as pbx:
        assert pbx.config_dir.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in pbx.config_dir.iterdir()} == {0o600}


async def test_a_deep_run_directory_is_no_obstacle(asterisk: Asterisk, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)

    async with a_pbx(asterisk, deep) as pbx:
        assert "System uptime" in await pbx.cli("core show uptime")


async def test_an_asterisk_that_dies_early_is_reported_with_its_last_words(asterisk: Asterisk, tmp_path: Path) -> None:
    pbx = a_pbx(asterisk, tmp_path)
    pbx._templates = {**pbx._templates, "modules.conf": "[modules]\nautoload=no\nrequire=no_such_module.so\n"}

    with pytest.raises(PbxDied, match="no_such_module"):
        await pbx.start()

    assert pbx.pid is None


async def test_an_asterisk_killed_later_is_noticed(asterisk: Asterisk, tmp_path: Path) -> None:
    async with a_pbx(asterisk, tmp_path) as pbx:
        assert pbx.pid is not None
        os.kill(pbx.pid, signal.SIGKILL)
        await ended(pbx.pid)

        with pytest.raises(PbxDied, match="is not running"):
            await pbx.cli("core show uptime")


async def test_a_port_that_somebody_takes_in_between_is_named(asterisk: Asterisk, tmp_path: Path) -> None:
    pbx = a_pbx(asterisk, tmp_path)
    with ports_module._bound(ports_module._KINDS[0], pbx.ports.http), pytest.raises(PortTaken, match="in use"):
        await pbx.start()


async def test_a_hung_asterisk_is_stopped_by_force(asterisk: Asterisk, tmp_path: Path) -> None:
    pbx = a_pbx(asterisk, tmp_path)
    await pbx.start()
    pid = pbx.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    await pbx.stop()

    assert not alive(pid)


async def test_asterisk_dies_with_us_however_we_die(asterisk: Asterisk, tmp_path: Path) -> None:
    code = (
        "import asyncio, pickle, sys\n"
        "from tests.rehearsal.test_pbx_pair import a_pbx\n"
        "from pathlib import Path\n"
        "async def main():\n"
        "    pbx = a_pbx(pickle.loads(bytes.fromhex(sys.argv[1])), Path(sys.argv[2]))\n"
        "    await pbx.start()\n"
        "    print(pbx.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        pickle.dumps(asterisk).hex(),
        str(tmp_path),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 20))
    assert alive(pid)

    parent.kill()
    await parent.wait()

    await ended(pid)


async def test_the_agents_manager_user_may_ask_for_the_queue_and_nothing_else(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    async with running_pair(asterisk, tmp_path, print) as (pbx, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", pbx.ami_port)

        async def ask(text: str, until: str) -> str:
            writer.write(text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
            await writer.drain()
            return (await asyncio.wait_for(reader.readuntil(until.encode()), 5)).decode()

        login = f"Action: Login\nUsername: {pbx.ami_user}\nSecret: {pbx.ami_secret}\nEvents: off"
        assert "Success" in await ask(login, "accepted\r\n\r\n")
        summary = await ask("Action: QueueSummary\nQueue: orderline-humans", "QueueSummaryComplete\r\n")
        assert "LoggedIn: 1" in summary
        assert "Available: 1" in summary
        for forbidden in ("Action: Command\nCommand: core show uptime", "Action: Redirect\nChannel: x"):
            assert "Permission denied" in await ask(forbidden, "denied\r\n\r\n")
        writer.close()


async def test_a_softphone_must_know_its_password(asterisk: Asterisk, tmp_path: Path) -> None:
    async with running_pair(asterisk, tmp_path, print) as (pbx, _):
        loop = asyncio.get_running_loop()
        answers: asyncio.Queue[bytes] = asyncio.Queue()

        class Phone(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                answers.put_nowait(data)

        wire, _protocol = await loop.create_datagram_endpoint(Phone, remote_addr=("127.0.0.1", pbx.sip_port))
        port = wire.get_extra_info("sockname")[1]
        call = (
            f"INVITE sip:7001@127.0.0.1:{pbx.sip_port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
            f"From: <sip:softphone@127.0.0.1>;tag=1\r\nTo: <sip:7001@127.0.0.1>\r\n"
            f"Call-ID: one@127.0.0.1\r\nCSeq: 1 INVITE\r\nContact: <sip:softphone@127.0.0.1:{port}>\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        wire.sendto(call.encode())

        answer = await asyncio.wait_for(answers.get(), 5)

        assert answer.startswith(b"SIP/2.0 401")
        wire.close()


def test_no_password_or_port_is_fixed_in_a_template() -> None:
    for templates in (pbx_templates(), phones_templates()):
        for name, text in templates.items():
            for key, value in re.findall(r"^(password|secret|bindport|port|bind)\s*=\s*(.*)$", text, re.MULTILINE):
                assert re.search(r"@[A-Z_]+@$", value), f"{name}: {key}={value}"


def test_every_placeholder_of_the_shipped_files_is_explained() -> None:
    shipped = REPOSITORY / "asterisk-conf"
    explained = set(re.findall(r"`@([A-Z_]+)@`", (shipped / "README.md").read_text(encoding="utf-8")))

    used = {word for path in shipped.glob("*.conf") for word in re.findall(r"@([A-Z_]+)@", path.read_text("utf-8"))}

    assert used == explained


def test_a_placeholder_without_a_value_is_named_with_its_file() -> None:
    with pytest.raises(PbxConfigError, match=r"ari\.conf: no value for @ARI_PASSWORD@"):
        render({"ari.conf": "password=@ARI_PASSWORD@\n"}, {})


def test_port_blocks_never_overlap() -> None:
    blocks = [reserve_ports() for _ in range(4)]
    try:
        ranges = sorted((block.first, block.rtp_last) for block in blocks)
        assert all(last < first for (_, last), (first, _) in itertools.pairwise(ranges))
        assert all(block.rtp_first % 2 == 0 for block in blocks)
    finally:
        for block in blocks:
            block.release()


async def test_a_machine_that_knows_its_own_name_gets_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "localhost")
    assert await host_name_warning() is None

    monkeypatch.setattr("socket.gethostname", lambda: "no-such-name.invalid")
    warning = await host_name_warning()

    assert warning is not None
    assert "/etc/hosts" in warning
