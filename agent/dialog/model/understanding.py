"""The typed model of how open requests are understood: sentences nobody serves, and the score's thresholds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from agent.dialog.model.base import FileModel, Texts

Share = Annotated[float, Field(ge=0, le=1)]
"""An acceptance score: 0 for certainly not what was meant, 1 for certainly."""


class Thresholds(FileModel):
    """From which score on a request in a caller's own words is acted on, asked about, or offered as a choice."""

    act: Share = 0.75
    """Done at once; the first question echoes what was understood."""
    confirm: Share = 0.35
    """A topic that nobody serves is taken for one. Nothing below it keeps other requests from being asked about."""
    choose: Share = 0.12
    """Worth asking about: a yes/no question for one request, "A or B?" for two that are nearly as likely. Below it the
    caller is asked to say it again."""


class UnderstandingSettings(Thresholds):
    """The thresholds of typed text, and of recognisers that hear differently."""

    recognizers: dict[str, Thresholds] = {}
    """Name of a recogniser -> its thresholds."""
    person: str = "to talk to a person"
    """What asking for a person is, in words for a question to the caller and for staff."""


class UnservedRequests(FileModel):
    """Sentences that no procedure serves."""

    examples: Texts = Field(min_length=1)
    """What callers say; written like phrases."""
    topic: str = ""
    """What it is, in words for the caller and for staff: "a job with us". Such a call goes to a person at the first
    try. Without a topic the caller is asked again, as for anything that was not understood."""


def _as_group(value: Any) -> Any:
    """Let plain sentences stand for a group without a topic."""
    return {"examples": value} if isinstance(value, (str, list)) else value


UnservedGroup = Annotated[
    UnservedRequests, BeforeValidator(_as_group, json_schema_input_type=str | tuple[str, ...] | UnservedRequests)
]
