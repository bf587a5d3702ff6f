"""The program itself: a virtual environment from the pinned, hashed requirements, and our own package in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from agent.installation.file_installer import remove_tree
from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError

Report = Callable[[str], None]

_PARTS_OF_THE_PACKAGE = ("agent", "dialplan", "asterisk-conf", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
LOCKS = ("requirements-build.lock", "requirements.lock")


def build_program(layout: InstallationLayout, source: Path, report: Report) -> None:
    """Make the virtual environment anew, next to the old one, and put it in its place when it is whole.

    Raises InstallError with pip's last words; what was installed before is then untouched.
    """
    final = layout.on_disk(layout.venv)
    final.parent.mkdir(parents=True, exist_ok=True)
    fresh = final.with_name("venv.new")
    remove_tree(fresh)
    try:
        report(f"Making the program's virtual environment for {layout.venv} (Python {sys.version.split()[0]})")
        _run([sys.executable, "-m", "venv", str(fresh)])
        _pip_installs(fresh, source, report)
        _settle(fresh, layout.venv)
    except BaseException:
        remove_tree(fresh)
        raise
    old = final.with_name("venv.old")
    remove_tree(old)
    if final.exists():
        final.rename(old)
    fresh.rename(final)
    remove_tree(old)


def _pip_installs(venv: Path, source: Path, report: Report) -> None:
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    install = [*pip, "install", "--no-cache-dir", "--no-compile", "--quiet"]
    report("Installing the pinned packages")
    for lock in LOCKS:
        _run([*install, "--no-build-isolation", "--require-hashes", "-r", str(source / lock)])
    report("Installing Orderline")
    with tempfile.TemporaryDirectory(prefix="orderline-build-") as work:
        # Built from a copy: setuptools leaves its own directories behind in the place it builds in.
        copy = Path(work) / "source"
        copy.mkdir()
        for name in _PARTS_OF_THE_PACKAGE:
            _copy(source / name, copy / name)
        _run([*install, "--no-build-isolation", "--no-deps", str(copy)])


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    elif source.is_file():
        shutil.copy(source, target)
    else:
        raise InstallError(f"{source} is missing: run this in a whole checkout of Orderline")


def _settle(venv: Path, final: Path) -> None:
    """Make a virtual environment believe that it has always stood in ``final``, and compile it for there."""
    old, new = str(venv), str(final)
    for path in [venv / "pyvenv.cfg", *(venv / "bin").iterdir()]:
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if old.encode() in content:
            path.write_bytes(content.replace(old.encode(), new.encode()))
    for record in (venv / "lib").rglob("direct_url.json"):
        # names the directory it was built in, which is gone
        if re.search(r"orderline-build-", record.read_text(encoding="utf-8")):
            record.unlink()
            _drop_line(record.with_name("RECORD"), f"{record.parent.name}/direct_url.json")
    compile_all = ["-m", "compileall", "-q", "-j", "0", "-s", old, "-p", new, str(venv / "lib")]
    _run([str(venv / "bin" / "python"), *compile_all], ok=(0, 1))  # 1: some package ships a file of another Python


def _drop_line(record: Path, start: str) -> None:
    lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
    record.write_text("".join(line for line in lines if not line.startswith(start)), encoding="utf-8")


def _run(command: list[str], ok: Iterable[int] = (0,)) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)
    except OSError as error:
        raise InstallError(f"{command[0]} does not run: {error.strerror}") from error
    if done.returncode not in ok:
        words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise InstallError(f"{' '.join(command)} failed:\n{words}")
