"""Scores results: word error rate, outcomes of utterances and requests, with confidence intervals. Pure, seeded."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agent.accuracy.errors import AccuracyError
from agent.accuracy.trial_types import TrialResult
from agent.rehearsal.spoken_numbers import DIGIT_WORDS

RESAMPLES = 2000
_SEED = 20261124
MOST_SAME_SPEAKER = 5
"""From this many speakers on, speakers are drawn anew; with fewer, utterances (which makes intervals too narrow)."""


@dataclass(frozen=True)
class Share:
    """So many of so many, with a 95 % interval."""

    count: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """0..1; 0 for nothing."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class Score:
    """What became of a group of utterances."""

    n: int
    word_error_rate: float | None
    """None where nothing was expected to be heard."""
    understood: Share
    """Right, acted on or read back first."""
    taken: Share
    """Right and acted on."""
    asked: Share
    """Right and read back first."""
    asked_again: Share
    """Nothing, or a part: no harm, one more saying."""
    wrong_asked: Share
    wrong: Share
    """Something else, acted on (an order number is still said aloud on the way to the next question)."""
    in_the_end: Share
    """Right in the end by voice, at the first saying or after repair."""
    with_keypad: Share
    """The same, with those who keyed the number when that was offered."""
    wrong_in_the_end: Share

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            name: {**value, "value": round(value["count"] / value["of"], 4) if value["of"] else None}
            if isinstance(value, dict) else value
            for name, value in asdict(self).items()
        }  # fmt: skip


def score(results: Sequence[TrialResult]) -> Score:
    """Count a group of results of one kind of measurement."""

    def share(holds: Callable[[TrialResult], bool]) -> Share:
        return share_of(results, holds)

    return Score(
        n=len(results),
        word_error_rate=word_error_rate(results),
        understood=share(lambda one: one.outcome in ("taken", "asked")),
        taken=share(lambda one: one.outcome == "taken"),
        asked=share(lambda one: one.outcome == "asked"),
        asked_again=share(lambda one: one.outcome in ("missed", "part")),
        wrong_asked=share(lambda one: one.outcome == "wrong_asked"),
        wrong=share(lambda one: one.outcome == "wrong"),
        in_the_end=share(lambda one: one.ending in ("first_try", "repaired")),
        with_keypad=share(lambda one: one.ending in ("first_try", "repaired", "keypad")),
        wrong_in_the_end=share(lambda one: one.ending == "wrong"),
    )


def share_of(results: Sequence[TrialResult], holds: Callable[[TrialResult], bool]) -> Share:
    """Count those for which something holds. Interval: bootstrap over speakers where there are enough of them."""
    hits = np.array([holds(one) for one in results], dtype=float)
    if not len(hits):
        return Share(0, 0, 0.0, 0.0)
    speakers = sorted({one.speaker for one in results})
    random = np.random.default_rng(_SEED)
    if len(speakers) >= MOST_SAME_SPEAKER:
        of = np.array([sum(one.speaker == name for one in results) for name in speakers], dtype=float)
        right = np.array([sum(hits[i] for i, one in enumerate(results) if one.speaker == name) for name in speakers])
        drawn = random.integers(len(speakers), size=(RESAMPLES, len(speakers)))
        means = right[drawn].sum(axis=1) / of[drawn].sum(axis=1)
    else:
        means = hits[random.integers(len(hits), size=(RESAMPLES, len(hits)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Share(int(hits.sum()), len(hits), round(float(low), 4), round(float(high), 4))


def word_error_rate(results: Sequence[TrialResult]) -> float | None:
    """Word error rate of the first sayings; ``oh`` and ``zero`` are the same word, ``[unk]`` is no word."""
    pairs = [
        (normalised_words(one.sayings[0].said), normalised_words(one.sayings[0].heard))
        for one in results
        if one.kind != "foreign"
    ]
    pairs = [pair for pair in pairs if pair[0]]
    if not pairs:
        return None
    jiwer = _jiwer()
    return round(float(jiwer.wer([pair[0] for pair in pairs], [pair[1] for pair in pairs])), 4)


def normalised_words(text: str) -> str:
    """Write words for comparison: lower case, no punctuation, digits as words, one word for zero."""
    text = re.sub(r"\d", lambda digit: f" {DIGIT_WORDS[digit[0]]} ", text.lower().replace("[unk]", " "))
    words = re.sub(r"[^a-z' ]", " ", text.replace("’", "'")).split()
    return " ".join("zero" if word == "oh" else word for word in words)


def word_confusions(results: Iterable[TrialResult], among: Iterable[str]) -> dict[str, dict[str, int]]:
    """Count, for each of these words as spoken, what was heard in its place; ``""`` is nothing.

    Words heard where none was spoken stand under ``""``.
    """
    wanted = set(among)
    table: dict[str, Counter[str]] = {}
    pairs = [(normalised_words(one.sayings[0].said), normalised_words(one.sayings[0].heard)) for one in results]
    pairs = [pair for pair in pairs if pair[0]]
    if not pairs:
        return {}
    jiwer = _jiwer()
    aligned = jiwer.process_words([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    for spoken, heard, chunks in zip(aligned.references, aligned.hypotheses, aligned.alignments, strict=True):
        for chunk in chunks:
            said = spoken[chunk.ref_start_idx : chunk.ref_end_idx]
            got = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
            for index in range(max(len(said), len(got))):
                one = said[index] if index < len(said) else ""
                other = got[index] if index < len(got) else ""
                if one in wanted or (not one and other in wanted):
                    table.setdefault(one, Counter())[other] += 1
    return {one: dict(table[one].most_common()) for one in sorted(table)}


def meaning_confusions(results: Iterable[TrialResult]) -> dict[str, dict[str, int]]:
    """Count, for each meaning, what it was taken for; ``""`` is nothing."""
    table: dict[str, Counter[str]] = {}
    for one in results:
        table.setdefault(one.expected, Counter())[one.got] += 1
    return {one: dict(table[one].most_common()) for one in sorted(table)}


def grouped_by(results: Iterable[TrialResult], key: Callable[[TrialResult], str]) -> Mapping[str, list[TrialResult]]:
    """Group results, in the order in which the groups come up."""
    groups: dict[str, list[TrialResult]] = {}
    for one in results:
        groups.setdefault(key(one), []).append(one)
    return groups


def _jiwer() -> Any:
    try:
        return importlib.import_module("jiwer")
    except ImportError as error:
        raise AccuracyError(
            f"Word errors are counted by the Python package jiwer: pip install 'orderline[bench]' ({error})"
        ) from error


__all__ = [
    "Score", "Share", "grouped_by", "meaning_confusions", "normalised_words", "score", "share_of", "word_confusions",
    "word_error_rate",
]  # fmt: skip
