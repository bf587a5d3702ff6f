"""`orderline check` as a whole: its exit codes, its JSON, and a fix for everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.config.loader import load_settings
from agent.config.settings import Settings
from agent.preflight.checks import run_check
from agent.preflight.dialplan import LAST_RESORT_SOUNDS
from agent.preflight.prompts import render_fixed_prompts
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.asterisk.fake_manager import FakeManager
from tests.fuzz.samples import SMALL_PACK
from tests.preflight.test_asterisk import ALL, WIRED

pytestmark = pytest.mark.slow


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    fake.modules, fake.functions = set(ALL), dict(WIRED)
    fake.sounds = {sound: ["slin"] for sound in LAST_RESORT_SOUNDS}
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def manager() -> AsyncIterator[FakeManager]:
    queues = {"orderline-humans": {"LoggedIn": 1, "Available": 1, "Callers": 0}}
    async with FakeManager(queues=queues, refused=("Command",)) as fake:
        yield fake


@pytest.fixture
def directory(tmp_path: Path, asterisk: FakeAsterisk, manager: FakeManager, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings as `make install` leaves them, for a small pack that is soon spoken."""
    for name in ("ARI_PASSWORD", "CONTROL_TOKEN", "AMI_SECRET", "REDIS_URL"):
        monkeypatch.delenv(f"ORDERLINE_{name}", raising=False)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "pack.yaml").write_text(SMALL_PACK, encoding="utf-8")
    for name, secret in (("ari", "secret"), ("ami", manager.secret), ("token", "sesame")):
        (tmp_path / name).write_text(secret, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "orderline.yaml").write_text(
        f"shop: {{demo_directory: shop, timezone: America/Chicago}}\n"
        f"ari: {{url: '{asterisk.url}', password_file: ari}}\n"
        f"ami: {{host: 127.0.0.1, port: {manager.port}, secret_file: ami}}\n"
        "queues: {orderline-humans: {}}\n"
        "control: {port: 0, token_file: token}\n"
        "flows_directory: flows\nstate_directory: state\n",
        encoding="utf-8",
    )
    return tmp_path


def settings_of(directory: Path) -> Settings:
    return load_settings(directory)


async def told(directory: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and what was found wrong by what was looked at."""
    capsys.readouterr()
    code = await run_check(settings_of(directory), as_json=True, directory=directory)
    answer = json.loads(capsys.readouterr().out)
    assert answer["exit_code"] == code
    wrong = {finding["what"]: finding for finding in answer["findings"] if finding["verdict"] != "ok"}
    assert all(finding["detail"] and finding["fix"] for finding in wrong.values())
    return code, wrong


async def test_zero_when_calls_can_be_sent(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await render_fixed_prompts(settings_of(directory))
    code, wrong = await told(directory, capsys)
    assert (code, wrong) == (0, {})
    await run_check(settings_of(directory), directory=directory)
    assert "Calls can be sent to this agent." in capsys.readouterr().out


async def test_one_where_it_works_but_something_deserves_a_look(
    directory: Path, capsys: pytest.CaptureFixture[str], asterisk: FakeAsterisk
) -> None:
    asterisk.functions["QUEUE_MEMBER(orderline-humans,count)"] = "0"
    code, wrong = await told(directory, capsys)
    assert code == 1
    assert wrong.keys() == {"prompts", "queue"}
    assert "orderline render" in wrong["prompts"]["fix"]


async def test_two_where_calls_would_fail_and_everything_else_is_told_too(
    directory: Path, capsys: pytest.CaptureFixture[str], asterisk: FakeAsterisk, manager: FakeManager
) -> None:
    manager.queues.clear()
    asterisk.modules -= {"func_timeout.so", "codec_ulaw.so", "codec_alaw.so"}
    (directory / "token").chmod(0o644)
    pack = directory / "flows" / "pack.yaml"
    pack.write_text(SMALL_PACK.replace("no, nope", "no, supercalifragilistic"), encoding="utf-8")
    code, wrong = await told(directory, capsys)
    assert code == 2
    failed = {what for what, finding in wrong.items() if finding["verdict"] == "failed"}
    assert failed == {"control token", "module", "codecs", "queue now"}
    assert "supercalifragilistic" in wrong["vocabulary"]["detail"]
    assert wrong["control token"]["fix"] == f"chmod 600 {directory / 'token'}"


async def test_a_pack_that_cannot_be_loaded_and_an_asterisk_that_is_not_there(
    directory: Path, capsys: pytest.CaptureFixture[str], asterisk: FakeAsterisk
) -> None:
    await asterisk.stop()
    (directory / "flows" / "pack.yaml").write_text("start: nowhere\n", encoding="utf-8")
    code, wrong = await told(directory, capsys)
    assert code == 2
    assert wrong.keys() == {"procedures", "ARI"}
    assert "orderline flows check" in wrong["procedures"]["fix"]
