"""What the commands ``orderline outbound`` do: they use the file itself, beside a running agent or without one.

A running agent sees a change within a second; a pause holds from the next dial on, because every dial reads it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from agent.common.phone_numbers import e164
from agent.outbound import suppression
from agent.outbound.model import Job, JobState, NewJob, OutboundError, Purpose, SuppressionScope
from agent.outbound.overview import Forecast, figures, forecast, job_data
from agent.outbound.policy import DialRules
from agent.outbound.schema import FILE_NAME
from agent.outbound.store import Campaign, OutboundStore
from agent.outbound.triggers.csv_file import RefusedRow, TakenRow
from agent.outbound.windows import CallHours

WAITING = (JobState.OPEN, JobState.CALLING, JobState.BLOCKED)
_MOST = 100_000


def write_json(data: Any, out: TextIO) -> None:
    """Write one JSON document."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str), file=out)


async def list_jobs(store: OutboundStore, out: TextIO, *, every: bool, as_json: bool) -> None:
    """Show the campaign, the jobs that wait (``every``: all), and the lines for a person."""
    campaign, notes = await store.campaign(), await store.notes()
    jobs = await store.jobs(tuple(JobState) if every else WAITING)
    if as_json:
        shown = [vars(note) for note in notes]
        write_json({"campaign": vars(campaign), "jobs": [job_data(job) for job in jobs], "notes": shown}, out)
        return
    print(_campaign_line(campaign), file=out)
    for job in jobs:
        print(_job_line(job), file=out)
    if not jobs:
        print("No job waits.", file=out)
    for note in notes:
        print(f"LOOK AT {note.job}: {note.text}", file=out)


def _campaign_line(campaign: Campaign) -> str:
    if campaign.running:
        return f"RUNNING since {campaign.since} by {campaign.by}"
    by = f" since {campaign.since} by {campaign.by}" if campaign.since else ""
    why = f": {campaign.why}" if campaign.why else ""
    return f"{campaign.state.upper()}{by}{why}. Nobody is called; orderline outbound resume"


def _job_line(job: Job) -> str:
    at = job.not_before.isoformat(timespec="minutes")
    reason = f" ({job.reason})" if job.reason else ""
    return f"{at}  {job.purpose:<8} {job.number:<15} {job.state:<8} try {job.attempts + 1}  {job.key}{reason}"


async def add(store: OutboundStore, job: NewJob, now: datetime, out: TextIO) -> None:
    """Add one job."""
    [done] = await store.add([job], now)
    words = {"added": "added", "moved": "its time is moved", "known": "known already, nothing is changed"}
    print(f"{job.key}: {words[done]}; due {job.due_at.isoformat(timespec='minutes')}", file=out)


async def import_rows(
    store: OutboundStore,
    rows: Iterable[TakenRow | RefusedRow],
    now: datetime,
    out: TextIO,
    *,
    refused_to: Path | None,
    as_json: bool,
    dry_run: bool,
) -> bool:
    """Add the jobs of a file; what is refused is printed, and written to a CSV of its own. True when all were taken."""
    taken: list[TakenRow] = []
    refused: list[RefusedRow] = []
    for row in rows:
        (taken if isinstance(row, TakenRow) else refused).append(row)  # type: ignore[arg-type]
    done = ["would be added"] * len(taken) if dry_run else await store.add([row.job for row in taken], now)
    counts = {name: done.count(name) for name in dict.fromkeys(done)}
    if refused_to is not None and refused:
        _write_refused(refused, refused_to)
    if as_json:
        lines = [{"line": row.line, "reason": row.reason} for row in refused]
        write_json({"jobs": counts, "refused": lines}, out)
    else:
        told = ", ".join(f"{count} {name}" for name, count in counts.items()) or "no job"
        print(f"{told}; {len(refused)} refused", file=out)
        for row in refused:
            print(f"line {row.line}: {row.reason}", file=out)
    return not refused


def _write_refused(refused: Sequence[RefusedRow], path: Path) -> None:
    columns = list(dict.fromkeys(name for row in refused for name in row.row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*columns, "reason"))
        for row in refused:
            writer.writerow((*(_plain(row.row.get(name, "")) for name in columns), row.reason))


def _plain(text: str) -> str:
    """Keep a table program from taking a text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


async def dry_run(
    store: OutboundStore,
    rules: DialRules,
    hours: Callable[[], CallHours],
    purposes: frozenset[Purpose],
    now: datetime,
    out: TextIO,
    *,
    as_json: bool,
) -> None:
    """Say who would be called, when, and who not and why."""
    found = await forecast(store, await store.jobs(WAITING, _MOST), rules, hours, purposes, now)
    found.sort(key=lambda one: (one.when is None, one.when or now))
    campaign = await store.campaign()
    if as_json:
        write_json({"campaign": vars(campaign), "jobs": [_forecast_data(one) for one in found]}, out)
        return
    print(_campaign_line(campaign), file=out)
    for one in found:
        when = one.when.isoformat(timespec="minutes") if one.when is not None else "never as it stands      "
        print(f"{when}  {one.job.purpose:<8} {one.job.number:<15} {one.would:<5} {one.job.key}  {one.why}", file=out)
    calls = sum(one.when is not None and one.would in ("dial", "wait") for one in found)
    print(f"{calls} of {len(found)} would be called. The order system is asked at the moment of dialling.", file=out)


def _forecast_data(one: Forecast) -> Mapping[str, Any]:
    when = one.when.isoformat(timespec="seconds") if one.when is not None else None
    return {**job_data(one.job), "would": one.would, "when": when, "why": one.why}


async def set_campaign(store: OutboundStore, state: str, by: str, why: str, now: datetime, out: TextIO) -> None:
    """Run, pause or stop."""
    await store.set_campaign(state, by, why, now)
    said = {
        "running": "Customers are called from now on, within windows and caps. orderline outbound pause",
        "paused": "No new call begins. Calls under way end as usual.",
        "stopped": "No new call begins, and a running agent cancels those that ring.",
    }
    print(said[state], file=out)


async def pause_after_restore(state_directory: Path, now: datetime) -> None:
    """Pause after a backup was brought back: it does not know whom we have called since."""
    if not (state_directory / FILE_NAME).is_file():
        return
    store = OutboundStore(state_directory)
    try:
        if (await store.campaign()).running:
            why = "a backup was brought back, which does not know the calls made since"
            await store.set_campaign("paused", "orderline restore", why, now)
    finally:
        await store.close()


async def suppress(
    store: OutboundStore, number: str, scope: SuppressionScope, region: str, by: str, now: datetime, out: TextIO
) -> None:
    """Put one number on the do-not-call list. Raises OutboundError for what is no number."""
    found = _number(number, region)
    dropped = await store.suppress([(found, scope, by)], now)
    print(f"{found} is not called any more ({scope}); {len(dropped)} job(s) dropped", file=out)


async def unsuppress(store: OutboundStore, number: str, region: str, out: TextIO) -> None:
    """Take one number off the do-not-call list."""
    count = await store.unsuppress(_number(number, region))
    print("It may be called again." if count else "It was not on the list.", file=out)


def _number(text: str, region: str) -> str:
    found = e164(text, region)
    if not found:
        raise OutboundError(f"{text!r} is no telephone number")
    return found


async def import_suppressions(store: OutboundStore, file: TextIO, region: str, now: datetime, out: TextIO) -> bool:
    """Add a file to the do-not-call list; what is refused is printed. True when all was taken."""
    numbers: list[tuple[str, SuppressionScope, str]] = []
    refused = 0
    for line in suppression.read_csv(file, region):
        if isinstance(line, suppression.Refused):
            refused += 1
            print(f"line {line.line}: {line.reason}", file=out)
        elif line.digest:
            await store.suppress_digest(line.digest, line.scope, line.source, now)
        else:
            numbers.append((line.number, line.scope, line.source))
    dropped = await store.suppress(numbers, now)
    print(f"{len(numbers)} on the list, {refused} refused, {len(dropped)} job(s) dropped", file=out)
    return refused == 0


async def export_suppressions(store: OutboundStore, out: TextIO) -> None:
    """Write the do-not-call list as CSV."""
    suppression.write_csv(await store.suppressions(), out)


async def results(store: OutboundStore, since: timedelta, now: datetime, out: TextIO, *, as_json: bool) -> None:
    """Count what the calls came to."""
    begin = now - since
    jobs = [job for job in await store.jobs(limit=_MOST) if job.created_at is not None and job.created_at >= begin]
    attempts = await store.attempts_since(begin)
    found: dict[str, Any] = {}
    for purpose in Purpose:
        of = [attempt for attempt in attempts if attempt.purpose is purpose]
        found[purpose] = figures(of, [job for job in jobs if job.purpose is purpose])
    excluded = await store.excluded_since(begin)
    if as_json:
        write_json({"since": begin, "purposes": found, "survey_excluded": excluded}, out)
        return
    for name_of_purpose, one in found.items():
        if not one["jobs"] and not one["dialled"]:
            continue
        print(f"{name_of_purpose}: {one['jobs']} jobs", file=out)
        for name in (
            "dialled",
            "rang",
            "answered",
            "right_person",
            "completed",
            "voicemail",
            "opted_out",
            "our_faults",
        ):
            print(f"  {name.replace('_', ' '):<14} {one[name]:6}", file=out)
        for title, counts in (("job", one["jobs_by_reason"]), ("call", one["outcomes"])):
            for reason, count in sorted(counts.items(), key=lambda pair: -pair[1]):
                print(f"  {title}: {reason:<24} {count:6}", file=out)
    for reason, count in sorted(excluded.items()):
        print(f"not asked by a survey: {reason} {count}", file=out)
    if not jobs and not attempts:
        print("No call was made, and no job was added, in this time.", file=out)
