"""What the dialler offers to calls, and what it needs of others; ``agent.app`` joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.outbound.model import Attempt, CallResult, GivenAnswer, Job, JobFacts, OutboundError, SuppressionScope

RING_BACK_DAYS = 14
"""A customer who rings within so many days of an attempt is taken to ring back."""


class OutboundResults(Protocol):
    """What a call to a customer (or from one who rings back) asks of the dialler, and tells it.

    What is written is on the disk when the method returns. All raise ``OutboundUnavailable`` when the file cannot be
    used.
    """

    async def job_of_attempt(self, attempt_id: str) -> Job | None:
        """Return the job an attempt is made for, with the facts the dialog begins with."""
        ...

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """Return one attempt; its ``last`` says whether a message may be left on a voicemail."""
        ...

    async def survey_answered(self, attempt_id: str, answer: GivenAnswer) -> None:
        """Store one answer of a survey as it is given; the same question again replaces it."""
        ...

    async def call_ended(self, attempt_id: str, result: CallResult) -> None:
        """Note what an answered call came to; the first result of an attempt stands.

        ``opted_out`` is obeyed as :meth:`suppress` does.
        """
        ...

    async def suppress(self, number: str, scope: SuppressionScope, source: str) -> None:
        """Put a number on the do-not-call list and drop its open jobs of that scope.

        ``number`` is E.164; whoever is on a call says ``source="call:ID"``.
        """
        ...

    @property
    def calls_back(self) -> bool:
        """Whether customers who ask for it are called back from this node at all."""
        ...

    async def promise_call_back(self, call_id: str, number: str, facts: JobFacts) -> str:
        """Make the job of a call-back that is promised in a call; returns its key. Once for a call.

        ``number`` is E.164, and the customer's own. Raises :class:`CallBackRefused` where it would not be kept.
        """
        ...

    async def recent_attempt_to(self, number: str, days: int = RING_BACK_DAYS) -> tuple[Job, Attempt] | None:
        """Return the latest attempt to a number within ``days`` that may have rung there, with its job."""
        ...

    async def inbound_began(self, number: str) -> None:
        """A customer rings in: an attempt that rings at their number is cancelled, none begins meanwhile."""
        ...

    async def inbound_ended(self, number: str) -> None:
        """The call of :meth:`inbound_began` is over."""
        ...

    async def rang_back(self, job_key: str, result: CallResult) -> None:
        """A customer rang in and was told of a job; ``result`` says what came of it.

        Done, handed over or declined: it is not dialled any more. The wrong number: neither. Another time: then.
        """
        ...


class OutboundUnavailable(OutboundError):
    """The file of jobs and attempts cannot be used; nothing is dialled until it can."""

    code = "outbound_unavailable"
    retryable = True


class CallBackRefused(OutboundError):
    """A call-back would not be made as things stand, so it must not be promised."""

    code = "call_back_refused"


@dataclass(frozen=True)
class OrderNow:
    """How an order stands at the moment of dialling. Each of the first five drops a job."""

    cancelled: bool = False
    returned: bool = False
    """A return is on its way, or done."""
    refunded: bool = False
    complained: bool = False
    """A complaint or an investigation is open or was closed since the job was made."""
    ticket_open: bool = False
    called_in: bool = False
    """The customer has called about this order since the job was made."""


class OrderLookup(Protocol):
    """Tells how the order of a job stands now."""

    async def order_now(self, job: Job) -> OrderNow:
        """Ask the order system. Raises :class:`OrderUnreadable`; then the job is not dialled now."""
        ...


class OrderUnreadable(OutboundError):
    """The order system does not say how an order stands."""

    code = "order_unreadable"
    retryable = True


@dataclass(frozen=True)
class StaffRoom:
    """Whether the staff could take a call that is handed over."""

    open: bool
    longest_wait_seconds: float = 0.0


class Staff(Protocol):
    """The staff's queue, for calls that may be handed over."""

    async def room(self) -> StaffRoom | None:
        """Return how the queue stands; None when that is not known. Never raises, never takes long."""
        ...


class JobObserver(Protocol):
    """Whoever is told what becomes of jobs: records, events, metrics. Never raises."""

    async def attempt_ended(self, job: Job, attempt: Attempt, answers: Sequence[GivenAnswer]) -> None:
        """An attempt is over; ``job`` is as it stands after it, ``answers`` are those stored so far."""
        ...

    async def job_over(self, job: Job) -> None:
        """A job is done or dropped."""
        ...

    async def suppressed(self, number: str, scope: SuppressionScope, source: str, at: datetime) -> None:
        """A number is not called any more."""
        ...

    async def alarm(self, text: str) -> None:
        """Something a person has to look at: the trunk is dead, a list cannot be read."""
        ...
