"""What the impact model is told: the shop's volume, calls, staff and money, each value with where it is from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.impact.errors import InvalidImpactInput

Source = Literal["yours", "measured", "default"]

HALF_HOURS = 48
WEEKDAYS = 7

SALE_DAY_HOURS = (2.0, 4.0, 7.0, 11.0, 14.0, 15.0, 13.0, 12.0, 10.0, 7.0, 3.0, 2.0)
"""Percent of a day's calls in each of twelve hours."""

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Money = Annotated[float, Field(ge=0, le=1e9)]


class CallKind(BaseModel):
    """One kind of call: how frequent, how long, and what the agent makes of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: Share
    """Of the calls of a normal week."""
    event_share: Share
    """Of the calls of a sale day."""
    handle_seconds: Seconds
    """Mean time a staff member needs for it, wrap-up included."""
    agent_seconds: Annotated[float, Field(ge=0, le=3600)]
    """How long the agent talks in such a call, whether it finishes it or hands it over."""
    containment: Share
    """True containment: the share that the agent finishes, and whose callers do not ring again about it."""


DEFAULT_KINDS: Mapping[str, CallKind] = {
    "status": CallKind(share=0.3, event_share=0.6, handle_seconds=150, agent_seconds=28, containment=0.6),
    "returns": CallKind(share=0.2, event_share=0.2, handle_seconds=240, agent_seconds=100, containment=0.5),
    "other": CallKind(share=0.5, event_share=0.2, handle_seconds=300, agent_seconds=25, containment=0.0),
}


class ImpactInputs(BaseModel):
    """Everything the model is told. Frozen; :meth:`with_values` makes a changed one and notes where values are from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls_per_week: Annotated[float, Field(gt=0, le=5_000_000)] = 2000
    open_days: Annotated[int, Field(ge=1, le=WEEKDAYS)] = 6
    """Days of the week with calls, from Monday on."""
    opens_hour: Annotated[int, Field(ge=0, le=23)] = 8
    closes_hour: Annotated[int, Field(ge=1, le=24)] = 20
    hour_shares: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1, max_length=24)] = (
        SALE_DAY_HOURS
    )
    """How a day's calls are spread from opening to closing; stretched where the day is not as long as the list."""
    week: tuple[tuple[Annotated[float, Field(ge=0, le=1e6)], ...], ...] | None = None
    """Callers by weekday (Monday first) and half hour; takes the place of the five above."""
    kinds: Mapping[str, CallKind] = DEFAULT_KINDS
    handle_sigma: Annotated[float, Field(ge=0, le=2)] = 0.6
    """Spread of handle times (sigma of their logarithm)."""
    handed_over_extra: Annotated[float, Field(ge=-0.5, le=2)] = 0.1
    """By how much longer staff need for what is left of the kinds that the agent takes on: the easy ones are gone."""
    wrap_up_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """What staff do after a call, added to talk times that are read from call logs."""
    patience_seconds: Seconds = 180
    """Mean time after which waiting callers hang up."""
    redial_share: Share = 0.5
    """Of those who hung up, who ring again."""
    redial_after_seconds: tuple[Seconds, Seconds] = (120, 900)
    goal_share: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Share of calls that staff are to answer ..."""
    goal_seconds: Annotated[float, Field(ge=0, le=3600)] = 20
    """... within so many seconds: staff are planned for this."""
    staffing: Literal["goal", "square_root"] = "goal"
    """How staff are planned: for the goal (Erlang C), or as load + factor times its square root."""
    square_root_factor: Annotated[float, Field(ge=0, le=5)] = 0.8
    currency: Annotated[str, Field(min_length=1, max_length=8)] = "EUR"
    staff_cost_per_hour: Money = 25
    """Of one hour at the phone, all wage costs included."""
    shrinkage: Annotated[float, Field(ge=0, le=0.8)] = 0.0
    """Share of paid time that is not at the phone: breaks, training, illness."""
    agent_cost_per_month: Money = 400
    """Of the voice agent: machine, care, its part of the trunk."""
    event_calls: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    """Calls of a sale day; 0: none is looked at."""
    event_hour_shares: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1, max_length=24)] = (
        SALE_DAY_HOURS
    )
    claim_low: Share = 0.4
    """A claim to look into: so much less staff time ..."""
    claim_high: Share = 0.6
    """... up to so much."""
    days: Annotated[int, Field(ge=5, le=200)] = 20
    """How often each day is simulated."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 1
    sources: Mapping[str, Source] = {}
    """Where values are from, by their name: ``calls_per_week``, ``kinds.status.containment``; else "default"."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.closes_hour <= self.opens_hour:
            raise ValueError("closes_hour must be after opens_hour")
        for shares in (self.hour_shares, self.event_hour_shares):
            if sum(shares) <= 0:
                raise ValueError("shares of hours must not all be 0")
        if self.week is not None:
            if len(self.week) != WEEKDAYS or any(len(day) != HALF_HOURS for day in self.week):
                raise ValueError("week must have 7 days of 48 half hours")
            if sum(map(sum, self.week)) <= 0:
                raise ValueError("week must hold calls")
        if not self.kinds:
            raise ValueError("kinds must not be empty")
        for name in ("share", "event_share"):
            total = math.fsum(getattr(kind, name) for kind in self.kinds.values())
            if abs(total - 1) > 0.005:
                raise ValueError(f"kinds: {name} must add up to 1 over all kinds, not {total:.3g}")
        if self.redial_after_seconds[0] > self.redial_after_seconds[1]:
            raise ValueError("redial_after_seconds: the first must not be larger than the second")
        if self.claim_low > self.claim_high:
            raise ValueError("claim_low must not be larger than claim_high")
        return self

    def source(self, name: str) -> Source:
        """Return where a value is from."""
        return self.sources.get(name, "default")

    def with_values(self, values: Mapping[str, Any], source: Source) -> ImpactInputs:
        """Return inputs with values put in, by name (``kinds.status.share`` for those of a kind).

        A new kind needs all its values. Raises :class:`InvalidImpactInput`, a line for each value that cannot be.
        """
        data = self.model_dump(mode="python")
        for name, value in values.items():
            _put(data, name, value)
        sources = {**self.sources, **dict.fromkeys(values, source)}
        data["sources"] = {name: mark for name, mark in sources.items() if name != "sources"}
        return validated(data)


def validated(data: Mapping[str, Any]) -> ImpactInputs:
    """Return inputs of plain values. Raises :class:`InvalidImpactInput`, a line for each value that cannot be."""
    try:
        return ImpactInputs.model_validate(data)
    except ValidationError as error:
        lines = []
        for one in error.errors(include_url=False):
            place = ".".join(str(part) for part in one["loc"])
            message = str(one["msg"]).removeprefix("Value error, ")
            lines.append(f"{place}: {message}" if place else message)
        raise InvalidImpactInput("\n".join(lines)) from error


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    parts = name.split(".")
    if parts[0] == "sources":
        raise InvalidImpactInput(f"{name}: is noted by the program")
    into = data
    for part in parts[:-1]:
        below = into.setdefault(part, {})
        if not isinstance(below, dict):
            raise InvalidImpactInput(f"{name}: there is no such value")
        into = below
    into[parts[-1]] = value


__all__ = ["DEFAULT_KINDS", "SALE_DAY_HOURS", "CallKind", "ImpactInputs", "Source", "validated"]
