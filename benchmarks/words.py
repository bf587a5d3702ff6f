"""How labelled sentences are understood after the greeting: by source and label, with the thresholds swept.

``make words ARGS="--data FILE.tsv"``. The file has the columns source, label, scope (``in``, ``oos``) and text. What
counts as right is in ``--meanings FILE.tsv`` (label, core, meanings); without it a label is the meaning itself, or
several of them with ``|`` between them; ``not_for_us`` is what a person is right for.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.cli.hear import loaded_pack
from agent.dialog.engine.engine import CallFacts
from agent.dialog.model.understanding import Thresholds
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.hearing import HeardSentence, hear_sentence
from agent.dialog.understanding.examples import UNSERVED
from agent.dialog.understanding.score import decide
from agent.dialog.understanding.teaching import PERSON
from agent.speech.wording import filters

FOREIGN = "oos"
_PERSON_LABELS = (
    "human", "contact", "complaint", "change_order", "add_item", "remove_item", "split_payment", "giftcard_balance",
    "order_total", "payment_method_wrong", "refund_add", "credit_missing", "upgrade_shipping", "uncancel",
)  # fmt: skip
"""Labels for which a person is the right answer, beside all that are not core."""
_ACTS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
OUTCOMES = ("right", "asked", "choice", "wrong", "person", "asked wrong", "choice wrong", "again")


@dataclass(frozen=True)
class LabelledSentence:
    """One sentence of the file."""

    source: str
    label: str
    scope: str
    text: str


@dataclass(frozen=True)
class RightMeanings:
    """What counts as right for a label."""

    core: bool
    meanings: frozenset[str]
    person: bool
    """Whether a person is right as well."""


def outcome(decision: str, meanings: Sequence[str], right: RightMeanings) -> str:
    """Return one of :data:`OUTCOMES` for a sentence of the shop's own domain."""
    first = meanings[0] if meanings else ""
    ours = right.meanings | ({PERSON} if right.person else frozenset())
    if decision == "person" or (decision == "act" and first == PERSON):
        return "right" if right.person else "person"
    if decision == "act":
        return "right" if first in right.meanings else "wrong"
    if decision == "confirm":
        return "asked" if first in ours else "asked wrong"
    if decision == "choose":
        return "choice" if ours.intersection(meanings[:2]) else "choice wrong"
    return "again"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; 1 when the file holds no sentence."""
    options = _parser().parse_args(arguments)
    rows = read_sentences(options.data)
    if not rows:
        print(f"{options.data} holds no sentence", file=sys.stderr)
        return 1
    rights = read_meanings(options.meanings) if options.meanings is not None else {}
    pack, _ = loaded_pack(options.flows, options.config)
    facts = CallFacts(datetime.now().astimezone(), "the shop", recognizer=options.recognizer)
    render = SandboxRenderer(filters)
    heard = [hear_sentence(pack, facts, render, row.text) for row in rows]
    if options.json is not None:
        lines = (json.dumps({**row.__dict__, **one.to_json()}) for row, one in zip(rows, heard, strict=True))
        options.json.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(report(rows, heard, rights, pack.thresholds(options.recognizer)))
    return 0


def report(
    rows: Sequence[LabelledSentence],
    heard: Sequence[HeardSentence],
    rights: Mapping[str, RightMeanings],
    thresholds: Thresholds,
) -> str:
    """Return the tables: all, by source, by label, and over the threshold from which on it is acted."""
    lines = [_heading("all")]
    core = [
        (row, one) for row, one in zip(rows, heard, strict=True) if row.scope != FOREIGN and _right(row, rights).core
    ]
    other = [
        (row, one)
        for row, one in zip(rows, heard, strict=True)
        if row.scope != FOREIGN and not _right(row, rights).core
    ]
    foreign = [(row, one) for row, one in zip(rows, heard, strict=True) if row.scope == FOREIGN]
    for name, some in (("core", core), ("others of the shop", other)):
        lines.append(_line(name, [_outcome(row, one, rights) for row, one in some]))
    lines.append(_foreign_line("other domains", [one for _, one in foreign]))
    for title, key in (("source", "source"), ("label", "label")):
        lines.append(_heading(title))
        groups: dict[str, list[str]] = {}
        for row, one in core:
            groups.setdefault(getattr(row, key), []).append(_outcome(row, one, rights))
        lines += [_line(name, found) for name, found in sorted(groups.items(), key=lambda pair: -len(pair[1]))]
    lines.append(_heading("acts from"))
    for act in _ACTS:
        swept = Thresholds(act=act, confirm=min(act, thresholds.confirm), choose=min(act, thresholds.choose))
        again = [(row, _redecided(one, swept)) for row, one in core]
        acted = sum(_acts(_redecided(one, swept)) for _, one in foreign)
        found = _line(f"{act:.2f}", [_outcome(row, one, rights) for row, one in again])
        lines.append(f"{found}   foreign acted on {acted} of {len(foreign)}")
    lines += ["", "other domains acted on:"]
    lines += [f"  {one.meaning:20} {one.score:.2f}  {row.text}" for row, one in foreign if _acts(one)]
    return "\n".join(lines)


def _redecided(one: HeardSentence, thresholds: Thresholds) -> HeardSentence:
    if one.by_rule or (one.decision == "act" and one.meaning not in dict(one.candidates)):
        return one
    judged = decide(one.candidates, thresholds)
    return HeardSentence(one.text, judged.decision, judged.meaning, judged.score, judged.candidates)


def _outcome(row: LabelledSentence, one: HeardSentence, rights: Mapping[str, RightMeanings]) -> str:
    meanings = [one.meaning, *(meaning for meaning, _ in one.candidates if meaning != one.meaning)]
    return outcome(one.decision, meanings, _right(row, rights))


def _right(row: LabelledSentence, rights: Mapping[str, RightMeanings]) -> RightMeanings:
    own = frozenset(row.label.split("|"))
    return rights.get(row.label, RightMeanings(True, own, bool(own & {PERSON, UNSERVED})))


def _acts(one: HeardSentence) -> bool:
    return one.decision == "act" and not one.meaning.startswith("command:")


def _heading(name: str) -> str:
    return "\n" + " ".join([f"{name:24}", f"{'n':>5}", *(f"{one:>12}" for one in OUTCOMES), f"{'in one':>8}"])


def _line(name: str, found: Iterable[str]) -> str:
    counts = Counter(found)
    total = sum(counts.values())
    shares = [100 * counts[one] / max(1, total) for one in OUTCOMES]
    cells = " ".join(f"{share:11.1f}%" for share in shares)
    return f"{name:24} {total:5} {cells} {sum(shares[:3]):7.1f}%"


def _foreign_line(name: str, heard: Sequence[HeardSentence]) -> str:
    acted = sum(map(_acts, heard))
    asked = sum(one.decision in ("confirm", "choose") for one in heard)
    total = max(1, len(heard))
    return f"{name:24} {len(heard):5}   acted on {100 * acted / total:.1f}%, asked about {100 * asked / total:.1f}%"


def read_sentences(path: Path) -> list[LabelledSentence]:
    """Read a labelled file (tab-separated, with a heading)."""
    with path.open(encoding="utf-8", newline="") as file:
        found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            LabelledSentence(row["source"], row["label"], row["scope"], row["text"]) for row in found if row["text"]
        ]


def read_meanings(path: Path) -> dict[str, RightMeanings]:
    """Read what counts as right for each label."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["label"]: RightMeanings(
                row["core"] == "yes",
                frozenset((row["meanings"] or "").split()),
                row["core"] != "yes" or row["label"] in _PERSON_LABELS,
            )
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make words", description=__doc__)
    own = Path(__file__).resolve().parents[1] / "tests" / "words" / "sentences.tsv"
    parser.add_argument("--data", type=Path, default=own, metavar="FILE", help="labelled sentences (own ones)")
    parser.add_argument("--meanings", type=Path, metavar="FILE", help="label, core, meanings")
    parser.add_argument("--flows", type=Path, metavar="DIR", help="directory of a flow pack (the English one)")
    parser.add_argument("--config", type=Path, metavar="DIR", help="directory of orderline.yaml")
    parser.add_argument("--recognizer", default="", metavar="NAME", help="with the thresholds of this recogniser")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sentence with what was made of it")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
