"""Lattice-free maximum mutual information: what was said must score better than anything else that sounds possible.

The numerator is a graph of the utterance's own words, with all their pronunciations and silence between them where it
fits. The denominator is a trigram of phones over the whole lexicon. Every phone has two outputs, entering it and
staying in it; both transitions have probability one half. The forward-backward passes run in numba.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit, prange
from numpy.typing import NDArray

from contrib.model.pronunciation import PHONE_NUMBER

SILENCE = 0
MOST_PRONUNCIATIONS = 3
SILENCE_CHANCE = 0.5
"""How likely a pause is between two words and at both ends."""
LOG_HALF = math.log(0.5)


class WordGraph(NamedTuple):
    """The states of an utterance's graph; ``before[first[s]:first[s + 1]]`` are the states that lead to state s."""

    output: NDArray[np.int32]
    """The network output of each state."""
    first: NDArray[np.int32]
    before: NDArray[np.int32]
    chance: NDArray[np.float64]
    """The probability of each step of ``before``."""
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    """Whether (1 or 0) the utterance may end in a state."""


def word_graph(words: Sequence[str], sounds: Mapping[str, Sequence[Sequence[str]]]) -> WordGraph:
    """The graph of an utterance; without words that of silence."""
    output: list[int] = []
    before: list[list[tuple[int, float]]] = []
    start: list[float] = []

    def add_phone(phone: int, leading: Sequence[tuple[int, float]], start_chance: float) -> list[int]:
        entering = len(output)
        output.extend([2 * phone, 2 * phone + 1])
        before.append([(state, chance * 0.5) for state, chance in leading])
        before.append([(entering, 0.5), (entering + 1, 0.5)])
        start.extend([start_chance, 0.0])
        return [entering, entering + 1]

    if not words:
        ends = [(state, 1.0) for state in add_phone(SILENCE, [], 1.0)]
    else:
        ends = [(state, 1.0) for state in add_phone(SILENCE, [], SILENCE_CHANCE)]
        start_chance = 1 - SILENCE_CHANCE
        for word in words:
            exits: list[int] = []
            for pronunciation in sounds[word][:MOST_PRONUNCIATIONS]:
                leading, chance = ends, start_chance
                states: list[int] = []
                for phone in pronunciation:
                    states = add_phone(PHONE_NUMBER[phone], leading, chance)
                    leading, chance = [(state, 1.0) for state in states], 0.0
                exits += states
            pause = add_phone(SILENCE, [(state, SILENCE_CHANCE) for state in exits], 0.0)
            ends = [(state, 1 - SILENCE_CHANCE) for state in exits] + [(state, 1.0) for state in pause]
            start_chance = 0.0
    end = np.zeros(len(output))
    end[[state for state, _ in ends]] = 1
    steps = [step for leading in before for step in leading]
    return WordGraph(
        np.array(output, np.int32),
        np.cumsum([0, *map(len, before)]).astype(np.int32),
        np.array([state for state, _ in steps], np.int32),
        np.array([chance for _, chance in steps]),
        np.array(start),
        end,
    )


class PackedGraphs(NamedTuple):
    """The graphs of a batch, one behind the other; ``states``, ``firsts`` and ``steps`` say where each begins."""

    states: NDArray[np.int64]
    output: NDArray[np.int32]
    firsts: NDArray[np.int64]
    first: NDArray[np.int32]
    steps: NDArray[np.int64]
    before: NDArray[np.int32]
    chance: NDArray[np.float64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]


def pack(graphs: Sequence[WordGraph]) -> PackedGraphs:
    """Put the graphs of a batch into arrays that compiled code can read."""

    def offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
        return np.cumsum([0, *lengths]).astype(np.int64)

    return PackedGraphs(
        offsets([len(graph.output) for graph in graphs]),
        np.concatenate([graph.output for graph in graphs]),
        offsets([len(graph.first) for graph in graphs]),
        np.concatenate([graph.first for graph in graphs]),
        offsets([len(graph.before) for graph in graphs]),
        np.concatenate([graph.before for graph in graphs]),
        np.concatenate([graph.chance for graph in graphs]),
        np.concatenate([graph.start for graph in graphs]),
        np.concatenate([graph.end for graph in graphs]),
    )


@njit(parallel=True, cache=True)
def said_occupancy(
    scores, states, output, firsts, first, steps, before, chance, start, end, occupancy, score, possible
):  # type: ignore[no-untyped-def]
    """How much each output is used by the words said: fills ``occupancy`` (batch, time, outputs) and ``score``.

    ``possible`` becomes False for an utterance too short for its words.
    """
    batch, times, outputs = scores.shape
    for b in prange(batch):
        s0, f0, p0 = states[b], firsts[b], steps[b]
        count = states[b + 1] - s0
        likely = np.zeros((times, outputs))
        total = 0.0
        for t in range(times):
            best = -1e30
            for s in range(count):
                best = max(best, scores[b, t, output[s0 + s]])
            total += best
            for o in range(outputs):
                likely[t, o] = math.exp(min(scores[b, t, o] - best, 0.0))
        forward = np.zeros((times, count))
        scale = np.zeros(times)
        fine = True
        for t in range(times):
            mass = 0.0
            for s in range(count):
                arriving = 0.0
                if t == 0:
                    arriving = start[s0 + s]
                else:
                    for j in range(first[f0 + s], first[f0 + s + 1]):
                        arriving += forward[t - 1, before[p0 + j]] * chance[p0 + j]
                arriving *= likely[t, output[s0 + s]]
                forward[t, s] = arriving
                mass += arriving
            if not (mass > 1e-290):
                fine = False
                break
            scale[t] = mass
            total += math.log(mass)
            for s in range(count):
                forward[t, s] /= mass
        finished = 0.0
        if fine:
            for s in range(count):
                finished += forward[times - 1, s] * end[s0 + s]
            fine = finished > 1e-200
        possible[b] = fine
        if not fine:
            continue
        score[b] = total + math.log(finished)
        backward = np.zeros(count)
        arriving_back = np.zeros(count)
        for s in range(count):
            backward[s] = end[s0 + s] / finished
        for t in range(times - 1, -1, -1):
            for s in range(count):
                occupancy[b, t, output[s0 + s]] += forward[t, s] * backward[s]
            if t > 0:
                for s in range(count):
                    arriving_back[s] = 0.0
                for s in range(count):
                    value = backward[s] * likely[t, output[s0 + s]] / scale[t]
                    if value != 0.0:
                        for j in range(first[f0 + s], first[f0 + s + 1]):
                            arriving_back[before[p0 + j]] += value * chance[p0 + j]
                for s in range(count):
                    backward[s] = arriving_back[s]


@njit(parallel=True, fastmath=True, cache=True)
def any_occupancy(scores, trigram, begin, occupancy, score):  # type: ignore[no-untyped-def]
    """The same for anything that sounds possible. ``trigram[p, q, r]``: r after p and q; ``begin[q]``: q comes first.

    ``entering[t, p, q]`` and ``staying[t, p, q]``: at time t in phone q behind phone p.
    """
    batch, times, outputs = scores.shape
    phones = begin.shape[0]
    half = np.float32(0.5)
    for b in prange(batch):
        likely = np.zeros((times, outputs), np.float32)
        total = 0.0
        for t in range(times):
            best = scores[b, t, 0]
            for o in range(outputs):
                best = max(best, scores[b, t, o])
            total += best
            for o in range(outputs):
                likely[t, o] = math.exp(scores[b, t, o] - best)
        entering = np.zeros((times, phones, phones), np.float32)
        staying = np.zeros((times, phones, phones), np.float32)
        scale = np.zeros(times)
        mass = np.float32(0.0)
        for q in range(phones):
            entering[0, 0, q] = begin[q] * likely[0, 2 * q]
            mass += entering[0, 0, q]
        scale[0] = mass
        total += math.log(mass)
        for q in range(phones):
            entering[0, 0, q] /= mass
        for t in range(1, times):
            mass = np.float32(0.0)
            for p in range(phones):
                for q in range(phones):
                    leaving = half * (entering[t - 1, p, q] + staying[t - 1, p, q])
                    stays = leaving * likely[t, 2 * q + 1]
                    staying[t, p, q] = stays
                    mass += stays
                    if leaving > 3e-5:  # what is less likely is left out
                        for r in range(phones):
                            entering[t, q, r] += leaving * trigram[p, q, r]
            for q in range(phones):
                for r in range(phones):
                    entering[t, q, r] *= likely[t, 2 * r]
                    mass += entering[t, q, r]
            scale[t] = mass
            total += math.log(mass)
            share = np.float32(1.0 / mass)
            for q in range(phones):
                for r in range(phones):
                    entering[t, q, r] *= share
                    staying[t, q, r] *= share
        score[b] = total
        from_entering = np.ones((phones, phones), np.float32)
        from_staying = np.ones((phones, phones), np.float32)
        onward = np.zeros((phones, phones), np.float32)
        back = np.zeros((phones, phones), np.float32)
        for t in range(times - 1, -1, -1):
            for p in range(phones):
                for q in range(phones):
                    occupancy[b, t, 2 * q] += entering[t, p, q] * from_entering[p, q]
                    occupancy[b, t, 2 * q + 1] += staying[t, p, q] * from_staying[p, q]
            if t > 0:
                share = np.float32(0.5 / scale[t])
                for q in range(phones):
                    for r in range(phones):
                        onward[q, r] = from_entering[q, r] * likely[t, 2 * r] * share
                for p in range(phones):
                    for q in range(phones):
                        value = from_staying[p, q] * likely[t, 2 * q + 1] * share
                        if entering[t - 1, p, q] + staying[t - 1, p, q] > 6e-5:
                            for r in range(phones):
                                value += trigram[p, q, r] * onward[q, r]
                        back[p, q] = value
                for p in range(phones):
                    for q in range(phones):
                        from_entering[p, q] = back[p, q]
                        from_staying[p, q] = back[p, q]


class MutualInformation(torch.autograd.Function):
    """The loss of a batch, a frame: how much better anything fits than what was said."""

    said: torch.Tensor
    """The last batch's occupancy of the words said (batch, time, outputs), for the second head."""
    impossible = 0
    """How many utterances of the last batch were too short for their words, and left out."""

    @staticmethod
    def forward(
        ctx: Any, scores: torch.Tensor, graphs: PackedGraphs, trigram: NDArray[np.float32], begin: NDArray[np.float32]
    ) -> torch.Tensor:
        """Scores (batch, time, outputs) to the loss, a single number."""
        values = np.ascontiguousarray(scores.detach().numpy(), np.float32)
        said, possible_sounds = np.zeros_like(values), np.zeros_like(values)
        said_score, any_score = np.zeros(len(values)), np.zeros(len(values))
        possible = np.zeros(len(values), np.bool_)
        said_occupancy(values, *graphs, said, said_score, possible)
        any_occupancy(values, trigram, begin, possible_sounds, any_score)
        said[~possible] = possible_sounds[~possible] = 0
        frames = max(1, int(possible.sum())) * values.shape[1]
        ctx.gradient = torch.from_numpy((possible_sounds - said) / frames)
        MutualInformation.said = torch.from_numpy(said)
        MutualInformation.impossible = int((~possible).sum())
        return torch.tensor((any_score - said_score)[possible].sum() / frames, dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:  # type: ignore[override]
        """The gradient of the scores, worked out in ``forward``."""
        return ctx.gradient * gradient, None, None, None


def phone_trigram(sequences: Sequence[Sequence[int]], phones: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A trigram of phones with Witten-Bell smoothing, and the chances of the first phone, from sequences of phones."""
    ones, twos, threes = np.full(phones, 0.5), np.zeros((phones,) * 2), np.zeros((phones,) * 3)
    begin = np.full(phones, 0.1)
    for sequence in sequences:
        begin[sequence[0]] += 1
        history = (SILENCE, SILENCE)
        for place, phone in enumerate(sequence):
            if place > 0 or sequence[0] != SILENCE:
                ones[phone] += 1
                twos[history[1], phone] += 1
                threes[history[0], history[1], phone] += 1
            history = (history[1], phone)

    def smoothed(counts: NDArray[np.float64], lower: NDArray[np.float64]) -> NDArray[np.float64]:
        total, kinds = counts.sum(-1, keepdims=True), (counts > 0).sum(-1, keepdims=True)
        return (counts + kinds * lower) / np.maximum(total + kinds, 1e-9) + (total == 0) * lower

    pairs = smoothed(twos, (ones / ones.sum())[None])
    triples = smoothed(threes, np.broadcast_to(pairs[None], (phones,) * 3))
    triples /= triples.sum(-1, keepdims=True)
    return triples.astype(np.float32), (begin / begin.sum()).astype(np.float32)
