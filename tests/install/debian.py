"""A small Debian with an Asterisk in it, made once and kept; and the packages an installation needs, fetched once."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.rehearsal.apt_mirror import read_mirror

Report = Callable[[str], None]

EDITION = "3"
"""Goes up when the base is made otherwise: an older one is made again."""
_TREE = "opt/asterisk-tree"

_PATCH_RELEASE = re.compile(r"python_full_version < '3\.\d+\.\d+' and ")
_DIALPLAN = """
; --- this PBX's own -------------------------------------------------------------
[shop]
exten => 2025550100,1,Goto(orderline,${EXTEN},1)

[caller]
exten => listen,1,Answer()
 same => n,Record(/tmp/heard.wav,0,6,kq)
 same => n,Hangup()

[people]
exten => 601,1,Answer()
 same => n,Wait(5)
"""


class InstallTestImpossible(Exception):
    """This machine cannot run the test; the message says what is missing."""


def build_base(work: Path, asterisk_tree: Path, report: Report) -> Path:
    """Return a root with Debian, Python and Asterisk, as an administrator has it before Orderline. Kept."""
    base = work / "base"
    stamp = work / "base.edition"
    if base.is_dir() and stamp.is_file() and stamp.read_text() == EDITION:
        return base
    shutil.rmtree(base, ignore_errors=True)
    partial = work / "base.partial"
    shutil.rmtree(partial, ignore_errors=True)
    _debootstrap(work, partial, report)
    report("Putting Asterisk in")
    _put_asterisk(partial, asterisk_tree.resolve())
    (partial / "etc/hosts").write_text(f"127.0.0.1 localhost {platform.node()}\n")
    partial.rename(base)
    stamp.write_text(EDITION)
    return base


def _debootstrap(work: Path, target: Path, report: Report) -> None:
    mirror = read_mirror(
        _run(["apt-get", "indextargets"]), Path("/etc/os-release").read_text(), "or run this elsewhere"
    )
    program, environment = shutil.which("debootstrap"), None
    if program is None:
        tools = work / "tools"
        if not (tools / "usr/sbin/debootstrap").is_file():
            report("Fetching debootstrap")
            shutil.rmtree(tools, ignore_errors=True)
            tools.mkdir()
            _run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "debootstrap"], cwd=tools)
            (package,) = tools.glob("debootstrap_*.deb")
            _run(["dpkg-deb", "-x", str(package), str(tools)])
        program = str(tools / "usr/sbin/debootstrap")
        environment = {"DEBOOTSTRAP_DIR": str(tools / "usr/share/debootstrap")}
    report(f"Making a {mirror.distribution} {mirror.codename} below {work} (once)")
    command = [program, "--variant=minbase", "--include=python3-venv,make", mirror.codename, str(target), mirror.site]
    _run(command, environment=environment)
    shutil.rmtree(target / "var/cache/apt/archives", ignore_errors=True)


def _put_asterisk(root: Path, tree: Path) -> None:
    """Asterisk as Debian's package puts it: stock configuration, a user of its own, sounds; started by hand."""
    home = root / _TREE
    home.parent.mkdir(exist_ok=True)
    _run(["cp", "-a", "--reflink=auto", str(tree), str(home)])
    inner = Path("/") / _TREE
    (loader,) = [*home.glob("usr/lib/*/ld-linux*.so*")][:1]
    triplet = loader.parent.name
    libraries = f"{inner}/usr/lib/{triplet}:{inner}/lib/{triplet}"
    loader_inside = inner / loader.relative_to(home)
    wrapper = root / "usr/sbin/asterisk"
    command = f"{loader_inside} --library-path {libraries} {inner}/usr/sbin/asterisk"
    wrapper.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    wrapper.chmod(0o755)
    modules = root / "usr/lib" / triplet / "asterisk"
    modules.parent.mkdir(parents=True, exist_ok=True)
    modules.symlink_to(inner / "usr/lib" / triplet / "asterisk")
    (root / "usr/share/asterisk").symlink_to(inner / "usr/share/asterisk")
    shutil.copytree(home / "etc/asterisk", root / "etc/asterisk", symlinks=True)
    with (root / "etc/asterisk/extensions.conf").open("a") as dialplan:
        dialplan.write(_DIALPLAN)
    _run(
        ["chroot", str(root), "useradd", "--system", "--no-create-home", "--home-dir", "/var/lib/asterisk", "asterisk"]
    )
    for name in ("var/lib", "var/log", "var/spool", "var/cache", "run"):
        (root / name / "asterisk").mkdir(parents=True, exist_ok=True)
        _run(["chroot", str(root), "chown", "asterisk:asterisk", f"/{name}/asterisk"])
    _run(["chroot", str(root), "chown", "-R", "asterisk:asterisk", "/etc/asterisk"])
    (root / "etc/asterisk").chmod(0o750)


def fetch_packages(work: Path, repository: Path, base: Path, report: Report) -> Path:
    """Download what the lock files name, hashes checked, for an installation without a network."""
    locks = [repository / name for name in ("requirements-build.lock", "requirements.lock")]
    python = _run(["chroot", str(base), "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    if python != f"{sys.version_info[0]}.{sys.version_info[1]}":
        raise InstallTestImpossible(
            f"this Python is not the new Debian's Python {python}: rm -rf .venv; make PYTHON=python{python}"
        )
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:16]
    packages = work / f"packages-{digest}"
    if packages.is_dir():
        return packages
    for old in work.glob("packages-*"):
        shutil.rmtree(old)
    report("Fetching the pinned packages (once)")
    partial = work / "packages.partial"
    shutil.rmtree(partial, ignore_errors=True)
    for lock in locks:
        # also what is only needed by other patch releases of the same Python: the new Debian's may be one
        anywhere = work / lock.name
        anywhere.write_text(_PATCH_RELEASE.sub("", lock.read_text()))
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
        _run([*pip, "-d", str(partial), "-r", str(anywhere)])
    partial.rename(packages)
    return packages


def _run(command: Sequence[str], cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **(environment or {})}
    )
    if done.returncode != 0:
        words = " / ".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise InstallTestImpossible(f"{command[0]} failed: {words}")
    return done.stdout
