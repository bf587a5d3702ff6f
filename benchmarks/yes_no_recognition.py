"""Measures how well a bare yes or no is recognised among thousands of requests, with and without weights."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import vosk

from agent.common.audio import SAMPLE_RATE
from agent.dialog.contract import Listen, TurnInput
from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.script import Speech
from agent.rehearsal.voices import Voices
from agent.speech.decoding import TurnDecoding
from agent.speech.grammar import UNKNOWN, VoskGrammar, build_grammar
from agent.speech.model import resolve_model
from benchmarks.text_call import text_call

VOICES = (
    "joe",
    "joe:1.1",
    "espeak:en-us+linda",
    "espeak:en-gb+f2",
    "espeak:en-us+f2",
    "espeak:en-us+m3",
    "espeak:en-us",
    "hibari:1.15",
)
EXPECTED = {
    "yes": {"yes", "yeah", "yep"},
    "no": {"no", "nope"},
    "yeah": {"yes", "yeah", "yep"},
    "nope": {"no", "nope"},
    "no thanks": {"no thanks"},
    "no thank you": {"no thank you"},
    "yes please": {"yes please"},
    "that's all": {"that's all"},
    "where is my order": {"where is my order", "where's my order"},
    "track my order": {"track my order"},
    "how much is delivery": {"how much is delivery"},
    "agent": {"agent"},
}
"""What is said after "Anything else I can help with?", and what it may be written down as."""
ANYTHING = (
    "let me think about it",
    "my dog is barking",
    "the weather is lovely",
    "I saw the news",
    "can you sing a song",
    "oh",
    "so",
    "well now",
    "nothing much really",
    "it was on sale",
)
"""What no turn expects: to be taken for nothing."""
_LEVEL_DBFS = -20.0


async def measure_yes_no_recognition(home: RehearsalHome, say: Callable[[str], None]) -> dict[str, Any]:
    """Return how many were heard right, and how many strange sentences were taken for an answer."""
    voices = Voices(home.shared / "callers", None)
    sounds = {
        (voice, text): (await voices.render(Speech(text, text, voice), _LEVEL_DBFS)).tobytes()
        for voice in VOICES
        for text in (*EXPECTED, *ANYTHING)
    }
    return await asyncio.to_thread(compare, sounds, say)


def compare(sounds: Mapping[tuple[str, str], bytes], say: Callable[[str], None]) -> dict[str, Any]:
    """Decode every sound with both grammars."""
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(resolve_model("bundled", Path())))
    listen = anything_else_listen(FlowPack.load(english_pack()))
    grammar = build_grammar(
        listen.phrases, listen.words, lambda word: model.vosk_model_find_word(word) >= 0, listen.samples
    )
    lists = {"without": json.dumps((*grammar.samples, *grammar.entries)), "with": grammar.json}
    found: dict[str, Any] = {"entries": len(grammar.samples) + len(grammar.entries)}
    for name, entries in lists.items():
        heard = {key: decode(model, entries, grammar, pcm) for key, pcm in sounds.items()}
        expected = [(key, text) for key, text in heard.items() if key[1] in EXPECTED]
        right = [key for key, text in expected if text in EXPECTED[key[1]]]
        found[name] = {
            "right": len(right),
            "of": len(expected),
            "bare_yes_or_no": sum(text in ("yes", "no") for _, text in right),
            "bare_yes_or_no_of": 2 * len(VOICES),
            "strange_taken": sum(taken_as_answer(grammar, heard[key]) for key in heard if key[1] in ANYTHING),
            "strange_of": len(ANYTHING) * len(VOICES),
        }
        row = found[name]
        say(
            f"  {name} weights: {row['right']} of {row['of']} right, a bare yes or no {row['bare_yes_or_no']} of"
            f" {row['bare_yes_or_no_of']}; {row['strange_taken']} of {row['strange_of']} strange sentences taken"
        )
    found["pairs"] = {
        f"{what}, with / without weights": round(found["with"][key] / max(1, found["without"][key]), 2)
        for what, key in (
            ("answers heard right", "right"),
            ("a bare yes or no heard right", "bare_yes_or_no"),
            ("strange sentences taken", "strange_taken"),
        )
    }
    return found


def anything_else_listen(pack: FlowPack) -> Listen:
    """Return what the agent listens for after it has answered a question and asks for another."""
    conversation = text_call(pack)
    conversation.start()
    turn = conversation.hear(TurnInput(text="what are your opening hours"))
    if not isinstance(turn.then, Listen):
        raise TypeError("The procedures do not ask anything after an answer.")
    return turn.then


def decode(model: vosk.Model, entries: str, grammar: VoskGrammar, pcm: bytes) -> str:
    """Return the final text of one sound."""
    make = functools.partial(vosk.KaldiRecognizer, model, float(SAMPLE_RATE), entries)
    decoding = TurnDecoding(make, allows=grammar.allows)
    quiet = np.zeros(SAMPLE_RATE // 4, "<i2").tobytes()
    return decoding.finish(quiet + pcm + quiet).text


def taken_as_answer(grammar: VoskGrammar, text: str) -> bool:
    """True when the text would be taken for an answer."""
    return bool(text) and text != UNKNOWN and grammar.allows(text)
