"""Virtual environments for the real servers, made with pip on first use and kept below the home directory."""

# ruff: noqa: ASYNC240 - it runs before any call exists, and looks at a few names on the local disk
from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from agent.rehearsal.helper_programs import run
from agent.rehearsal.process_lock import process_lock

HERE = Path(__file__).resolve().parent
_INSTALL_SECONDS = 600.0


class NotInstalled(Exception):
    """A server could not be installed; the message ends with pip's own words."""


async def ensure_environment(directory: Path, name: str, report: Callable[[str], None]) -> Path:
    """Return the ``bin`` directory of a virtual environment with what ``<name>-requirements.txt`` asks for.

    It is made again when the file or our Python has changed. Raises :class:`NotInstalled`.
    """
    requirements = HERE / f"{name}-requirements.txt"
    wanted = digest(requirements, salt=f"{sys.executable} {sys.version}")
    directory.mkdir(parents=True, exist_ok=True)
    stamp = directory / "installed.txt"
    async with process_lock(
        directory / ".lock", f"{name}: another process is installing it, waiting for that one", report
    ):
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            stamp.unlink(missing_ok=True)
            report(f"{name}: installing it into {directory} (once)")
            shutil.rmtree(directory / "venv", ignore_errors=True)
            python = str(directory / "venv" / "bin" / "python")
            pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", str(requirements)]
            for command in ([sys.executable, "-m", "venv", str(directory / "venv")], pip):
                finished = await run(command, timeout_seconds=_INSTALL_SECONDS)
                if finished.code != 0:
                    raise NotInstalled(f"{' '.join(command)}: {finished.tail()}")
            stamp.write_text(wanted, encoding="utf-8")
    return directory / "venv" / "bin"


def digest(*files: Path, salt: str = "") -> str:
    """A name for the contents of some files."""
    total = hashlib.sha256(salt.encode())
    for file in files:
        total.update(file.read_bytes())
    return total.hexdigest()[:16]
