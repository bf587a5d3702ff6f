"""The child process of :mod:`agent.speech.engines.child`: speaks one text at a time into WAV files.

Started as a file of its own, not as part of the package: it needs nothing but the engine. One JSON object a line comes
in, ``{"text", "path"}``; one goes out when the file is whole, ``{"ok"}`` or ``{"error"}``. It ends when its input does.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import json
import os
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

Speak = Callable[[str, str], None]
FILE_SECONDS = 20.0
"""How long to wait for the file pyttsx3 has promised."""


def pyttsx3_speaker(voice: str, speed: float) -> Speak:
    """Return a speaker through pyttsx3 and espeak-ng."""
    find_espeak()
    engine: Any = importlib.import_module("pyttsx3").init("espeak")
    engine.setProperty("voice", voice)
    engine.setProperty("rate", round(165 * speed))

    def speak(text: str, path: str) -> None:
        engine.save_to_file(text, path)
        engine.runAndWait()
        # runAndWait returns before the file is there when the machine is busy, and nothing announces it.
        deadline = time.monotonic() + FILE_SECONDS
        while not is_whole_wav(Path(path)):
            if time.monotonic() > deadline:
                raise RuntimeError("pyttsx3 wrote no audio")
            time.sleep(0.005)

    return speak


def find_espeak() -> None:
    """Make libespeak-ng loadable by its short name: the system's, or the one in the package espeakng_loader."""
    try:
        ctypes.CDLL("libespeak-ng.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError:
        loader: Any = importlib.import_module("espeakng_loader")
        os.environ["ESPEAK_DATA_PATH"] = loader.get_data_path()
        # Once a library with this SONAME is in the process, opening it by that name finds it.
        ctypes.CDLL(loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)


def is_whole_wav(path: Path) -> bool:
    """True when the file is a WAV with audio in it, written to its end."""
    try:
        with wave.open(str(path)) as file:
            return bool(0 < file.getnframes() <= (path.stat().st_size - 44) // 2)
    except (wave.Error, EOFError, OSError):
        return False


def piper_speaker(voice: str, speed: float) -> Speak:
    """Return a speaker through piper; ``voice`` is the path of its .onnx file."""
    piper: Any = importlib.import_module("piper")
    loaded = piper.PiperVoice.load(voice)
    config = piper.SynthesisConfig(length_scale=1.0 / speed)

    def speak(text: str, path: str) -> None:
        with wave.open(path, "wb") as file:
            loaded.synthesize_wav(text, file, syn_config=config)

    return speak


SPEAKERS = {"pyttsx3": pyttsx3_speaker, "piper": piper_speaker}


def main() -> None:
    """Serve requests from standard input until it ends."""
    name, voice, speed = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # pyttsx3 prints on standard output; that is where the answers go

    def answer(**fields: object) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    try:
        speak = SPEAKERS[name](voice, float(speed))
        version = importlib.metadata.version({"piper": "piper-tts"}.get(name, name))
    except Exception as error:  # noqa: BLE001 - whatever stops the engine is told to the parent, which decides
        answer(error=f"{type(error).__name__}: {error}")
        return
    answer(ok=True, version=version)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            speak(request["text"], request["path"])
        except Exception as error:  # noqa: BLE001 - as above
            answer(error=f"{type(error).__name__}: {error}")
        else:
            answer(ok=True)


if __name__ == "__main__":
    main()
