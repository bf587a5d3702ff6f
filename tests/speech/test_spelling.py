"""The second decoding of a number's sound, with a decoder that answers as told."""

from __future__ import annotations

import json
from collections.abc import Callable

from agent.common.audio import SAMPLE_RATE
from agent.speech.spelling import MOST_SECONDS, PATIENCE_SECONDS, SpellingDecoder

SYMBOLS = ("oh", "one", "two", "three")
SOUND = bytes(SAMPLE_RATE * 2)


class TellingDecoder:
    """Tells these readings, and runs a step at each piece of sound."""

    def __init__(self, *readings: str, step: Callable[[], object] = lambda: None) -> None:
        self._readings = readings
        self._step = step
        self.heard = b""

    def SetWords(self, enable_words: bool) -> None:
        assert not enable_words

    def SetMaxAlternatives(self, max_alternatives: int) -> None:
        self.alternatives = max_alternatives

    def AcceptWaveform(self, data: bytes) -> int:
        self.heard += data
        self._step()
        return 0

    def PartialResult(self) -> str:
        raise AssertionError("nobody asks for a running text")

    def Result(self) -> str:
        raise AssertionError("no segment has ended")

    def FinalResult(self) -> str:
        return json.dumps({"alternatives": [{"text": text} for text in self._readings]})


class Lender:
    """Lends one decoder and notes what comes back."""

    def __init__(self, decoder: TellingDecoder) -> None:
        self._decoder = decoder
        self.grammars: list[str] = []
        self.returned: list[str] = []

    def take(self, grammar: str) -> TellingDecoder:
        self.grammars.append(grammar)
        return self._decoder

    def give_back(self, grammar: str, decoder: object) -> None:
        assert decoder is self._decoder
        self.returned.append(grammar)


def test_the_sound_of_a_number_is_read_as_symbols_alone() -> None:
    decoder = TellingDecoder(" one two three", "one three", "one two three", "")
    lender = Lender(decoder)
    spell = SpellingDecoder(SYMBOLS, lender.take, lender.give_back)
    assert spell("what is two three", SOUND) == ("one two three", "one three")
    assert decoder.heard == SOUND
    assert [json.loads(grammar) for grammar in lender.grammars] == [list(SYMBOLS)]
    assert lender.returned == lender.grammars
    assert decoder.alternatives == 0  # as the next turn expects a lent decoder


def test_sound_in_which_no_number_was_heard_is_not_decoded_again() -> None:
    lender = Lender(TellingDecoder("one two"))
    spell = SpellingDecoder(SYMBOLS, lender.take, lender.give_back)
    assert spell("the one i want", SOUND) == ()
    assert spell("one two", bytes(round(MOST_SECONDS * SAMPLE_RATE * 2) + 2)) == ()
    assert lender.grammars == []


def test_a_decoding_that_takes_too_long_is_given_up_and_its_decoder_not_used_again() -> None:
    now = [0.0]

    def slow() -> None:
        now[0] += PATIENCE_SECONDS * 0.6

    lender = Lender(TellingDecoder("one two", step=slow))
    spell = SpellingDecoder(SYMBOLS, lender.take, lender.give_back, clock=lambda: now[0])
    assert spell("one two", SOUND) == ()
    assert lender.returned == []
