"""The speaker: caches, one synthesis for many callers, the next engine when one fails."""

import asyncio
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from agent.call.errors import VoiceError
from agent.common.tasks import cancel_and_wait
from agent.dialog.contract import Prompt
from agent.speech.cache import DiskCache, MemoryCache
from agent.speech.engines.base import EngineError, Pcm
from agent.speech.engines.hibari import HibariEngine
from agent.speech.voice import PromptSynthesizer, PromptSynthesizerOptions, build_engines


class ToneEngine:
    """A small engine: a tone as long as the text, with a pitch of its own. Fails while ``broken``."""

    def __init__(self, name: str = "tone", pitch: float = 300.0) -> None:
        self.name = name
        self.identity = f"{name} 1 {pitch:g}"
        self.pitch = pitch
        self.spoken: list[str] = []
        self.broken = False
        self.closed = False
        self.asked = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def load(self) -> None:
        if self.broken:
            raise EngineError("cannot be loaded")

    def synthesise(self, text: str) -> Pcm:
        self.spoken.append(text)
        self.asked.set()
        self.may_go_on.wait(10)
        if self.broken:
            raise EngineError(f"{self.name} is out of order")
        return (8000 * np.sin(2 * np.pi * self.pitch * np.arange(80 * len(text)) / 8000)).astype(np.int16)

    def close(self) -> None:
        self.closed = True


def write_wav(path: Path, seconds: float) -> None:
    tone = 9000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * 16000)) / 16000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(tone.astype("<i2").tobytes())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_prompt_is_synthesised_once_and_then_at_hand(tmp_path: Path):
    engine = ToneEngine()
    speaker = PromptSynthesizer([engine], cache_dir=tmp_path)
    assert speaker.cached("greeting", "Hello.") is None
    pcm = await speaker.render("greeting", "Hello.")
    assert speaker.cached("greeting", "Hello.") == pcm == await speaker.render("other", "Hello.")
    assert engine.spoken == ["Hello."]
    await speaker.close()
    assert engine.closed


async def test_twenty_calls_that_want_the_same_prompt_share_one_synthesis():
    engine = ToneEngine()
    speaker = PromptSynthesizer([engine])
    audio = await asyncio.gather(*(speaker.render("p", "Same words.") for _ in range(20)))
    assert len(set(audio)) == 1
    assert engine.spoken == ["Same words."]
    await speaker.close()


async def test_a_caller_who_hangs_up_does_not_stop_the_synthesis_another_waits_for():
    engine = ToneEngine()
    engine.may_go_on.clear()
    speaker = PromptSynthesizer([engine])
    leaves, stays = (asyncio.create_task(speaker.render("p", "Wait for it.")) for _ in range(2))
    await asyncio.to_thread(engine.asked.wait, 5)
    await cancel_and_wait(leaves)
    engine.may_go_on.set()
    assert len(await stays) > 0
    assert engine.spoken == ["Wait for it."]
    await speaker.close()


async def test_another_process_finds_the_prompt_on_disk(tmp_path: Path):
    first, second = ToneEngine(), ToneEngine()
    one, two = PromptSynthesizer([first], cache_dir=tmp_path), PromptSynthesizer([second], cache_dir=tmp_path)
    assert await one.render("p", "Kept.") == await two.render("p", "Kept.")
    assert second.spoken == []
    await one.close()
    await two.close()


async def test_another_voice_does_not_speak_with_the_first_ones_audio(tmp_path: Path):
    one, two = (
        PromptSynthesizer([ToneEngine(pitch=300)], cache_dir=tmp_path),
        PromptSynthesizer([ToneEngine(pitch=500)], cache_dir=tmp_path),
    )
    assert await one.render("p", "Mine.") != await two.render("p", "Mine.")
    await one.close()
    await two.close()


async def test_a_damaged_file_in_the_cache_is_made_again(tmp_path: Path, caplog):
    engine = ToneEngine()
    one = PromptSynthesizer([engine], cache_dir=tmp_path)
    good = await one.render("p", "Precious.")
    await one.close()
    path = DiskCache(tmp_path).path(engine.identity, "Precious.")
    for damage in (path.read_bytes()[:-10], b"", b"no header", path.read_bytes()[:-2] + b"xx"):
        path.write_bytes(damage)
        again = PromptSynthesizer([engine], cache_dir=tmp_path)
        assert await again.render("p", "Precious.") == good
        await again.close()
    assert len(engine.spoken) == 5
    assert "damaged prompt" in caplog.text


async def test_a_cache_folder_that_cannot_be_written_costs_no_prompt(tmp_path: Path, caplog):
    (tmp_path / "file").write_text("in the way")
    speaker = PromptSynthesizer([ToneEngine()], cache_dir=tmp_path / "file")
    assert len(await speaker.render("p", "Hello.")) > 0
    assert "could not be kept" in caplog.text
    await speaker.close()


async def test_when_an_engine_fails_the_next_speaks_and_the_first_rests_a_while():
    first, second, clock = ToneEngine("first"), ToneEngine("second", 500), Clock()
    first.broken = True
    speaker = PromptSynthesizer([first, second], options=PromptSynthesizerOptions(unhealthy_seconds=30), clock=clock)
    await speaker.render("p", "One.")
    await speaker.render("p", "Two.")
    assert (first.spoken, second.spoken) == (["One."], ["One.", "Two."])
    assert speaker.healthy == {"first": False, "second": True}
    first.broken = False
    clock.now += 31
    await speaker.render("p", "Three.")
    assert first.spoken == ["One.", "Three."]
    await speaker.close()


async def test_the_stand_ins_audio_is_forgotten_when_the_first_engine_may_be_back():
    first, second, clock = ToneEngine("first"), ToneEngine("second", 500), Clock()
    first.broken = True
    speaker = PromptSynthesizer([first, second], options=PromptSynthesizerOptions(unhealthy_seconds=30), clock=clock)
    stand_in = await speaker.render("p", "Hello.")
    assert speaker.cached("p", "Hello.") == stand_in
    first.broken = False
    clock.now += 31
    assert speaker.cached("p", "Hello.") is None
    assert await speaker.render("p", "Hello.") != stand_in
    await speaker.close()


async def test_an_engine_that_hangs_counts_as_failed():
    stuck, spare = ToneEngine("stuck"), ToneEngine("spare", 500)
    stuck.may_go_on.clear()
    speaker = PromptSynthesizer([stuck, spare], options=PromptSynthesizerOptions(workers=2, engine_seconds=0.05))
    assert len(await speaker.render("p", "Hello.")) > 0
    assert not speaker.healthy["stuck"]
    stuck.may_go_on.set()
    await speaker.close()


async def test_what_an_engine_never_meant_to_raise_is_a_failure_too():
    class Buggy(ToneEngine):
        def synthesise(self, text: str) -> Pcm:
            raise ZeroDivisionError("a bug")

    speaker = PromptSynthesizer([Buggy("buggy")])
    with pytest.raises(VoiceError, match="ZeroDivisionError: a bug"):
        await speaker.render("p", "Hello.")
    await speaker.close()


async def test_when_no_engine_can_speak_the_error_says_why_of_each_and_recordings_go_on(tmp_path: Path):
    write_wav(tmp_path / "sorry.wav", 0.5)
    first, second = ToneEngine("first"), ToneEngine("second")
    first.broken = second.broken = True
    speaker = PromptSynthesizer([first, second], recordings_dir=tmp_path)
    with pytest.raises(VoiceError, match=r"first is out of order; second is out of order"):
        await speaker.render("p", "Hello.")
    assert len(await speaker.render("sorry", "Anything.")) > 0
    await speaker.close()


async def test_a_recording_wins_over_the_engine_and_is_one_piece(tmp_path: Path):
    write_wav(tmp_path / "greeting.wav", 0.5)
    engine = ToneEngine()
    speaker = PromptSynthesizer([engine], recordings_dir=tmp_path)
    assert speaker.cached("greeting", "Hello. Welcome.") is not None
    assert speaker.pieces("greeting", "Hello. Welcome.") == ["Hello. Welcome."]
    assert speaker.pieces("other", "Hello. Welcome.") == ["Hello.", "Welcome."]
    assert engine.spoken == []
    await speaker.close()


async def test_prompts_are_rendered_piece_by_piece_before_they_are_needed(tmp_path: Path):
    engine = ToneEngine()
    speaker = PromptSynthesizer([engine], cache_dir=tmp_path)
    progress: list[tuple[int, int]] = []
    prompts = [Prompt("a", "Hello. Welcome."), Prompt("b", "Goodbye."), Prompt("a", "Hello. Welcome.")]
    done = await speaker.prerender(prompts, lambda ready, of: progress.append((ready, of)))
    assert (done.ready, done.failed) == (3, ())
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert sorted(engine.spoken) == ["Goodbye.", "Hello.", "Welcome."]
    assert speaker.cached("a", "Welcome.") is not None
    await speaker.close()


async def test_a_text_that_cannot_be_spoken_does_not_stop_the_others():
    class Picky(ToneEngine):
        def synthesise(self, text: str) -> Pcm:
            if "bad" in text:
                raise EngineError("cannot speak that")
            return super().synthesise(text)

    speaker = PromptSynthesizer([Picky()], options=PromptSynthesizerOptions(unhealthy_seconds=0))
    done = await speaker.prerender([Prompt("a", "good"), Prompt("b", "bad"), Prompt("c", "fine")])
    assert (done.ready, done.failed) == (2, ("bad",))
    await speaker.close()


async def test_an_engine_that_cannot_be_loaded_rests_and_the_next_one_speaks():
    first, second = ToneEngine("first"), ToneEngine("second")
    first.broken = True
    speaker = PromptSynthesizer([first, second], clock=lambda: 0.0)
    await speaker.load_engines()
    assert speaker.healthy == {"first": False, "second": True}
    assert await speaker.render("p", "Hello.")
    assert second.spoken == ["Hello."]
    await speaker.close()


def test_engines_that_are_not_loaded_yet_are_known_by_what_they_will_say():
    (waiting,) = build_engines(["hibari"], load=False)
    assert waiting.identity == HibariEngine().identity


def test_memory_keeps_the_prompts_used_last():
    memory = MemoryCache(limit_bytes=100)
    memory.put("a", bytes(40))
    memory.put("b", bytes(40))
    assert memory.get("a") is not None
    memory.put("c", bytes(40))
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (bytes(40), None, bytes(40))


@pytest.mark.slow
async def test_the_configured_engines_are_loaded_in_order_and_missing_ones_left_out(caplog):
    engines = build_engines(["nobody", "hibari", "pyttsx3:en-gb+f3"])
    try:
        assert [engine.name for engine in engines] == ["hibari", "pyttsx3"]
        assert "There is no voice engine 'nobody'" in caplog.text
    finally:
        for engine in engines:
            engine.close()
    with pytest.raises(VoiceError, match="nobody"):
        build_engines(["nobody"])


@pytest.mark.slow
async def test_the_default_voice_speaks_several_texts_at_once():
    speaker = PromptSynthesizer([HibariEngine()], options=PromptSynthesizerOptions(workers=2))
    texts = [f"Your order number is {n}." for n in ("one", "two", "three", "four")]
    together = await asyncio.gather(*(speaker.render("p", text) for text in texts))
    alone = HibariEngine()
    assert [pcm == alone.synthesise(text).tobytes() for text, pcm in zip(texts, together, strict=True)] == [True] * 4
    await speaker.close()
