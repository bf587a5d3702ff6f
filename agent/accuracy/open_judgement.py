"""Judges what an open request was taken for. Pure."""

from __future__ import annotations

from agent.accuracy.trial_types import OpenDecision, Outcome


def judge_open(meanings: str, told: OpenDecision) -> Outcome:
    """Return what a decision is worth.

    ``asked`` is a yes/no question about the right thing, or "is it about A or B?" with the right thing in it. Of a
    request to somebody else ``missed`` is the right outcome.
    """
    right = set(meanings.split())
    if told.decision == "again":
        return "missed"
    if told.decision == "person":
        return "taken" if told.meaning in right else "person"
    if told.decision == "act":
        return "taken" if told.meaning in right else "wrong"
    offered = offered_meanings(told)
    return "asked" if right.intersection(offered) else "wrong_asked"


def offered_meanings(told: OpenDecision) -> tuple[str, ...]:
    """Return what a question is about: the meaning of a yes/no question, the best two of a choice."""
    if told.decision == "choose":
        return tuple(meaning for meaning, _ in told.candidates[:2])
    return (told.meaning,)


__all__ = ["judge_open", "offered_meanings"]
