"""The filters of prompts: how what the business systems hold is said, in the language of the pack."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping

from agent.dialog.numbers.format import NumberFormat, NumberFormatError
from agent.languages.language import Language, SpokenForms


def filters(now: dt.datetime, language: Language) -> Mapping[str, Callable[..., str]]:
    """Return the functions prompts use, by the name they have there; ``now`` is the shop's local time."""
    spoken, today = language.spoken, now.date()
    return {
        "groups": spoken.spoken_digits,
        "day": lambda value: spoken.day(value, today),
        "window": spoken.window,
        "clock": spoken.clock,
        "money": spoken.money,
        "ordinal": spoken.ordinal,
        "count": spoken.count,
        "place": spoken.place,
        "listing": spoken.listing,
        "items": spoken.items,
        "clean": spoken.clean,
        "shape": lambda pattern: _shape(pattern, spoken),
        "enter": lambda pattern: spoken.enter(_shape(pattern, spoken), re.search("[AX]", str(pattern)) is not None),
    }


def _shape(pattern: object, spoken: SpokenForms) -> str:
    """Say what a number of this format is made of (``AA-99999``): "two letters and five digits"."""
    try:
        return spoken.makeup(NumberFormat(str(pattern)).makeup)
    except NumberFormatError:
        return spoken.clean(pattern)
