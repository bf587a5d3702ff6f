"""Fetches packages from this machine's own Debian or Ubuntu mirror and unpacks them, without root.

apt resolves and downloads with a private state directory, ``dpkg-deb -x`` unpacks; nothing is installed
and nothing outside the given directories is written. The mirror, the proxy and the keys are the ones the
machine's apt already uses.
"""

# ruff: noqa: ASYNC240 - it runs before any call exists, and looks at a few names on the local disk
from __future__ import annotations

import asyncio
import datetime
import errno
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.asterisk.version import parse_version
from agent.rehearsal.apt_mirror import FetchError, Mirror, NoMirror, newer_ubuntu_releases, read_mirror
from agent.rehearsal.helper_programs import CommandResult, run

ReportProgress = Callable[[str], None]

_NO_NETWORK = re.compile(
    r"Temporary failure|Could not resolve|Could not connect|Unable to connect|timed out|unreachable|Connection failed",
)
_NO_SUITE = re.compile(r"does not have a Release file|404\s+Not Found|no longer has a Release file")
_NO_KEY = re.compile(r"NO_PUBKEY|is not signed|EXPKEYSIG|Missing key|signatures? (?:couldn't be|were invalid)")
_NO_SPACE = re.compile(r"No space left on device|don't have enough free space", re.IGNORECASE)


class NoApt(FetchError):
    """This machine has no apt to fetch with."""

    code = "asterisk_no_apt"


class NoSuite(FetchError):
    """No suite of the mirror carries what is wanted in a version that will do."""

    code = "asterisk_no_suite"


class NoNetwork(FetchError):
    """The mirror could not be reached."""

    code = "asterisk_no_network"
    retryable = True


class DiskFull(FetchError):
    """There is no room for the tree."""

    code = "asterisk_disk_full"


@dataclass(frozen=True)
class PackageRequest:
    """What to fetch, and how to speak of it."""

    name: str
    """Its name in messages: ``Asterisk``."""
    needs: str
    """The same with the version that will do: ``Asterisk >= 22.8``."""
    packages: tuple[str, ...]
    """What is asked for by name, the one whose version counts first; apt adds what they depend on."""
    needed_bytes: int
    """Packages, package lists and the tree at once, with some air."""
    way_out: str
    """What else a person can do, to end an error message with."""
    earlier_suites: tuple[str, ...] = ()
    """Debian suites to look in last, where later ones may have dropped it."""


ASTERISK = PackageRequest(
    "Asterisk",
    "Asterisk >= 22.8",
    # without music on hold a queued caller hears nothing
    ("asterisk", "asterisk-core-sounds-en-wav", "asterisk-moh-opsound-wav"),
    # packages about 110 MB, package lists about 60 MB, the tree about 280 MB
    700 * 1024 * 1024,
    "or set ASTERISK= to an Asterisk >= 22.8 of your own (a binary or an unpacked tree)",
)


class AptFetcher:
    """One fetch into one work directory, which the caller makes and removes."""

    def __init__(self, work_dir: Path, report: ReportProgress, wanted: PackageRequest = ASTERISK) -> None:
        self._dir = work_dir
        self._wanted = wanted
        self._report = report
        self._config = work_dir / "apt.conf"

    async def into(self, tree: Path, accepts: Callable[[tuple[int, int, int]], bool]) -> str:
        """Fetch and unpack into ``tree``; returns "suite version". Raises a :class:`FetchError`.

        ``accepts`` judges a (major, minor, patch).
        """
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise NoApt(
                f"apt-get and dpkg-deb are needed to fetch {self._wanted.name}; install them {self._wanted.way_out}."
            )
        free = shutil.disk_usage(self._dir).free
        if free < self._wanted.needed_bytes:
            raise self._disk_full(free)
        try:
            mirror = await self._mirror()
            suite, version = await self._choose_suite(mirror, accepts)
            await self._download()
            await self._unpack(tree)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._disk_full(shutil.disk_usage(self._dir).free) from error
            raise
        return f"{suite} {version}"

    async def _mirror(self) -> Mirror:
        listing = await run(["apt-get", "indextargets"])
        if listing.code != 0:
            raise NoMirror(f"apt-get indextargets failed: {listing.tail()}")
        release = Path("/etc/os-release")
        mirror = read_mirror(
            listing.out, release.read_text(encoding="utf-8") if release.is_file() else "", self._wanted.way_out
        )
        self._report(f"{self._wanted.name}: using this machine's mirror {mirror.site}")
        return mirror

    async def _choose_suite(self, mirror: Mirror, accepts: Callable[[tuple[int, int, int]], bool]) -> tuple[str, str]:
        """Point apt at the first suite with a good version of what is wanted."""
        seen: list[str] = []
        newer = newer_ubuntu_releases(
            mirror.codename,
            Path("/usr/share/distro-info/ubuntu.csv"),
            datetime.datetime.now(tz=datetime.UTC).date(),
        )
        suites = mirror.suites(newer if mirror.distribution == "ubuntu" else ())
        if mirror.distribution == "debian":
            suites = tuple(dict.fromkeys((*suites, *self._wanted.earlier_suites)))
        main = self._wanted.packages[0]
        for suite in suites:
            self._write_config(mirror, suite)
            update = await self._apt(["apt-get", "update"], f"looking into {suite}")
            if update.code != 0:
                if _NO_SUITE.search(update.err):
                    seen.append(f"{suite}: not on the mirror")
                    continue
                if _NO_KEY.search(update.err):
                    seen.append(f"{suite}: signed with a key this machine does not have")
                    continue
                raise self._failure(f"reading the package lists of {suite}", update)
            listing = await self._apt(["apt-cache", "madison", main], f"looking into {suite}")
            versions = [line.split("|")[1].strip() for line in listing.out.splitlines() if line.count("|") >= 2]
            seen.append(f"{suite}: {versions[0] if versions else f'no {main}'}")
            for text in versions:
                version = parse_version(text)
                if version is not None and accepts(version):
                    self._report(f"{self._wanted.name}: {suite} has {text}")
                    return suite, text
        raise NoSuite(
            f"no suite of {mirror.site} carries a usable {self._wanted.needs} ({'; '.join(seen)}). Update the archive "
            f"keyring package if a key is missing, {self._wanted.way_out}."
        )

    def _write_config(self, mirror: Mirror, suite: str) -> None:
        """Write the private apt configuration: own state and cache, one source, the machine's proxy and keys."""
        for name in ("lists/partial", "cache/archives/partial"):
            (self._dir / name).mkdir(parents=True, exist_ok=True)
        (self._dir / "status").touch()
        rings = sorted(Path("/usr/share/keyrings").glob(f"{mirror.distribution}-archive-keyring.[gp][pg][gp]"))
        # Without the keyring package apt falls back on the machine's trusted.gpg.d.
        options = f"target=Packages signed-by={rings[0]}" if rings else "target=Packages"
        source = f"deb [{options}] {mirror.site} {suite} {mirror.components}\n"
        (self._dir / "sources.list").write_text(source, encoding="utf-8")
        settings = {
            "Dir::State": self._dir,
            "Dir::State::lists": self._dir / "lists",
            "Dir::State::status": self._dir / "status",
            "Dir::Cache": self._dir / "cache",
            "Dir::Cache::archives": "archives/",
            "Dir::Cache::pkgcache": "pkgcache.bin",
            "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
            "Dir::Log": self._dir,
            "Dir::Etc::sourcelist": self._dir / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Acquire::http::Timeout": "20",
            "Acquire::https::Timeout": "20",
            "APT::Install-Recommends": "false",
            "APT::Update::Error-Mode": "any",
            "Debug::NoLocking": "true",
        }
        if os.geteuid() == 0:
            # apt would drop to its own user, who may not write here; the directory is ours alone anyway.
            settings["APT::Sandbox::User"] = "root"
        lines = [f'{key} "{value}";' for key, value in settings.items()]
        # The machine's hooks (cleaning caches, refreshing indexes) are about the machine, not about this tree.
        hooks = ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")
        lines += [f"#clear {room}::{hook};" for room in ("APT::Update", "DPkg") for hook in hooks]
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    async def _download(self) -> None:
        command = ["apt-get", "-y", "--download-only", "install", *self._wanted.packages]
        finished = await self._apt(command, "downloading")
        if finished.code != 0:
            raise self._failure("downloading the packages", finished)

    async def _unpack(self, tree: Path) -> None:
        tree.mkdir()
        archives = sorted((self._dir / "cache" / "archives").glob("*.deb"))
        done = 0
        gate = asyncio.Semaphore(min(4, os.cpu_count() or 1))

        async def unpack(archive: Path) -> None:
            nonlocal done
            async with gate:
                finished = await run(["dpkg-deb", "-x", str(archive), str(tree)])
            if finished.code != 0:
                raise self._failure(f"unpacking {archive.name}", finished)
            done += 1
            if done % 20 == 0 or done == len(archives):
                self._report(f"{self._wanted.name}: unpacked {done} of {len(archives)} packages")

        # base-files lays the directories and links the others fill, so it goes first.
        first = [archive for archive in archives if archive.name.startswith("base-files_")]
        for archive in first:
            await unpack(archive)
        try:
            async with asyncio.TaskGroup() as group:
                for archive in archives:
                    if archive not in first:
                        group.create_task(unpack(archive))
        except* FetchError as failures:
            raise failures.exceptions[0] from None

    async def _apt(self, command: Sequence[str], stage: str) -> CommandResult:
        return await run(
            [command[0], "-q", "-c", str(self._config), *command[1:]],
            apt_status=True,
            report=lambda text: self._report(f"{self._wanted.name}: {stage}{text}"),
        )

    def _failure(self, doing: str, finished: CommandResult) -> FetchError:
        text = finished.err + finished.out
        if _NO_SPACE.search(text):
            return self._disk_full(shutil.disk_usage(self._dir).free)
        if _NO_NETWORK.search(text):
            return NoNetwork(
                f"no network while {doing}: {finished.tail()} Connect this machine, {self._wanted.way_out}."
            )
        return FetchError(f"{doing} failed: {finished.tail()}")

    def _disk_full(self, free: int) -> DiskFull:
        return DiskFull(
            f"{self._dir.parent} has {free // 2**20} MB free, {self._wanted.name} needs "
            f"{self._wanted.needed_bytes // 2**20} MB; make room, {self._wanted.way_out}."
        )
