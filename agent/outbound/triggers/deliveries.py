"""A delivery, whoever tells of it, and the jobs that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from agent.outbound.keys import ALL_PARCELS, delivery_key, survey_key
from agent.outbound.model import JobFacts, NewJob, OutboundError, Purpose
from agent.outbound.windows import zones_of


class DeliveryRefused(OutboundError):
    """Nobody can be called about this delivery; the message says why."""

    code = "delivery_refused"


@dataclass(frozen=True)
class Delivery:
    """One order, or one parcel of it, that has been delivered."""

    order: str
    number: str = field(repr=False)
    """As it was given; national numbers are those of the shop's country."""
    delivered_at: datetime
    """Aware."""
    name: str = field(default="", repr=False)
    consent: str = ""
    zone: str = ""
    parcel: str = ALL_PARCELS
    parcels: int = 1
    order_value: Decimal | None = None
    """None when it is not known."""
    first_order: bool | None = None
    """Whether it is the customer's first; None when it is not known."""


@dataclass(frozen=True)
class JobTimes:
    """How a shop's jobs follow from its deliveries."""

    shop: str
    country: str = "US"
    delivery_delay: timedelta = timedelta(hours=2)
    delivery_expires: timedelta = timedelta(days=4)
    survey_delay: timedelta = timedelta(hours=48)
    survey_expires: timedelta = timedelta(days=10)


def delivery_job(delivery: Delivery, times: JobTimes, source: str) -> NewJob:
    """Return the job that asks whether a delivery arrived well. Raises :class:`DeliveryRefused`."""
    due_at = delivery.delivered_at + times.delivery_delay
    return _job(delivery, times, source, Purpose.DELIVERY, _key(delivery), due_at, due_at + times.delivery_expires)


def survey_job(delivery: Delivery, times: JobTimes, source: str) -> NewJob:
    """Return the job that asks how satisfied the customer is. Raises :class:`DeliveryRefused`."""
    due_at = delivery.delivered_at + times.survey_delay
    try:
        key = survey_key(delivery.order)
    except ValueError as error:
        raise DeliveryRefused(str(error)) from error
    return _job(delivery, times, source, Purpose.SURVEY, key, due_at, due_at + times.survey_expires)


def _key(delivery: Delivery) -> str:
    try:
        return delivery_key(delivery.order, delivery.parcel)
    except ValueError as error:
        raise DeliveryRefused(str(error)) from error


def _job(
    delivery: Delivery,
    times: JobTimes,
    source: str,
    purpose: Purpose,
    key: str,
    due_at: datetime,
    not_after: datetime,
) -> NewJob:
    from agent.common.phone_numbers import e164

    number = e164(delivery.number, times.country)
    if not number:
        raise DeliveryRefused("phone is no telephone number")  # not what it is: this is kept as a note
    if not delivery.consent:
        raise DeliveryRefused("there is no consent: say where the right to call comes from (order_terms, checkbox ...)")
    try:
        zones_of(number, delivery.zone)
    except OutboundError as error:
        raise DeliveryRefused(error.message) from error
    day = delivery.delivered_at.date()
    facts = JobFacts(times.shop, delivery.name[:80], delivery.order[:40], day, max(1, delivery.parcels))
    return NewJob(key, purpose, number, facts, delivery.consent[:60], due_at, not_after, delivery.zone, source)
