"""The systemd units, the sandbox they ask for, and the pinned requirements."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from agent.cli.main import main
from agent.installation.file_installer import fill_placeholders
from agent.installation.installer import UNITS
from agent.installation.layout import InstallationLayout

REPOSITORY = Path(__file__).resolve().parents[2]
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "MemoryDenyWriteExecute": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "User": "orderline",
    "StateDirectory": "orderline",
}


def unit(name: str) -> str:
    return fill_placeholders(
        (REPOSITORY / "contrib/systemd" / name).read_text("utf-8"), InstallationLayout().placeholders()
    ).decode()


@pytest.mark.parametrize("name", UNITS)
def test_both_programs_run_as_their_own_user_in_a_closed_box(name: str) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit(name))
    service = dict(parser["Service"])
    assert {key: service.get(key) for key in HARDENED} == HARDENED
    # an agent that "orderline stop" ended stays ended; a rescuer never ends by itself
    assert service["Restart"] == ("always" if "rescuer" in name else "on-failure")
    assert service["ExecStart"].startswith("/opt/orderline/venv/bin/orderline ")
    assert "@" not in service["ExecStart"]


def test_the_agent_stays_stopped_when_it_was_told_to_stop_and_the_rescuer_always_runs() -> None:
    """`orderline stop` ends with 0; a crash, a hang (watchdog) and a refused start do not."""
    assert re.search(r"^Restart=on-failure$", unit("orderline.service"), re.MULTILINE)
    assert re.search(r"^WatchdogSec=\d+$", unit("orderline.service"), re.MULTILINE)
    assert re.search(r"^Restart=always$", unit("orderline-rescuer.service"), re.MULTILINE)
    for name in UNITS:
        assert re.search(r"^StartLimitIntervalSec=0$", unit(name), re.MULTILINE), "systemd never gives up"


def test_the_units_start_commands_that_there_are() -> None:
    for name in UNITS:
        found = re.search(r"^ExecStart=\S+/bin/orderline (.+) --config /etc/orderline$", unit(name), re.MULTILINE)
        assert found is not None
        with pytest.raises(SystemExit) as helped:
            main([*found[1].replace("%i", "2").split(), "--help"])
        assert helped.value.code == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_reads_the_units_without_a_word_and_finds_little_exposure(name: str, tmp_path: Path) -> None:
    text = unit(name).replace("/opt/orderline/venv/bin/orderline", "/bin/true")
    (tmp_path / name).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in verified.stderr.splitlines() if name in line and "RestartSteps" not in line]
    # older systemd (252) does not know the back-off keys and says that it ignores them
    assert [line for line in complaints if "RestartMaxDelaySec" not in line] == []
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(tmp_path / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    level = re.search(r"exposure level for \S+: ([\d.]+)", judged.stdout)
    assert level is not None, judged.stdout + judged.stderr
    assert float(level[1]) <= 2.0


def test_ears_and_voice_work_where_no_memory_may_become_code() -> None:
    """MemoryDenyWriteExecute, as the kernel enforces it (prctl PR_SET_MDWE, Linux 6.3)."""
    program = """
import asyncio, ctypes, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0:
    print("not here"); sys.exit()
from pathlib import Path
from agent.dialog.contract import Prompt
from agent.speech.model import resolve_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.vad import VoiceActivityFactory
from agent.speech.voice import PromptSynthesizer, build_engines
async def main():
    for name in ("hibari", "pyttsx3"):
        speaker = PromptSynthesizer(build_engines((name,)))
        done = await speaker.prerender([Prompt("x", "One moment, please.")])
        await speaker.close()
        print(name, done.ready, done.failed)
    recognizer = VoskRecognizer(resolve_model("bundled", Path("/nonexistent")), workers=1)
    recognizer.listen(("yes", "no"), (), ())
    VoiceActivityFactory().new()
    recognizer.close()
    print("all ready")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    if done.stdout.strip() == "not here":
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert done.stdout.splitlines() == ["hibari 1 ()", "pyttsx3 1 ()", "all ready"], done.stderr


def locked(name: str) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    text = (REPOSITORY / name).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        requirement = Requirement(line.split(" --hash=")[0].strip())
        assert " --hash=sha256:" in line, f"{requirement.name} is not pinned by a hash"
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def test_everything_the_product_needs_is_pinned_with_hashes_in_a_version_it_accepts() -> None:
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    pins = locked("requirements.lock")
    for line in setup["options"]["install_requires"].split():
        wanted = Requirement(line)
        versions = [Version(next(iter(pin.specifier)).version) for pin in pins[canonicalize_name(wanted.name)]]
        assert all(wanted.specifier.contains(version) for version in versions), f"{wanted}: make lock"
    assert {"setuptools", "wheel"} <= locked("requirements-build.lock").keys()
