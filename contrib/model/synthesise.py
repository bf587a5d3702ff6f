"""Speech of synthetic voices: hibari, flite's awb and kal16, and Kokoro-82M with some 48 voices and their mixtures.

Each source is made until it holds the seconds asked for, and goes on where it stopped. Kokoro costs half a second of a
core for a second of speech, hibari a thirtieth, flite next to nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from contrib.model.pronunciation import unknown_words
from contrib.model.speech_files import NEVER_TRAINED, RATE, SpeechWriter
from contrib.model.texts import TextSource

Sound = NDArray[np.floating]
STYLE_ROWS, STYLE_SIZE, TIMBRE_SIZE = 510, 256, 128
"""A Kokoro voice: one style vector for each length of a text; its first half is the timbre, the second the prosody."""


class Spoken(NamedTuple):
    """What a voice said: samples, samples a second, and who spoke ("a+b" for a mixture of voices)."""

    samples: Sound
    rate: int
    speaker: str


Voice = Callable[[str], Spoken]


def hibari_voice(seed: int) -> Voice:
    """The agent's own voice at different speeds."""
    from hibari import Hibari

    engine, rng = Hibari(), np.random.default_rng(seed)

    def say(text: str) -> Spoken:
        return Spoken(engine(text, speed=rng.uniform(0.78, 1.35), seed=int(rng.integers(10**6))), 24_000, "hibari")

    return say


def flite_voice(name: str, seed: int) -> Voice:
    """One of flite's voices at different speeds and, where it can, pitches."""
    rng = np.random.default_rng(seed)

    def say(text: str) -> Spoken:
        settings = ["--setf", f"duration_stretch={rng.uniform(0.8, 1.35):.2f}"]
        if name != "kal16" and rng.random() < 0.5:
            settings += ["--setf", f"int_f0_target_mean={rng.uniform(85, 190):.0f}"]
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            command = ["flite", "-voice", name, *settings, "-t", text, "-o", file.name]
            subprocess.run(command, check=True, capture_output=True)
            samples, rate = soundfile.read(file.name, dtype="float32")
        return Spoken(samples, rate, f"flite_{name}")

    return say


class KokoroVoices:
    """Kokoro-82M with its English voices, some foreign ones speaking English, and mixtures of them.

    ``folder`` holds what README.md says how to fetch: ``kokoro.onnx``, ``vocab.json``, ``gb_gold.json`` (British
    pronunciations) and ``voices/*.bin``.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        import onnxruntime
        from hibari import Hibari

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.network: Any = onnxruntime.InferenceSession(
            str(folder / "kokoro.onnx"), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self.tokens: Mapping[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self.british: Mapping[str, Any] = json.loads((folder / "gb_gold.json").read_text(encoding="utf-8"))
        self.american = Hibari()
        self.styles = {
            path.stem: np.fromfile(path, "<f4").reshape(STYLE_ROWS, STYLE_SIZE)
            for path in sorted((folder / "voices").glob("*.bin"))
            if path.stem not in NEVER_TRAINED
        }
        whispering_or_shouting = {"af_nicole", "am_santa", "em_santa", "pm_santa"}
        usable = [name for name in self.styles if name not in whispering_or_shouting]
        self.english = [name for name in usable if name[0] in "ab"]
        self.foreign = [name for name in usable if name[0] not in "ab"]
        self.random = np.random.default_rng(seed)

    def mixture(self) -> dict[str, float]:
        """Shares of voices that add up to 1: one English voice, a foreign one with an English one, or up to four.

        Some mixtures go a little beyond the voices they are made of (shares below 0).
        """
        rng, way = self.random, self.random.random()
        if way < 0.30:
            return {str(rng.choice(self.english)): 1.0}
        if way < 0.45:
            share = float(rng.uniform(0.5, 1.0))
            return {str(rng.choice(self.foreign)): share, str(rng.choice(self.english)): 1 - share}
        pool = [*self.english, *rng.choice(self.foreign, 6, replace=False)]
        names = rng.choice(pool, int(rng.integers(2, 5)), replace=False)
        shares = rng.dirichlet(np.ones(len(names)))
        if rng.random() < 0.4:
            shares = shares * rng.uniform(1.15, 1.5) - rng.uniform(0.02, 0.10)
        return dict(zip(map(str, names), map(float, shares / shares.sum()), strict=True))

    def british_phonemes(self, text: str) -> str | None:
        """The text in British phonemes; None where a word is not in the dictionary."""
        said: list[str] = []
        for word in re.findall(r"[A-Za-z'-]+|[,.?]", text):
            if word in ",.?":
                if said:
                    said[-1] += word
                continue
            sound = self.british.get(word) if len(word) == 1 and word != "a" else None
            sound = "ɐ" if word == "a" else sound or self.british.get(word.lower())
            sound = sound.get("DEFAULT") if isinstance(sound, dict) else sound
            if not sound:
                return None
            said.append(sound)
        return " ".join(said)

    def __call__(self, text: str) -> Spoken:
        """Say a text with a timbre, and often with the prosody of another mixture."""
        rng = self.random
        timbre = self.mixture()
        prosody = timbre if rng.random() < 0.45 else self.mixture()
        mostly_british = sum(share for name, share in timbre.items() if name[0] == "b") > 0.45
        phonemes = self.british_phonemes(text) if mostly_british or rng.random() < 0.06 else None
        phonemes = phonemes or str(self.american.phonemize(text))
        tokens = [self.tokens[sign] for sign in phonemes if sign in self.tokens]
        row = min(STYLE_ROWS, len(tokens)) - 1 if rng.random() < 0.7 else int(rng.integers(5, 120))
        style = np.concatenate([
            sum(self.styles[name][row, :TIMBRE_SIZE] * share for name, share in timbre.items()),
            sum(self.styles[name][row, TIMBRE_SIZE:] * share for name, share in prosody.items()),
        ])  # fmt: skip
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style[None].astype(np.float32),
            "speed": np.array([rng.uniform(0.8, 1.4)], np.float32),
        }
        names = sorted({*timbre, *prosody})
        return Spoken(self.network.run(None, inputs)[0].ravel(), 24_000, "+".join(names))


def fill(folder: Path, name: str, voice: Voice, texts: TextSource, seconds: float) -> None:
    """Let a voice speak until its source holds so many seconds."""
    with SpeechWriter(folder, name) as writer:
        for _ in range(writer.count):
            texts.draw()  # a run that goes on does not say the same texts again
        while writer.seconds < seconds:
            kind, words = texts.draw()
            if unknown_words(words):
                continue
            said = voice(texts.as_written(kind, words))
            samples = np.asarray(said.samples, np.float64)
            if said.rate != RATE:
                samples = resample_poly(samples, RATE, said.rate)
            writer.add(samples, said.speaker, " ".join(words))
    print(f"{name}: {writer.count} utterances, {writer.seconds / 60:.1f} min")


def synthesise(folder: Path, kokoro: Path, minutes: Mapping[str, float], sources: Sequence[str]) -> None:
    """Make the sources named; ``minutes`` says how much of each."""
    voices: dict[str, Callable[[], Voice]] = {
        "kokoro": lambda: KokoroVoices(kokoro, seed=1),
        "hibari": lambda: hibari_voice(seed=2),
        "flite_awb": lambda: flite_voice("awb", seed=3),
        "flite_kal16": lambda: flite_voice("kal16", seed=4),
    }
    for number, name in enumerate(sources):
        fill(folder, name, voices[name](), TextSource(seed=100 + number), minutes[name] * 60)
