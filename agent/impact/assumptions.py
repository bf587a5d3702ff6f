"""Every assumption of a calculation in words, with its value, its unit and whether it is the shop's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.impact.inputs import ImpactInputs, Source


@dataclass(frozen=True)
class Assumption:
    """One value that the result stands on."""

    name: str
    """As in the YAML file and after ``--set``."""
    label: str
    value: str
    unit: str
    source: Source
    """"yours": told by you. "measured": from your calls. "default": of this program; see whether it fits."""
    note: str = ""
    """Where a default is from, or what a value means."""


_VOLUME = (
    ("calls_per_week", "calls in a week", "calls", ""),
    ("open_days", "days with calls, from Monday on", "days", ""),
    ("opens_hour", "first hour", "o'clock", ""),
    ("closes_hour", "end of the last hour", "o'clock", ""),
    ("hour_shares", "calls over the hours of a day", "parts", "busiest hour 15 %: a sale day; yours may be flatter"),
)
_CALLERS = (
    ("handle_sigma", "spread of handle times", "sigma of the logarithm", "lognormal, as call centres measure them"),
    ("handed_over_extra", "longer for what the agent leaves of its kinds", "%", "the easy ones are gone"),
    ("patience_seconds", "mean patience of waiting callers", "s", "exponential"),
    ("redial_share", "of those who hung up, ring again", "%", ""),
    ("redial_after_seconds", "they ring again after", "s", "uniform"),
)
_WRAP_UP = ("wrap_up_seconds", "wrap-up, added to the talk times that were read", "s", "no call log has it")
_STAFF = (
    ("goal_share", "calls to be answered in time", "%", "80/20 is the usual goal"),
    ("goal_seconds", "in time means within", "s", ""),
    ("staffing", "staff are planned by", "", "goal: Erlang C for each hour; square_root: load + factor * root of load"),
    ("staff_cost_per_hour", "cost of an hour at the phone", "a currency unit", "put in your own: costs stand on it"),
    ("shrinkage", "paid time that is not at the phone", "%", "0 makes the saving look smaller than it is"),
    ("agent_cost_per_month", "cost of the voice agent in a month", "a currency unit", "machine, care, trunk"),
)
_EVENT = (
    ("event_calls", "calls on the sale day", "calls", ""),
    ("event_hour_shares", "calls over the hours of the sale day", "parts", "busiest hour 15 %"),
)
_RUNS = (
    ("days", "times each day is simulated", "", ""),
    ("seed", "seed of chance", "", "the same seed gives the same result"),
)
_KIND = (
    ("share", "of calls in a normal week", "%", "WISMO is 25-35 % of contacts of shops, over 50 % at peaks"),
    ("event_share", "of calls on a sale day", "%", ""),
    ("handle_seconds", "time of staff, wrap-up included", "s", ""),
    ("agent_seconds", "time with the agent", "s", ""),
    ("containment", "finished by the agent for good", "%", "measure yours: orderline report contained"),
)
_SHARES = frozenset(
    {"share", "event_share", "containment", "handed_over_extra", "redial_share", "goal_share", "shrinkage"}
)


def assumptions(inputs: ImpactInputs) -> tuple[Assumption, ...]:
    """Return every assumption, in the order in which they are best read."""
    return tuple(_all(inputs))


def _all(inputs: ImpactInputs) -> Iterator[Assumption]:
    if inputs.week is not None:
        total = sum(map(sum, inputs.week))
        yield Assumption(
            "week", "calls by half hour of the week", f"{total:,.0f} in all", "calls", inputs.source("week")
        )
    else:
        yield from (_plain(inputs, *one) for one in _VOLUME)
    for kind in inputs.kinds:
        for name, label, unit, note in _KIND:
            yield _plain(inputs, f"kinds.{kind}.{name}", f"{kind}: {label}", unit, note)
    if any(inputs.source(f"kinds.{kind}.handle_seconds") == "measured" for kind in inputs.kinds):
        yield _plain(inputs, *_WRAP_UP)
    groups = [*_CALLERS, *_STAFF, *(_EVENT if inputs.event_calls else ()), *_RUNS]
    yield from (_plain(inputs, *one) for one in groups)


def _plain(inputs: ImpactInputs, name: str, label: str, unit: str, note: str) -> Assumption:
    value: object = inputs
    for part in name.split("."):
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    last = name.rpartition(".")[2]
    source = inputs.source(name)
    if unit == "a currency unit":
        unit = inputs.currency
    return Assumption(name, label, _written(last, value), unit, source, note if source == "default" else "")


def _written(name: str, value: object) -> str:
    if isinstance(value, tuple):
        between = " to " if name == "redial_after_seconds" else " "
        return between.join(f"{one:g}" for one in value)
    if isinstance(value, float | int):
        return f"{100 * value:.3g}" if name in _SHARES else f"{value:,.10g}"
    return str(value)


__all__ = ["Assumption", "assumptions"]
