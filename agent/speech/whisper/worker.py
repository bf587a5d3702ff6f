"""The process of the larger recogniser: reads sounds from its input, writes what is said in them to its output.

A request is its length in four bytes, big end first, and that much 8 kHz 16-bit audio. An answer is one line of JSON,
``{"text", "confidence"}`` or ``{"error"}``; the first line, ``{"ready": true}``, comes when the model is loaded. The
process ends when its input does.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from typing import IO, Any

from agent.speech.whisper.model import WhisperError, WhisperModel

LENGTH = struct.Struct(">I")
_SECOND_OF_SILENCE = bytes(16000)
_NICE = 5
"""It stands back behind the calls' own process."""


def main() -> int:
    """Serve one model: arguments are its directory and the language."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    os.nice(_NICE)
    try:
        model = WhisperModel(Path(sys.argv[1]), sys.argv[2])
        model.transcribe(_SECOND_OF_SILENCE)  # a process that may make no program code at run time loads it, and fails
    except WhisperError as error:
        _say(answers, {"error": error.message})
        return 1
    _say(answers, {"ready": True})
    while (pcm := _read(sys.stdin.buffer)) is not None:
        try:
            told = model.transcribe(pcm)
            _say(answers, {"text": told.text, "confidence": told.confidence})
        except WhisperError as error:
            _say(answers, {"error": error.message})
    return 0


def _read(requests: IO[bytes]) -> bytes | None:
    header = requests.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    pcm = requests.read(length)
    return pcm if len(pcm) == length else None


def _say(answers: IO[str], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
