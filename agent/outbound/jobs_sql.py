"""The statements on jobs and attempts: every function is one step inside a transaction of :mod:`agent.outbound.store`.

What is decided is decided elsewhere (:mod:`agent.outbound.policy`, :mod:`agent.outbound.outcomes`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from agent.call.dialling import DialEnd, DialProgress
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
    SuppressionScope,
)
from agent.outbound.outcomes import Next, counts
from agent.outbound.policy import NumberHistory
from agent.outbound.schema import answer_of, attempt_of, digest_of, facts_text, job_of

T = TypeVar("T")
Settle = Callable[[Job, Sequence[Attempt]], Next]
"""Says what becomes of a job whose last attempt is over."""
RangBack = Callable[[Job, Sequence[Attempt]], Next | None]
"""Says what becomes of a job whose customer rang in."""

_OVER = (JobState.DONE, JobState.DROPPED)


# --- jobs -------------------------------------------------------------------------------------------


def add_job(db: sqlite3.Connection, new: NewJob, now: datetime) -> str:
    """Write a job unless its key was used before; returns ``added``, ``moved`` or ``known``.

    A job that has not been tried takes over a corrected time (``moved``); nothing else of it changes.
    """
    used = digest_of(db, f"key:{new.key}")
    if db.execute("INSERT OR IGNORE INTO used_keys VALUES (?)", (used,)).rowcount == 0:
        return _move(db, new)
    db.execute(
        "INSERT INTO jobs (key, purpose, number, digest, facts, consent, zone, source, due_at, not_after, next_at,"
        " state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.key,
            new.purpose,
            new.number,
            digest_of(db, new.number),
            facts_text(new.facts),
            new.consent,
            new.zone,
            new.source,
            new.due_at.timestamp(),
            new.not_after.timestamp(),
            new.due_at.timestamp(),
            JobState.OPEN,
            now.timestamp(),
        ),
    )
    return "added"


def _move(db: sqlite3.Connection, new: NewJob) -> str:
    due, until = new.due_at.timestamp(), new.not_after.timestamp()
    changed = db.execute(
        "UPDATE jobs SET due_at = ?, not_after = ?, next_at = ? WHERE key = ? AND state = ? AND due_at != ?"
        " AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.job = jobs.key)",
        (due, until, due, new.key, JobState.OPEN, due),
    )
    return "moved" if changed.rowcount else "known"


def job(db: sqlite3.Connection, key: str) -> Job | None:
    """Return one job."""
    row = db.execute("SELECT * FROM jobs WHERE key = ?", (key,)).fetchone()
    return None if row is None else job_of(row)


def due(db: sqlite3.Connection, now: datetime, purposes: Collection[Purpose], limit: int) -> list[Job]:
    """Return open jobs whose time has come: appointments first, then those that expire first."""
    rows = db.execute(
        "SELECT * FROM jobs WHERE state = ? AND next_at <= ? AND purpose IN (SELECT value FROM json_each(?))"
        " ORDER BY appointment DESC, not_after, next_at LIMIT ?",
        (JobState.OPEN, now.timestamp(), json.dumps(list(purposes)), limit),
    )
    return [job_of(row) for row in rows]


def hold(db: sqlite3.Connection, key: str, state: JobState, reason: str, now: datetime, until: datetime | None) -> bool:
    """Give an open job another state, or another time; False when it is not open any more."""
    over_at = now.timestamp() if state in _OVER else None
    changed = db.execute(
        "UPDATE jobs SET state = ?, reason = ?, next_at = coalesce(?, next_at), over_at = ?"
        " WHERE key = ? AND state = ?",
        (state, reason, until.timestamp() if until else None, over_at, key, JobState.OPEN),
    )
    return changed.rowcount == 1


def history(db: sqlite3.Connection, of: Job, scopes: Collection[SuppressionScope]) -> NumberHistory:
    """Return what is known of a job and its number."""
    number = db.execute("SELECT * FROM attempts WHERE digest = ? ORDER BY dialled_at", (digest_of(db, of.number),))
    return NumberHistory([attempt_of(row) for row in number], attempts_of(db, of.key), frozenset(scopes))


# --- attempts ---------------------------------------------------------------------------------------


def insert_attempt(db: sqlite3.Connection, attempt: Attempt) -> None:
    """Write an attempt that is about to be dialled, and mark its job."""
    db.execute(
        "INSERT INTO attempts (id, job, purpose, number, digest, dialled_at, state, last)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            attempt.id,
            attempt.job,
            attempt.purpose,
            attempt.number,
            digest_of(db, attempt.number),
            attempt.dialled_at.timestamp(),
            AttemptState.DIALLING,
            attempt.last,
        ),
    )
    db.execute("UPDATE jobs SET state = ?, reason = '' WHERE key = ?", (JobState.CALLING, attempt.job))


def attempt(db: sqlite3.Connection, attempt_id: str) -> Attempt | None:
    """Return one attempt."""
    row = db.execute("SELECT * FROM attempts WHERE id = ?", (attempt_id,)).fetchone()
    return None if row is None else attempt_of(row)


def attempts_of(db: sqlite3.Connection, key: str) -> list[Attempt]:
    """Return the attempts of a job, the oldest first."""
    rows = db.execute("SELECT * FROM attempts WHERE job = ? ORDER BY dialled_at, rowid", (key,))
    return [attempt_of(row) for row in rows]


def unfinished(db: sqlite3.Connection) -> list[Attempt]:
    """Return the attempts whose channel may be up, or of which the job does not know what they came to."""
    rows = db.execute(
        "SELECT * FROM attempts WHERE settled = 0 OR state != ? ORDER BY dialled_at", (AttemptState.ENDED,)
    )
    return [attempt_of(row) for row in rows]


def note_progress(db: sqlite3.Connection, attempt_id: str, state: AttemptState, now: datetime) -> None:
    """Note that an attempt rings, or was answered; never a step back."""
    if state is AttemptState.RINGING:
        db.execute(
            "UPDATE attempts SET rang = 1, state = CASE state WHEN ? THEN ? ELSE state END WHERE id = ?",
            (AttemptState.DIALLING, AttemptState.RINGING, attempt_id),
        )
    elif state is AttemptState.ANSWERED:
        db.execute(
            "UPDATE attempts SET answered_at = coalesce(answered_at, ?),"
            " state = CASE WHEN state = ? THEN state ELSE ? END WHERE id = ?",
            (now.timestamp(), AttemptState.ENDED, AttemptState.ANSWERED, attempt_id),
        )


def note_end(db: sqlite3.Connection, progress: DialProgress, now: datetime) -> None:
    """Note how the channel of an attempt ended; the first end stands."""
    end = progress.end or DialEnd.UNKNOWN
    answered = now.timestamp() if end is DialEnd.ANSWERED else None
    db.execute(
        "UPDATE attempts SET state = ?, end = ?, cause = ?, tech_cause = ?, rang = max(rang, ?), ended_at = ?,"
        " counted = max(?, rang), answered_at = coalesce(answered_at, ?) WHERE id = ? AND state != ?",
        (
            AttemptState.ENDED,
            end,
            progress.cause,
            progress.tech_cause,
            int(progress.rang),
            now.timestamp(),
            int(counts(end) or progress.rang),  # a telephone that rang was disturbed, whoever is at fault
            answered,
            progress.attempt,
            AttemptState.ENDED,
        ),
    )


def reopen(db: sqlite3.Connection, attempt_id: str) -> None:
    """Let a result that came late be settled after all, unless the job has been tried again since."""
    db.execute(
        "UPDATE attempts SET settled = 0 WHERE id = ? AND outcome = '' AND NOT EXISTS"
        " (SELECT 1 FROM attempts AS later WHERE later.job = attempts.job AND later.dialled_at > attempts.dialled_at)",
        (attempt_id,),
    )


def note_result(db: sqlite3.Connection, attempt_id: str, result: CallResult, now: datetime) -> None:
    """Note what an answered call came to."""
    db.execute(
        "UPDATE attempts SET reached = ?, outcome = ?, call_id = ?, message_left = ?, case_opened = ?, counted = 1,"
        " answered_at = coalesce(answered_at, ?), state = CASE state WHEN ? THEN state ELSE ? END WHERE id = ?",
        (
            result.reached,
            result.outcome,
            result.call_id,
            int(result.message_left),
            result.case,
            now.timestamp(),
            AttemptState.ENDED,
            AttemptState.ANSWERED,
            attempt_id,
        ),
    )
    for answer in result.survey:
        put_answer(db, attempt_id, answer, now)


def settle(db: sqlite3.Connection, attempt_id: str, decide: Settle, now: datetime) -> None:
    """Give the job of an attempt its next state, once; nothing when that was done, or the person was erased."""
    if db.execute("UPDATE attempts SET settled = 1 WHERE id = ? AND settled = 0", (attempt_id,)).rowcount == 0:
        return
    this = _there(attempt(db, attempt_id), attempt_id)
    of = _there(job(db, this.job), this.job)
    attempts = [one for one in attempts_of(db, of.key) if one.dialled_at <= this.dialled_at]
    counted = sum(one.counted for one in attempts_of(db, of.key))
    db.execute("UPDATE jobs SET attempts = ? WHERE key = ?", (counted, of.key))
    if not of.over:
        _apply(db, of, decide(of, attempts), now)


def _apply(db: sqlite3.Connection, of: Job, step: Next, now: datetime) -> None:
    not_after = (step.not_after or of.not_after).timestamp()
    next_at = step.next_at.timestamp() if step.next_at else None
    over_at = now.timestamp() if step.state in _OVER else None
    db.execute(
        "UPDATE jobs SET state = ?, reason = ?, next_at = coalesce(?, next_at), appointment = ?, not_after = ?,"
        " over_at = ? WHERE key = ?",
        (step.state, step.reason, next_at, int(step.appointment), not_after, over_at, of.key),
    )


def recent_attempt(db: sqlite3.Connection, number: str, since: datetime) -> tuple[Job, Attempt] | None:
    """Return the latest attempt at a number that may have rung, with its job."""
    row = db.execute(
        "SELECT * FROM attempts WHERE digest = ? AND dialled_at > ? AND counted = 1 AND number != ''"
        " ORDER BY dialled_at DESC, rowid DESC LIMIT 1",
        (digest_of(db, number), since.timestamp()),
    ).fetchone()
    if row is None:
        return None
    found = attempt_of(row)
    return _there(job(db, found.job), found.job), found


def untold(db: sqlite3.Connection) -> tuple[list[tuple[Job, Attempt, list[GivenAnswer]]], list[Job]]:
    """Return attempts and jobs that are over and of which nobody else knows yet."""
    rows = db.execute(
        "SELECT * FROM attempts WHERE told = 0 AND settled = 1 AND state = ? ORDER BY dialled_at LIMIT 100",
        (AttemptState.ENDED,),
    )
    attempts = [attempt_of(row) for row in rows.fetchall()]
    jobs = db.execute("SELECT * FROM jobs WHERE told = 0 AND state IN (?, ?) ORDER BY over_at LIMIT 100", _OVER)
    told = [(_there(job(db, one.job), one.job), one, answers_of(db, one.id)) for one in attempts]
    return told, [job_of(row) for row in jobs]


def mark_told(db: sqlite3.Connection, attempts: Sequence[str], jobs: Sequence[str]) -> None:
    """Note that others know of these."""
    db.executemany("UPDATE attempts SET told = 1 WHERE id = ?", [(one,) for one in attempts])
    db.executemany("UPDATE jobs SET told = 1 WHERE key = ?", [(one,) for one in jobs])


def rang_back(db: sqlite3.Connection, key: str, decide: RangBack, call_id: str, now: datetime) -> Job | None:
    """Give a job its next state after a call in which its customer rang in; None when it stays as it is.

    ``decide`` returns None for that as well. While an attempt is under way its own end says when the next one is.
    """
    of = job(db, key)
    if of is None or of.over:
        return None
    step = decide(of, attempts_of(db, key))
    if step is None or (step.state is JobState.OPEN and of.state is JobState.CALLING):
        return None
    _apply(db, of, step, now)
    db.execute("UPDATE jobs SET call_id = ? WHERE key = ?", (call_id, key))
    return job(db, key)


# --- answers ----------------------------------------------------------------------------------------


def put_answer(db: sqlite3.Connection, attempt_id: str, answer: GivenAnswer, now: datetime) -> None:
    """Store one answer of a survey; the same question again replaces it."""
    row: tuple[Any, ...] = (attempt_id, answer.question, answer.value, answer.scale, now.timestamp())
    db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)


def answers_of(db: sqlite3.Connection, attempt_id: str) -> list[GivenAnswer]:
    """Return the answers given in an attempt, in the order in which they were given."""
    rows = db.execute("SELECT * FROM answers WHERE attempt = ? ORDER BY at, rowid", (attempt_id,))
    return [answer_of(row) for row in rows]


def _there(found: T | None, name: str) -> T:
    if found is None:
        raise OutboundError(f"{name} is not in the file any more")
    return found
