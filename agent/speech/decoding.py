"""Decodes the audio of one turn, synchronously: partial texts, and a final text at any pause."""

from __future__ import annotations

import difflib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from agent.call.ports import RecognitionResult
from agent.dialog.contract import Word
from agent.speech.grammar import UNKNOWN

UNKNOWN_CONFIDENCE = 0.5
"""Given to words for which Vosk has none (of a partial text, of another reading): enough to ask back, not to act."""

READINGS = 5
"""Readings looked through for one that the grammar allows. More find more right ones and more wrong ones."""


class Decoder(Protocol):
    """What is used of ``vosk.KaldiRecognizer``. Not thread-safe; must not be freed while a thread is in it."""

    def SetWords(self, enable_words: bool) -> None:
        """Ask for word confidences in results."""

    def SetMaxAlternatives(self, max_alternatives: int) -> None:
        """Ask for other readings in results, instead of confidences."""

    def AcceptWaveform(self, data: bytes) -> int:
        """Decode audio; non-zero when Vosk has ended a segment by itself."""

    def PartialResult(self) -> str:
        """Return JSON with ``partial``."""

    def Result(self) -> str:
        """Return JSON of the segment just ended."""

    def FinalResult(self) -> str:
        """Flush what the network still holds back and return JSON of the segment; the decoder starts anew."""


class TurnDecoding:
    """Decodes the audio of one turn.

    Vosk's partial text lags, because the network wants 190 ms of audio beyond each sound. Its final result flushes
    that, so :meth:`finish` has the whole text at once, but ends the segment. If the caller goes on after all, the
    segment's audio is decoded again from its start by a new decoder (about 8 ms a second of audio with the bundled
    model): what is recognised in the end is the same as without the flush.

    Where the final text is nothing the grammar ``allows``, the first of the next best readings that it does allow is
    taken (docs/speech.md: 116 -> 125 of 126 requests right, and no more foreign sentences accepted).

    ``spell`` reads the sound once more as single digits and letters; it is given the final text and the sound.
    ``new_decoder`` gives a decoder at its beginning, ``done_with`` takes each that has given its final result.

    Every method blocks and may be called from any thread; a lock keeps them apart and alive until they are done.
    """

    def __init__(
        self,
        new_decoder: Callable[[], Decoder],
        *,
        done_with: Callable[[Decoder], None] = lambda _: None,
        alternatives: int = 0,
        allows: Callable[[str], bool] = lambda _: True,
        spell: Callable[[str, bytes], tuple[str, ...]] | None = None,
    ) -> None:
        self._new_decoder = new_decoder
        self._done_with = done_with
        self._allows = allows
        self._alternatives = alternatives
        self._spell = spell
        self._busy = threading.Lock()
        self._decoder: Decoder | None = None
        self._segment = bytearray()
        self._ended: list[RecognitionResult] = []
        self._partial = ""
        self._finished: RecognitionResult | None = None

    def feed(self, pcm: bytes) -> str:
        """Decode 8 kHz 16-bit audio; return the text of the turn so far."""
        with self._busy:
            self._decode(pcm)
            return " ".join(filter(None, (*(part.text for part in self._ended), self._partial)))

    def finish(self, pcm: bytes = b"") -> RecognitionResult:
        """Decode the rest and return the best text of the whole turn. Cheap to repeat while nothing new comes."""
        with self._busy:
            if pcm or self._finished is None:
                self._decode(pcm)
                self._finished = self._flush()
            return self._finished

    def _decode(self, pcm: bytes) -> None:
        if self._decoder is None:
            self._decoder = self._new_decoder()
            self._decoder.SetWords(True)
            pcm = bytes(self._segment) + pcm
            self._segment.clear()
        self._finished = None
        self._segment += pcm
        if self._decoder.AcceptWaveform(pcm):
            self._ended.append(read_final(self._decoder.Result(), self._partial))
            self._segment.clear()
            self._partial = ""
        else:
            self._partial = str(json.loads(self._decoder.PartialResult())["partial"])

    def _flush(self) -> RecognitionResult:
        if self._decoder is None:
            return RecognitionResult()
        decoder, self._decoder = self._decoder, None
        best = self._best(decoder)
        self._done_with(decoder)
        if self._spell is None or self._ended or not best.text:
            return best
        return replace(best, spelled=self._spell(best.text, bytes(self._segment)))

    def _best(self, decoder: Decoder) -> RecognitionResult:
        last = read_final(decoder.FinalResult(), self._partial)
        parts = (*self._ended, last)
        best = RecognitionResult(
            text=" ".join(part.text for part in parts if part.text),
            words=tuple(word for part in parts for word in part.words),
        )
        doubtful = bool(best.text) and best.text != UNKNOWN and not self._allows(best.text)
        if not doubtful and not self._alternatives:
            return best
        before = [part.text for part in self._ended if part.text]
        readings = [" ".join(filter(None, (*before, text))) for text in self._readings(decoder)]
        if doubtful:
            allowed = next(filter(self._allows, readings), None)
            best = best if allowed is None else RecognitionResult(allowed, with_confidences(allowed, best.words))
        others = (reading for reading in dict.fromkeys(readings) if reading and reading != best.text)
        return RecognitionResult(best.text, best.words, tuple(others)[: self._alternatives])

    def _readings(self, decoder: Decoder) -> list[str]:
        """Decode the segment once more for its best readings, best first."""
        decoder.SetWords(False)
        decoder.SetMaxAlternatives(max(READINGS, self._alternatives + 1))
        decoder.AcceptWaveform(bytes(self._segment))
        result = json.loads(decoder.FinalResult())
        decoder.SetMaxAlternatives(0)
        return [reading["text"].strip() for reading in result["alternatives"]]


def with_confidences(text: str, heard: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words of ``text`` with the confidences of those that were ``heard`` in the same places."""
    words = text.split()
    confidences = [UNKNOWN_CONFIDENCE] * len(words)
    same = difflib.SequenceMatcher(a=words, b=[word.text for word in heard], autojunk=False)
    for block in same.get_matching_blocks():
        for offset in range(block.size):
            confidences[block.a + offset] = heard[block.b + offset].confidence
    return tuple(Word(word, confidence) for word, confidence in zip(words, confidences, strict=True))


def read_final(result: str, partial: str) -> RecognitionResult:
    """Read one of Vosk's results; where it is empty although there was a partial text, take that.

    An empty final after good partials is a known fault of Vosk; its words get :data:`UNKNOWN_CONFIDENCE`.
    """
    final: dict[str, Any] = json.loads(result)
    if final["text"]:
        words = tuple(Word(text=word["word"], confidence=min(1.0, word["conf"])) for word in final.get("result", ()))
        return RecognitionResult(text=final["text"], words=words)
    return RecognitionResult(text=partial, words=tuple(Word(word, UNKNOWN_CONFIDENCE) for word in partial.split()))


__all__ = ["UNKNOWN_CONFIDENCE", "Decoder", "TurnDecoding", "read_final", "with_confidences"]
