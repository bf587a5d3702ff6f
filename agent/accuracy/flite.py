"""flite as a caller's voice: the machine's own, or Debian's package unpacked below the home, without root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.accuracy.errors import AccuracyError
from agent.rehearsal.apt_fetch import PackageRequest
from agent.rehearsal.audio import Pcm, read_wav
from agent.rehearsal.unpacked_tree import command_in, ensure_tree

VOICES = ("rms", "slt", "awb", "kal16")
"""An American man and woman, a Scottish man, and an older American voice."""
_PROGRAM = "usr/bin/flite"
_PACKAGE = PackageRequest("flite", "flite >= 2.1", ("flite",), 120 * 1024 * 1024, "or do without its voices")
_SECONDS = 30.0


async def fetch_flite(tree: Path, report: Callable[[str], None]) -> tuple[str, ...]:
    """Return what to execute, fetching it into ``tree`` on the first run. Raises a ``FetchError``."""
    if found := shutil.which("flite"):
        return (found,)
    await ensure_tree(tree, _PACKAGE, (_PROGRAM,), lambda version: version >= (2, 1, 0), report)
    return command_in(tree, _PROGRAM) or ()


def speak(command: Sequence[str], voice: str, text: str, speed: float) -> Pcm:
    """Return the text as 8 kHz audio. Raises :class:`AccuracyError`. The same text gives the same samples."""
    with tempfile.TemporaryDirectory(prefix="orderline-flite-") as scratch:
        out = Path(scratch) / "said.wav"
        arguments = ["-voice", voice, "--setf", f"duration_stretch={1 / speed:.3f}", "-t", text, "-o", str(out)]
        try:
            done = subprocess.run([*command, *arguments], capture_output=True, timeout=_SECONDS, check=False)
            if done.returncode != 0:
                raise AccuracyError(f"flite's voice {voice} could not say {text!r}: {done.stderr.decode()[:200]}")
            return read_wav(out)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise AccuracyError(f"flite's voice {voice} could not say {text!r}: {error}") from error


__all__ = ["VOICES", "fetch_flite", "speak"]
