"""Turns sentences into numbers: hashed n-grams of words and characters, weighted by how rare they are."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

WORD_BUCKETS = 2048
CHARACTER_BUCKETS = 4096
BUCKETS = WORD_BUCKETS + CHARACTER_BUCKETS
"""Columns of a matrix of n-grams: single words and pairs first, then three to five characters."""
_CHARACTERS = (3, 4, 5)


def bucket_counts(text: str) -> dict[int, float]:
    """Return bucket -> how often an n-gram of this text falls into it."""
    words = text.split()
    found: dict[int, float] = {}
    for gram in (*words, *(f"{one} {other}" for one, other in zip(["^", *words], [*words, "$"], strict=True))):
        bucket = zlib.crc32(gram.encode()) % WORD_BUCKETS
        found[bucket] = found.get(bucket, 0.0) + 1.0
    padded = f" {text} ".encode()
    for length in _CHARACTERS:
        for at in range(len(padded) - length + 1):
            bucket = WORD_BUCKETS + zlib.crc32(padded[at : at + length]) % CHARACTER_BUCKETS
            found[bucket] = found.get(bucket, 0.0) + 1.0
    return found


def ngram_matrix(texts: Sequence[str], weights: Matrix | None = None) -> Matrix:
    """Return (sentences x BUCKETS); with ``weights`` (BUCKETS) scaled to length 1 in each half and overall."""
    found = np.zeros((len(texts), BUCKETS), dtype=np.float32)
    for row, text in enumerate(texts):
        counts = bucket_counts(text)
        found[row, list(counts)] = np.log1p(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))
    return found if weights is None else weigh(found, weights)


def rarity(counts: Matrix) -> Matrix:
    """Return the weight of every bucket: the fewer sentences have it, the more it says."""
    in_how_many = (counts > 0).sum(axis=0)
    found: Matrix = (np.log((1 + len(counts)) / (1 + in_how_many)) + 1).astype(np.float32)
    return found


def weigh(counts: Matrix, weights: Matrix) -> Matrix:
    """Return counts times weights, words and characters each scaled to the same length."""
    found = counts * weights
    for half in (slice(0, WORD_BUCKETS), slice(WORD_BUCKETS, BUCKETS)):
        length = np.linalg.norm(found[:, half], axis=1, keepdims=True)
        found[:, half] /= np.maximum(length, 1e-6) * np.float32(np.sqrt(2))
    return found
