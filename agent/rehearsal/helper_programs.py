"""Runs helper programs to their end: cancellable, with progress reports while they take long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.common.tasks import cancel_and_wait

LIFE_SIGN_SECONDS = 2.0
"""The longest a waiting person sees nothing."""


@dataclass(frozen=True)
class CommandResult:
    """How a program ended."""

    code: int
    out: str
    err: str

    def tail(self) -> str:
        """Return the last lines it had to say, for an error message."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or f"exit code {self.code} without a word."


async def run(
    command: Sequence[str],
    *,
    apt_status: bool = False,
    report: Callable[[str], None] | None = None,
    timeout_seconds: float | None = None,
) -> CommandResult:
    """Run a program and collect what it prints, in English.

    With ``apt_status`` apt's progress percentages are passed on to ``report``; with ``report`` alone a sign
    of life comes every two seconds. Being cancelled or running out of time (``TimeoutError``) ends the
    program and what it started.
    """
    read_fd = write_fd = -1
    command = list(command)
    if apt_status:
        read_fd, write_fd = os.pipe()
        command[1:1] = ["-o", f"APT::Status-Fd={write_fd}"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(write_fd,) if apt_status else (),
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            start_new_session=True,
        )
    except BaseException:
        _close(read_fd)
        raise
    finally:
        _close(write_fd)
    progress = asyncio.create_task(_progress(read_fd, report)) if report is not None else None
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout_seconds)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    finally:
        if progress is not None:
            await cancel_and_wait(progress)
        _close(read_fd if progress is None else -1)
    return CommandResult(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))


async def _progress(read_fd: int, report: Callable[[str], None]) -> None:
    """Report apt's percentages as they come, and at least that time is passing."""
    started = time.monotonic()
    if read_fd < 0:
        while True:
            await asyncio.sleep(LIFE_SIGN_SECONDS)
            report(f" ({time.monotonic() - started:.0f} s)")
    reader = asyncio.StreamReader()
    pipe = os.fdopen(read_fd, "rb", buffering=0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        last_report = started - 1.0
        percent = ""
        while True:
            try:
                line = await asyncio.wait_for(reader.readline(), LIFE_SIGN_SECONDS)
            except TimeoutError:
                line = b""
                if reader.at_eof():
                    return
            fields = line.decode(errors="replace").split(":")
            if fields[0] == "dlstatus" and len(fields) > 2:
                percent = f" {float(fields[2]):.0f} %"
            now = time.monotonic()
            if now - last_report >= (1.0 if line else LIFE_SIGN_SECONDS):
                last_report = now
                report(percent or f" ({now - started:.0f} s)")
            if not line and reader.at_eof():
                return
    finally:
        transport.close()


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)
