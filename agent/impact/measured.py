"""Puts what was measured into the inputs: arrivals, talk times and patience of imported calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.impact.imports.measured_volumes import MeasuredVolumes, WeekProfile
from agent.impact.imports.volumes_csv import VolumesFile
from agent.impact.inputs import ImpactInputs

_LEAST_OF_DAY = 0.01
"""Hours at either end of a day that hold less than this part of its calls are not opening hours."""
_LEAST_OF_WEEK = 0.02
_LEAST_ABANDONED = 10
_LEAST_TALKS = 20
_DAY_HOURS = 24
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class MeasuredInputs:
    """Inputs with measured values in them, and what has to be said about those."""

    inputs: ImpactInputs
    warnings: tuple[str, ...]


def with_volumes(inputs: ImpactInputs, file: VolumesFile) -> MeasuredInputs:
    """Return inputs with the volumes of a spreadsheet."""
    values, told = _week(file.week, inputs)
    return MeasuredInputs(inputs.with_values(values, "yours"), (*file.warnings, *told))


def with_imported_calls(inputs: ImpactInputs, volumes: MeasuredVolumes) -> MeasuredInputs:
    """Return inputs with what a queue log or call detail records say; what they do not say stays as it was."""
    values, told = _week(volumes.week, inputs)
    warnings = [*volumes.warnings, *told]
    if volumes.talk_seconds is not None and volumes.answered >= _LEAST_TALKS:
        values |= _handle_times(inputs, volumes.talk_seconds)
        warnings.append(
            f"Staff talk {volumes.talk_seconds:.0f} s in the mean; wrap-up is not in these files: "
            f"{inputs.wrap_up_seconds:.0f} s are added ({inputs.source('wrap_up_seconds')}), and kinds of calls keep "
            "their proportion."
        )
    if volumes.patience_seconds is not None:
        if volumes.abandoned >= _LEAST_ABANDONED:
            values["patience_seconds"] = max(1.0, min(volumes.patience_seconds, 3600.0))
        else:
            warnings.append(f"Only {volumes.abandoned} caller(s) hung up: patience is left at its default.")
    return MeasuredInputs(inputs.with_values(values, "measured"), tuple(warnings))


def _handle_times(inputs: ImpactInputs, talk_seconds: float) -> Mapping[str, float]:
    """Return handle times of the kinds so that their mix has the measured mean."""
    mean = math.fsum(kind.share * kind.handle_seconds for kind in inputs.kinds.values())
    factor = (talk_seconds + inputs.wrap_up_seconds) / mean
    return {f"kinds.{name}.handle_seconds": kind.handle_seconds * factor for name, kind in inputs.kinds.items()}


def _week(week: WeekProfile, inputs: ImpactInputs) -> tuple[dict[str, Any], list[str]]:
    """Return the volume's values, without strays outside opening hours, and what was left out."""
    total = math.fsum(map(math.fsum, week))
    days, left, opening = [], 0.0, []
    for name, day in zip(_NAMES, week, strict=True):
        first, end = _opening(day, total)
        kept = [calls if 2 * first <= half < 2 * end else 0.0 for half, calls in enumerate(day)]
        left += math.fsum(day) - math.fsum(kept)
        days.append(tuple(kept))
        if end > first:
            opening.append(f"{name} {first:02d}-{end:02d}")
    told = [f"Opening hours found: {', '.join(opening)}."]
    if left > 0:
        told.append(f"{left:.1f} calls in a week outside of them are not planned for.")
    values: dict[str, Any] = {"week": tuple(days)}
    values |= _day_shape(days)
    return values, told


def _opening(day: Sequence[float], week_calls: float) -> tuple[int, int]:
    """Return the first hour of a day and the one after the last, without strays; (0, 0) for a day that is closed."""
    total = math.fsum(day)
    if total < _LEAST_OF_WEEK * week_calls:
        return 0, 0
    hours = [day[2 * hour] + day[2 * hour + 1] for hour in range(_DAY_HOURS)]
    first = next(hour for hour in range(_DAY_HOURS) if math.fsum(hours[: hour + 1]) >= _LEAST_OF_DAY * total)
    end = next(hour for hour in range(_DAY_HOURS, 0, -1) if math.fsum(hours[hour - 1 :]) >= _LEAST_OF_DAY * total)
    return first, end


def _day_shape(days: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return how a day's calls are spread, for the sale day."""
    hours = [math.fsum(day[2 * hour] + day[2 * hour + 1] for day in days) for hour in range(_DAY_HOURS)]
    busy = [hour for hour in range(_DAY_HOURS) if hours[hour] > 0]
    first, end = busy[0], busy[-1] + 1
    shares = tuple(100 * calls / math.fsum(hours) for calls in hours[first:end])
    return {"opens_hour": first, "closes_hour": end, "event_hour_shares": shares}


__all__ = ["MeasuredInputs", "with_imported_calls", "with_volumes"]
