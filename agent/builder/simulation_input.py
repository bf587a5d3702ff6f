"""What a supervisor asks of a simulated call: how it comes in, and the caller's turns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from agent.dialog.contract import Event, HungUp, NoInput, QueueAvailability, TurnInput
from agent.dialog.tools.chat import heard_text
from agent.dialog.tools.text_call_model import DEFAULT_NOW, ScriptedJob

Words = Annotated[str, StringConstraints(max_length=1000)]
Name = Annotated[str, StringConstraints(max_length=100)]
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
"""Far beyond any call; at the ends of the calendar no zone can be applied."""
_CALLER_KEYS = ("say", "keys", "silence", "hangup")
_SERVICE_KEYS = ("answer", "result", "failed")


class CallSetup(BaseModel):
    """How a simulated call comes in, and how the world around it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    caller: Annotated[str, StringConstraints(pattern=r"^[+]?[0-9*#]{0,32}$")] = ""
    """The number it comes from."""
    now: datetime = DEFAULT_NOW
    """The shop's time; without a zone it is taken in the shop's."""
    entry: Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,40}$")] = ""
    """``inbound``, or one of the pack's ``entries``; ``outbound`` where there is a ``job``."""
    known: Annotated[dict[Name, tuple[Name, ...]], Field(max_length=20)] = {}
    """Number slot -> numbers that this caller may well mean."""
    outcomes: Annotated[dict[Name, Name], Field(max_length=100)] = {}
    """Service -> the choice that answers it; the call stops and asks at services without one."""
    queue: QueueAvailability | None = None
    """How the staff's queue stands; None: nobody asks."""
    survey: bool = False
    calls_back: bool = False
    second_facts: Annotated[tuple[Name, ...], Field(max_length=10)] = ("postcode", "phone", "email")
    outbound: ScriptedJob | None = None
    """What a call is for that we place."""

    @field_validator("now")
    @classmethod
    def _of_our_time(cls, now: datetime) -> datetime:
        if not _FIRST_YEAR <= now.year <= _LAST_YEAR:
            raise ValueError(f"the year is {_FIRST_YEAR} to {_LAST_YEAR}")
        return now


class CallerTurn(BaseModel):
    """One turn: exactly one thing that the caller does, or that a service answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    say: Words | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of every word; with ``say``."""
    alternatives: Annotated[tuple[Words, ...], Field(max_length=10)] = ()
    """Other readings, the best first; with ``say``."""
    keys: Annotated[str, StringConstraints(pattern=r"^[0-9*#]{1,40}$")] | None = None
    silence: Annotated[float, Field(ge=0, le=3600)] | None = None
    """Seconds."""
    hangup: bool | None = None
    answer: Name | None = None
    """The id of a choice of the service that is waited for."""
    result: dict[str, Any] | None = None
    """A result of one's own."""
    failed: Name | None = None
    """A failure's code, with its reason behind a dot."""

    @model_validator(mode="after")
    def _one_thing(self) -> CallerTurn:
        done = [name for name in (*_CALLER_KEYS, *_SERVICE_KEYS) if getattr(self, name) is not None]
        if len(done) != 1:
            raise ValueError(f"a turn is one of {', '.join((*_CALLER_KEYS, *_SERVICE_KEYS))}")
        if self.hangup is False:
            raise ValueError("hangup can only be true")
        if self.say is None and (self.confidence is not None or self.alternatives):
            raise ValueError("confidence and alternatives belong to say")
        if self.say is not None and not heard_text(self.say).text:
            raise ValueError('say holds no words; a caller who is silent is {"silence": 5}')
        return self

    @property
    def by_service(self) -> bool:
        """Whether it is a service that answers."""
        return any(getattr(self, name) is not None for name in _SERVICE_KEYS)

    def event(self) -> Event:
        """Return what the caller does, as the dialog takes it."""
        if self.say is not None:
            return heard_text(self.say, self.confidence, self.alternatives)
        if self.keys is not None:
            return TurnInput(keys=self.keys)
        return HungUp() if self.silence is None else NoInput(self.silence)

    def to_json(self) -> dict[str, Any]:
        """Return it as it was posted."""
        return self.model_dump(exclude_defaults=True, mode="json")
