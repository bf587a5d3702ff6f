"""A small pack to fit from, and vectors that tests can reason about."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.dialog.pack.loader import FlowPack
from agent.dialog.understanding.source import Teaching
from tests.dialog.understanding.test_examples import PROMPTS

PACK = f"""\
start: main
defaults: {{noinput: [hello there], nomatch: [sorry what]}}
commands: {{agent: [agent, a human please]}}
prompts:
{PROMPTS}
slots:
  request: {{type: request, prompt: What can I do}}
flows:
  main: {{description: all, steps: [{{collect: request}}]}}
  track:
    description: where the order is
    triggers: [where is my order, "~ track my (order | parcel | package)", "~~ where + order"]
    examples:
      - where has my parcel got to
      - my package is late
      - i'm still waiting for my delivery
      - has my parcel been shipped
      - any news about my delivery
      - when will the package come
      - is my delivery on its way
      - the parcel should be here by now
    steps: [{{say: On its way.}}]
  returns:
    description: to return something
    triggers: [i want to return something, "~ send (it | this) back"]
    examples:
      - the shoes don't fit me
      - i'd like to give the jacket back
      - can i bring the lamp back to you
      - this shirt is too small for me
      - the cup came broken
      - i don't like the color of the scarf
      - how do i return these shoes
      - i changed my mind about the jacket
    steps: [{{say: Send it back.}}]
not_for_us:
  elsewhere:
    - what's the weather like
    - play some music
    - i need a doctor
    - book a table for two
    - turn off the light
    - how old is the queen
    - my car won't start
    - call my mother
  jobs:
    topic: a job with us
    examples: [are you hiring, i'm looking for work, do you have a job for me, i'd like to apply for a position]
"""


class WordVectors:
    """Vectors of words' hashes: sentences with the same words lie together."""

    name = "word-hashes-1"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of 64 numbers, of length 1."""
        found = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split() or [""]:
                found[row, zlib.crc32(word.encode()) % 64] += 1
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def small_pack(directory: Path, content: str = PACK) -> FlowPack:
    """Return the small pack, loaded from a file in ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pack.yaml").write_text(content, encoding="utf-8")
    return FlowPack.load(directory)


def teaching_of(pack: FlowPack) -> Teaching:
    """Return what it is fitted from."""
    assert pack.teaching is not None
    return pack.teaching
