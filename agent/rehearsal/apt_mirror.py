"""Finds this machine's own Debian or Ubuntu mirror, as apt knows it, and the suites to look in."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import OrderlineError


class FetchError(OrderlineError):
    """The packages could not be fetched."""

    code = "asterisk_fetch"


class NoMirror(FetchError):
    """apt is there, but knows no Debian or Ubuntu mirror."""

    code = "asterisk_no_mirror"


@dataclass(frozen=True)
class Mirror:
    """Where this machine's apt gets its packages from."""

    distribution: str
    """``debian`` or ``ubuntu``."""
    site: str
    """Base address, as in a sources list."""
    codename: str
    """The suite this machine runs, ``bookworm``."""

    @property
    def components(self) -> str:
        """The archive areas that hold what we fetch and all it depends on."""
        return "main universe" if self.distribution == "ubuntu" else "main"

    def suites(self, newer: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the suites to look in, the most settled first; ``newer`` are later releases by name."""
        later = (*newer, "devel") if self.distribution == "ubuntu" else ("stable", "testing", "unstable")
        return tuple(dict.fromkeys(suite for suite in (self.codename, *later) if suite))


def read_mirror(indextargets: str, os_release: str, way_out: str) -> Mirror:
    """Choose the distribution's own mirror from what ``apt-get indextargets`` prints and ``/etc/os-release``.

    Security archives and third parties' repositories are passed over. Raises :class:`NoMirror`; its message ends with
    ``way_out``, what else a person can do.
    """
    system = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', os_release, re.MULTILINE))
    codename = system.get("VERSION_CODENAME", "")
    family = f"{system.get('ID', '')} {system.get('ID_LIKE', '')}".split()
    guess = "ubuntu" if "ubuntu" in family else "debian"
    candidates: list[tuple[int, Mirror]] = []
    for stanza in indextargets.split("\n\n"):
        target = dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE))
        site, release, origin = target.get("Site", ""), target.get("Release", ""), target.get("Origin", "").lower()
        if target.get("Created-By") != "Packages" or target.get("Component") != "main" or not site:
            continue
        if "security" in site or release.endswith("-security") or origin not in ("", "debian", "ubuntu"):
            continue
        # Without fetched lists apt does not know the origin yet; then only a release with our own name can be ours.
        rank = (0 if release == codename else 2) + (0 if origin else 1)
        if rank < 3:
            candidates.append((rank, Mirror(origin or guess, site.rstrip("/"), codename or release)))
    if not candidates:
        raise NoMirror(
            f"apt on this machine names no Debian or Ubuntu mirror; add one to its sources and run apt-get update, "
            f"{way_out}."
        )
    return min(candidates, key=lambda ranked: ranked[0])[1]


def newer_ubuntu_releases(codename: str, table: Path, today: datetime.date) -> tuple[str, ...]:
    """Return the Ubuntu releases after ``codename`` that are out, oldest first; empty without distro-info's table."""
    if not table.is_file():
        return ()
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if (row.get("release") or "9999") <= today.isoformat()]
    names = [row["series"] for row in rows]
    return tuple(names[names.index(codename) + 1 :]) if codename in names else ()
