"""Speakers of a measurement: synthetic voices, Asterisk's recorded digits, real speakers' digits."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.accuracy import flite, kokoro
from agent.accuracy.errors import AccuracyError
from agent.accuracy.kokoro import KokoroVoices
from agent.accuracy.recorded_digits import DigitSpeaker
from agent.rehearsal.audio import Pcm, read_wav, scaled_to_level, write_wav
from agent.rehearsal.script import Speech
from agent.rehearsal.voices import Voices

SYNTHETIC = (
    *("hibari", "joe", "espeak:en-us", "espeak:en-us+f3", "espeak:en-gb", "espeak:en-gb+f2", "espeak:en-gb-scotland"),
    *(f"flite:{voice}" for voice in flite.VOICES),
)
TRAINED = frozenset({"hibari", "flite:awb", "flite:kal16", "george", "jackson", "lucas", "yweweler"})
"""Speakers the bundled model was trained on (its README)."""
HEARD_BEFORE = frozenset({"joe", *(name for name in SYNTHETIC if name.startswith("espeak"))})
"""Speakers only the first version of the bundled model was trained on."""
KOKORO = tuple(f"{kokoro.PREFIX}{voice}" for voice in kokoro.VOICES)
OPEN_REQUEST_VOICES = (*KOKORO, "joe", "espeak:en-us", "espeak:en-gb")
"""Who says open requests. No weights of the bundled model may ever be trained on Kokoro's speakers named here."""


_LEVEL_DBFS = -20.0


@dataclass(frozen=True)
class Speakers:
    """Everybody who can be made to speak. Rendered speech is kept in ``cache_dir``."""

    cache_dir: Path
    sounds_dir: Path | None = None
    """Asterisk's English core sounds as WAV, for ``allison``."""
    flite: tuple[str, ...] = ()
    """What to execute for flite; empty when there is none."""
    people: Mapping[str, DigitSpeaker] = field(default_factory=dict)
    kokoro: Path | None = None
    """Where Kokoro's network and voices are; None when they are not there."""
    voices: Voices = field(init=False, compare=False)
    _neural: KokoroVoices | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "voices", Voices(self.cache_dir, self.sounds_dir))
        object.__setattr__(self, "_neural", KokoroVoices(self.kokoro) if self.kokoro is not None else None)

    def there(self, names: Iterable[str] = SYNTHETIC) -> tuple[str, ...]:
        """Return those of the names that can speak here, and why not the others stays with :meth:`say`."""
        missing = (*(() if self.flite else ("flite:",)), *(() if self.kokoro is not None else (kokoro.PREFIX,)))
        return tuple(name for name in names if not name.startswith(missing))

    def can_say(self, name: str, words: str) -> bool:
        """True when this speaker can say these words: recorded ones know few."""
        return self.people[name].can_say(words) if name in self.people else name != "allison" or _is_digits(words)

    def say(self, name: str, words: str, *, speed: float = 1.0, seed: int = 0) -> Pcm:
        """Return the words as 8 kHz audio at about -20 dBFS.

        Raises :class:`AccuracyError` or ``CallerVoiceError``. ``speed`` does nothing for recorded voices.
        """
        if name in self.people:
            return self.people[name].speak(words, seed)
        if name.startswith("flite:"):
            return self._flite(name.partition(":")[2], words, speed)
        if name.startswith(kokoro.PREFIX):
            return self._kokoro(name.partition(":")[2], words, speed)
        if name == "allison":
            speed = 1.0
        return self.voices.render_now(Speech(words, words, name, speed), _LEVEL_DBFS)

    def _flite(self, voice: str, words: str, speed: float) -> Pcm:
        if not self.flite:
            raise AccuracyError("The voice flite is not there: install the package flite, or leave its voices out.")
        return self._kept(f"flite-{voice}", words, speed, lambda: flite.speak(self.flite, voice, words, speed))

    def _kokoro(self, voice: str, words: str, speed: float) -> Pcm:
        neural = self._neural
        if neural is None:
            raise AccuracyError("Kokoro's voices are not there: pip install 'orderline[voices]', or leave them out.")
        pcm = self._kept(f"kokoro-{voice}", words, speed, lambda: neural.speak(voice, words, speed))
        return scaled_to_level(pcm, _LEVEL_DBFS)

    def _kept(self, name: str, words: str, speed: float, render: Callable[[], Pcm]) -> Pcm:
        """Return what was rendered before, or render it and keep it."""
        engine, _, voice = name.partition("-")
        key = hashlib.sha256(f"{voice}\0{speed:.3f}\0{words}".encode()).hexdigest()[:24]
        kept = self.cache_dir / f"{engine}-{key}.wav"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=kept.parent, suffix=".part")
            os.close(handle)
            try:
                write_wav(Path(aside), render())
                Path(aside).replace(kept)  # whole or not at all: another process may be rendering the same
            finally:
                Path(aside).unlink(missing_ok=True)
        return read_wav(kept)


def _is_digits(words: str) -> bool:
    known = {"zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
    return all(word.strip(",") in known for word in words.split())


__all__ = ["HEARD_BEFORE", "KOKORO", "OPEN_REQUEST_VOICES", "SYNTHETIC", "TRAINED", "Speakers"]
