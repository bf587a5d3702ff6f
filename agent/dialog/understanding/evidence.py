"""The evidence for a candidate: rules, both classifiers and likeness, as the columns of the acceptance score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.dialog.understanding.candidates import CandidateShares
from agent.dialog.understanding.examples import UNSERVED
from agent.dialog.understanding.teaching import COMMAND, ESCALATION, PERSON

Rows = NDArray[np.float64]

_LEAST = 1e-6
_MOST_CANDIDATES = 4


@dataclass(frozen=True)
class RuleEvidence:
    """Which meanings the phrases see in a sentence; ``""`` for none."""

    listed: str = ""
    """A phrase that is written out, or a number, explains the whole of it."""
    wide: str = ""
    """A phrase with ``~`` does."""
    gists: tuple[str, ...] = ()
    """The gists that explain most of it; several when they explain as much."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every meaning named, each once."""
        return tuple(dict.fromkeys(one for one in (self.listed, self.wide, *self.gists) if one))


def is_foreign(meaning: str) -> bool:
    """Return whether a meaning is one nobody serves."""
    return meaning.partition(":")[0] == UNSERVED


def is_rule_only(meaning: str) -> bool:
    """Return whether only rules may act on a meaning: commands but for a person, anger, law."""
    kind = meaning.partition(":")[0]
    return kind == ESCALATION or (kind == COMMAND and meaning != PERSON)


def can_be_accepted(meaning: str) -> bool:
    """Return whether a candidate can be what is done: served, a person, or a topic that goes to one."""
    return meaning != UNSERVED and not is_rule_only(meaning)


def candidates_of(shares: NDArray[np.float32], meanings: Sequence[str], rules: RuleEvidence) -> list[int]:
    """Return the places of the meanings worth scoring: the likeliest ones and those that rules name."""
    best = [int(at) for at in np.argsort(-shares, kind="stable")[:_MOST_CANDIDATES]]
    named = [meanings.index(one) for one in rules.all if one in meanings]
    return [at for at in dict.fromkeys([*best, *named]) if can_be_accepted(meanings[at])]


@dataclass(frozen=True)
class SentenceFacts:
    """What is known of one sentence besides its shares."""

    words: int
    unknown: float
    """Share of its words that no taught sentence has."""
    rules: RuleEvidence


def evidence_row(
    shares: CandidateShares,
    row: int,
    at: int,
    meanings: Sequence[str],
    foreign: NDArray[np.bool_],
    facts: SentenceFacts,
) -> list[float]:
    """Return the evidence for one candidate of one sentence; with vectors their columns stand at the end."""
    name, rules = meanings[at], facts.rules
    found = [
        *_share_columns(shares.ngrams[row], at, foreign),
        1.0 if rules.listed == name else 0.0,
        1.0 if rules.listed and rules.listed != name else 0.0,
        1.0 if rules.wide == name else 0.0,
        1.0 if rules.wide and rules.wide != name else 0.0,
        1.0 / len(rules.gists) if name in rules.gists else 0.0,
        1.0 if rules.gists and name not in rules.gists else 0.0,
        float(np.log1p(facts.words)),
        facts.unknown,
    ]
    if shares.vectors is not None and shares.likeness is not None:
        near = shares.likeness[row]
        others = np.delete(near, at)
        found += [
            *_share_columns(shares.vectors[row], at, foreign),
            float(near[at]),
            float(near[at] - others.max()),
            float(near[at] - near[foreign].max(initial=0.0)),
            1.0 if shares.ngrams[row].argmax() == at == shares.vectors[row].argmax() else 0.0,
        ]
    return found


def _share_columns(shares: NDArray[np.float32], at: int, foreign: NDArray[np.bool_]) -> list[float]:
    others = np.delete(shares, at)
    own = float(np.log(shares[at] + _LEAST))
    return [
        own,
        own - float(np.log(others.max() + _LEAST)),
        float(np.log(shares[foreign].sum() + _LEAST)),
        1.0 if shares[at] >= others.max() else 0.0,
    ]
