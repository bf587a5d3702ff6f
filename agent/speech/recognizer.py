"""Vosk behind the Recognizer contract: one model, one decoder per turn, decoding in a thread pool."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import vosk

from agent.call.errors import RecognitionFailed
from agent.call.ports import RecognitionResult
from agent.common.audio import SAMPLE_RATE
from agent.speech.decoders import DecoderPool
from agent.speech.decoding import TurnDecoding
from agent.speech.grammar import VoskGrammar, build_grammar, missing_words, normalise
from agent.speech.model import ModelError, check_model
from agent.speech.spelling import PATIENCE_SECONDS, SpellingDecoder
from agent.speech.tuning import tuned_model_dir

log = logging.getLogger(__name__)

CHUNK_MS = 40
"""Audio gathered before the decoder is troubled. The network works in steps of 90 ms anyway (``tuning.py``);
docs/speech.md has the cost and lag of other sizes."""

CHUNK_BYTES = CHUNK_MS * SAMPLE_RATE // 1000 * 2

STALL_SECONDS = 3.0
"""A decoder that has not answered after this long is given up. A step takes well under 10 ms when threads are free."""

GRAMMARS_KEPT = 256
"""Compiled entry lists remembered, so that the same turn in the next call needs no vocabulary look-ups."""

WORDS_KEPT = 8192
"""Words of which it is remembered whether the model knows them."""

Result = TypeVar("Result")


class RecognizerStalled(RecognitionFailed):
    """The recogniser did not answer in time: the machine is overloaded or a decoder hangs."""

    code = "recognizer_stalled"
    retryable = True


class VoskRecognizer:
    """Recognises speech with one Vosk model shared by all calls.

    The model is loaded here, once (0.03 s for the bundled one, seconds for a large one: construct it at start-up).
    ``workers`` threads decode; Vosk lets go of the GIL, so they use that many cores. ``alternatives`` other readings
    are worked out at :meth:`VoskRecognitionStream.finish` in turns with loose words (numbers), at the price of
    decoding the turn once more. ``spelling_seconds``: a reading of a number as single symbols that takes longer is
    given up. Raises :class:`~agent.speech.model.ModelError` when the directory holds no usable
    model.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        workers: int | None = None,
        alternatives: int = 0,
        stall_seconds: float = STALL_SECONDS,
        spelling_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        check_model(model_dir)
        vosk.SetLogLevel(-1)
        self._model = _load(model_dir)
        self._alternatives = alternatives
        self._stall_seconds = stall_seconds
        self._spelling_seconds = spelling_seconds
        self._reported: set[str] = set()
        self._knows = functools.lru_cache(maxsize=WORDS_KEPT)(self._look_up)
        self._grammar = functools.lru_cache(maxsize=GRAMMARS_KEPT)(self._build_grammar)
        self._decoders = DecoderPool(lambda grammar: vosk.KaldiRecognizer(self._model, float(SAMPLE_RATE), grammar))
        self._spelling = functools.lru_cache(maxsize=GRAMMARS_KEPT)(self._build_spelling)
        self._threads = ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="hear")

    def knows(self, word: str) -> bool:
        """True when the model can recognise this word."""
        return self._knows(word)

    def missing_words(self, phrases: Iterable[str]) -> dict[str, list[str]]:
        """Return the phrases that this model cannot recognise, each with its unknown words."""
        return missing_words(phrases, self.knows)

    def listen(
        self,
        phrases: Sequence[str],
        words: Sequence[str] = (),
        samples: Sequence[str] = (),
        symbols: Sequence[str] = (),
    ) -> VoskRecognitionStream:
        """Open a recognition stream for whole phrases and loose words; ``samples`` are typical strings of the words.

        Where two loose words are heard, the result tells how the sound reads as ``symbols`` alone (``spelling.py``).
        What the model does not know is left out, with one log line a word. Raises
        :class:`~agent.speech.grammar.GrammarError` when nothing is left.
        """
        grammar = self._grammar(tuple(phrases), tuple(words), tuple(samples))
        decoding = TurnDecoding(
            lambda: self._decoders.take(grammar.json),
            done_with=lambda decoder: self._decoders.give_back(grammar.json, decoder),
            alternatives=self._alternatives if words else 0,
            allows=grammar.allows if grammar.has_phrases else _anything,
            spell=self._spelling(tuple(symbols)) if symbols else None,
        )
        return VoskRecognitionStream(decoding, self._run)

    def close(self) -> None:
        """Take no more work. Chunks being decoded are finished by their threads, waiting ones are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, word: str) -> bool:
        """Vosk's own look-up, without its warning on stderr."""
        return bool(self._model.vosk_model_find_word(normalise(word)) >= 0)

    def _build_grammar(self, phrases: tuple[str, ...], words: tuple[str, ...], samples: tuple[str, ...]) -> VoskGrammar:
        grammar = build_grammar(phrases, words, self.knows, samples)
        for entry, unknown in grammar.dropped.items():
            for word in unknown:
                if word not in self._reported:
                    self._reported.add(word)
                    log.warning("The recognition model does not know %r: callers cannot say %r", word, entry)
        return grammar

    def _build_spelling(self, symbols: tuple[str, ...]) -> SpellingDecoder:
        known = tuple(word for word in symbols if self.knows(word))
        return SpellingDecoder(
            known, self._decoders.take, self._decoders.give_back, patience_seconds=self._spelling_seconds
        )

    async def _run(self, work: Callable[[], Result]) -> Result:
        """Do ``work`` in a thread. When the waiting task is cancelled, work under way ends on its own references."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            done, _ = await asyncio.wait({future}, timeout=self._stall_seconds)
        finally:
            future.cancel()  # takes work that has not begun out of the queue; no effect on a result that is there
        if not done:
            raise RecognizerStalled(
                f"Speech recognition did not answer within {self._stall_seconds:g} s. "
                "The machine is overloaded: give it more cores or let it take fewer calls at once."
            )
        return future.result()


class VoskRecognitionStream:
    """The recognition stream of one turn. Takes one :meth:`feed` or :meth:`finish` at a time; more wait in line.

    :meth:`finish` may be called at every pause that could be the end of the turn, and :meth:`feed` again afterwards if
    the caller goes on: what follows is recognised as if there had been no interruption.
    """

    def __init__(self, decoding: TurnDecoding, run: ThreadRunner) -> None:
        self._decoding = decoding
        self._run = run
        self._pending = bytearray()
        self._in_line = asyncio.Lock()
        self._text = ""
        self._stalled: RecognizerStalled | None = None

    async def feed(self, pcm: bytes) -> str:
        """Take audio of any length; return the text of the turn so far, ``""`` for nothing yet.

        Raises :class:`RecognizerStalled`; the hearing is of no use after that.
        """
        self._pending += pcm
        if len(self._pending) >= CHUNK_BYTES:
            async with self._in_line:
                work = functools.partial(self._decoding.feed, self._take_pending())
                self._text = await self._decode(work)
        return self._text

    async def finish(self) -> RecognitionResult:
        """Return the best text of all audio so far. Raises :class:`RecognizerStalled`."""
        async with self._in_line:
            return await self._decode(functools.partial(self._decoding.finish, self._take_pending()))

    def _take_pending(self) -> bytes:
        pcm = bytes(self._pending)
        self._pending.clear()
        return pcm

    async def _decode(self, work: Callable[[], Result]) -> Result:
        if self._stalled is not None:
            raise self._stalled
        try:
            return await self._run(work)
        except RecognizerStalled as error:
            self._stalled = error
            raise


class ThreadRunner(Protocol):
    """Does blocking work in a thread."""

    async def __call__(self, work: Callable[[], Result]) -> Result:
        """Return what ``work`` returns; raises :class:`RecognizerStalled`."""


def _anything(_: str) -> bool:
    return True


def _load(model_dir: Path) -> vosk.Model:
    with tuned_model_dir(model_dir) as view:
        try:
            return vosk.Model(str(view))
        except Exception as error:
            # Vosk raises bare Exception, and only for this.
            raise ModelError(f"Vosk cannot load the model in {model_dir}: {error}. Install it again.") from error


__all__ = ["RecognizerStalled", "VoskRecognitionStream", "VoskRecognizer"]
