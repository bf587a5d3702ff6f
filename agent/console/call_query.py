"""The filter of the call log as it stands in an address: the same for pages, the API and exports."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Annotated

from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agent.console.numbers import LEAST_SEARCHED_DIGITS
from agent.console.rights import ConsolePerson, Right
from agent.errors import OrderlineError
from agent.history.filters import VALUE_KINDS, Bounds, CallFilter

Text = Annotated[str, StringConstraints(max_length=200)]
Texts = Annotated[tuple[Text, ...], Field(max_length=50)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Seconds = Annotated[float, Field(ge=0, le=10**6, allow_inf_nan=False)]
DEFAULT_DAYS = 7
"""Without a time a list is of these last days."""
MOST_LINES = 200


class InvalidQuery(OrderlineError):
    """An address, or a body, that asks for something that cannot be."""

    code = "query"


class CallQuery(BaseModel):
    """What calls are looked for. Lists: one of the values must be true; ``*`` stands for any characters."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    since: Text = Field(default="", alias="from")
    """``2026-11-01`` or ``2026-11-01T14:30``, in the shop's time; empty: the last seven days."""
    until: Text = Field(default="", alias="to")
    """A day is meant with all of it."""
    outcome: Texts = ()
    ended_by: Texts = ()
    asked: Texts = ()
    result: Texts = ()
    step: Texts = ()
    """``FLOW.STEP``."""
    reason: Texts = ()
    """Why a call was handed over."""
    queue: Texts = ()
    edition: Texts = ()
    fault: Texts = ()
    direction: Texts = ()
    purpose: Texts = ()
    fact: Texts = ()
    contained: Texts = ()
    solved: Texts = ()
    number: Texts = ()
    status: Texts = ()
    """Of an order that was looked up."""
    return_reason: Texts = ()
    promotion: Texts = ()
    standing: Texts = ()
    """Of the queue at a hand-over."""
    wait_ended: Texts = ()
    left: Texts = ()
    """The last step of a call, with the way it ended there: ``identify.postcode=hung_up``."""
    survey: Texts = ()
    listened: Texts = ()
    no_match: Texts = ()
    no_input: Texts = ()
    misheard: Text = ""
    """Words of an answer that was not understood."""
    order: Text = ""
    caller: Text = ""
    """The caller's number, or how it ends."""
    least_seconds: Seconds | None = None
    most_seconds: Seconds | None = None
    least_score: Annotated[int, Field(ge=0, le=99)] | None = None
    most_score: Annotated[int, Field(ge=0, le=99)] | None = None
    least_latency_ms: Count | None = None
    """Of the slowest response of a call."""
    most_latency_ms: Count | None = None
    least_wait_ms: Count | None = None
    """In the staff queue."""
    most_wait_ms: Count | None = None
    least_greeting_ms: Count | None = None
    most_greeting_ms: Count | None = None
    least_again_ms: Count | None = None
    """Until the same number called again on the same matter."""
    most_again_ms: Count | None = None
    also: Texts = ()
    """Second conditions of a kind: ``KIND:VALUE``, several values with ``|`` between them."""
    said: Text = ""
    """Words that were said by either side: all of them; ``"in a row"``; the beginning of ``one*``."""
    caller_said: Text = ""
    agent_said: Text = ""
    after: Annotated[str, StringConstraints(max_length=20)] = ""
    """``next`` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MOST_LINES)] = 50

    def told(self) -> dict[str, object]:
        """Return what was asked for, without what was not, for the audit and for links."""
        return self.model_dump(by_alias=True, exclude_defaults=True)

    def filter(
        self, person: ConsolePerson, now: dt.datetime, local: Callable[[dt.datetime], dt.datetime]
    ) -> CallFilter:
        """Return it as the index takes it. Raises :class:`InvalidQuery`.

        ``local(moment)`` gives a time without a zone the shop's.
        """
        if self.caller and not person.may(Right.NUMBERS):
            _check_whole_number(self.caller)
        since = _moment(self.since, local, end=False)
        if since is None:
            day = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            since = _ms(local(day - dt.timedelta(days=DEFAULT_DAYS - 1)))
        values = {kind: getattr(self, kind) for kind in VALUE_KINDS if getattr(self, kind, ())}
        if "fault" in values:
            values["fault"] = tuple(text if text == "any" or "*" in text else f"*{text}*" for text in values["fault"])
        return CallFilter(
            since_ms=since,
            until_ms=_moment(self.until, local, end=True),
            values=values,
            order=self.order,
            caller=self.caller,
            length_ms=Bounds(_times(self.least_seconds, 1000), _times(self.most_seconds, 1000)),
            score=Bounds(self.least_score, self.most_score),
            latency_ms=Bounds(self.least_latency_ms, self.most_latency_ms),
            wait_ms=Bounds(self.least_wait_ms, self.most_wait_ms),
            greeting_ms=Bounds(self.least_greeting_ms, self.most_greeting_ms),
            again_ms=Bounds(self.least_again_ms, self.most_again_ms),
            also=tuple(map(_second, self.also)),
            said=self.said,
            caller_said=self.caller_said,
            agent_said=self.agent_said,
            misheard=self.misheard,
        )


def read_query(model: type[BaseModel], query: MultiMapping[str]) -> BaseModel:
    """Read an address's query by a model. Raises :class:`InvalidQuery`, which names every mistake."""
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    given: dict[str, object] = {}
    for name in dict.fromkeys(query.keys()):
        values = query.getall(name)
        field = names.get(name)
        if field is not None and isinstance(field.default, tuple):
            given[name] = tuple(values)
        elif len(values) > 1:
            raise InvalidQuery(f"{name} stands {len(values)} times, and can stand once.")
        else:
            given[name] = values[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidQuery("; ".join(mistakes(error))) from error


def mistakes(error: ValidationError) -> Iterator[str]:
    """Yield what is wrong, each with its place, without the values."""
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        yield f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}"


def scoped(wanted: CallFilter, person: ConsolePerson) -> CallFilter:
    """Return a filter that asks for no queues but those of somebody's scopes, where these are queues alone.

    What it cannot say (dialled numbers) is left to :meth:`ConsolePerson.sees` for each call.
    """
    queues = tuple(scope.value for scope in person.scopes if scope.kind == "queue")
    if not person.scopes or len(queues) < len(person.scopes):
        return wanted
    asked = wanted.values.get("queue", ())
    left = tuple(queue for queue in queues if not asked or queue in asked) or ("\0none",)
    return dataclasses.replace(wanted, values={**wanted.values, "queue": left})


def _check_whole_number(number: str) -> None:
    if sum(one.isdigit() for one in number) < LEAST_SEARCHED_DIGITS:
        raise InvalidQuery(f"caller: give the whole number; {LEAST_SEARCHED_DIGITS} digits at least with your rights")


def _moment(text: str, local: Callable[[dt.datetime], dt.datetime], *, end: bool) -> int | None:
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        if end and len(text) <= len("2026-11-01"):
            moment += dt.timedelta(days=1)
        return _ms(moment if moment.tzinfo is not None else local(moment))
    except (ValueError, OverflowError) as error:
        raise InvalidQuery(f"{text!r} is no time: write 2026-11-01 or 2026-11-01T14:30") from error


def _ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


def _second(text: str) -> tuple[str, tuple[str, ...]]:
    kind, colon, values = text.partition(":")
    if kind not in VALUE_KINDS or not colon or not values:
        raise InvalidQuery(f"also: {text!r} is no KIND:VALUE")
    return kind, tuple(values.split("|"))


def _times(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)
