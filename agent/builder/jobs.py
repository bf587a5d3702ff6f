"""Work that takes longer than a request: begun, asked about, kept for an hour."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.common.tasks import cancel_and_wait
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

Told = Callable[[str, int, int], None]
Work = Callable[[Told], Awaitable[dict[str, Any]]]
JobKind = Literal["tests", "publication", "teaching"]
KEPT_SECONDS = 3600.0
MOST_WAITING = 20
MOST_OF_ONE = 5
"""Of one person: nobody keeps the others waiting for hours."""
MOST_KEPT = 200


class TooMuchWork(OrderlineError):
    """There is so much to do already that more would only wait."""

    code = "too_much_work"
    retryable = True


@dataclass
class BuilderJob:
    """One piece of work."""

    id: str
    kind: JobKind
    person: int
    """Who began it: nobody else sees it."""
    state: Literal["running", "done", "failed"] = "running"
    stage: str = "waiting"
    done: int = 0
    of: int = 0
    result: dict[str, Any] | None = None
    problem: str = ""
    """Why it failed, in words."""
    ended_at: float = 0.0
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def tell(self, stage: str, done: int, of: int) -> None:
        """Note how far it is."""
        self.stage, self.done, self.of = stage, done, of

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {
            "job": self.id, "kind": self.kind, "state": self.state, "stage": self.stage, "done": self.done,
            "of": self.of, "result": self.result, "problem": self.problem,
        }  # fmt: skip


class Jobs:
    """The work of one console."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: dict[str, BuilderJob] = {}

    def begin(self, kind: JobKind, person: int, work: Work) -> BuilderJob:
        """Begin some work and return at once. Raises :class:`TooMuchWork`."""
        self._forget_old()
        running = [job.person for job in self._jobs.values() if job.state == "running"]
        if running.count(person) >= MOST_OF_ONE:
            raise TooMuchWork(f"{MOST_OF_ONE} works of yours are under way: try again when one is done.")
        if len(running) >= MOST_WAITING:
            raise TooMuchWork("Too much is being tested already: try again when it is done.")
        job = BuilderJob(secrets.token_urlsafe(12), kind, person)
        self._jobs[job.id] = job
        job.task = asyncio.create_task(self._do(job, work), name=f"builder-{kind}")
        return job

    def get(self, id: str, person: int) -> BuilderJob | None:
        """Return a job of somebody's own; None where there is none."""
        job = self._jobs.get(id)
        return job if job is not None and job.person == person else None

    async def close(self) -> None:
        """End all work."""
        for job in self._jobs.values():
            if job.task is not None and not job.task.done():
                await cancel_and_wait(job.task)

    async def _do(self, job: BuilderJob, work: Work) -> None:
        try:
            job.result = await work(job.tell)
            job.state = "done"
        except OrderlineError as error:
            job.state, job.problem = "failed", error.message
        except asyncio.CancelledError:
            job.state, job.problem = "failed", "It was broken off."
            raise
        except Exception as error:
            log.exception("the job %s of the builder has failed", job.kind)
            job.state, job.problem = "failed", f"Something went wrong that nobody foresaw: {type(error).__name__}."
        finally:
            job.ended_at = self._clock()

    def _forget_old(self) -> None:
        now = self._clock()
        ended = sorted((job for job in self._jobs.values() if job.state != "running"), key=lambda job: -job.ended_at)
        for place, job in enumerate(ended):
            if place >= MOST_KEPT or now - job.ended_at > KEPT_SECONDS:
                del self._jobs[job.id]
