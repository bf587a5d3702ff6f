"""The install test, in namespaces of its own where possible: install, wire, check, call, upgrade, uninstall."""

from __future__ import annotations

import array
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import time
import urllib.request
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

_SOURCE = "usr/src/orderline"
_PACKAGES = "usr/src/packages"
_NOT_COMPARED = (
    "proc", "sys", "dev", "tmp", "run", "usr/src",
    "var/lib/asterisk", "var/log/asterisk", "var/spool/asterisk", "var/cache/asterisk",
)  # fmt: skip
"""What belongs to the kernel, to the test, or is Asterisk's own data of having run."""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": f"/{_PACKAGES}",
}
_READY_SECONDS = 120.0


class InstallTestFailed(Exception):
    """The test has failed; the message says where."""


class DebianRoot:
    """The new Debian, and commands in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started: list[subprocess.Popen[str]] = []

    def run(self, command: str, ok: tuple[int, ...] = (0,), timeout_seconds: float = 300) -> str:
        """Run a shell command in it as root; returns its output. Raises Failed."""
        done = subprocess.run(
            ["chroot", str(self.path), "/bin/sh", "-c", command],
            capture_output=True, text=True, check=False, env=_ENVIRONMENT, timeout=timeout_seconds,
        )  # fmt: skip
        output = done.stdout + done.stderr
        if done.returncode not in ok:
            raise InstallTestFailed(f"{command} ended with {done.returncode}:\n{output}")
        return output

    def start(self, command: str, log: str, user: str = "") -> subprocess.Popen[str]:
        """Start a program in it."""
        as_user = [f"--userspec={user}:{user}"] if user else []
        with (self.path / "tmp" / log).open("w") as output:
            process = subprocess.Popen(
                ["chroot", *as_user, str(self.path), *shlex.split(command)],
                stdout=output, stderr=subprocess.STDOUT, text=True, env=_ENVIRONMENT,
            )  # fmt: skip
        self.started.append(process)
        return process

    def stop(self, process: subprocess.Popen[str]) -> int:
        process.terminate()
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise InstallTestFailed(f"{process.args} did not end within 30 s of SIGTERM") from None


def listing(root: Path) -> dict[str, str]:
    """Path -> type, mode, owner and, below /etc, the content's fingerprint."""
    found: dict[str, str] = {}
    for directory, names, files in os.walk(root):
        below = Path(directory).relative_to(root)
        names[:] = [name for name in names if str(below / name) not in _NOT_COMPARED]
        for name in [*names, *files]:
            path = Path(directory) / name
            state = path.lstat()
            what = f"{stat.filemode(state.st_mode)} {state.st_uid}:{state.st_gid}"
            if stat.S_ISLNK(state.st_mode):
                what += f" -> {os.readlink(path)}"
            elif stat.S_ISREG(state.st_mode) and str(below).startswith("etc") and not name.endswith("-"):
                what += f" {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
            found[str(below / name)] = what
    return found


def same(before: dict[str, str], after: dict[str, str], when: str) -> None:
    """Raise Failed with every difference between two listings."""
    differences = [f"+ {path} ({after[path]})" for path in sorted(after.keys() - before.keys())]
    differences += [f"- {path}" for path in sorted(before.keys() - after.keys())]
    differences += [
        f"! {path}: {before[path]} is now {after[path]}"
        for path in sorted(before.keys() & after.keys())
        if before[path] != after[path]
    ]
    if differences:
        raise InstallTestFailed(f"{when}, the system is not as it was:\n" + "\n".join(differences[:40]))


def say(line: str) -> None:
    print(f"  {line}", flush=True)


def main() -> int:
    root, packages, repository = DebianRoot(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
    earlier = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    try:
        with mounted(root.path):
            if earlier is None:
                run_install_test(root, packages, repository)
            else:
                run_upgrade_test(root, packages, earlier, repository)
    except InstallTestFailed as problem:
        print(f"install-test: FAILED: {problem}", file=sys.stderr)
        for log in sorted((root.path / "tmp").glob("*.log")):
            print(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-25:]), file=sys.stderr)
        return 1
    finally:
        for process in root.started:
            if process.poll() is None:
                process.kill()
                process.wait(10)
    print("install-test: passed")
    return 0


def run_install_test(root: DebianRoot, packages: Path, repository: Path) -> None:
    started = time.monotonic()
    loopback_up()
    put_sources(root, packages, repository)
    before = listing(root.path)
    say(f"{len(before)} files before")

    root.run(f"make -C /{_SOURCE} install")
    say(f"make install: {time.monotonic() - started:.0f} s")
    expect_modes(root)
    expect_whisper_files_readable(root)

    root.run("orderline wire")
    if root.path.joinpath("etc/asterisk/ari.conf").read_text().count("orderline"):
        raise InstallTestFailed("orderline wire without --apply has changed a file")
    root.run("orderline wire --apply")
    add_queue_member(root)

    asterisk = root.start("/usr/sbin/asterisk -f -U asterisk", "asterisk.log")
    wait_for(root, "asterisk -rx 'core waitfullybooted'", "Asterisk")
    root.run("orderline render", timeout_seconds=600)
    expect_check_passes(root, "before the agent runs")
    agent = root.start(exec_start(root, "orderline.service"), "agent.log", user="orderline")
    wait_until(lambda: '"ready"' in (root.path / "tmp/agent.log").read_text(), "the agent", agent)
    rescuer = root.start(exec_start(root, "orderline-rescuer.service"), "rescuer.log", user="orderline")
    wait_until(lambda: '"ready"' in (root.path / "tmp/rescuer.log").read_text(), "the rescuer", rescuer)
    expect_check_passes(root, "with the agent running")
    say(f"orderline check is green: {time.monotonic() - started:.0f} s")

    call(root)
    say(f"a call was answered and heard: {time.monotonic() - started:.0f} s")

    expect_console(root)
    say(f"the console shows its sign-in: {time.monotonic() - started:.0f} s")

    upgrade_keeps_edits(root)
    if root.stop(agent) != 0 or root.stop(rescuer) != 0:
        raise InstallTestFailed("agent and rescuer did not end in order on SIGTERM")
    root.run(f"make -C /{_SOURCE} uninstall")
    root.stop(asterisk)
    same(before, listing(root.path), "After make uninstall")
    say(f"make uninstall left the system as it was: {time.monotonic() - started:.0f} s")


def run_upgrade_test(root: DebianRoot, packages: Path, earlier: Path, repository: Path) -> None:
    """Install an earlier checkout, ring it, install this one over it: settings, secrets, records, kept calls stay."""
    started = time.monotonic()
    loopback_up()
    put_sources(root, packages, earlier)
    root.run(f"make -C /{_SOURCE} install")
    root.run("orderline wire --apply")
    add_queue_member(root)
    etc, state = root.path / "etc/orderline", root.path / "var/lib/orderline"
    settings = etc / "orderline.yaml"
    settings.write_text(settings.read_text().replace("name: the shop ", "name: Maple and Finch "))
    asterisk = root.start("/usr/sbin/asterisk -f -U asterisk", "asterisk.log")
    wait_for(root, "asterisk -rx 'core waitfullybooted'", "Asterisk")
    root.run("orderline render", timeout_seconds=600)
    agent = root.start(exec_start(root, "orderline.service"), "agent.log", user="orderline")
    wait_until(lambda: '"ready"' in (root.path / "tmp/agent.log").read_text(), "the earlier agent", agent)
    call(root)
    if root.stop(agent) != 0:
        raise InstallTestFailed("the earlier agent did not end in order on SIGTERM")
    kept = {name: (etc / name).read_bytes() for name in (*SECRETS, "orderline.yaml")}
    (old_call,) = recorded_calls(state / "calls.sqlite")
    put_kept_call(state, repository)
    say(f"the earlier version was installed and rung: {time.monotonic() - started:.0f} s")

    shutil.rmtree(root.path / _SOURCE)
    put_sources(root, packages, repository)
    root.run(f"make -C /{_SOURCE} install")
    if changed := [name for name, content in kept.items() if (etc / name).read_bytes() != content]:
        raise InstallTestFailed(f"the upgrade has changed {', '.join(changed)}")
    expect_modes(root)
    agent = root.start(exec_start(root, "orderline.service"), "upgraded.log", user="orderline")
    wait_until(lambda: '"ready"' in (root.path / "tmp/upgraded.log").read_text(), "the upgraded agent", agent)
    rescuer = root.start(exec_start(root, "orderline-rescuer.service"), "rescuer.log", user="orderline")
    wait_until(lambda: '"ready"' in (root.path / "tmp/rescuer.log").read_text(), "the rescuer", rescuer)
    expect_check_passes(root, "after the upgrade")
    wait_until(lambda: KEPT_CALL in recorded_calls(state / "calls.sqlite"), "the record of the call that was kept")
    (root.path / "tmp/heard.wav").unlink()
    call(root)
    wait_until(lambda: len(recorded_calls(state / "calls.sqlite")) == 3, "the second call's record")
    outcomes = recorded_calls(state / "calls.sqlite")
    if old_call not in outcomes or outcomes[KEPT_CALL] != "lost":
        raise InstallTestFailed(f"the records after the upgrade are {outcomes}")
    if root.stop(agent) != 0 or root.stop(rescuer) != 0:
        raise InstallTestFailed("agent and rescuer did not end in order on SIGTERM")
    root.stop(asterisk)
    say(f"upgraded; settings, secrets, records and the kept call are there: {time.monotonic() - started:.0f} s")


SECRETS = ("ari-password", "ami-secret", "control-token")
KEPT_CALL = "1772443800.7"
"""The call in tests/recovery/data/state-9c6d8ad.sql."""


def put_kept_call(state: Path, repository: Path) -> None:
    """Put a call under way into the state directory, as an earlier version that is killed leaves it."""
    dump = (repository / "tests/recovery/data/state-9c6d8ad.sql").read_text(encoding="utf-8")
    (row,) = (line for line in dump.splitlines() if line.startswith("INSERT"))
    with contextlib.closing(sqlite3.connect(state / "state.sqlite")) as db, db:
        db.execute(row)
    with contextlib.closing(sqlite3.connect(state / "calls.sqlite")) as db, db:
        (text,) = db.execute("SELECT record FROM calls").fetchone()
        record = {**json.loads(text), "id": KEPT_CALL, "outcome": "failed", "ended_by": "fault"}
        db.execute("INSERT INTO open_calls VALUES (?, ?, ?)", (KEPT_CALL, "a process that is gone", json.dumps(record)))


def recorded_calls(database: Path) -> dict[str, str]:
    """The outcome of every recorded call by its id."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT id, outcome FROM calls").fetchall())


def put_sources(root: DebianRoot, packages: Path, repository: Path) -> None:
    """The repository as a checkout has it, and the packages."""
    source = root.path / _SOURCE
    source.mkdir(parents=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository, capture_output=True, check=True,
    ).stdout.split(b"\0")  # fmt: skip
    for name in filter(None, names):
        path = Path(os.fsdecode(name))
        if not (repository / path).is_file():
            continue
        (source / path.parent).mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes((repository / path).read_bytes())
    if not (root.path / _PACKAGES).exists():
        subprocess.run(["cp", "-a", "--reflink=auto", str(packages), str(root.path / _PACKAGES)], check=True)


def expect_modes(root: DebianRoot) -> None:
    """Secrets for root and the agent alone; nothing of ours may be written by others."""
    group = root.run("getent group orderline").split(":")[2]
    for name in (*SECRETS, "orderline.yaml"):
        state = (root.path / "etc/orderline" / name).stat()
        if (stat.S_IMODE(state.st_mode), state.st_uid, str(state.st_gid)) != (0o640, 0, group):
            raise InstallTestFailed(
                f"/etc/orderline/{name} is {stat.filemode(state.st_mode)} {state.st_uid}:{state.st_gid}"
            )
    secrets = {(root.path / "etc/orderline" / n).read_text() for n in SECRETS}
    if len(secrets) != 3 or min(map(len, secrets)) < 40:
        raise InstallTestFailed("the secrets are not three different long ones")
    for path in (root.path / "opt/orderline").rglob("*"):
        if not path.is_symlink() and path.stat().st_mode & 0o022:
            raise InstallTestFailed(f"{path} can be written by others")


def expect_whisper_files_readable(root: DebianRoot) -> None:
    """Asterisk reads what the agent makes for it in the state directory, and nothing else there."""
    state, file = "/var/lib/orderline", "/var/lib/orderline/whispers/test"
    root.run(f"{AS_USER.format('orderline')} sh -c 'umask 027; echo said > {file}'")
    if root.run(f"{AS_USER.format('asterisk')} cat {file}").strip() != "said":
        raise InstallTestFailed("Asterisk cannot read a whisper")
    root.run(f"{AS_USER.format('asterisk')} ls {state}", ok=(1, 2))
    root.run(f"rm {file}")


AS_USER = "setpriv --reuid={0} --regid={0} --clear-groups"


def add_queue_member(root: DebianRoot) -> None:
    """What the administrator does after wiring: people into the queue."""
    queues = root.path / "etc/asterisk/queues.conf"
    text = queues.read_text()
    queues.write_text(text.replace("[orderline-humans]\n", "[orderline-humans]\nmember => Local/601@people,0,Alice\n"))


def exec_start(root: DebianRoot, unit: str) -> str:
    found = re.search(r"^ExecStart=(.+)$", (root.path / "etc/systemd/system" / unit).read_text(), re.MULTILINE)
    if found is None or "@" in found[1]:
        raise InstallTestFailed(f"{unit} has no usable ExecStart")
    return found[1]


def expect_check_passes(root: DebianRoot, when: str) -> None:
    output = root.run("orderline check --json 2>/tmp/check.log", ok=(0, 1, 2))
    answer = json.loads(output)
    # the settings as they are installed answer from the demo shop, which is told; here that is what is wanted
    wrong = [
        f"{item['what']}: {item['detail']}"
        for item in answer["findings"]
        if item["verdict"] != "ok" and item["what"] != "demo shop"
    ]
    if wrong:
        raise InstallTestFailed(f"orderline check {when} is not green:\n" + "\n".join(wrong))


def call(root: DebianRoot) -> None:
    """Ring the shop and record what the caller hears; the greeting must be audible and the call recorded."""
    root.run("asterisk -rx 'channel originate Local/2025550100@shop/n extension listen@caller'")
    heard = root.path / "tmp/heard.wav"
    wait_until(
        lambda: heard.is_file() and "!listen!" not in root.run("asterisk -rx 'core show channels concise'"), "call"
    )
    with wave.open(str(heard)) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
        seconds = file.getnframes() / file.getframerate()
    loud = sum(abs(sample) > 1000 for sample in samples) / max(1, len(samples))
    if seconds < 3 or loud < 0.05:
        raise InstallTestFailed(f"the caller heard {seconds:.1f} s with {loud:.1%} loud samples: no greeting")
    database = root.path / "var/lib/orderline/calls.sqlite"

    def recorded() -> bool:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return bool(db.execute("SELECT count(*) FROM calls").fetchone()[0])

    wait_until(recorded, "the call's record")


def expect_console(root: DebianRoot) -> None:
    """Start the console as its unit does; strangers see its sign-in and nothing else."""
    root.run("orderline console people add tester --role admin --generate")
    console = root.start(exec_start(root, "orderline-console.service"), "console.log", user="orderline")
    log = root.path / "tmp/console.log"
    wait_until(lambda: "orderline console: http" in log.read_text(), "the console", console)
    with urllib.request.urlopen("http://127.0.0.1:8189/calls", timeout=30) as answer:
        where, page = answer.url, answer.read().decode()
    if "/login" not in where or "Sign in" not in page:
        raise InstallTestFailed(f"a stranger who asks the console for /calls gets {where}")
    if root.stop(console) != 0:
        raise InstallTestFailed("the console did not end in order on SIGTERM")


def upgrade_keeps_edits(root: DebianRoot) -> None:
    """Install again over an edited file and a new default: the edit stays, the default stands beside it."""
    settings = root.path / "etc/orderline/orderline.yaml"
    settings.write_text(settings.read_text().replace("name: the shop ", "name: Maple and Finch "))
    secret = (root.path / "etc/orderline/ari-password").read_text()
    default = root.path / _SOURCE / "contrib/etc/orderline.yaml"
    default.write_text(default.read_text() + "# a new default\n")
    root.run(f"make -C /{_SOURCE} install")
    if "Maple and Finch" not in settings.read_text():
        raise InstallTestFailed("an upgrade has overwritten the settings")
    if "a new default" not in (root.path / "etc/orderline/orderline.yaml.dist").read_text():
        raise InstallTestFailed("the new default does not stand beside the edited settings")
    if (root.path / "etc/orderline/ari-password").read_text() != secret:
        raise InstallTestFailed("an upgrade has changed a secret")


def wait_for(root: DebianRoot, command: str, what: str) -> None:
    def done() -> bool:
        try:
            root.run(command, timeout_seconds=30)
        except InstallTestFailed:
            return False
        return True

    wait_until(done, what)


def wait_until(done: Callable[[], bool], what: str, process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if done():
            return
        if process is not None and process.poll() is not None:
            raise InstallTestFailed(f"{what} has ended with {process.returncode}")
        time.sleep(0.2)  # other processes' files have no event to wait for
    raise InstallTestFailed(f"{what} was not there after {_READY_SECONDS:.0f} s")


def loopback_up() -> None:
    """Bring ``lo`` up: a fresh network namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


@contextlib.contextmanager
def mounted(root: Path) -> Iterator[None]:
    """Proc and devices in the root, where this is allowed; without them it runs too."""
    mounts = [["-t", "proc", "proc", str(root / "proc")], ["--rbind", "/dev", str(root / "dev")]]
    done = [m[-1] for m in mounts if subprocess.run(["mount", *m], capture_output=True, check=False).returncode == 0]
    try:
        yield
    finally:
        for place in reversed(done):
            subprocess.run(["umount", "-R", "-l", place], capture_output=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
