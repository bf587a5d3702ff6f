"""Types of the cases of calls to customers, and the words their customers say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.faults.fault_case import CaseFindings
from benchmarks.outbound_faults.testbed import OutboundTestbed

FIRST_WORD_SECONDS = 2.0
"""From the end of the greeting, or from the answer where nothing is said, to the first word: the requirement."""
SILENCE_SECONDS = 5.0
"""Nobody is left in silence for longer, whatever breaks."""
OPENING = r"am i speaking with"
WHO, WELL, ELSE = r"am i speaking with", r"good order", r"anything else|else i can|something else"
CONTENT = r"\b(order|parcel|package|refund|return|item|10437|58124|36190)\b"
"""Words that nobody but the right person hears."""
HAPPY = {WHO: "yes this is james", WELL: "yes everything is fine", ELSE: "no thanks", r"press one": "keys:1"}
"""A customer with whom all is well; misheard twice, they press the key they are offered."""

RunOutboundCase = Callable[[OutboundTestbed, CaseFindings], Awaitable[None]]


@dataclass(frozen=True)
class OutboundCase:
    """One hard case. ``row`` is its number in the list of them."""

    row: int
    name: str
    what: str
    run: RunOutboundCase
    customers: int = 1
    """Telephones that ring in each run, for counting."""
    times: int = 1
    settles: bool = True
    """False: it leaves attempts to be settled by nobody."""
