"""Puts what the agent's own calls say into the inputs: true containment, length of calls, what callers ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from agent.impact.inputs import ImpactInputs
from agent.impact.measured import MeasuredInputs
from agent.reports.measured import MeasuredFacts, MeasuredIntent, MeasuredShare

PROCEDURES: Mapping[str, Sequence[str]] = {
    "status": ("order_status", "not_received", "delivery_time", "delay_reason"),
    "returns": ("returns",),
}
"""Kind of call -> the shipped procedures that are about it."""

LEAST_CALLS = 30
"""Below so many calls of a kind nothing is taken from them."""


def with_own_records(inputs: ImpactInputs, facts: MeasuredFacts) -> MeasuredInputs:
    """Return inputs with what the agent's own calls say, marked as measured; values that are yours stay.

    True containment is that of 7 days, else of 24 hours: finished, and no call from the same number about it since.
    """
    values: dict[str, float] = {}
    told = []
    if facts.n == 0:
        return MeasuredInputs(inputs, ())
    for kind, procedures in PROCEDURES.items():
        intents = [facts.by_intent[one] for one in procedures if one in facts.by_intent]
        calls = sum(intent.calls for intent in intents)
        if kind not in inputs.kinds:
            continue
        if calls < LEAST_CALLS:
            told.append(f"The agent's own records have {calls} calls about {kind}: too few, {LEAST_CALLS} are needed.")
            continue
        values |= _of_kind(kind, intents, told)
    values |= _shares(inputs, facts)
    ours = {name: value for name, value in values.items() if inputs.source(name) != "yours"}
    shares = {name for name in ours if name.endswith(".share")}
    if len(shares) != len([name for name in values if name.endswith(".share")]):
        ours = {name: value for name, value in ours.items() if name not in shares}  # they add up to 1: all or none
    return MeasuredInputs(inputs.with_values(ours, "measured"), tuple(told))


def _of_kind(kind: str, intents: Sequence[MeasuredIntent], told: list[str]) -> dict[str, float]:
    """Return containment and time with the agent of one kind; adds what they stand on to ``told``."""
    values: dict[str, float] = {}
    for window, name in (("7 days", "true_7d"), ("24 hours", "true_24h")):
        shares: list[MeasuredShare] = [share for one in intents if (share := getattr(one, name)) is not None]
        of = sum(share.of for share in shares)
        if of >= LEAST_CALLS:
            part = sum(share.part for share in shares)
            values[f"kinds.{kind}.containment"] = part / of
            told.append(
                f"True containment of {kind} over {window}, from the agent's own records: {part} of {of} calls "
                f"({100 * part / of:.0f} %)."
            )
            break
    else:
        told.append(f"Containment of {kind} is not measured yet: too few calls whose time for ringing again is over.")
    times = [one.agent_seconds for one in intents if one.agent_seconds is not None]
    if sum(time.n for time in times) >= LEAST_CALLS:
        total = math.fsum(time.mean * time.n for time in times)
        values[f"kinds.{kind}.agent_seconds"] = min(3600.0, total / sum(time.n for time in times))
    return values


def _shares(inputs: ImpactInputs, facts: MeasuredFacts) -> dict[str, float]:
    """Return what part of the calls each kind is; what belongs to no kind is ``other``. Nothing where it cannot be."""
    if set(inputs.kinds) != {*PROCEDURES, "other"} or facts.n < LEAST_CALLS:
        return {}
    shares = {
        kind: sum(facts.by_intent[one].calls for one in procedures if one in facts.by_intent) / facts.n
        for kind, procedures in PROCEDURES.items()
    }
    rest = 1 - math.fsum(shares.values())
    if rest < 0:
        return {}  # calls that asked for several things
    return {f"kinds.{kind}.share": share for kind, share in {**shares, "other": rest}.items()}


__all__ = ["LEAST_CALLS", "PROCEDURES", "with_own_records"]
