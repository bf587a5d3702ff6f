"""Report of a measurement: as data, as a table for the terminal, as a page of Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent.accuracy.open_report import open_page, open_report, open_summary
from agent.accuracy.open_requests import OPEN_SWEEP
from agent.accuracy.plan import DIGITS, ERRAND
from agent.accuracy.scoring import Score, Share, grouped_by, meaning_confusions, score, share_of, word_confusions
from agent.accuracy.speakers import HEARD_BEFORE, TRAINED
from agent.accuracy.trial_types import TrialResult

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
YES_NO_WORDS = ("yes", "no")
CLEAN_SWEEPS = ("voices", "recordings")
_MOST_EXAMPLES = 40
_LIMITS = (0.5, 0.6, 0.7, 0.8, 0.9)


def report(results: Sequence[TrialResult], meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything as plain data, by model."""
    models = grouped_by(results, lambda one: one.model)
    return {**meta, "models": {name: model_report(of_model) for name, of_model in models.items()}}


def model_report(results: Sequence[TrialResult]) -> dict[str, Any]:
    """Return what one model did."""
    clean = [one for one in results if one.sweep in CLEAN_SWEEPS]
    meant = [one for one in clean if one.kind != "foreign"]
    foreign = [one for one in clean if one.kind == "foreign"]
    utterances = [one for one in meant if one.lot != ERRAND]
    errands = [one for one in results if one.lot == ERRAND]
    numbers = [one for one in utterances if one.kind == "number"]
    return {
        "trials": len(results),
        "lots": _scores(grouped_by(utterances, lambda one: one.lot)),
        "groups": _scores(grouped_by(utterances, lambda one: _group(one.speaker))),
        "number_groups": _scores(grouped_by([n for n in numbers if n.lot == DIGITS], lambda one: _group(one.speaker))),
        "speakers": _scores(grouped_by(utterances, lambda one: one.speaker)),
        "sweeps": {
            sweep: {
                what: _scores({"clean": _clean_of(some, utterances), **grouped_by(some, lambda one: one.condition)})
                for what, some in _by_kind(of_sweep).items()
            }
            for sweep, of_sweep in grouped_by(_swept(results), lambda one: one.sweep).items()
        },
        "errands": {name: _endings(some) for name, some in grouped_by(errands, lambda one: one.condition).items()},
        "errands_by_group": {
            name: _endings(some)
            for name, some in grouped_by(
                [e for e in errands if e.condition == "clean"], lambda one: _group(one.speaker)
            ).items()
        },
        "false_acceptance": {
            name: {
                "n": len(some),
                "accepted": _count(some, "wrong"),
                "asked": _count(some, "wrong_asked"),
                "refused": _count(some, "missed"),
            }
            for name, some in grouped_by(foreign, lambda one: one.lot).items()
        },
        "confusions": {
            "digits": word_confusions([n for n in numbers if n.lot == DIGITS], DIGIT_WORDS),
            "yes_no": meaning_confusions(one for one in clean if one.kind == "yes_no"),
            "meanings": meaning_confusions(one for one in meant if one.kind in ("request", "choice", "meaning")),
        },
        "open": open_report(results),
        "read_back_below": read_back_below([one for one in results if one.kind == "number"]),
        "wrong": [_example(one) for one in clean if one.outcome == "wrong"][:_MOST_EXAMPLES],
    }


def read_back_below(numbers: Sequence[TrialResult]) -> dict[str, dict[str, int]]:
    """Say what reading a number back would have caught and cost, had its weakest word been less certain than so much.

    Counts numbers that were acted on at the first saying, on every line.
    """
    acted = [one for one in numbers if one.outcome in ("taken", "wrong") and one.sayings]
    wrong = [one.sayings[0].weakest for one in acted if one.outcome == "wrong"]
    right = [one.sayings[0].weakest for one in acted if one.outcome == "taken"]
    return {
        f"{limit:.1f}": {
            "wrong": len(wrong), "wrong_caught": sum(each < limit for each in wrong),
            "right": len(right), "right_asked": sum(each < limit for each in right),
        }
        for limit in _LIMITS
    }  # fmt: skip


def markdown(data: Mapping[str, Any], plots: Iterable[str] = ()) -> str:
    """Return the page of ``accuracy.md``."""
    lines = ["# How well callers are understood", "", "Written by the command below; docs/accuracy.md explains it.", ""]
    lines += [f"    {data['command']}", ""]
    lines += [f"{data['when']}, {data['machine']}. {data['versions']}. Seed {data['seed']}.", ""]
    for name, model in data["models"].items():
        lines += _model_page(name, model)
    lines += [f"![{plot}]({plot}.svg)" for plot in plots]
    return "\n".join(lines).rstrip() + "\n"


def table(data: Mapping[str, Any]) -> str:
    """Return the summary for a terminal: models side by side."""
    names = list(data["models"])
    lines: list[str] = []
    for title, key in (("what is said, clean line", "lots"), ("who speaks, clean line", "groups")):
        rows = dict.fromkeys(row for model in data["models"].values() for row in model[key])
        if not rows:
            continue
        lines += [f"{title:44}" + "".join(f"{name[:30]:>32}" for name in names)]
        lines += [f"{'':44}" + f"{'n  words wrong  right  in the end':>32}" * len(names)]
        for row in rows:
            cells = [_terminal_cell(data["models"][name][key].get(row)) for name in names]
            lines.append(f"  {row[:42]:42}" + "".join(f"{cell:>32}" for cell in cells))
        lines.append("")
    for name in names:
        accepted = data["models"][name]["false_acceptance"]
        count, of = sum(one["accepted"] for one in accepted.values()), sum(one["n"] for one in accepted.values())
        if of:
            lines.append(f"{name}: {count} of {of} sentences that were not meant for the agent were acted on")
        for condition, one in data["models"][name]["errands"].items():
            first, end = percent(one["first_try"]), percent(one["in_the_end"])
            lines.append(
                f"{name}: {one['n']} errands ({condition}): {first} at the first try, {end} in the end by voice"
            )
    lines += [line for name in names for line in open_summary(name, data["models"][name]["open"])]
    return "\n".join(lines)


def percent(share: Mapping[str, Any]) -> str:
    """Return a share for people: ``93 % (88-97)``."""
    if not share["of"]:
        return "-"
    return f"{100 * share['count'] / share['of']:.0f} % ({100 * share['low']:.0f}-{100 * share['high']:.0f})"


def _model_page(name: str, model: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## Model {name}", "", f"{model['trials']} utterances and errands.", "")
    yield from ("### What is said (clean line, all speakers)", "", *_score_table(model["lots"]), "")
    yield from ("### Who speaks (clean line)", "", *_score_table(model["groups"]), "")
    if model["number_groups"]:
        yield from ("The order number read digit by digit alone:", "", *_score_table(model["number_groups"]), "")
    yield from ("### Speaker by speaker", "", *_score_table(model["speakers"]), "")
    for sweep, kinds in model["sweeps"].items():
        for what, scores in kinds.items():
            yield from (f"### {sweep[0].upper()}{sweep[1:]}: {what}", "", *_score_table(scores), "")
    if model["errands"]:
        yield from ("### Whole errands: where is my order, its number, its postcode", "")
        yield "| line | errands | first try | by voice in the end | with a person | lost |"
        yield "|---|---|---|---|---|---|"
        for title, one in (*model["errands"].items(), *model["errands_by_group"].items()):
            cells = (percent(one[key]) for key in ("first_try", "in_the_end", "person", "lost"))
            yield f"| {title} | {one['n']} | {' | '.join(cells)} |"
        yield ""
    if model["false_acceptance"]:
        yield from ("### Speech that is not meant for the agent", "")
        yield "| question | sentences | acted on | asked about | refused |"
        yield "|---|---|---|---|---|"
        for title, one in model["false_acceptance"].items():
            yield f"| {title} | {one['n']} | {one['accepted']} | {one['asked']} | {one['refused']} |"
        yield ""
    yield from open_page(model["open"])
    if any(one["wrong"] for one in model["read_back_below"].values()):
        yield from ("### If numbers were read back below a certainty of the weakest word (all lines)", "")
        yield "| below | wrong numbers caught | right numbers asked about needlessly |"
        yield "|---|---|---|"
        for limit, one in model["read_back_below"].items():
            caught, asked = (f"{one[a]} of {one[b]}" for a, b in (("wrong_caught", "wrong"), ("right_asked", "right")))
            yield f"| {limit} | {caught} | {asked} |"
        yield ""
    for title, confused in model["confusions"].items():
        if confused:
            yield from (f"### What was heard for what: {title}", "", *_confusion_table(confused), "")
    if model["wrong"]:
        yield from ("### Taken for something else and acted on", "", "| who | said | heard | taken for | certain |",
                    "|---|---|---|---|---|")  # fmt: skip
        for one in model["wrong"]:
            yield f"| {one['speaker']} | {one['said']} | {one['heard']} | {one['got']} | {one['confidence']:.2f} |"
        yield ""


def _score_table(scores: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "| | n | words wrong | right at once | of these read back | asked again | wrong, read back | wrong "
        "| right in the end | + keypad |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, one in scores.items():
        wer = "-" if one["word_error_rate"] is None else f"{100 * one['word_error_rate']:.1f} %"
        counts = " | ".join(str(one[key]["count"]) for key in ("asked", "asked_again", "wrong_asked", "wrong"))
        yield (
            f"| {name} | {one['n']} | {wer} | {percent(one['understood'])} | {counts} | {percent(one['in_the_end'])} "
            f"| {percent(one['with_keypad'])} |"
        )


def _confusion_table(confused: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield "| said | right | heard as |"
    yield "|---|---|---|"
    for said, heard in confused.items():
        right, total = heard.get(said, 0), sum(heard.values())
        others = ", ".join(f"{other or 'nothing'} {count}" for other, count in heard.items() if other != said)
        yield f"| {said or '(nothing said)'} | {right} of {total} | {others or '-'} |"


def _scores(groups: Mapping[str, Sequence[TrialResult]]) -> dict[str, Any]:
    return {name: score(some).to_json() for name, some in groups.items() if some}


def _swept(results: Iterable[TrialResult]) -> list[TrialResult]:
    apart = (*CLEAN_SWEEPS, "errand", OPEN_SWEEP)
    return [one for one in results if one.sweep not in apart and one.kind != "foreign"]


def _by_kind(results: Iterable[TrialResult]) -> Mapping[str, list[TrialResult]]:
    names = {"number": "numbers", "request": "requests"}
    return grouped_by(results, lambda one: names.get(one.kind, one.kind))


def _clean_of(some: Sequence[TrialResult], clean: Iterable[TrialResult]) -> list[TrialResult]:
    """The same utterances by the same speakers on the clean line."""
    wanted = {(one.item, one.speaker) for one in some}
    return [one for one in clean if (one.item, one.speaker) in wanted]


def _endings(some: Sequence[TrialResult]) -> dict[str, Any]:
    found: Score = score(some)

    def ended(*endings: str) -> dict[str, Any]:
        share = _share(some, endings)
        return {"count": share.count, "of": share.of, "low": share.low, "high": share.high}

    return {
        "n": found.n,
        "first_try": ended("first_try"),
        "in_the_end": ended("first_try", "repaired"),
        "person": ended("person"),
        "lost": ended("lost", "wrong"),
    }


def _share(some: Sequence[TrialResult], endings: Sequence[str]) -> Share:
    return share_of(some, lambda one: one.ending in endings)


def _count(some: Iterable[TrialResult], outcome: str) -> int:
    return sum(one.outcome == outcome for one in some)


def _example(one: TrialResult) -> dict[str, Any]:
    first = one.sayings[0]
    return {"speaker": one.speaker, "said": first.said, "heard": first.heard, "got": one.got,
            "confidence": first.confidence, "weakest": first.weakest, "ending": one.ending}  # fmt: skip


def _terminal_cell(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "-"
    wer = "-" if one["word_error_rate"] is None else f"{100 * one['word_error_rate']:.1f} %"
    share, end = one["understood"], one["in_the_end"]
    return f"{one['n']:5} {wer:>8} {100 * share['value']:6.0f} % {100 * end['value']:6.0f} %"


def _group(speaker: str) -> str:
    if speaker in TRAINED:
        return "speakers the bundled model was trained on"
    if speaker in HEARD_BEFORE:
        return "speakers its first version was trained on"
    return "people it never heard" if speaker.isalpha() and speaker.islower() else "synthetic voices it never heard"


__all__ = ["markdown", "model_report", "percent", "read_back_below", "report", "table"]
