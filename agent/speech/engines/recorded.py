"""A call centre's own recordings: ``<prompt id>.wav`` files that win over any engine."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from agent.speech.engines.audio import read_wav, to_telephone_audio
from agent.speech.engines.base import EngineError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Recording:
    pcm: bytes
    words: str | None


class RecordedPrompts:
    """The recordings of one folder, read once into memory.

    A WAV of any rate, 16-bit, mono or stereo; it is brought to 8 kHz and the level of the other prompts. A text file of
    the same name (``<prompt id>.txt``) holds the words spoken: the recording is then used only where the prompt says
    exactly that, so that a prompt with a variable part is not answered with yesterday's number. Without it, always.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._recordings: dict[str, _Recording] = {}
        self.reload()

    def reload(self) -> None:
        """Read the folder again. A file that cannot be used is logged and left out."""
        found: dict[str, _Recording] = {}
        for path in sorted(self._folder.glob("*.wav")) if self._folder is not None else ():
            try:
                pcm = to_telephone_audio(*read_wav(path)).tobytes()
            except EngineError as error:
                log.warning("The recording %s is not used: %s", path, error)
                continue
            words = path.with_suffix(".txt")
            found[path.stem] = _Recording(pcm, words.read_text(encoding="utf-8") if words.is_file() else None)
        self._recordings = found

    def find(self, prompt_id: str, text: str) -> bytes | None:
        """Return the recording of a prompt (8 kHz 16-bit), None when there is none for these words."""
        recording = self._recordings.get(prompt_id)
        if recording is None or (recording.words is not None and _plain(recording.words) != _plain(text)):
            return None
        return recording.pcm


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


__all__ = ["RecordedPrompts"]
