"""Batches for the training: utterances are drawn, joined now and then, and each sent over a line of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator

from contrib.model.augment import on_the_line, rms, to_line_rate
from contrib.model.features import RATE, Sound, cepstra
from contrib.model.mmi import PackedGraphs, WordGraph, pack, word_graph
from contrib.model.pronunciation import dictionary, unknown_words
from contrib.model.speech_files import Speech

POOL = 1500
"""So many utterances are drawn at a time, sorted by length and cut into batches."""
LONGEST_SECONDS = 10.5


class Saying(NamedTuple):
    """One item of a batch: utterances said one after another. ``samples``, ``lead`` and ``gaps`` are at 8 kHz."""

    samples: int
    utterances: list[int]
    speed: float
    lead: int
    gaps: list[int]


class Batch(NamedTuple):
    """Features (batch, frames, 40) and what was said."""

    features: torch.Tensor
    graphs: PackedGraphs


class Batches(torch.utils.data.IterableDataset):
    """Endless batches of about ``seconds`` of sound. ``shares`` says how large a part of the draws each source gets."""

    def __init__(self, speech: Speech, shares: Mapping[str, float], seconds: float, seed: int) -> None:
        usable = [not unknown_words(one.words.split()) for one in speech.utterances]
        count = Counter(source for source, fine in zip(speech.sources, usable, strict=True) if fine)
        drawn = np.array([shares[source] / max(1, count[source]) for source in speech.sources]) * usable
        self.speech, self.seconds, self.seed = speech, seconds, seed
        self.chances = drawn / drawn.sum()
        self.graphs: dict[str, WordGraph] = {}

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0, int(time.time())])
        while True:
            yield from (self.batch(sayings, rng) for sayings in self.pool(rng))

    def pool(self, rng: Generator) -> list[list[Saying]]:
        """Draw a pool of sayings; those of a batch are about equally long."""
        drawn = list(rng.choice(len(self.speech.utterances), POOL, p=self.chances))
        sayings = []
        while drawn:
            together = [int(drawn.pop())]
            joins = 0.25 if self.speech.utterances[together[0]].samples < 24_000 else 0.08
            while drawn and len(together) < 4 and rng.random() < joins:
                together.append(int(drawn.pop()))
            sayings.append(self.saying(together, rng))
        nobody = [Saying(int(rng.uniform(1, 5) * RATE), [], 1.0, 0, []) for _ in range(len(sayings) // 50)]
        sayings = sorted([*sayings, *nobody], key=lambda saying: saying.samples)
        batches: list[list[Saying]] = [[]]
        for saying in sayings:
            if batches[-1] and saying.samples * (len(batches[-1]) + 1) > self.seconds * RATE:
                batches.append([])
            batches[-1].append(saying)
        rng.shuffle(batches)  # type: ignore[arg-type]
        return batches

    def saying(self, together: list[int], rng: Generator) -> Saying:
        """Draw the speed of a saying and the silence before, between and behind its utterances."""
        speed = rng.uniform(0.78, 1.25) if rng.random() < 0.85 else 1.0
        gaps = [int(rng.uniform(0.02, 0.7) * RATE) for _ in together[1:]]
        lead, trail = int(rng.uniform(0.05, 0.9) * RATE), int(rng.uniform(0.1, 0.9) * RATE)

        def length(utterances: list[int]) -> int:
            said = sum(int(self.speech.utterances[one].samples / 2 / speed) for one in utterances)
            return said + lead + trail + sum(gaps[: len(utterances) - 1])

        if length(together) > LONGEST_SECONDS * RATE:
            together, gaps = together[:1], []
        return Saying(length(together), together, speed, lead, gaps)

    def batch(self, sayings: list[Saying], rng: Generator) -> Batch:
        """Let the sayings of a batch pass their lines; all get the length of the longest."""
        length = max(saying.samples for saying in sayings) + 160
        features, graphs = [], []
        for saying in sayings:
            pieces = [to_line_rate(self.speech.samples(one), saying.speed, rng) for one in saying.utterances]
            if len(pieces) > 1:  # one caller: about equally loud
                pieces = [
                    (p / (rms(p) + 1e-3) * 1000 * 10 ** (rng.uniform(-3, 3) / 20)).astype(p.dtype) for p in pieces
                ]
            lead = saying.lead + int(max(0, length - saying.samples) * rng.random() * 0.5)
            babble = self.other_speech if pieces else None
            line = on_the_line(pieces, lead, saying.gaps, length, rng, babble)
            warp = rng.uniform(0.85, 1.17) if rng.random() < 0.85 else 1.0
            features.append(cepstra(line, warp))
            graphs.append(self.graph(saying.utterances))
        return Batch(torch.from_numpy(np.stack(features)), pack(graphs))

    def other_speech(self, rng: Generator) -> Sound:
        """Somebody else's speech, 8 kHz, at an rms of 1."""
        sound = self.speech.samples(int(rng.integers(len(self.speech.utterances))))[::2]
        return sound / np.float32(rms(sound) + 1e-6)

    def graph(self, utterances: list[int]) -> WordGraph:
        """The graph of what these utterances say together."""
        words = " ".join(self.speech.utterances[one].words for one in utterances)
        if words not in self.graphs:
            self.graphs[words] = word_graph(words.split(), dictionary())
        return self.graphs[words]
