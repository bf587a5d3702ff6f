"""What the dialler works on: jobs, the attempts made for them, and what a call to a customer came to. Pure data.

A job is one reason to call one customer; its key is never used a second time. An attempt is one dial of one job. Times
are aware datetimes in UTC.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from agent.call.dialling import DialEnd
from agent.errors import OrderlineError

ATTEMPT_PREFIX = "ob-"
"""Begins every attempt's id, and so the id of its channel: how channels of ours are told from others'."""


class Purpose(StrEnum):
    """Why a customer is called."""

    DELIVERY = "delivery"
    """Did everything arrive, and in good condition?"""
    SURVEY = "survey"
    """How satisfied are you?"""
    CALLBACK = "callback"
    """The agent promised to call back."""


class JobState(StrEnum):
    """What is to become of a job."""

    OPEN = "open"
    """It waits for ``next_at``."""
    CALLING = "calling"
    """An attempt is under way."""
    BLOCKED = "blocked"
    """It is not dialled until a person puts right what ``reason`` says."""
    DONE = "done"
    """The customer was reached, on this call or by ringing in."""
    DROPPED = "dropped"
    """It will not be dialled (any more), for ``reason``."""


OVER = frozenset({JobState.DONE, JobState.DROPPED})
"""States that a job does not leave."""


class Reason(StrEnum):
    """Why a job is over, blocked, or is not dialled now; ``jobs.reason``, ``orderline outbound``, records."""

    # over
    COMPLETED = "completed"
    PARTIAL = "partial"
    """The right person hung up in the middle: they are not called a second time."""
    CALLED_IN = "called_in"
    """The customer rang before the next try, and it was done in that call."""
    OPTED_OUT = "opted_out"
    DECLINED = "declined"
    """The right person did not want to talk now; or the call was rejected twice."""
    WRONG_NUMBER = "wrong_number"
    BAD_NUMBER = "bad_number"
    FAX = "fax"
    ATTEMPTS_USED_UP = "attempts_used_up"
    EXPIRED = "expired"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"
    RETURNED = "returned"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    COMPLAINED = "complained"
    TICKET_OPEN = "ticket_open"
    REMOVED = "removed"
    """A person removed it."""
    # blocked: a person has to put something right
    NUMBER_UNREADABLE = "number_unreadable"
    ZONE_UNKNOWN = "zone_unknown"
    NO_WINDOW = "no_window"
    """The windows of the number's zones have no minute in common, as far as one can see ahead."""
    # not now
    NOT_DUE = "not_due"
    OUTSIDE_WINDOW = "outside_window"
    ANSWERED_TODAY = "answered_today"
    WEEK_USED_UP = "week_used_up"
    NUMBER_BUSY_WITH_US = "number_busy_with_us"
    """Another call to this number is under way, out or in."""
    ORDER_UNREADABLE = "order_unreadable"
    """The order system does not say how the order stands."""
    RULES_UNREADABLE = "rules_unreadable"
    """A list that decides (holidays, do-not-call) cannot be read."""


class AttemptState(StrEnum):
    """How far an attempt is, on disk."""

    DIALLING = "dialling"
    """Written before the telephone system is asked: from here on it may have rung."""
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Reached(StrEnum):
    """Who or what answered."""

    PERSON = "person"
    """Somebody; whether it is the right person was not found out."""
    RIGHT_PERSON = "right_person"
    WRONG_NUMBER = "wrong_number"
    VOICEMAIL = "voicemail"
    SCREENER = "screener"
    IVR = "ivr"
    FAX = "fax"
    SILENT = "silent"


class CallOutcome(StrEnum):
    """What a call that was answered came to."""

    COMPLETED = "completed"
    """What it was for is done, with or without a case opened."""
    PARTIAL = "partial"
    """The right person ended it in the middle."""
    LATER = "later"
    """Somebody asked for another time; ``CallResult.appointment`` says when, if they did."""
    NOT_HERE = "not_here"
    DECLINED = "declined"
    """The right person does not want to talk about it; not a wish never to be called."""
    OPTED_OUT = "opted_out"
    WRONG_NUMBER = "wrong_number"
    HANDED_OVER = "handed_over"
    """A person of the staff has it, or a ticket for them."""
    NOT_REACHED = "not_reached"
    """Voicemail, screener, IVR, fax, silence, or a person who hung up before saying who they are."""
    FAILED = "failed"
    """A fault of ours after the answer; it counts as a call to the customer."""


class SuppressionScope(StrEnum):
    """What a number is not called for any more."""

    ALL = "all"
    SURVEYS = "surveys"


@dataclass(frozen=True)
class JobFacts:
    """What the dialog is given at the start of a call. Nothing else about the order is known to it."""

    shop: str
    """The shop's name, as it is spoken."""
    name: str = field(default="", repr=False)
    """Whom to ask for; empty when it is not known."""
    order_number: str = ""
    delivered_on: date | None = None
    parcels: int = 1
    """How many parcels the order came in."""
    subject: str = ""
    """Of a call-back: what it is about, in the words of whoever promised it."""


@dataclass(frozen=True)
class NewJob:
    """A job as a trigger, a file or a call makes it."""

    key: str
    """``delivery:{order}:{parcel or all}``, ``survey:{order}``, ``callback:{call}``; see :mod:`agent.outbound.keys`."""
    purpose: Purpose
    number: str = field(repr=False)
    """E.164 with a plus sign."""
    facts: JobFacts
    consent: str
    """Where the right to call comes from: ``order_terms``, ``checkbox``, ``asked_on_call`` ...; empty for none."""
    due_at: datetime
    not_after: datetime
    zone: str = ""
    """IANA zone of the delivery address; empty when it is not known."""
    source: str = ""
    """What made it: ``csv``, ``webhook:shopify``, ``poll``, ``call`` ..."""


@dataclass(frozen=True)
class Job(NewJob):
    """A job as it stands on disk."""

    state: JobState = JobState.OPEN
    reason: str = ""
    """A :class:`Reason`, or empty while it is open and nothing has held it up."""
    attempts: int = 0
    """Those that count: not the ones that failed on our side."""
    next_at: datetime | None = None
    """Not dialled before; None: ``due_at``."""
    appointment: bool = False
    """``next_at`` is a time that the customer asked for."""
    created_at: datetime | None = None

    @property
    def not_before(self) -> datetime:
        """Not dialled before."""
        return self.next_at or self.due_at

    @property
    def over(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.state in OVER


@dataclass(frozen=True)
class Attempt:
    """One dial of one job."""

    id: str
    job: str
    """The job's key."""
    purpose: Purpose
    number: str = field(repr=False)
    dialled_at: datetime
    state: AttemptState
    last: bool = False
    """No further try follows: a message may be left on a voicemail."""
    end: DialEnd | None = None
    cause: int = 0
    """Q.850; 0 when not known."""
    tech_cause: int = 0
    """SIP status; 0 when not known."""
    rang: bool = False
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    counted: bool = True
    """False where a fault of ours kept it from the customer."""
    reached: Reached | None = None
    outcome: CallOutcome | None = None
    call_id: str = ""
    """The call's record."""
    message_left: bool = False
    """Whether the one message was left on a voicemail."""
    case: str = ""
    """Ticket or return that was opened."""


@dataclass(frozen=True)
class GivenAnswer:
    """One answer of a survey, stored when it is given."""

    question: str
    """``csat``, ``nps``, ``ces``, ``comment`` or a name of the shop's own."""
    value: str
    """The score in digits, or the comment's recording."""
    scale: str = ""
    """``1-5``, ``0-10``, ``1-7``; empty for what is no score."""


@dataclass(frozen=True)
class CallResult:
    """What a call that was answered came to: what the dialog tells the dialler."""

    reached: Reached
    outcome: CallOutcome
    call_id: str = ""
    appointment: datetime | None = None
    """When to call again, aware; moved into the window if it is outside."""
    opted_out: SuppressionScope | None = None
    survey: tuple[GivenAnswer, ...] = ()
    message_left: bool = False
    """Whether the one message was left on a voicemail."""
    case: str = ""
    """Ticket or return that was opened."""


@dataclass(frozen=True)
class Suppression:
    """One line of the do-not-call list."""

    number: str = field(repr=False)
    """E.164; empty where the person was erased and only the digest that keeps them from being called is left."""
    scope: SuppressionScope
    since: datetime
    source: str
    """``call:ID``, ``import``, ``administrator`` ..."""
    digest: str = ""
    """Of the number, keyed by the file: 64 hex digits."""


def new_attempt_id() -> str:
    """Return an id that was never used. None begins another one: they have one length, and a letter at the end."""
    return f"{ATTEMPT_PREFIX}{secrets.token_hex(8)}-z"


class OutboundError(OrderlineError):
    """A call to a customer cannot be made, listed or noted."""

    code = "outbound"
