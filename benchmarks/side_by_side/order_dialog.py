"""Dialog of the rival bot: asks for number and postcode, tells the status. Pure; as small as samples are.

It is made with good will: digits as words, "oh", "double", teens and tens are understood, a number is read back, "no"
goes back to it, three misunderstandings, silences or refused look-ups in a row lead to a person. It has neither
confidences nor a number that is put together from several answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SHOP = "Maple and Finch"
LENGTH = 5
"""Digits of an order number, and of a postcode."""
TRIES = 3

_UNITS = {"zero": 0, "oh": 0, "o": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
          "eight": 8, "nine": 9}  # fmt: skip
_TEENS = {"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
          "seventeen": 17, "eighteen": 18, "nineteen": 19}  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
         "ninety": 90}  # fmt: skip
_TIMES = {"double": 2, "triple": 3}
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_PERSON = {"agent", "person", "human", "representative", "operator", "somebody", "someone"}
_REQUEST = {"order", "package", "parcel", "track", "tracking", "status", "delivery"}
_NO = {"no", "nope", "not", "wrong"}
_DONE = {"no", "nope", "nothing", "bye", "goodbye", "all"}
_WAIT = {"hold", "wait", "moment", "second", "minute"}

NUMBER_WORDS = tuple(word for word in (*_UNITS, *_TEENS, *_TENS, *_TIMES) if word != "o")
_NUMBER_PHRASES = (*NUMBER_WORDS, "no", "it's", "agent", "operator", "hold on", "moment")
PHRASES: dict[str, tuple[str, ...]] = {
    "request": (
        "where is my order", "where's my order", "track my order", "where is my package", "order status",
        "i want to know where my order is", "an agent", "agent", "talk to a person", "person", "operator",
        "representative",
    ),
    "number": _NUMBER_PHRASES,
    "postcode": _NUMBER_PHRASES,
    "more": ("no", "no thanks", "no thank you", "nothing", "that's all", "no that's all", "that's all thanks", "bye",
             "goodbye", "yes", "where is my order", "track my order", "agent", "talk to a person"),
}  # fmt: skip
"""What the variant with a grammar listens for in each state.

Words that sound like digits ("to", "for", "a") are kept out of the grammar for numbers, and so are phrases with them.
Of 30 numbers in three voices 27 are recognised with it, 22 with whole sentences in it, 26 with the whole vocabulary.
"""


@dataclass(frozen=True)
class BotReply:
    """What the bot does next: says something, then listens, looks up, or ends the call."""

    text: str
    prompt: str
    """What kind of prompt it is, with the names that scripted callers know from Orderline."""
    then: str = "listen"
    """``listen``, ``look_up``, ``goodbye`` or ``person``."""


_QUESTIONS = {
    "request": "How can I help?",
    "number": "What's the order number?",
    "postcode": "What's the postcode?",
    "more": "Is there anything else?",
}


class OrderDialog:
    """One call's dialog. Every method returns what to do next."""

    def __init__(self) -> None:
        self.state = "request"
        """What is asked: ``request``, ``number``, ``postcode`` or ``more``."""
        self.number = ""
        self.postcode = ""
        self._failures = 0
        self._refusals = 0

    @property
    def takes_keys(self) -> int:
        """How many keys answer the present question; fewer do when no more come."""
        return LENGTH if self.state != "more" else 1

    @property
    def phrases(self) -> list[str]:
        """What a grammar for the present question holds."""
        return [*dict.fromkeys(PHRASES[self.state]), "[unk]"]

    def greet(self) -> BotReply:
        """Begin."""
        return BotReply(f"Thanks for calling {SHOP}. How can I help?", "greeting")

    def heard(self, text: str) -> BotReply:
        """Take a recognised utterance."""
        words = set(re.findall(r"[a-z']+", text.lower()))
        digits = digits_in(text)
        if words & _PERSON:
            return _person("Sure, I'll get you a person.")
        if self.state == "request":
            if len(digits) == LENGTH:
                return self._take_number(digits)
            return self._ask("number") if words & _REQUEST else self._misunderstood("nomatch")
        if self.state == "more":
            if words & _DONE:
                return BotReply(f"Thanks for calling {SHOP}. Goodbye.", "goodbye", "goodbye")
            return self._ask("number") if words & _REQUEST else self._misunderstood("nomatch")
        if words & _WAIT:
            return BotReply("Okay, take your time.", "wait")
        if self.state == "number":
            return self._take_number(digits) if len(digits) == LENGTH else self._misunderstood("nomatch")
        if words & _NO:
            return self._take_number(digits) if len(digits) == LENGTH else self._ask("number", "ask_again")
        return self._take_postcode(digits) if len(digits) == LENGTH else self._misunderstood("nomatch")

    def keyed(self, keys: str) -> BotReply:
        """Take pressed keys."""
        if keys == "0":
            return _person("Sure, I'll get you a person.")
        if self.state == "more" or len(keys) != LENGTH:
            return self._misunderstood("nomatch")
        return self._take_postcode(keys) if self.state == "postcode" else self._take_number(keys, read_back=False)

    def silent(self) -> BotReply:
        """Take note that nothing was said."""
        return self._misunderstood("noinput")

    def found(self, status: str) -> BotReply:
        """Go on with what the look-up found, a whole sentence."""
        self.state, self._refusals = "more", 0
        return BotReply(f"{status} {_QUESTIONS['more']}", "status")

    def not_found(self) -> BotReply:
        """Go on when number and postcode belong to no order."""
        self._refusals += 1
        if self._refusals >= TRIES:
            return _person("I can't find it. Let me get you a person.")
        self.state = "number"
        return BotReply(f"I couldn't match that number with that postcode. {_QUESTIONS['number']}", "not_matched")

    def _ask(self, state: str, prompt: str = "ask") -> BotReply:
        self.state, self._failures = state, 0
        return BotReply(_QUESTIONS[state], prompt)

    def _take_number(self, digits: str, *, read_back: bool = True) -> BotReply:
        self.number = digits
        asked = self._ask("postcode")
        return BotReply(f"Order {spoken(digits)}. {asked.text}", "confirm_number") if read_back else asked

    def _take_postcode(self, digits: str) -> BotReply:
        self.postcode, self._failures = digits, 0
        return BotReply("", "", "look_up")

    def _misunderstood(self, kind: str) -> BotReply:
        self._failures += 1
        if self._failures >= TRIES:
            return _person("Let me get you a person.")
        sorry = "Sorry, I didn't get that." if kind == "nomatch" else "Sorry, I can't hear you."
        return BotReply(f"{sorry} {_QUESTIONS[self.state]}", kind)


def _person(text: str) -> BotReply:
    return BotReply(text, "handover", "person")


def digits_in(text: str) -> str:
    """Return the digits of spoken numbers in a text: "ten four seventy three" is 10473, "double four" is 44."""
    found, times, ten = "", 1, False
    for word in re.findall(r"[a-z']+|\d", text.lower()):
        unit = int(word) if word.isdigit() else _UNITS.get(word)
        if unit is not None:
            # "seventy" has left "70" behind: its zero makes room.
            found = found[:-1] + str(unit) if ten and unit else found + str(unit) * times
            times, ten = 1, False
        elif word in _TEENS or word in _TENS:
            found += str(_TEENS.get(word) or _TENS[word])
            times, ten = 1, word in _TENS
        else:
            times, ten = _TIMES.get(word, 1), False
    return found


def spoken(digits: str) -> str:
    """Return digits as they are read out, in groups of three and the rest: "one zero four, seven three"."""
    names = [_NAMES[int(digit)] for digit in digits]
    return ", ".join(" ".join(names[start : start + 3]) for start in range(0, len(names), 3))
