"""The typed model of the knowledge file: answers to questions, and promotions, as the shop's staff write them."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from agent.dialog.model.base import FileModel, Texts


class KnowledgeAnswer(FileModel):
    """What the agent knows about a topic."""

    ask: Texts
    """How callers ask for it."""
    says: str
    """What they are told."""
    examples: Texts = ()
    """The same question in callers' own words: what the acceptance score is fitted from."""
    about: str = ""
    """What it is, in words for a question to the caller and for staff: "about the opening hours". The topic's id when
    empty."""


class Promotion(FileModel):
    """An offer with its rules."""

    name: str
    """As it is said: ``the autumn sale``."""
    says: str
    """What the caller is told about it."""
    spoken: Texts
    """How callers name it or say its code (``autumn twenty``)."""
    examples: Texts = ()
    """Whole questions about it in callers' own words: what the acceptance score is fitted from."""
    code: str = ""
    """The code to be entered: ``AUTUMN20``."""
    starts: date | None = None
    """The first day it is valid."""
    ends: date | None = None
    """The last day it is valid."""
    minimum: float | None = Field(default=None, gt=0)
    """Least amount of an order, in the shop's currency."""
    first_order: bool = False
    """Only for a first order."""
    tiers: Texts = ()
    """Only for these loyalty tiers."""
    once: bool = False
    """Only once for a customer."""


class Knowledge(FileModel):
    """What the shop's staff edit: promotions, opening hours, policies. Edits count from the next call on."""

    answers: dict[str, KnowledgeAnswer] = {}
    """Topic -> what is known about it."""
    promotions: dict[str, Promotion] = {}
    """Offers by id."""
