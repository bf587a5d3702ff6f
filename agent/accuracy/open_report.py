"""The part of a report on open requests: what was heard, decided, and right after one question. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agent.accuracy.open_judgement import offered_meanings
from agent.accuracy.scoring import grouped_by, share_of, word_error_rate
from agent.accuracy.trial_types import TrialResult

_THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(14))
_MOST_EXAMPLES = 60


def open_report(results: Sequence[TrialResult]) -> dict[str, Any]:
    """Return the figures of open requests by line and by speaker, and the curve over the threshold; ``{}`` for none."""
    told = [one for one in results if one.open_decision is not None]
    if not told:
        return {}
    ours = [one for one in told if one.kind == "open"]
    clean = [one for one in ours if one.condition == "clean"]
    return {
        "lines": {name: _figures(some) for name, some in grouped_by(ours, lambda one: one.condition).items()},
        "speakers": {name: _figures(some) for name, some in sorted(grouped_by(clean, lambda one: one.speaker).items())},
        "foreign": {
            name: _figures(some)
            for name, some in grouped_by([o for o in told if o.kind != "open"], lambda one: one.condition).items()
        },
        "curve": {
            name: [_at(threshold, some) for threshold in _THRESHOLDS]
            for name, some in grouped_by(told, lambda one: one.condition).items()
        },
        "wrong": [_example(one) for one in told if one.outcome == "wrong"][:_MOST_EXAMPLES],
    }


def open_page(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the Markdown page."""
    if not data:
        return
    yield from ("### Open requests: callers' own words", "")
    yield (
        "| line | n | words wrong | acted on, right | asked about, right | right after one question | asked again "
        "| to a person | asked about, wrong | acted on, wrong |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for lot, title in (("lines", ""), ("speakers", "clean, "), ("foreign", "to somebody else, ")):
        for name, one in data[lot].items():
            keys = ("taken", "asked", "understood", "missed", "person", "wrong_asked", "wrong")
            cells = " | ".join(_percent(one[key]) for key in keys)
            wer = "-" if one["word_error_rate"] is None else f"{100 * one['word_error_rate']:.1f} %"
            yield f"| {title}{name} | {one['n']} | {wer} | {cells} |"
    yield ""
    for name, curve in data["curve"].items():
        yield from (
            f"Acted on from a score of ... on ({name} line):",
            "",
            "| score | right | wrong | to somebody else |",
        )
        yield "|---|---|---|---|"
        for one in curve:
            cells = " | ".join(f"{100 * one[key]:.1f} %" for key in ("right", "wrong", "foreign"))
            yield f"| {one['threshold']:.2f} | {cells} |"
        yield ""
    if data["wrong"]:
        yield from (
            "Acted on wrongly:",
            "",
            "| who | line | said | heard | taken for | score |",
            "|---|---|---|---|---|---|",
        )
        for one in data["wrong"]:
            cells = " | ".join(str(one[key]) for key in ("speaker", "line", "said", "heard", "got"))
            yield f"| {cells} | {one['score']:.2f} |"
        yield ""


def open_summary(name: str, data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for a terminal."""
    for lot, title in (("lines", "open requests"), ("foreign", "requests to somebody else")) if data else ():
        for line, one in data[lot].items():
            right, wrong = _percent(one["understood"]), _percent(one["wrong"])
            told = f"{right} right after at most one question, " if lot == "lines" else ""
            yield f"{name}: {one['n']} {title} ({line}): {told}{wrong} acted on{' wrongly' if told else ''}"


def _figures(some: Sequence[TrialResult]) -> dict[str, Any]:
    def share(*outcomes: str) -> dict[str, Any]:
        return asdict(share_of(some, lambda one: one.outcome in outcomes))

    return {
        "n": len(some),
        "word_error_rate": word_error_rate(some),
        "taken": share("taken"),
        "asked": share("asked"),
        "understood": share("taken", "asked"),
        "missed": share("missed", "part"),
        "person": share("person"),
        "wrong_asked": share("wrong_asked"),
        "wrong": share("wrong"),
    }


def _at(threshold: float, some: Sequence[TrialResult]) -> dict[str, float]:
    """Return what would be acted on from a threshold on."""
    ours = [one for one in some if one.kind == "open"]
    foreign = [one for one in some if one.kind != "open"]

    def share(of: Sequence[TrialResult], right: bool) -> float:
        acted = [one for one in of if _best(one)[1] >= threshold and _best(one)[0]]
        return sum((_best(one)[0] in one.expected.split()) is right for one in acted) / max(1, len(of))

    return {
        "threshold": threshold,
        "right": round(share(ours, True), 4),
        "wrong": round(share(ours, False), 4),
        "foreign": round(share(foreign, False), 4),
    }


def _best(one: TrialResult) -> tuple[str, float]:
    told = one.open_decision
    if told is None:
        return "", 0.0
    if told.decision in ("act", "person") or not told.candidates:
        return told.meaning, told.score
    return told.candidates[0]


def _example(one: TrialResult) -> dict[str, Any]:
    told = one.open_decision
    return {
        "speaker": one.speaker, "line": one.condition, "said": one.sayings[0].said, "heard": one.sayings[0].heard,
        "got": ", ".join(offered_meanings(told)) if told else "", "score": told.score if told else 0.0,
    }  # fmt: skip


def _percent(share: Mapping[str, Any]) -> str:
    if not share["of"]:
        return "-"
    return f"{100 * share['count'] / share['of']:.0f} % ({100 * share['low']:.0f}-{100 * share['high']:.0f})"


__all__ = ["open_page", "open_report", "open_summary"]
