"""Decides how a cooperative caller answers a read-back or a repeated question: yes, no or again. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from agent.dialog.numbers.capture import understand
from agent.dialog.numbers.format import NumberFormat, symbols_of
from agent.languages.en.numbers import NUMBERS

Reaction = Literal["yes", "no", "again", ""]
MOST_REPAIRS = 4
"""A caller who has been asked back so often in one place has had enough."""

_READ_BACK = re.compile(r"(.+\.)?confirm_prompt|confirm_number|confirm_request|confirm_numbered_request")
_AGAIN = re.compile(r"(.+\.)?(nomatch|noinput)([._]\d+)?|ask_again|go_on|not_that|still_there|not_matched")


def reaction(prompts: Sequence[str], text: str, said: str) -> Reaction:
    """Return what to answer to the agent's last words, ``""`` when they ask for nothing but what comes next anyway.

    ``prompts`` are the ids of what it said, ``text`` the words, ``said`` what the caller had said or keyed before.
    """
    if any(_READ_BACK.fullmatch(prompt) for prompt in prompts):
        return "yes" if _same_number(text, said) else "no"
    return "again" if any(_AGAIN.fullmatch(prompt) for prompt in prompts) else ""


def _same_number(read_back: str, said: str) -> bool:
    """Tell whether the number read back is the one that was said. Words without a number are only a request."""
    heard = _number_in(read_back)
    if not heard:
        return True
    meant = understand(said, NumberFormat("X" * len(heard)), vocabulary=NUMBERS)
    found = {symbols_of(value) for value in (meant.value, *meant.alternatives) if value is not None}
    return heard in found


def _number_in(text: str) -> str:
    """Return the longest run of digits and letters spelt out one by one: the number in "I heard one zero four, ..."."""
    digits = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
              "eight": "8", "nine": "9"}  # fmt: skip
    runs = [""]
    for word in re.findall(r"[A-Za-z']+", text):
        symbol = digits.get(word.lower()) or (word if len(word) == 1 and word.isupper() and word != "I" else "")
        if symbol:
            runs[-1] += symbol
        elif runs[-1]:
            runs.append("")
    return max(runs, key=len)


__all__ = ["MOST_REPAIRS", "Reaction", "reaction"]
