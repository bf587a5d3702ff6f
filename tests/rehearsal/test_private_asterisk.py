"""Finding and fetching an Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import fcntl
import re
from pathlib import Path

import pytest

from agent.asterisk.version import parse_version, supports_media_marks
from agent.rehearsal import apt_fetch
from agent.rehearsal.apt_fetch import ASTERISK, AptFetcher, DiskFull, NoApt, NoSuite, PackageRequest
from agent.rehearsal.apt_mirror import Mirror, NoMirror, newer_ubuntu_releases, read_mirror
from agent.rehearsal.helper_programs import run
from agent.rehearsal.private_asterisk import (
    Asterisk,
    AsteriskNotUsable,
    ensure_asterisk,
    finish_tree,
    inspect_tree,
    new_enough,
)
from tests.waiting import until

BOOKWORM = 'ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
NOBLE = "ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n"


def target(site: str, release: str, origin: str = "", component: str = "main") -> str:
    stanza = f"Created-By: Packages\nSite: {site}\nRelease: {release}\nComponent: {component}\n"
    return stanza + (f"Origin: {origin}\n" if origin else "")


def fake_tree(root: Path, version: str, modules: tuple[str, ...] = ("chan_pjsip", "chan_websocket")) -> Path:
    """An unpacked tree whose loader is a script that names a version."""
    libraries = root / "usr/lib/x86_64-linux-gnu"
    (libraries / "asterisk/modules").mkdir(parents=True)
    for module in modules:
        (libraries / f"asterisk/modules/{module}.so").touch()
    (root / "usr/sbin").mkdir(parents=True)
    (root / "usr/sbin/asterisk").touch()
    (root / "usr/share/asterisk/sounds/en").mkdir(parents=True)
    loader = libraries / "ld-linux-x86-64.so.2"
    loader.write_text(f"#!/bin/sh\necho Asterisk {version}~dfsg-1\n")
    loader.chmod(0o755)
    return root


def program(directory: Path, name: str, text: str) -> None:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


# --- which mirror, which suite --------------------------------------------------------------------


def test_the_mirror_is_the_distributions_own_and_neither_security_nor_a_third_partys() -> None:
    listing = "\n".join(
        (
            target("http://packages.example.com/apt", "bookworm", "Example"),
            target("http://mirror.example.net/debian-security", "bookworm-security", "Debian"),
            target("http://mirror.example.net/debian", "bookworm", "Debian", component="contrib"),
            target("http://mirror.example.net/debian/", "bookworm", "Debian"),
        )
    )

    assert read_mirror(listing, BOOKWORM, "") == Mirror("debian", "http://mirror.example.net/debian", "bookworm")


def test_a_machine_that_never_ran_apt_update_has_a_mirror_all_the_same() -> None:
    listing = "\n".join(
        (target("http://repo.example.com/x", "nodistro"), target("http://mirror.example.net/ubuntu", "noble"))
    )

    mirror = read_mirror(listing, NOBLE, "")

    assert mirror == Mirror("ubuntu", "http://mirror.example.net/ubuntu", "noble")
    assert mirror.components == "main universe"


def test_a_machine_without_a_mirror_is_told_what_to_do() -> None:
    with pytest.raises(NoMirror, match="ASTERISK="):
        read_mirror(target("http://repo.example.com/x", "nodistro"), BOOKWORM, ASTERISK.way_out)


def test_suites_are_tried_from_the_own_one_to_the_newest() -> None:
    assert Mirror("debian", "http://mirror.example.net", "trixie").suites() == (
        "trixie",
        "stable",
        "testing",
        "unstable",
    )
    assert Mirror("ubuntu", "http://mirror.example.net", "noble").suites(("plucky",)) == ("noble", "plucky", "devel")


def test_newer_ubuntu_releases_come_from_the_distributions_table(tmp_path: Path) -> None:
    table = tmp_path / "ubuntu.csv"
    table.write_text(
        "version,codename,series,created,release,eol\n"
        "22.04 LTS,Jammy,jammy,2021-10-14,2022-04-21,2027-06-01\n"
        "24.04 LTS,Noble,noble,2023-10-12,2024-04-25,2029-05-31\n"
        "24.10,Oracular,oracular,2024-04-25,2024-10-10,2025-07-10\n"
        "25.04,Plucky,plucky,2024-10-10,2025-04-17,2026-01-15\n"
    )
    today = datetime.date(2025, 1, 1)

    assert newer_ubuntu_releases("jammy", table, today) == ("noble", "oracular")
    assert newer_ubuntu_releases("bookworm", table, today) == ()
    assert newer_ubuntu_releases("noble", tmp_path / "missing.csv", today) == ()


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("1:22.10.1+dfsg+~cs6.17.60671434-1", (22, 10, 1)),
        ("Asterisk 20.6.0~dfsg+~cs6.13.40431414-2build5", (20, 6, 0)),
        ("Asterisk certified/20.7-cert5", (20, 7, 0)),
        ("Asterisk GIT-master-abc", None),
    ],
)
def test_versions_are_read_as_asterisk_and_debian_write_them(text: str, release: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == release


def test_only_releases_with_media_marks_will_do() -> None:
    assert [r for r in ((18, 10, 0), (20, 17, 0), (21, 12, 0), (22, 7, 0), (23, 1, 0)) if supports_media_marks(r)] == []
    assert all(map(supports_media_marks, ((20, 18, 0), (22, 8, 0), (22, 10, 1), (23, 2, 0), (24, 0, 0))))
    assert not new_enough((20, 18, 0))
    assert new_enough((22, 8, 0))


# --- which Asterisk --------------------------------------------------------------------------------


async def test_a_named_tree_is_used_and_nothing_else(tmp_path: Path) -> None:
    tree = fake_tree(tmp_path / "tree", "22.10.1")

    found = await ensure_asterisk(tmp_path / "home", force=str(tree), report=print)

    assert (found.version, found.origin, found.has_websocket_media) == ("22.10.1", "ASTERISK=", True)
    assert not found.has_audiosocket
    assert not (tmp_path / "home").exists()


async def test_a_named_old_asterisk_with_audiosocket_is_good_enough(tmp_path: Path) -> None:
    tree = fake_tree(tmp_path / "tree", "20.6.0", ("chan_pjsip", "chan_audiosocket"))

    found = await ensure_asterisk(tmp_path / "home", force=str(tree), report=print)

    assert (found.has_websocket_media, found.has_audiosocket) == (False, True)


@pytest.mark.parametrize("kind", ["missing", "empty directory", "too old", "does not run", "no modules"])
async def test_a_named_asterisk_that_cannot_be_used_is_an_error(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "it"
    if kind == "empty directory":
        place.mkdir()
    elif kind == "too old":
        fake_tree(place, "16.28.0")
    elif kind == "does not run":
        place.write_text("not a program")
    elif kind == "no modules":
        fake_tree(place, "22.10.1", modules=())

    with pytest.raises(AsteriskNotUsable, match=str(place)):
        await ensure_asterisk(tmp_path / "home", force=str(place), report=print)


async def test_an_installed_asterisk_that_is_new_enough_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fake_tree(tmp_path / "system", "22.10.1")
    program(root / "usr/sbin", "asterisk", "echo Asterisk 22.10.1")
    monkeypatch.setenv("PATH", str(root / "usr/sbin"), prepend=":")

    found = await ensure_asterisk(tmp_path / "home", force=None, report=print)

    assert (found.origin, found.command) == ("installed", (str(root / "usr/sbin/asterisk"),))


async def test_an_installed_asterisk_that_is_too_old_gives_way_to_the_private_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fake_tree(tmp_path / "system", "20.6.0")
    program(root / "usr/sbin", "asterisk", "echo Asterisk 20.6.0")
    monkeypatch.setenv("PATH", str(root / "usr/sbin"), prepend=":")
    tree = fake_tree(tmp_path / "home/asterisk", "22.10.1")
    (tree / "orderline-tree.txt").write_text("testing 22.10.1")
    said: list[str] = []

    found = await ensure_asterisk(tmp_path / "home", force=None, report=said.append)

    assert found.origin == "private tree"
    assert any("20.6.0" in line for line in said)


async def test_the_real_tree_runs_by_its_own_loader(asterisk: Asterisk) -> None:
    assert asterisk.has_websocket_media
    assert asterisk.has_audiosocket
    assert (asterisk.modules_dir / "res_ari.so").is_file()
    assert list((asterisk.data_dir / "sounds" / "en").glob("vm-goodbye.*"))
    assert list((asterisk.data_dir / "moh").iterdir())
    assert asterisk.version in (await run([*asterisk.command, "-V"])).out


def test_the_dialplans_words_of_apology_come_with_asterisk(asterisk: Asterisk) -> None:
    dialplan = Path(__file__).resolve().parents[2] / "dialplan" / "orderline.conf"
    sounds = re.findall(r"Set\(ORDERLINE_SORRY=([\w&-]+)\)", dialplan.read_text(encoding="utf-8"))[0].split("&")

    assert all(list((asterisk.data_dir / "sounds" / "en").glob(f"{sound}.*")) for sound in sounds)


def test_what_maintainer_scripts_do_is_done_after_unpacking(tmp_path: Path) -> None:
    sounds = tmp_path / "usr/share/asterisk/sounds"
    (sounds / "en_US_f_Allison").mkdir(parents=True)
    (sounds / "custom").symlink_to("/no/such/place")
    (tmp_path / "usr/share/doc/asterisk").mkdir(parents=True)

    finish_tree(tmp_path)

    assert (sounds / "en").resolve() == sounds / "en_US_f_Allison"
    assert (sounds / "custom").is_dir()
    assert not (tmp_path / "usr/share/doc").exists()


# --- fetching, with a small apt of our own ----------------------------------------------------------


SMALL_APT = """
case "$*" in
  indextargets)
    printf 'Created-By: Packages\\nSite: http://mirror.example.net/debian\\nRelease: CODENAME\\nComponent: main\\n' ;;
  *" update") UPDATE ;;
esac
"""


@pytest.fixture
def small_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs named apt-get, apt-cache and dpkg-deb that come first on PATH; no Asterisk is installed."""
    programs = tmp_path / "programs"
    codename = next(
        line.partition("=")[2].strip('"')
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("VERSION_CODENAME=")
    )
    program(programs, "apt-get", SMALL_APT.replace("CODENAME", codename).replace("UPDATE", "exit 0"))
    program(programs, "apt-cache", "echo ' asterisk | 1:20.6.0-2 | http://mirror.example.net/debian main'")
    program(programs, "dpkg-deb", "exit 0")
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return programs


def fetch(tmp_path: Path, said: list[str]) -> AptFetcher:
    work = tmp_path / "work"
    work.mkdir()
    return AptFetcher(work, said.append)


async def test_when_every_suite_is_too_old_each_is_named_with_what_it_has(small_apt: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSuite, match=r"testing: 1:20\.6\.0-2.*ASTERISK="):
        await fetch(tmp_path, []).into(tmp_path / "tree", new_enough)


async def test_a_mirror_that_cannot_be_reached_is_reported_as_no_network(small_apt: Path, tmp_path: Path) -> None:
    apt = (small_apt / "apt-get").read_text()
    failing = "echo 'E: Failed to fetch: Could not resolve mirror.example.net' >&2; exit 100"
    program(small_apt, "apt-get", apt.removeprefix("#!/bin/sh\n").replace("exit 0", failing))

    with pytest.raises(apt_fetch.NoNetwork, match="Could not resolve"):
        await fetch(tmp_path, []).into(tmp_path / "tree", new_enough)


async def test_a_full_disk_is_noticed_before_anything_is_fetched(small_apt: Path, tmp_path: Path) -> None:
    huge = dataclasses.replace(ASTERISK, needed_bytes=2**60)

    with pytest.raises(DiskFull, match="MB free"):
        await AptFetcher(tmp_path, print, huge).into(tmp_path / "tree", new_enough)


async def test_what_is_fetched_is_named_in_the_message_with_its_own_way_out(small_apt: Path, tmp_path: Path) -> None:
    wanted = PackageRequest("Frobnicator", "Frobnicator >= 2", ("frobnicator",), 1, "or do without", ("oldstable",))

    with pytest.raises(NoSuite, match=r"Frobnicator >= 2 .*oldstable: .*or do without"):
        await AptFetcher(tmp_path, print, wanted).into(tmp_path / "tree", lambda _version: False)


async def test_a_machine_without_apt_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoApt, match="ASTERISK="):
        await fetch(tmp_path, []).into(tmp_path / "tree", new_enough)


async def test_a_fetch_that_is_stopped_leaves_nothing_half_done(
    small_apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.rehearsal.private_asterisk._SYSTEM_BINARY", str(tmp_path / "none"))
    apt = (small_apt / "apt-get").read_text()
    started = tmp_path / "apt-started"
    program(small_apt, "apt-get", apt.removeprefix("#!/bin/sh\n").replace("exit 0", f"touch {started}; exec sleep 60"))
    home = tmp_path / "home"
    task = asyncio.create_task(ensure_asterisk(home, force=None, report=print))
    await until(started.exists, 10)

    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert [path.name for path in home.iterdir()] == [".asterisk.lock"]


async def test_a_second_process_waits_for_the_one_that_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.rehearsal.private_asterisk._SYSTEM_BINARY", str(tmp_path / "none"))
    home = tmp_path / "home"
    home.mkdir()
    said: list[str] = []
    with (home / ".asterisk.lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = asyncio.create_task(ensure_asterisk(home, force=None, report=said.append))
        await until(lambda: any("waiting" in line for line in said))
        tree = fake_tree(home / "asterisk", "22.10.1")
        (tree / "orderline-tree.txt").write_text("testing 22.10.1")
        assert not second.done()

    found = await asyncio.wait_for(second, 5)

    assert found == await inspect_tree(tree, "private tree")


async def test_a_slow_program_shows_signs_of_life_and_progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("agent.rehearsal.helper_programs.LIFE_SIGN_SECONDS", 0.05)
    program(tmp_path, "slow-apt", 'fd=${2##*=}; echo "dlstatus:1:42.0:x" > /dev/fd/$fd; sleep 0.3')
    said: list[str] = []

    await run([str(tmp_path / "slow-apt")], apt_status=True, report=said.append)
    await run(["sleep", "0.3"], report=said.append)

    assert " 42 %" in said
    assert said[-1] == " (0 s)"
