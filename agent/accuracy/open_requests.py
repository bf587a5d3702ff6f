"""Open requests: what callers say first in their own words, who says it, and what counts as right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, cast

import yaml

from agent.accuracy.trial_runner import trials_under_condition
from agent.accuracy.trial_types import Kind, LineCondition, SpokenAnswer, Trial, TrialItem

OPEN, FOREIGN = "open request", "open request to somebody else"
OPEN_SWEEP = "open requests"
CONDITIONS = (
    LineCondition("clean", OPEN_SWEEP),
    LineCondition("street 15 dB", OPEN_SWEEP, noise="street", snr_db=15),
)
_SECOND_VOICE = 4
"""Each sentence is said by two voices, so far apart in the list of voices."""


def open_trials(voices: Sequence[str], every: int) -> list[Trial]:
    """Return the trials of every ``every``-th sentence, by two of the voices each, on a clean and on a noisy line."""
    items = list(open_items(voices))[::every] if voices else []
    return [trial for condition in CONDITIONS for trial in trials_under_condition(items, condition)]


def open_items(voices: Sequence[str]) -> Iterator[TrialItem]:
    """Yield the sentences with their speakers; the answer's value are the right meanings with blanks between them."""
    said = open_sentences()
    requests = [(meanings, text) for meanings, texts in said["requests"].items() for text in texts]
    lots: tuple[tuple[str, Kind, list[tuple[str, str]]], ...] = (
        (OPEN, "open", requests),
        (FOREIGN, "open_foreign", [("", text) for text in said["foreign"]]),
    )
    for lot, kind, sentences in lots:
        for index, (meanings, text) in enumerate(sentences):
            answer = (("request", SpokenAnswer(meanings, text, text)),)
            for voice in dict.fromkeys(voices[(index + step) % len(voices)] for step in (0, _SECOND_VOICE)):
                yield TrialItem(f"{lot}:{text}", lot, kind, voice, "request", answer, once=True)


def open_sentences() -> Mapping[str, Any]:
    """Return the sentences that come with the package: ``requests`` (right meanings -> sentences) and ``foreign``."""
    text = resources.files("agent.accuracy").joinpath("open_requests.yaml").read_text(encoding="utf-8")
    return cast("Mapping[str, Any]", yaml.safe_load(text))


__all__ = [
    "CONDITIONS",
    "FOREIGN",
    "OPEN",
    "OPEN_SWEEP",
    "open_items",
    "open_sentences",
    "open_trials",
]
