"""Sample rate and frame size of all audio inside the product, and the cutting of what arrives into frames."""

from __future__ import annotations

import io
import wave

SAMPLE_RATE = 8000
"""Samples per second of all audio inside the product: 16-bit signed little-endian mono."""
FRAME_MS = 20
FRAME_BYTES = SAMPLE_RATE * FRAME_MS // 1000 * 2
"""320 bytes: one 20 ms frame."""


class FrameCutter:
    """Cuts audio that arrives in pieces of any length into whole 20 ms frames; what is left over begins the next one.

    Telephones send packets of 10 to 60 ms and more (``allow=ulaw:30``), and Asterisk passes them on as they come.
    """

    def __init__(self) -> None:
        self._rest = b""

    def take(self, pcm: bytes) -> list[bytes]:
        """Return the frames that are whole by now, each ``FRAME_BYTES`` long; none while less than one is there."""
        audio = self.take_whole(pcm)
        return [audio[start : start + FRAME_BYTES] for start in range(0, len(audio), FRAME_BYTES)]

    def take_whole(self, pcm: bytes) -> bytes:
        """Return the frames that are whole by now in one piece."""
        audio = self._rest + pcm if self._rest else pcm
        whole = len(audio) - len(audio) % FRAME_BYTES
        self._rest = audio[whole:]
        return audio[:whole]


def wave_file(pcm: bytes) -> bytes:
    """Return a WAV file of audio inside the product, as Asterisk plays it."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return content.getvalue()
