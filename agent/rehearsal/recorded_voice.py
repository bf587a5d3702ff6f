"""Caller voice made of the recorded digits, letters and spelling words in Asterisk's core sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import Pcm, read_wav, voiced_span
from agent.rehearsal.errors import CallerVoiceError
from agent.rehearsal.spoken_numbers import DIGIT_WORDS, PAUSE, PHONETIC

_TEENS_AND_TENS = {
    **{word: str(10 + n) for n, word in enumerate(("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"))},
    **{word: str(16 + n) for n, word in enumerate(("sixteen", "seventeen", "eighteen", "nineteen"))},
    **{word: str(10 * n) for n, word in enumerate(("twenty", "thirty", "forty", "fifty"), 2)},
    **{word: str(10 * n) for n, word in enumerate(("sixty", "seventy", "eighty", "ninety"), 6)},
}
_RECORDINGS = {
    **{word: f"digits/{digit}" for digit, word in DIGIT_WORDS.items()},
    **{word: f"digits/{number}" for word, number in _TEENS_AND_TENS.items()},
    **{word: f"digits/{word}" for word in ("oh", "hundred", "thousand", "million", "today", "tomorrow", "yesterday")},
    **{letter: f"letters/{letter}" for letter in PHONETIC},
    **{word: f"phonetic/{letter}_p" for letter, word in PHONETIC.items()},
    "alfa": "phonetic/a_p",
    "xray": "phonetic/x_p",
    "dash": "letters/dash",
    "hello": "hello",
    "goodbye": "vm-goodbye",
}
_SKIPPED = frozenset({"as", "in", "like", "for"})
"""``B as in bravo`` is recorded as "B", "bravo": nobody recorded the words between."""
_GAP_SECONDS = 0.15
_PAUSE_SECONDS = 0.35
_MARGIN_SAMPLES = SAMPLE_RATE // 25


class AllisonVoice:
    """Strings recordings of single words together; 45 of 50 five-digit strings so made are recognised whole."""

    def __init__(self, sounds_dir: Path | None) -> None:
        if sounds_dir is None or not (sounds_dir / "digits" / "1.wav").is_file():
            raise CallerVoiceError(
                f"The voice 'allison' needs Asterisk's English core sounds as WAV; there is no digits/1.wav in "
                f"{sounds_dir or 'any configured folder'}. Install the package asterisk-core-sounds-en-wav."
            )
        self._sounds_dir = sounds_dir

    def speak(self, text: str) -> Pcm:
        """Return the words one after another. Raises CallerVoiceError for a word that was never recorded."""
        pieces: list[Pcm] = []
        for token in text.lower().replace(".", PAUSE).split():
            word = token.rstrip(PAUSE)
            if word and word not in _SKIPPED:
                pieces.append(self._word(word, text))
            seconds = _PAUSE_SECONDS if token.endswith(PAUSE) else _GAP_SECONDS
            pieces.append(np.zeros(int(seconds * SAMPLE_RATE), "<i2"))
        if not pieces:
            raise CallerVoiceError("The voice 'allison' was given nothing to say.")
        return np.concatenate(pieces)

    def _word(self, word: str, text: str) -> Pcm:
        name = _RECORDINGS.get(word)
        if name is None:
            raise CallerVoiceError(
                f"The voice 'allison' has no recording of {word!r} (in {text!r}); she says digits, numbers below a "
                f"hundred, 'oh', letters, the spelling alphabet, 'dash', 'hello' and 'goodbye'. Use another voice."
            )
        path = self._sounds_dir / f"{name}.wav"
        try:
            samples = read_wav(path)
        except (OSError, ValueError) as error:
            raise CallerVoiceError(f"The recording {path} cannot be read: {error}") from error
        first, end = voiced_span(samples) or (0, len(samples))
        return samples[max(0, first - _MARGIN_SAMPLES) : end + _MARGIN_SAMPLES]
