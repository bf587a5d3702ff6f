"""Calls to customers as their page shows them. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.console.numbers import cut_number, cut_numbers_in
from agent.console.views import formats, labels
from agent.console.views.labels import Label
from agent.outbound.model import Job, Suppression, SuppressionScope
from agent.outbound.overview import Forecast
from agent.outbound.store import Campaign, Note

VIEWS = {
    "waiting": "Waiting",
    "dry-run": "Who would be called",
    "all": "All jobs",
    "do-not-call": "Do not call",
}
MOST_NUMBERS = 300
_CAMPAIGN = {
    "running": Label("Customers are called", labels.GOOD),
    "paused": Label("Paused", labels.WARN),
    "stopped": Label("Stopped", labels.BAD),
}
_STATES = {
    "open": Label("Waits", labels.NOTE),
    "calling": Label("Is called", labels.GOOD),
    "blocked": Label("Blocked", labels.BAD),
    "done": Label("Done", labels.GOOD),
    "dropped": Label("Dropped"),
}
_WOULD = {
    "dial": Label("Now", labels.GOOD),
    "wait": Label("Later", labels.NOTE),
    "drop": Label("Dropped"),
    "block": Label("Blocked", labels.BAD),
}
_FIGURES = (
    ("dialled", "Dialled"),
    ("answered", "Answered"),
    ("right_person", "Right person"),
    ("completed", "Completed"),
    ("voicemail", "Voicemail"),
    ("opted_out", "Asked not to be called"),
)


@dataclass(frozen=True)
class JobRow:
    """One job, or what would become of it."""

    when: str
    purpose: str
    number: str
    name: str
    order: str
    state: Label
    tries: int
    why: str
    key: str


@dataclass(frozen=True)
class CampaignView:
    """Whether customers are called."""

    label: Label
    running: bool
    since: str
    """Since when, by whom and why; ``""`` where nobody has said anything."""


@dataclass(frozen=True)
class NumberRow:
    """One line of the do-not-call list."""

    number: str
    """For people; says so where the person was erased."""
    dialled: str
    """The number for the form that takes it off; ``""`` where it may not be shown."""
    scope: str
    since: str
    source: str
    call: str
    """The call in which it was asked for; ``""`` for none."""


def campaign_view(campaign: Campaign, zone: dt.tzinfo | None) -> CampaignView:
    """Return the campaign's state in words."""
    since = f"since {formats.iso(campaign.since, zone)} by {campaign.by}" if campaign.since else ""
    told = ": ".join(filter(None, (since, campaign.why)))
    return CampaignView(_CAMPAIGN.get(campaign.state, Label(labels.humanise(campaign.state))), campaign.running, told)


def job_rows(jobs: Sequence[Job], zone: dt.tzinfo | None, *, whole_numbers: bool) -> tuple[JobRow, ...]:
    """Return jobs as rows."""
    return tuple(
        _row(job, formats.at(job.not_before.timestamp(), zone), _STATES[job.state], job.reason, whole_numbers)
        for job in jobs
    )


def forecast_rows(found: Sequence[Forecast], zone: dt.tzinfo | None, *, whole_numbers: bool) -> tuple[JobRow, ...]:
    """Return what would become of jobs as rows."""
    return tuple(
        _row(
            one.job,
            formats.at(one.when.timestamp(), zone) if one.when else "Never as it stands",
            _WOULD.get(one.would, Label(labels.humanise(one.would))),
            one.why,
            whole_numbers,
        )
        for one in found
    )


def _row(job: Job, when: str, state: Label, why: str, whole_numbers: bool) -> JobRow:
    number = formats.phone(job.number) if whole_numbers else cut_number(job.number)
    why = labels.humanise(why) if why.islower() and " " not in why else why
    return JobRow(
        when=when,
        purpose=labels.humanise(job.purpose),
        number=number or "Forgotten",
        name=job.facts.name,
        order=job.facts.order_number,
        state=state,
        tries=job.attempts,
        why=why if whole_numbers else cut_numbers_in(why),
        key=job.key,
    )


def number_rows(listed: Sequence[Suppression], zone: dt.tzinfo | None, *, whole_numbers: bool) -> tuple[NumberRow, ...]:
    """Return lines of the do-not-call list, the first :data:`MOST_NUMBERS`."""
    return tuple(_number(one, zone, whole_numbers) for one in listed[:MOST_NUMBERS])


def _number(one: Suppression, zone: dt.tzinfo | None, whole_numbers: bool) -> NumberRow:
    shown = formats.phone(one.number) if whole_numbers else cut_number(one.number)
    call = one.source.removeprefix("call:") if one.source.startswith("call:") else ""
    return NumberRow(
        number=shown or "Erased person",
        dialled=one.number if whole_numbers else "",
        scope="Surveys" if one.scope is SuppressionScope.SURVEYS else "Everything",
        since=formats.at(one.since.timestamp(), zone),
        source="A call" if call else _source(one.source),
        call=call,
    )


def _source(text: str) -> str:
    """Return who put a number on the list: ``console sam`` is sam, on this page."""
    by = text.removeprefix("console ")
    return text if by == text else f"by {by}"


def note_rows(
    notes: Sequence[Note], zone: dt.tzinfo | None, *, whole_numbers: bool
) -> tuple[tuple[str, str, str], ...]:
    """Return when, job and text of what a person has to look at."""
    return tuple(
        (formats.at(note.at, zone), note.job, note.text if whole_numbers else cut_numbers_in(note.text))
        for note in notes
    )


def result_figures(results: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return words and numbers of all purposes together."""
    purposes = results["purposes"].values()
    return tuple((text, formats.number(sum(one[name] for one in purposes))) for name, text in _FIGURES)
