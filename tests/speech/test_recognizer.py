"""Recognition with the real Vosk, the bundled model and a synthesised voice."""

import asyncio
import gc
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import numpy as np
import pytest

from agent.call.ports import RecognitionResult
from agent.common.audio import FRAME_BYTES
from agent.dialog.contract import Word
from agent.speech.decoding import UNKNOWN_CONFIDENCE, read_final, with_confidences
from agent.speech.engines.hibari import HibariEngine
from agent.speech.gate import SpeechGate
from agent.speech.grammar import GrammarError
from agent.speech.model import ModelError, bundled_model
from agent.speech.recognizer import RecognizerStalled, VoskRecognitionStream, VoskRecognizer
from agent.speech.vad import VoiceActivityFactory

REQUESTS = ("where is my order", "i want to return my order", "talk to a person")
DIGITS = ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture(scope="module")
def voice() -> HibariEngine:
    return HibariEngine()


@pytest.fixture(scope="module")
def recognizer() -> Iterator[VoskRecognizer]:
    recognizer = VoskRecognizer(bundled_model(), workers=2)
    yield recognizer
    recognizer.close()


def line(voice: HibariEngine, *parts: str | float) -> bytes:
    """Return a caller's audio: texts spoken, numbers as seconds of a quiet line."""
    noise = np.random.default_rng(1)
    audio = [
        voice.synthesise(part) if isinstance(part, str) else noise.normal(0, 4, round(part * 8000)).astype(np.int16)
        for part in parts
    ]
    return np.concatenate(audio).tobytes()


async def feed(hearing: VoskRecognitionStream, pcm: bytes) -> list[str]:
    """Feed frame by frame; return the text after each."""
    return [await hearing.feed(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES)]


async def test_a_request_is_recognised_with_the_confidence_of_each_word(recognizer, voice):
    hearing = recognizer.listen(REQUESTS)
    await feed(hearing, line(voice, 0.3, "Where is my order?", 0.2))
    heard = await hearing.finish()
    assert heard.text == "where is my order"
    assert [word.text for word in heard.words] == heard.text.split()
    assert all(0.0 < word.confidence <= 1.0 for word in heard.words)


async def test_the_text_grows_while_the_caller_speaks(recognizer, voice):
    hearing = recognizer.listen(REQUESTS)
    texts = await feed(hearing, line(voice, 0.3, "I want to return my order.", 0.5))
    seen = list(dict.fromkeys(texts))
    assert seen[0] == ""
    assert len(seen) > 3
    assert texts[-1] == "i want to return my order"


async def test_the_whole_text_is_there_as_soon_as_the_voice_ends(recognizer, voice):
    answers = ("agent", "cancel", "goodbye", "nothing else", "repeat that", "hold on", "no thank you", "yes please")
    for answer in answers:
        hearing = recognizer.listen(answers)
        await feed(hearing, line(voice, 0.3, answer, 0.04))
        assert (await hearing.finish()).text == answer


async def test_what_the_gate_lets_through_is_whole_in_the_partial_text_once_it_has_closed(recognizer, voice):
    hearing, gate = recognizer.listen((), DIGITS), SpeechGate()
    activity = VoiceActivityFactory().new()
    pcm = line(voice, 0.4, "six zero two one seven", 0.3)
    fed, text = 0, ""
    for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        frame = pcm[at : at + FRAME_BYTES]
        passed = gate.process(frame, activity.process(frame))
        fed += len(passed)
        text = await hearing.feed(passed) if passed else text
    assert text == "six zero two one seven"
    assert fed < len(pcm) + 2 * 8000


async def test_a_caller_who_goes_on_after_a_pause_is_heard_as_if_nothing_had_been_finished(recognizer, voice):
    first, second = line(voice, 0.3, "one zero four", 0.4), line(voice, "seven three", 0.3)
    interrupted = recognizer.listen((), DIGITS)
    await feed(interrupted, first)
    assert (await interrupted.finish()).text == "one zero four"
    await feed(interrupted, second)
    straight = recognizer.listen((), DIGITS)
    await feed(straight, first + second)
    assert (await interrupted.finish()).text == (await straight.finish()).text == "one zero four seven three"


async def test_finishing_twice_without_new_audio_gives_the_same_result(recognizer, voice):
    hearing = recognizer.listen(REQUESTS)
    await feed(hearing, line(voice, 0.2, "talk to a person", 0.2))
    assert await hearing.finish() is await hearing.finish()


async def test_silence_and_no_audio_at_all_are_heard_as_nothing(recognizer, voice):
    assert await recognizer.listen(REQUESTS).finish() == RecognitionResult()
    hearing = recognizer.listen(REQUESTS)
    await feed(hearing, line(voice, 1.0))
    assert (await hearing.finish()).text == ""


async def test_what_vosk_cut_into_segments_by_itself_is_put_together_again(recognizer, voice):
    hearing = recognizer.listen((), DIGITS)
    await feed(hearing, line(voice, 0.3, "one two", 9.0, "three four", 0.2))
    heard = await hearing.finish()
    assert heard.text == "one two three four"
    assert len(heard.words) == 4


async def test_numbers_come_with_other_readings_where_they_are_wanted(voice):
    recognizer = VoskRecognizer(bundled_model(), workers=1, alternatives=3)
    hearing = recognizer.listen((), DIGITS)
    spoken = np.frombuffer(line(voice, 0.3, "five nine one nine five", 0.2), dtype="<i2")
    noisy = spoken + np.random.default_rng(2).normal(0, 2500, len(spoken))
    await feed(hearing, noisy.clip(-32768, 32767).astype("<i2").tobytes())
    heard = await hearing.finish()
    recognizer.close()
    assert 1 <= len(heard.alternatives) <= 4
    assert heard.text not in heard.alternatives
    assert all(set(reading.split()) <= {*DIGITS, "[unk]"} for reading in heard.alternatives)


async def test_where_vosk_runs_entries_together_the_next_reading_that_is_an_entry_is_taken(recognizer, voice):
    phrases = (*REQUESTS, "i want to know where my order is", "has my package shipped", "that's all", "hold on")
    hearing = recognizer.listen(phrases)
    await feed(hearing, line(voice, 0.3, "i want to know where my order is", 0.2))
    heard = await hearing.finish()
    assert heard.text == "i want to know where my order is"
    assert [word.text for word in heard.words] == heard.text.split()
    assert heard.alternatives == ()


async def test_a_sentence_that_is_no_entry_stays_what_it_is_for_the_dialog_to_reject(recognizer, voice):
    hearing = recognizer.listen(REQUESTS)
    await feed(hearing, line(voice, 0.3, "My cat sat on the keyboard again.", 0.2))
    assert (await hearing.finish()).text not in REQUESTS


async def test_a_word_the_model_does_not_know_is_reported_once_and_its_phrase_left_out(recognizer, voice, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            hearing = recognizer.listen((*REQUESTS, "where is my zorgblat"))
    assert [record.getMessage() for record in caplog.records] == [
        "The recognition model does not know 'zorgblat': callers cannot say 'where is my zorgblat'"
    ]
    await feed(hearing, line(voice, 0.2, "talk to a person", 0.2))
    assert (await hearing.finish()).text == "talk to a person"


def test_missing_words_of_phrases_are_listed_for_the_administrator(recognizer):
    assert recognizer.missing_words(["where is my order", "frobnicate it"]) == {"frobnicate it": ["frobnicate"]}


@pytest.mark.slow
def test_a_turn_with_nothing_to_listen_for_is_no_crash(recognizer):
    hearing = recognizer.listen(["zorgblat"])  # the entry for unknown speech remains
    assert hearing is not None
    with pytest.raises(GrammarError):
        recognizer.listen([f"yes {'no ' * n}" for n in range(4500)])


def test_vosk_writes_nothing_to_the_terminal(voice, capfd):
    recognizer = VoskRecognizer(bundled_model(), workers=1)
    asyncio.run(recognizer.listen(["yes", "zorgblat"]).finish())
    recognizer.close()
    assert capfd.readouterr() == ("", "")


def test_a_directory_without_a_model_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelError, match=str(tmp_path)):
        VoskRecognizer(tmp_path)


def test_a_damaged_model_is_an_error_that_names_it(tmp_path):
    for source in bundled_model().rglob("*"):
        if source.is_file():
            copy = tmp_path / source.relative_to(bundled_model())
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (tmp_path / "am" / "final.mdl").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="Install it again"):
        VoskRecognizer(tmp_path)


@pytest.mark.slow
async def test_twenty_callers_at_once_are_all_understood(recognizer, voice):
    pcm = line(voice, 0.2, "Where is my order?", 0.2)

    async def call() -> str:
        hearing = recognizer.listen(REQUESTS)
        await feed(hearing, pcm)
        return (await hearing.finish()).text

    assert set(await asyncio.gather(*(call() for _ in range(20)))) == {"where is my order"}


@pytest.mark.slow
async def test_callers_who_hang_up_in_the_middle_of_decoding_harm_nobody(recognizer, voice):
    long = line(voice, "Where is my order?") * 20
    for _ in range(10):
        left = asyncio.create_task(recognizer.listen(REQUESTS).feed(long))
        await asyncio.sleep(0)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        gc.collect()
    hearing = recognizer.listen(REQUESTS)
    await feed(hearing, line(voice, 0.2, "talk to a person", 0.2))
    assert (await hearing.finish()).text == "talk to a person"


async def test_a_recogniser_that_does_not_answer_in_time_is_given_up(voice):
    slow = VoskRecognizer(bundled_model(), workers=1, stall_seconds=0.02)
    hearing = slow.listen(REQUESTS)
    with pytest.raises(RecognizerStalled, match=r"0\.02 s"):
        await hearing.feed(line(voice, "Where is my order?") * 60)
    with pytest.raises(RecognizerStalled):
        await hearing.finish()
    slow.close()


@pytest.mark.slow
def test_a_process_that_ends_in_the_middle_of_decoding_ends_cleanly():
    program = """
        import asyncio
        from agent.speech.model import bundled_model
        from agent.speech.recognizer import VoskRecognizer

        recognizer = VoskRecognizer(bundled_model(), workers=2)
        hearings = [recognizer.listen(["yes", "no"]) for _ in range(4)]

        async def leave():
            tasks = [asyncio.create_task(hearing.feed(bytes(16000 * 60))) for hearing in hearings]
            await asyncio.wait(tasks, timeout=0.05)

        asyncio.run(leave())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_final_result_that_came_back_empty_is_replaced_by_the_partial_text():
    heard = read_final('{"text": ""}', "where is my order")
    assert heard.text == "where is my order"
    assert {word.confidence for word in heard.words} == {UNKNOWN_CONFIDENCE}


def test_a_final_result_with_words_wins_over_the_partial_text():
    final = '{"text": "yes", "result": [{"conf": 1.000001, "word": "yes", "start": 0.1, "end": 0.3}]}'
    assert read_final(final, "yes please") == RecognitionResult(text="yes", words=(Word("yes", 1.0),))


def test_words_of_another_reading_keep_the_confidence_they_were_heard_with():
    heard = (Word("an", 0.4), Word("i", 0.9), Word("speak", 0.95), Word("please", 1.0))
    assert with_confidences("can i speak please", heard) == (
        Word("can", UNKNOWN_CONFIDENCE),
        Word("i", 0.9),
        Word("speak", 0.95),
        Word("please", 1.0),
    )
