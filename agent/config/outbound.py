"""Settings of calls to customers (docs/outbound.md). Off by default: nobody is called."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from agent.common.addresses import bare_host
from agent.config.base import SettingsPart, read_secret
from agent.config.holidays import read_holidays
from agent.config.queues import WEEKDAYS
from agent.outbound.model import Purpose
from agent.outbound.policy import DialRules
from agent.outbound.settings import DiallerSettings
from agent.outbound.triggers.deliveries import JobTimes
from agent.outbound.windows import CallHours, Window, parse_window

PurposeName = Literal["delivery", "survey", "callback"]
SignatureScheme = Literal["shopify", "woocommerce", "aftership", "easypost", "standard"]
_DEFAULT_WINDOW = dict.fromkeys(WEEKDAYS[:5], ("09:00-20:00",)) | {"saturday": ("10:00-18:00",)}
_TRUNK = re.compile(r"(PJSIP|Local|IAX2|SIP)/[^\s,&|]*\{(number|digits)\}[^\s,&|]*")


def _as_list(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _international(number: str) -> str:
    from agent.common.phone_numbers import e164  # takes a moment, and most agents call nobody

    if not number.startswith("+") or e164(number) != number:
        raise ValueError("is no number with a plus sign and a country code, such as +12025550143")
    return number


class SurveySelectionSettings(SettingsPart):
    """Who is asked how satisfied they are (docs/outbound.md, "Whom a survey calls")."""

    order_value: Decimal | None = Field(default=None, ge=0)
    """Orders of at least so much are asked about; unset: the value does not matter."""
    first_order: bool = False
    """True: a customer's first order is asked about, whatever its value."""
    share: float = Field(default=1.0, ge=0, le=1)
    """Of those who fit, so many are asked, drawn by lot."""
    quarantine_days: int = Field(default=90, ge=0)
    """A number is asked once in so many days."""
    measure: Literal["", "nps", "ces"] = ""
    """What is asked besides the satisfaction from 1 to 5: ``nps`` (would you recommend us, 0 to 10) or ``ces`` (was it
    easy, 1 to 5)."""
    comment: bool = False
    """True: a comment is asked for at the end."""


class TriggerSourceSettings(SettingsPart):
    """One system that tells of deliveries by webhook."""

    scheme: SignatureScheme
    """How it signs, and how its events look."""
    secret_file: Path | None = None
    """Or set ORDERLINE_TRIGGER_<NAME>_SECRET. Several lines: any of them, while a secret is being changed."""
    consent: str = Field(default="", max_length=60)
    """Where the right to call its customers comes from, as your lawyers word it: ``order_terms``, ``checkbox``."""
    zone: str = Field(default="", max_length=60)
    """IANA zone of its deliveries where the event names none; empty: the number's zones alone decide."""

    def secrets(self, name: str) -> tuple[str, ...]:
        """Its secrets, one a line of the file. Raises SettingsError when there is none."""
        variable = f"ORDERLINE_TRIGGER_{name.upper().replace('-', '_')}_SECRET"
        text = read_secret(self.secret_file, variable, f"outbound.triggers.sources.{name}.secret_file")
        return tuple(line.strip() for line in text.splitlines() if line.strip())


class TriggerSettings(SettingsPart):
    """The listener for webhooks that make jobs: a server of its own, apart from the supervisors'."""

    enabled: bool = False
    host: Annotated[str, AfterValidator(bare_host)] = "127.0.0.1"
    """Put your reverse proxy with TLS before it."""
    port: int = Field(default=8190, ge=0, le=65535)
    most_bytes: int = Field(default=1_000_000, ge=1_000, le=20_000_000)
    """A larger body is refused unread."""
    sources: dict[Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")], TriggerSourceSettings] = Field(
        default_factory=dict
    )
    """Name -> system; it posts to ``/triggers/NAME``."""


class PollingSettings(SettingsPart):
    """Asking the order system what was delivered; a mapping file must map ``orders.delivered_since``."""

    enabled: bool = False
    every_minutes: float = Field(default=5, ge=1, le=24 * 60)
    consent: str = Field(default="", max_length=60)
    """Where the right to call these customers comes from, as your lawyers word it: ``order_terms``, ``checkbox``."""
    zone: str = Field(default="", max_length=60)
    """IANA zone of the deliveries; empty: the number's zones alone decide."""


class OutboundSettings(SettingsPart):
    """Who may be called, when, how often, and over which trunk."""

    enabled: bool = False
    """False: nobody is called, whatever else is set. True on one node alone: it is the one that dials."""
    purposes: tuple[PurposeName, ...] = ("delivery", "callback")
    """What customers are called for; jobs of other purposes wait. ``survey`` has to be added by hand."""
    trunk: str = ""
    """Where calls go out, ``PJSIP/{number}@trunk`` (``{digits}``: without the plus sign)."""
    trunk_endpoint: str = ""
    """``PJSIP/trunk``, whose channels are counted; unset: taken from ``trunk``."""
    trunk_channels: int = Field(default=0, ge=0)
    """How many calls the trunk carries, in and out together; your provider knows."""
    reserve_percent: int = Field(default=30, ge=30, le=95)
    """So much of the trunk stays free for those who call in."""
    max_outbound: int = Field(default=2, ge=1, le=100)
    """Calls to customers at a time."""
    calls_per_second: float = Field(default=1.0, gt=0, le=1)
    context: str = Field(default="orderline-outbound", pattern="^[A-Za-z0-9_-]{1,79}$")
    """The dialplan context that answered calls go to."""
    caller_id: Annotated[str, AfterValidator(lambda number: number and _international(number))] = ""
    """What customers see and can ring back; the number must reach this agent."""
    caller_ids: dict[PurposeName, Annotated[str, AfterValidator(_international)]] = Field(default_factory=dict)
    """Purpose -> a caller id of its own."""
    window: dict[str, Annotated[tuple[str, ...], BeforeValidator(_as_list)]] = Field(
        default_factory=lambda: dict(_DEFAULT_WINDOW), validate_default=True
    )
    """Weekday -> ``09:00-20:00`` in the customer's local time; on a missing day nobody is called."""
    holidays: tuple[date, ...] = ()
    holidays_file: Path | None = None
    """A file with one such day a line; read anew before every call. While it cannot be read nobody is called."""
    ring_seconds: int = Field(default=25, ge=15, le=60)
    attempts: int = Field(default=3, ge=1, le=5)
    """For one job, whatever became of them."""
    over_days: int = Field(default=3, ge=1, le=14)
    retry_hours: float = Field(default=4, ge=1)
    busy_retry_minutes: float = Field(default=20, ge=5)
    answered_a_day: int = Field(default=1, ge=1, le=3)
    attempts_a_week: int = Field(default=3, ge=1, le=7)
    """At one number, over all purposes."""
    delivery_delay_hours: float = Field(default=2, ge=0)
    """From the delivery to the call."""
    delivery_expires_days: float = Field(default=4, gt=0)
    survey_delay_hours: float = Field(default=48, ge=0)
    survey_expires_days: float = Field(default=10, gt=0)
    staff_wait_seconds: float = Field(default=120, ge=0)
    """Delivery calls and call-backs go out while the staff's queue is open and nobody waits longer."""
    drop_when_called_in: bool = True
    """A customer who has called about the order since the job was made, or for whom a return, a search or a ticket was
    opened on a call, is not called about it. False: only the order system decides."""
    voicemail_message: bool = True
    """Leave one neutral message on the last attempt."""
    surveys_without_consent: bool = False
    """True calls for surveys without a recorded consent; see the law in docs/outbound.md first."""
    keep_days: int = Field(default=30, ge=1)
    """Names and numbers of jobs are deleted so many days after their end; the do-not-call list stays."""
    survey: SurveySelectionSettings = SurveySelectionSettings()
    triggers: TriggerSettings = TriggerSettings()
    polling: PollingSettings = PollingSettings()

    @field_validator("window")
    @classmethod
    def _real_window(cls, window: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        for day, parts in window.items():
            if day not in WEEKDAYS:
                raise ValueError(f"there is no weekday {day!r}; there are {', '.join(WEEKDAYS)}")
            for part in parts:
                parse_window(part)
        return window

    @field_validator("trunk")
    @classmethod
    def _template(cls, trunk: str) -> str:
        if trunk and _TRUNK.fullmatch(trunk) is None:
            raise ValueError("must hold {number} or {digits}: PJSIP/{number}@trunk or Local/{number}@from-internal")
        return trunk

    @model_validator(mode="after")
    def _whole(self) -> OutboundSettings:
        if not self.enabled:
            return self
        missing = [name for name in ("trunk", "trunk_channels") if not getattr(self, name)]
        if not self.endpoint:
            missing.append("trunk_endpoint")
        if any(not self.caller_id_of(purpose) for purpose in self.purposes):
            missing.append("caller_id")
        if missing:
            raise ValueError(f"enabled needs {', '.join(missing)} as well (docs/outbound.md)")
        return self

    @property
    def endpoint(self) -> str:
        """The endpoint whose channels are counted, ``PJSIP/trunk``; empty when it is not known."""
        technology, _, rest = self.trunk.partition("/")
        _, _, name = rest.partition("@")
        return self.trunk_endpoint or (
            f"{technology}/{name.partition('/')[0]}" if technology == "PJSIP" and name else ""
        )

    def caller_id_of(self, purpose: str) -> str:
        """The number that customers see on calls of a purpose; empty when none is set."""
        return next((number for name, number in self.caller_ids.items() if name == purpose), self.caller_id)

    def rules(self) -> DialRules:
        """What the dialler judges by."""
        return DialRules(
            hours=self.hours(),
            attempts=self.attempts,
            over_days=self.over_days,
            retry=timedelta(hours=self.retry_hours),
            busy_retry=timedelta(minutes=self.busy_retry_minutes),
            answered_a_day=self.answered_a_day,
            attempts_a_week=self.attempts_a_week,
            surveys_without_consent=self.surveys_without_consent,
        )

    def hours(self) -> dict[int, tuple[Window, ...]]:
        """Weekday (0 is Monday) -> windows."""
        return {WEEKDAYS.index(day): tuple(map(parse_window, parts)) for day, parts in self.window.items()}

    def call_hours(self) -> CallHours:
        """Windows and holidays as they are now. Raises OSError, and ValueError (``file:line: ...``)."""
        return CallHours(self.hours(), frozenset(self.holidays) | read_holidays(self.holidays_file))

    def job_times(self, shop: str, country: str) -> JobTimes:
        """How jobs follow from deliveries; ``country`` is the one whose national numbers are understood."""
        return JobTimes(
            shop,
            country,
            delivery_delay=timedelta(hours=self.delivery_delay_hours),
            delivery_expires=timedelta(days=self.delivery_expires_days),
            survey_delay=timedelta(hours=self.survey_delay_hours),
            survey_expires=timedelta(days=self.survey_expires_days),
        )

    def dialler_settings(self) -> DiallerSettings:
        """What the dialler needs besides."""
        return DiallerSettings(
            rules=self.rules(),
            purposes=self.purposes_in_use(),
            caller_ids={purpose: self.caller_id_of(purpose) for purpose in Purpose},
            trunk_channels=self.trunk_channels,
            reserve_channels=math.ceil(self.trunk_channels * self.reserve_percent / 100),
            max_outbound=self.max_outbound,
            seconds_between_calls=1 / self.calls_per_second,
            ring_seconds=self.ring_seconds,
            staff_wait_seconds=self.staff_wait_seconds,
            keep=timedelta(days=self.keep_days),
        )

    def purposes_taken_in(self) -> frozenset[Purpose]:
        """What deliveries make jobs for, also on a node that does not dial."""
        return frozenset(map(Purpose, self.purposes))

    def purposes_in_use(self) -> frozenset[Purpose]:
        """What customers are called for; none while it is off."""
        return self.purposes_taken_in() if self.enabled else frozenset()
