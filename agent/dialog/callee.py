"""Who answers a call that we placed: what is listened for while nobody knows, what was found, what came of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

CalleeKind = Literal["machine", "screener", "ivr", "fax", "unclear"]
"""``machine``: voicemail, ready for a message; ``screener``: something asks who is calling; ``ivr``: a menu; ``fax``: a
fax or a modem; ``unclear``: perhaps a machine, and nobody said anything more."""
PhraseKind = Literal["voicemail", "screener", "ivr"]
Reached = Literal["", "person", "right_person", "wrong_number", "voicemail", "screener", "ivr", "fax", "silent"]
"""Who or what answered; ``person``: somebody, whether the right one was not found out; ``""``: nobody knows."""


@dataclass(frozen=True)
class CalleeWatch:
    """What to look out for in a turn while it is not known who answers."""

    phrases: Mapping[PhraseKind, tuple[str, ...]]
    """What machines say, by kind: pieces of their sentences, lower case."""
    greeting: bool = False
    """True where we have not spoken yet: the callee's greeting is waited for, and its end is the end of the turn."""
    leaves_message: bool = False
    """True where a voicemail is reported when it can be spoken to (its tone, or silence); at once otherwise."""


@dataclass(frozen=True)
class CalleeReport:
    """No person answers. May take the place of an answer in any turn with a :class:`CalleeWatch`."""

    kind: CalleeKind


@dataclass(frozen=True)
class OutboundStory:
    """What came of a call that we placed, or of one whose caller rang back."""

    reached: Reached = ""
    outcome: str = ""
    """A word of the procedures (``completed``, ``later``, ...); ``""`` where none said one."""
    appointment: str = ""
    """When to call again, ISO 8601 local time; ``""`` for no time."""
    message_left: bool = False
    details: Mapping[str, object] = field(default_factory=dict)
    """What the pack's ``outbound: keeps`` names, as far as it is known."""
