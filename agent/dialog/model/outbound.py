"""The typed model of a pack's ``outbound`` section: calls that the shop places, and how their opening goes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.dialog.model.base import FileModel, Texts

RIGHT_PERSON_SAYS = "yes"
"""The value of the slot ``right_person`` that lets the matter be told."""


class OutboundPrompts(FileModel):
    """What is said where no person answers; names of prompts, or the words."""

    screener: Texts
    """To whatever asks who is calling: shop and purpose, without a name."""
    message: Texts
    """On a voicemail, where a message is left: nothing that only the right person may hear."""


class OutboundCalls(FileModel):
    """Calls that the shop places, and calls of those who ring back."""

    flows: dict[str, str] = Field(min_length=1)
    """Purpose (``delivery``, ``survey``, ``callback``) -> the flow its calls begin with."""
    rings_back: str = ""
    """The flow of a call from somebody whom we tried to reach."""
    right_person: str
    """The choice slot that asks for the right person; ``yes`` is the value that says so."""
    private: tuple[str, ...] = ()
    """Slots and variables that hold what only the right person may hear, besides ``matter``. No step before their
    ``yes`` can say them: ``orderline flows check`` proves it."""
    private_words: Texts = ()
    """Words that no step before it may say either: ``parcel``, ``order``, ``refund``."""
    anytime: tuple[str, ...] = ()
    """Answers of the knowledge file that anybody who answers may have: who is calling, what for."""
    stop: str
    """The flow of "stop calling me", and of key 9."""
    stop_sure: str = ""
    """The slot that it asks where that was heard badly; its value is ``yes`` where it was heard well."""
    outcome: str
    """The variable with what came of the call, a word."""
    appointment: str = ""
    """The variable with the time to call again, ISO 8601."""
    keeps: tuple[str, ...] = ()
    """Slots and variables that the record keeps of the call besides."""
    greetings: Texts = ()
    """What people answer a telephone with; listened for, not understood."""
    machines: dict[Literal["voicemail", "screener", "ivr"], Texts] = {}
    """Pieces of what voicemails, call screeners and menus say. Whole phrases without ``~``."""
    says: OutboundPrompts
    """What is said where no person answers."""
