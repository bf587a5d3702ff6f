"""Pool of idle Vosk decoders by grammar: compiling a grammar costs up to 20 ms, a finished decoder is reusable."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from agent.speech.decoding import Decoder

IDLE_KEPT = 32
"""Decoders kept for later turns, 0.5 to 1.5 MB each; those of the grammars not used for longest go first."""


class DecoderPool:
    """Lends decoders, by their grammar as Vosk takes it. Its methods may be called from any thread.

    A decoder taken a second time hears what a new one hears, confidences included, and needs less time for it, because
    what it has looked up in the model's graph is still at hand (360 turns compared: docs/speech.md).
    """

    def __init__(self, make: Callable[[str], Decoder], idle: int = IDLE_KEPT) -> None:
        self._make = make
        self._most = idle
        self._idle: OrderedDict[str, list[Decoder]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, grammar: str) -> Decoder:
        """Return a decoder that is at the beginning of a turn. Blocks while a grammar is compiled."""
        with self._lock:
            waiting = self._idle.pop(grammar, [])
            decoder = waiting.pop() if waiting else None
            if waiting:
                self._idle[grammar] = waiting
        return decoder or self._make(grammar)

    def give_back(self, grammar: str, decoder: Decoder) -> None:
        """Keep a decoder for a later turn. It must have given its final result."""
        dropped: list[Decoder] = []
        with self._lock:
            self._idle.setdefault(grammar, []).append(decoder)
            self._idle.move_to_end(grammar)
            while sum(map(len, self._idle.values())) > self._most:
                oldest, waiting = next(iter(self._idle.items()))
                dropped.append(waiting.pop())
                if not waiting:
                    del self._idle[oldest]
        dropped.clear()  # freed here, outside the lock: it takes a millisecond each


__all__ = ["IDLE_KEPT", "DecoderPool"]
