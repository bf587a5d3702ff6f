"""The decoder pool: a reused decoder gives the results of a new one, and none is compiled while calls wait."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import vosk

from agent.call.ports import RecognitionResult
from agent.common.audio import FRAME_BYTES
from agent.speech.decoders import DecoderPool
from agent.speech.engines.hibari import HibariEngine
from agent.speech.model import bundled_model
from agent.speech.recognizer import VoskRecognizer

REQUESTS = ("where is my order", "i want to return my order", "talk to a person")
DIGITS = ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SAID = ("Where is my order?", "One oh four seven three.", "Hello, who is this?", "Talk to a person, please.")


class FakeDecoder:
    """A decoder that knows what it was made for."""

    def __init__(self, grammar: str) -> None:
        self.grammar = grammar


class CountingDecoderFactory:
    """Makes decoders and counts them."""

    def __init__(self) -> None:
        self.grammars: list[str] = []

    def __call__(self, grammar: str) -> FakeDecoder:
        self.grammars.append(grammar)
        return FakeDecoder(grammar)


def test_a_decoder_given_back_is_taken_for_the_next_turn_of_its_grammar_and_of_no_other() -> None:
    made = CountingDecoderFactory()
    decoders = DecoderPool(made)  # type: ignore[arg-type]
    first = decoders.take("yes")
    second = decoders.take("yes")
    assert first is not second
    decoders.give_back("yes", first)
    assert decoders.take("no") is not first
    assert decoders.take("yes") is first
    assert decoders.take("yes") not in (first, second)
    assert made.grammars == ["yes", "yes", "no", "yes"]


def test_only_so_many_are_kept_and_the_grammar_not_used_for_longest_loses_its_own() -> None:
    made = CountingDecoderFactory()
    decoders = DecoderPool(made, idle=2)  # type: ignore[arg-type]
    taken = {grammar: decoders.take(grammar) for grammar in ("old", "used", "new")}
    decoders.give_back("old", taken["old"])
    decoders.give_back("used", taken["used"])
    decoders.give_back("new", taken["new"])
    assert decoders.take("used") is taken["used"]
    assert decoders.take("new") is taken["new"]
    assert decoders.take("old") is not taken["old"]


@pytest.fixture(scope="module")
def audio() -> list[bytes]:
    voice, noise = HibariEngine(), np.random.default_rng(1)
    quiet = noise.normal(0, 4, 2400).astype(np.int16)
    return [np.concatenate((quiet, voice.synthesise(text), quiet)).tobytes() for text in SAID]


@pytest.fixture
def recognizer() -> Iterator[VoskRecognizer]:
    made = VoskRecognizer(bundled_model(), workers=2, alternatives=2)
    yield made
    made.close()


async def hear(recognizer: VoskRecognizer, pcm: bytes) -> tuple[list[str], RecognitionResult]:
    hearing = recognizer.listen(REQUESTS, DIGITS)
    partial = [await hearing.feed(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES)]
    return partial, await hearing.finish()


@pytest.mark.slow
async def test_a_used_decoder_hears_to_the_last_confidence_what_a_new_one_hears(
    recognizer: VoskRecognizer, audio: list[bytes]
) -> None:
    used = [await hear(recognizer, pcm) for pcm in (*audio, *audio)]
    new = []
    for pcm in audio:
        fresh = VoskRecognizer(bundled_model(), workers=1, alternatives=2)
        new.append(await hear(fresh, pcm))
        fresh.close()
    assert used == [*new, *new]
    assert used[0][1].text == "where is my order"


async def test_grammars_are_compiled_in_the_recognisers_threads_once_for_turns_one_after_the_other(
    recognizer: VoskRecognizer, audio: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    compiled = vosk.KaldiRecognizer

    def compiling(*arguments: object) -> object:
        threads.append(threading.current_thread().name)
        return compiled(*arguments)

    monkeypatch.setattr(vosk, "KaldiRecognizer", compiling)
    for pcm in audio:
        await hear(recognizer, pcm)
    assert len(threads) == 1
    assert threads[0].startswith("hear")
