"""Jobs, attempts and the do-not-call list on disk: ``outbound.sqlite``. Whatever a method wrote is there afterwards.

Several processes may use the file at once (the agent, and the commands beside it): every method is one transaction that
holds the file from its beginning, so what was judged in it stays true until it is written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from agent.call.dialling import DialProgress
from agent.common.phone_numbers import e164
from agent.outbound import jobs_sql, suppression
from agent.outbound.model import (
    Attempt,
    AttemptState,
    CallResult,
    GivenAnswer,
    Job,
    JobState,
    NewJob,
    OutboundError,
    Purpose,
    Reason,
    Suppression,
    SuppressionScope,
)
from agent.outbound.outcomes import Next, after_attempt, after_ringing_back
from agent.outbound.policy import DialRules, Go, NumberHistory, Verdict, is_last
from agent.outbound.ports import OutboundUnavailable
from agent.outbound.schema import attempt_of, digest_of, job_of, outbound_file

T = TypeVar("T")
Judge = Callable[[Job, NumberHistory], Verdict]
_CAMPAIGN = "campaign"


@dataclass(frozen=True)
class Campaign:
    """Whether customers may be called; it outlives restarts. Before anybody has said so, it is paused."""

    state: str = "paused"
    """``running``, ``paused`` (calls under way go on) or ``stopped`` (those that ring are cancelled as well)."""
    since: str = ""
    by: str = ""
    why: str = "nobody has resumed it yet"

    @property
    def running(self) -> bool:
        """Whether new calls may begin."""
        return self.state == "running"


@dataclass(frozen=True)
class Note:
    """A line for a person: something that keeps a job from being dialled."""

    at: float
    job: str
    text: str


@dataclass(frozen=True)
class Begun:
    """What came of trying to begin an attempt: the attempt, or why there is none."""

    job: Job
    attempt: Attempt | None = None
    verdict: Verdict | None = None


class OutboundStore:
    """The file. Methods raise :class:`OutboundUnavailable` when it cannot be used. Close it."""

    def __init__(self, state_directory: Path) -> None:
        self.directory = state_directory
        self._file = outbound_file(state_directory)

    async def close(self) -> None:
        """Finish what is under way and close the file; idempotent."""
        await self._file.close()

    async def _do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._file.transaction(job)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            raise OutboundUnavailable(f"{self._file.path} cannot be used: {error}") from error

    # --- jobs ---------------------------------------------------------------------------------------

    async def add(self, jobs: Iterable[NewJob], now: datetime) -> list[str]:
        """Write jobs in one transaction; returns ``added``, ``moved`` or ``known`` for each, in their order.

        Raises OutboundError for a number that is not E.164 or a job that expires before it is due; nothing is written.
        """
        new = list(jobs)
        for one in new:
            if e164(one.number) != one.number:
                raise OutboundError(f"{one.key}: the number is not E.164 (+12025550143)")
            if one.not_after <= one.due_at:
                raise OutboundError(f"{one.key}: it expires before it is due")
        return await self._do(lambda db: [jobs_sql.add_job(db, one, now) for one in new])

    async def job(self, key: str) -> Job | None:
        """Return one job."""
        return await self._do(lambda db: jobs_sql.job(db, key))

    async def jobs(self, states: Collection[JobState] = tuple(JobState), limit: int = 1000) -> list[Job]:
        """Return jobs in these states, the next one first."""
        query = "SELECT * FROM jobs WHERE state IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT ?"
        values = (json.dumps(list(states)), limit)
        return await self._do(lambda db: [job_of(row) for row in db.execute(query, values)])

    async def due(self, now: datetime, purposes: Collection[Purpose], limit: int = 50) -> list[Job]:
        """Return open jobs whose time has come, the most urgent first."""
        return await self._do(lambda db: jobs_sql.due(db, now, purposes, limit))

    async def apply(self, key: str, verdict: Verdict, now: datetime) -> Job | None:
        """Do to an open job what a verdict other than DIAL says; the job when that ended it, else None.

        What a person has to look at becomes a note.
        """
        return await self._do(lambda db: _apply(db, key, verdict, now))

    async def postpone(self, times: Sequence[tuple[str, datetime]]) -> None:
        """Move open jobs to later times."""

        def move(db: sqlite3.Connection) -> None:
            db.executemany(
                "UPDATE jobs SET next_at = ? WHERE key = ? AND state = ?",
                [(at.timestamp(), key, JobState.OPEN) for key, at in times],
            )

        await self._do(move)

    async def drop(self, key: str, reason: Reason, now: datetime) -> bool:
        """End a job that is open or blocked."""

        def end(db: sqlite3.Connection) -> bool:
            changed = db.execute(
                "UPDATE jobs SET state = ?, reason = ?, over_at = ? WHERE key = ? AND state IN (?, ?)",
                (JobState.DROPPED, reason, now.timestamp(), key, JobState.OPEN, JobState.BLOCKED),
            )
            return changed.rowcount == 1

        return await self._do(end)

    async def rang_back(self, key: str, result: CallResult, now: datetime) -> Job | None:
        """Give a job its next state after a call in which its customer rang in; None when it stays as it is."""

        def decide(of: Job, attempts: Sequence[Attempt]) -> Next | None:
            return after_ringing_back(of, attempts, result, now)

        return await self._do(lambda db: jobs_sql.rang_back(db, key, decide, result.call_id, now))

    # --- attempts -----------------------------------------------------------------------------------

    async def begin(self, key: str, attempt_id: str, judge: Judge, now: datetime, rules: DialRules) -> Begun | None:
        """Write an attempt that is about to be dialled, if the job is still open, due, and ``judge`` says DIAL.

        Job, do-not-call list, history of the number and the campaign's state are read in the transaction that writes.
        A verdict against it is applied in the same. None when there is no such job or it is not open, or the campaign
        is not running.
        """

        def write(db: sqlite3.Connection) -> Begun | None:
            of = jobs_sql.job(db, key)
            if of is None or of.state is not JobState.OPEN or not _campaign(db).running:
                return None
            history = jobs_sql.history(db, of, suppression.scopes(db, of.number))
            verdict = judge(of, history)
            if verdict.go is not Go.DIAL:
                over = _apply(db, key, verdict, now)
                return Begun(over or of, verdict=verdict)
            last = is_last(of, now, rules)
            new = Attempt(attempt_id, key, of.purpose, of.number, now, AttemptState.DIALLING, last)
            jobs_sql.insert_attempt(db, new)
            return Begun(of, attempt=new)

        return await self._do(write)

    async def judge(self, of: Job, judge: Judge) -> Verdict:
        """Return what ``judge`` says of a job; nothing is written."""

        def read(db: sqlite3.Connection) -> Verdict:
            return judge(of, jobs_sql.history(db, of, suppression.scopes(db, of.number)))

        return await self._do(read)

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """Return one attempt."""
        return await self._do(lambda db: jobs_sql.attempt(db, attempt_id))

    async def attempts_of(self, key: str) -> list[Attempt]:
        """Return the attempts of a job, the oldest first."""
        return await self._do(lambda db: jobs_sql.attempts_of(db, key))

    async def attempts_since(self, since: datetime, limit: int = -1) -> list[Attempt]:
        """Return the attempts dialled from a moment on, the latest ``limit`` of them (-1: all), the oldest first."""
        query = "SELECT * FROM attempts WHERE dialled_at >= ? ORDER BY dialled_at DESC, rowid DESC LIMIT ?"
        values = (since.timestamp(), limit)
        return await self._do(lambda db: [attempt_of(row) for row in db.execute(query, values)][::-1])

    async def unfinished(self) -> list[Attempt]:
        """Return the attempts that are not over, or of which their job does not know what they came to."""
        return await self._do(jobs_sql.unfinished)

    async def progressed(self, attempt_id: str, state: AttemptState, now: datetime) -> None:
        """Note that an attempt rings or was answered."""
        await self._do(lambda db: jobs_sql.note_progress(db, attempt_id, state, now))

    async def ended(self, progress: DialProgress, now: datetime, rules: DialRules, *, settle: bool) -> Attempt | None:
        """Note how an attempt's channel ended, and return the attempt; with ``settle`` its job gets its next state.

        An answered call is settled by what it says of itself (:meth:`result`), or without that when nobody will say.
        """

        def write(db: sqlite3.Connection) -> Attempt | None:
            jobs_sql.note_end(db, progress, now)
            if settle:
                jobs_sql.settle(
                    db, progress.attempt, lambda job, tries: after_attempt(job, tries, None, now, rules), now
                )
            return jobs_sql.attempt(db, progress.attempt)

        return await self._do(write)

    async def result(self, attempt_id: str, result: CallResult, now: datetime, rules: DialRules) -> Attempt | None:
        """Note what an answered call came to and settle its job; the first result stands. Returns the attempt."""

        def write(db: sqlite3.Connection) -> Attempt | None:
            this = jobs_sql.attempt(db, attempt_id)
            if this is None or this.outcome is not None:
                return this
            jobs_sql.reopen(db, attempt_id)
            jobs_sql.note_result(db, attempt_id, result, now)
            if result.opted_out is not None:
                source = f"call:{result.call_id or attempt_id}"
                suppression.suppress(db, this.number, result.opted_out, source, now)
            jobs_sql.settle(db, attempt_id, lambda job, tries: after_attempt(job, tries, result, now, rules), now)
            return jobs_sql.attempt(db, attempt_id)

        return await self._do(write)

    async def untold(self) -> tuple[list[tuple[Job, Attempt, list[GivenAnswer]]], list[Job]]:
        """Return attempts with their jobs and answers, and jobs, that are over and of which nobody else knows yet."""
        return await self._do(jobs_sql.untold)

    async def mark_told(self, attempts: Sequence[str], jobs: Sequence[str]) -> None:
        """Note that others know of these attempts and jobs."""
        await self._do(lambda db: jobs_sql.mark_told(db, attempts, jobs))

    async def recent_attempt(self, number: str, since: datetime) -> tuple[Job, Attempt] | None:
        """Return the latest attempt at a number that may have rung, with its job."""
        return await self._do(lambda db: jobs_sql.recent_attempt(db, number, since))

    async def put_answer(self, attempt_id: str, answer: GivenAnswer, now: datetime) -> None:
        """Store one answer of a survey."""
        await self._do(lambda db: jobs_sql.put_answer(db, attempt_id, answer, now))

    async def answers_of(self, attempt_id: str) -> list[GivenAnswer]:
        """Return the answers given in an attempt."""
        return await self._do(lambda db: jobs_sql.answers_of(db, attempt_id))

    async def surveyed_since(self, number: str, since: datetime) -> bool:
        """Return whether a survey job was made for a number since a moment, whatever became of it."""

        def read(db: sqlite3.Connection) -> bool:
            query = "SELECT 1 FROM jobs WHERE digest = ? AND purpose = ? AND created_at > ? AND reason != ?"
            values = (digest_of(db, number), Purpose.SURVEY, since.timestamp(), Reason.REMOVED)
            return db.execute(query, values).fetchone() is not None

        return await self._do(read)

    async def exclude(self, key: str, reason: str, now: datetime) -> None:
        """Note that a survey does not ask about an order, and why; the first reason stands."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR IGNORE INTO excluded VALUES (?, ?, ?)", (key, reason, now.timestamp()))

        await self._do(write)

    async def excluded_since(self, since: datetime) -> dict[str, int]:
        """Return how many orders a survey did not ask about, by reason."""
        query = "SELECT reason, count(*) FROM excluded WHERE at >= ? GROUP BY reason"
        return await self._do(lambda db: dict(tuple(row) for row in db.execute(query, (since.timestamp(),))))

    # --- do-not-call list ---------------------------------------------------------------------------

    async def suppress(self, numbers: Iterable[tuple[str, SuppressionScope, str]], now: datetime) -> list[str]:
        """Put numbers (number, scope, source) on the list and drop their open jobs; returns the jobs' keys."""
        new = list(numbers)
        return await self._do(lambda db: [key for one in new for key in suppression.suppress(db, *one, now)])

    async def suppress_digest(self, digest: str, scope: SuppressionScope, source: str, now: datetime) -> None:
        """Put a number that was erased back on the list."""
        await self._do(lambda db: suppression.put_digest(db, digest, scope, source, now))

    async def unsuppress(self, number: str) -> int:
        """Take a number off the list; returns how many entries it had."""
        return await self._do(lambda db: suppression.remove(db, number))

    async def suppressions(self) -> list[Suppression]:
        """Return the list, the oldest first."""
        return await self._do(suppression.entries)

    async def scopes(self, number: str) -> frozenset[SuppressionScope]:
        """Return what a number may not be called for."""
        return await self._do(lambda db: suppression.scopes(db, number))

    # --- campaign, notes, forgetting ----------------------------------------------------------------

    async def campaign(self) -> Campaign:
        """Return whether customers may be called."""
        return await self._do(_campaign)

    async def set_campaign(self, state: str, by: str, why: str, now: datetime) -> Campaign:
        """Run, pause or stop the campaign; it is so after a restart too."""
        new = Campaign(state, now.isoformat(timespec="seconds"), by, why)

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO control VALUES (?, ?)", (_CAMPAIGN, json.dumps(vars(new))))

        await self._do(write)
        return new

    async def polled(self, name: str) -> datetime | None:
        """Return up to when a system's deliveries were taken in; None when they never were."""

        def read(db: sqlite3.Connection) -> datetime | None:
            row = db.execute("SELECT value FROM control WHERE name = ?", (f"polled:{name}",)).fetchone()
            return None if row is None else datetime.fromisoformat(row["value"])

        return await self._do(read)

    async def set_polled(self, name: str, until: datetime) -> None:
        """Note up to when a system's deliveries were taken in."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO control VALUES (?, ?)", (f"polled:{name}", until.isoformat()))

        await self._do(write)

    async def note(self, job_key: str, text: str, now: datetime) -> None:
        """Leave a line for a person; the same line about the same job stands once."""
        await self._do(lambda db: _note(db, job_key, text, now))

    async def notes(self) -> list[Note]:
        """Return the lines for a person, the latest first."""
        query = "SELECT at, job, text FROM notes ORDER BY at DESC, id DESC LIMIT 1000"
        return await self._do(lambda db: [Note(*row) for row in db.execute(query)])

    async def forget(self, before: datetime) -> int:
        """Delete names and numbers of jobs that were over before a moment; returns how many jobs."""

        def blank(db: sqlite3.Connection) -> int:
            rows = db.execute(
                "UPDATE jobs SET number = '', facts = json_set(facts, '$.name', '', '$.subject', '')"
                " WHERE over_at < ? AND number != '' RETURNING key",
                (before.timestamp(),),
            ).fetchall()
            keys = [(row["key"],) for row in rows]
            db.executemany("UPDATE attempts SET number = '' WHERE job = ?", keys)
            db.executemany("DELETE FROM notes WHERE job = ?", keys)
            return len(rows)

        return await self._do(blank)


def _apply(db: sqlite3.Connection, key: str, verdict: Verdict, now: datetime) -> Job | None:
    state = {Go.WAIT: JobState.OPEN, Go.DROP: JobState.DROPPED, Go.BLOCK: JobState.BLOCKED}[verdict.go]
    if not jobs_sql.hold(db, key, state, verdict.reason or "", now, verdict.until):
        return None
    if verdict.detail:
        _note(db, key, verdict.detail, now)
    return jobs_sql.job(db, key) if state is JobState.DROPPED else None


def _note(db: sqlite3.Connection, job_key: str, text: str, now: datetime) -> None:
    db.execute("INSERT OR REPLACE INTO notes (at, job, text) VALUES (?, ?, ?)", (now.timestamp(), job_key, text))


def _campaign(db: sqlite3.Connection) -> Campaign:
    row = db.execute("SELECT value FROM control WHERE name = ?", (_CAMPAIGN,)).fetchone()
    return Campaign() if row is None else Campaign(**json.loads(row["value"]))
