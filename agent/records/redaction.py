"""Take what must not be kept out of a call's record: card numbers, phone numbers, postcodes. Pure and fast.

===================  ==================================================================  =======================
what                 how it is found                                                     in whose words
===================  ==================================================================  =======================
card numbers         13 digits or more, spoken or keyed (a misheard digit spoils the     the caller's
                     check digit, not the secret); the parts of one given over several
                     turns; three digits or more after "card", "security code", ...
                     13-19 digits with a right check digit                               everybody's
phone numbers        written in the usual shapes                                         everybody's
                     10 or 11 digits spoken or keyed                                     the caller's
the values of        whatever digits and letters answer the slot's question              the caller's
secret slots         the value wherever it turns up again (read-back, summary, facts)    everybody's
order numbers        kept, or cut to the last two digits if the policy says so           everybody's
===================  ==================================================================  =======================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.records.digit_runs import DigitRun, find_digit_runs
from agent.records.silent_spans import silent_spans

CARD = "[card number]"
PHONE = "[phone number]"

_CARD_WORDS = re.compile(
    r"\b(?:(?:credit|debit)?\s*card|visa|master\s?card|amex|american express|security code|c ?v ?[vc]2?)\b", re.I
)
_PHONES = re.compile(
    r"(?<![\w+])(?:"
    r"\+\d(?:[ ().-]{0,2}\d){7,14}"
    r"|(?:1[ .-]?)?\(?[2-9]\d\d\)?[ .-]?\d{3}[ .-]?\d{4}"
    r"|\d{3}[.-]\d{4}"
    r")(?![\w-])"
)
_WRITTEN_CARD = re.compile(r"(?<![\w.])\d(?:[ .-]?\d){12,40}(?!\w)")
_PAIR = re.compile(r"\b(\w+)=([^,;\s]+)")

_OWN_FIELDS = frozenset(
    {"id", "started_at", "trail", "edition", "understanding", "repeat_of", "continues", "job", "sound"}
)
"""Fields of a record that hold nothing of what was said: names of the pack's own, ids of our own."""
_OWN_KEY = "key"
"""Idempotency keys of effects: made of our own ids and digests, in which digits mean nothing."""
_CARD_LENGTHS = range(13, 20)
_SHORTEST_CARD_PART = 3
"""A security code."""
_SPOKEN_PHONE_LENGTHS = (10, 11)
_CARD_PARTS = frozenset({(4, 4, 4, 4), (8, 8), (4, 4, 8), (8, 4, 4), (4, 8, 4), (4, 12), (12, 4), (4, 6, 5)})
"""How many digits callers give at a time when they read a card out or key it in."""


@dataclass(frozen=True)
class RedactionPolicy:
    """What a call centre wants out of its records, beyond card numbers, which are never kept."""

    secret_slots: Mapping[str, str] = field(
        default_factory=lambda: {
            "postcode": "[postcode]",
            "zip": "[postcode]",
            "phone": PHONE,
            "phone_number": PHONE,
            "callback_number": PHONE,
        }
    )
    """Slot name -> what stands in its place."""
    order_slots: frozenset[str] = frozenset({"order_number"})
    keep_order_numbers: bool = True
    """False keeps the last two digits only."""
    keep_caller_number: bool = True
    """False cuts the caller's own number to its last two digits; call-backs then need the ticket."""


DEFAULT_POLICY = RedactionPolicy()


def redact_text(text: str, *, heard: bool = True, slot: str = "", policy: RedactionPolicy = DEFAULT_POLICY) -> str:
    """Return one text without card and phone numbers, for live transcripts and logs.

    ``heard`` says that the text is a recogniser's or the keypad's; ``slot`` is the slot the turn collected.
    """
    return _redact(text, _Secrets(), heard=heard, slot=slot, policy=policy)


def redact_named_values(values: Mapping[str, Any], policy: RedactionPolicy = DEFAULT_POLICY) -> dict[str, Any]:
    """Return what is kept of a request or an operation without secrets; names are places (``order.postcode``)."""
    nothing_known = _Secrets()
    return {name: _redact_named(value, name, nothing_known, policy) for name, value in values.items()}


def redact_record(record: Mapping[str, Any], policy: RedactionPolicy = DEFAULT_POLICY) -> dict[str, Any]:
    """Return a redacted copy of a record (the shape of ``call_record``). Never raises on JSON-like data."""
    held = record.get("turns")
    turns = [turn for turn in held if isinstance(turn, Mapping)] if isinstance(held, list | tuple) else []
    secrets = _Secrets.of(record, turns, policy)
    in_parts = _cards_in_parts(turns)
    result: dict[str, Any] = {}
    for name, value in record.items():
        if name == "turns":
            result[name] = [
                _redact_turn(turn, secrets, policy, card=position in in_parts) for position, turn in enumerate(turns)
            ]
        elif name == "caller" and isinstance(value, Mapping):
            kept = policy.keep_caller_number
            result[name] = {
                part: inner if kept or part != "number" else _last_two(str(inner)) for part, inner in value.items()
            }
        elif name in _OWN_FIELDS:
            result[name] = value  # ours, and a channel id may look like a number
        elif name == "facts" and isinstance(value, list | tuple):
            result[name] = [_redact_fact(fact, secrets, policy) for fact in value if isinstance(fact, Mapping)]
        elif name == "intents" and isinstance(value, list | tuple):
            result[name] = [_redact_intent(intent, secrets, policy) for intent in value if isinstance(intent, Mapping)]
        else:
            result[name] = _redact_any(value, name, secrets, policy)
    if isinstance(sound := record.get("sound"), Mapping):
        spans = silent_spans(turns, result.get("turns", ()), policy.secret_slots.keys())
        result["sound"] = {**sound, "silent": [*(sound.get("silent") or ()), *spans]}
    return result


@dataclass(frozen=True)
class _Secrets:
    """The digits and letters this call's secret and order slots held, in upper case without separators."""

    replacements: Mapping[str, str] = field(default_factory=dict)
    """Secret value -> what stands in its place."""
    orders: frozenset[str] = frozenset()

    @classmethod
    def of(cls, record: Mapping[str, Any], turns: Iterable[Mapping[str, Any]], policy: RedactionPolicy) -> _Secrets:
        slots = record.get("slots")
        pairs = list(slots.items()) if isinstance(slots, Mapping) else []
        for turn in turns:
            # Also what was understood wrongly at first: it was read back, and may be right.
            pairs += _PAIR.findall(str(turn.get("understood") or ""))
        secrets: dict[str, str] = {}
        orders: set[str] = set()
        for name, value in pairs:
            code = _code(str(value))
            if name in policy.order_slots:
                orders.add(code)
            elif name in policy.secret_slots and len(code) >= 3:
                secrets[code] = policy.secret_slots[name]
        return cls(secrets, frozenset(orders))


def _redact_named(value: Any, name: str, secrets: _Secrets, policy: RedactionPolicy) -> Any:
    """Redact a value kept under a place (``order.postcode``): the last part of it is its name."""
    return _redact_any(value, name.rpartition(".")[2], secrets, policy)


def _redact_fact(fact: Mapping[str, Any], secrets: _Secrets, policy: RedactionPolicy) -> dict[str, Any]:
    return {**fact, "value": _redact_named(fact.get("value"), str(fact.get("name") or ""), secrets, policy)}


def _redact_intent(intent: Mapping[str, Any], secrets: _Secrets, policy: RedactionPolicy) -> dict[str, Any]:
    about = intent.get("about")
    kept = about.items() if isinstance(about, Mapping) else ()
    return {**intent, "about": {str(name): _redact_named(value, str(name), secrets, policy) for name, value in kept}}


def _redact_turn(turn: Mapping[str, Any], secrets: _Secrets, policy: RedactionPolicy, *, card: bool) -> dict[str, Any]:
    slot = str(turn.get("slot") or "")
    result = dict(turn)
    for name in ("agent", "heard", "understood"):
        if isinstance(value := turn.get(name), str):
            heard = name == "heard"
            if card and heard:
                value = _replace(value, [(run, CARD) for run in find_digit_runs(value)])
            value = _PAIR.sub(lambda pair: _redact_pair(pair, policy), value)
            result[name] = _redact(value, secrets, heard=heard, slot=slot if heard else "", policy=policy)
    return result


def _redact_pair(pair: re.Match[str], policy: RedactionPolicy) -> str:
    name, value = pair.groups()
    if name in policy.secret_slots:
        return f"{name}={policy.secret_slots[name]}"
    if name in policy.order_slots and not policy.keep_order_numbers:
        return f"{name}={_last_two(value)}"
    return pair.group()


def _redact_any(value: Any, name: str, secrets: _Secrets, policy: RedactionPolicy) -> Any:
    if isinstance(value, Mapping):
        return {str(inner): _redact_any(held, str(inner), secrets, policy) for inner, held in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_any(inner, name, secrets, policy) for inner in value]
    if value is None or isinstance(value, bool | float) or name == _OWN_KEY:
        return value
    if name in policy.secret_slots:
        return policy.secret_slots[name]
    if name in policy.order_slots:
        return value if policy.keep_order_numbers else _last_two(str(value))
    if isinstance(value, int):
        text = str(value)
        redacted = _redact(text, secrets, heard=False, slot="", policy=policy)
        return value if redacted == text else redacted
    return _redact(str(value), secrets, heard=False, slot="", policy=policy)


def _redact(text: str, secrets: _Secrets, *, heard: bool, slot: str, policy: RedactionPolicy) -> str:
    text = _WRITTEN_CARD.sub(lambda found: CARD if _written_card(found.group()) else found.group(), text)
    text = _PHONES.sub(lambda found: found.group() if _code(found.group()) in secrets.orders else PHONE, text)
    spelled = find_digit_runs(text)
    if not spelled:
        return text
    card_talk = _CARD_WORDS.search(text) if heard else None
    marks = []
    for run in spelled:
        about_card = card_talk is not None and run.start >= card_talk.start()
        mark = _mark(run, secrets, heard=heard, slot=slot, about_card=about_card, policy=policy)
        if mark:
            marks.append((run, mark))
    return _replace(text, marks)


def _mark(
    run: DigitRun, secrets: _Secrets, *, heard: bool, slot: str, about_card: bool, policy: RedactionPolicy
) -> str | None:
    """Return what stands in for a run of digits and letters, or None to keep it."""
    length = len(run.digits)
    if heard and length >= _CARD_LENGTHS.start:
        return CARD
    if heard and slot in policy.secret_slots:
        return policy.secret_slots[slot]
    for form in (run.code, run.digits):
        if form in secrets.replacements:
            return secrets.replacements[form]
        if form in secrets.orders:
            return None if policy.keep_order_numbers else _last_two(form)
    for code, mark in secrets.replacements.items():
        if code in run.code:
            return mark
    if about_card and length >= _SHORTEST_CARD_PART:
        return CARD
    if not heard and length in _CARD_LENGTHS and luhn(run.digits):
        return CARD
    return PHONE if heard and length in _SPOKEN_PHONE_LENGTHS else None


def _written_card(text: str) -> bool:
    """Judge a long written number: alone as a whole, with gaps in every part (an expiry date may stand behind it)."""
    digits = "".join(character for character in text if character.isdecimal())
    if text.isdecimal():
        return len(digits) in _CARD_LENGTHS and luhn(digits)
    return any(
        luhn(digits[start : start + length])
        for length in _CARD_LENGTHS
        for start in range(len(digits) - length + 1)
        if digits[start] != "0"
    )


def _cards_in_parts(turns: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    """Return the positions of turns that, one after another, hold the parts of a card number."""
    digits = ["".join(run.digits for run in find_digit_runs(str(turn.get("heard") or ""))) for turn in turns]
    found: set[int] = set()
    for first in range(len(turns)):
        for last in range(first + 1, min(first + 4, len(turns))):
            parts = digits[first : last + 1]
            if tuple(map(len, parts)) in _CARD_PARTS and luhn("".join(parts)):
                found.update(range(first, last + 1))
    return frozenset(found)


def luhn(digits: str) -> bool:
    """Check a card number's last digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _replace(text: str, marks: Iterable[tuple[DigitRun, str]]) -> str:
    parts: list[str] = []
    position = 0
    for run, mark in marks:
        parts += (text[position : run.start], mark)
        position = run.end
    return "".join((*parts, text[position:]))


def _code(text: str) -> str:
    return "".join(character for character in text if character.isalnum()).upper()


def _last_two(text: str) -> str:
    code = _code(text)
    return f"[…{code[-2:]}]" if len(code) > 2 else "[…]"
