"""Decodes the sound of a number once more as a string of single digits and letters, with its best readings.

Among thousands of phrases "one five oh four four" may come out as "what is five oh four four"; where nothing but
digits can be heard it cannot. Any speech at all reads as some digits, so the readings only count beside what the
turn's own grammar heard (``agent/dialog/numbers/second_reading.py``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from agent.common.audio import SAMPLE_RATE
from agent.speech.decoding import Decoder

READINGS = 30
"""Readings asked for: often the right one is behind several of another length."""
FEWEST_SYMBOLS = 2
"""So many digits or letters must have been heard for the sound to be a number's."""
MOST_SECONDS = 15.0
"""Longer sound is no number."""
PATIENCE_SECONDS = 0.25
"""A decoding that takes longer is given up. It takes about 15 ms a second of sound where a core is free."""
_PIECE_BYTES = SAMPLE_RATE  # half a second: how often it looks at the clock


class SpellingDecoder:
    """Reads sound as ``symbols`` alone; shared by all turns that ask for the same kind of number.

    ``take`` and ``give_back`` lend decoders by grammar (:class:`~agent.speech.decoders.DecoderPool`).
    """

    def __init__(
        self,
        symbols: Sequence[str],
        take: Callable[[str], Decoder],
        give_back: Callable[[str, Decoder], None],
        clock: Callable[[], float] = time.monotonic,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._symbols = frozenset(symbols)
        self._grammar = json.dumps(list(symbols))
        self._take = take
        self._give_back = give_back
        self._clock = clock
        self._patience_seconds = patience_seconds

    def __call__(self, text: str, pcm: bytes) -> tuple[str, ...]:
        """Return the readings of 8 kHz 16-bit sound, best first; none where ``text`` holds no number, or in time.

        Blocks; may be called from any thread.
        """
        if sum(word in self._symbols for word in text.split()) < FEWEST_SYMBOLS:
            return ()
        if len(pcm) > MOST_SECONDS * SAMPLE_RATE * 2:
            return ()
        deadline = self._clock() + self._patience_seconds
        decoder = self._take(self._grammar)
        decoder.SetWords(False)
        decoder.SetMaxAlternatives(READINGS)
        for start in range(0, len(pcm), _PIECE_BYTES):
            decoder.AcceptWaveform(pcm[start : start + _PIECE_BYTES])
            if self._clock() > deadline:
                return ()
        result = json.loads(decoder.FinalResult())
        decoder.SetMaxAlternatives(0)
        self._give_back(self._grammar, decoder)
        return tuple(dict.fromkeys(text for one in result["alternatives"] if (text := one["text"].strip())))


__all__ = ["FEWEST_SYMBOLS", "SpellingDecoder"]
