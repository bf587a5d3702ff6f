"""Answers to searches found by looking at every call, for tests of the index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.history.facts import FinishedCall, call_facts, order_key
from agent.history.filters import Bounds, CallFilter
from agent.history.words import Term, search_terms


def by_time(records: Iterable[Mapping[str, Any]]) -> list[FinishedCall]:
    """Return what is known of calls, the latest first. All must have a beginning."""
    return sorted((call_facts(record, 0) for record in records), key=lambda facts: facts.first_seq, reverse=True)


def fulfilling(every: Iterable[FinishedCall], wanted: CallFilter) -> list[str]:
    """Return the ids of the calls that fulfil a filter."""
    return [facts.id for facts in every if _fulfils(facts, wanted)]


def _fulfils(facts: FinishedCall, wanted: CallFilter) -> bool:
    return (
        (wanted.since_ms is None or facts.started_ms >= wanted.since_ms)
        and (wanted.until_ms is None or facts.started_ms < wanted.until_ms)
        and all(_has(facts, kind, values) for kind, values in (*wanted.values.items(), *wanted.also) if values)
        and (not wanted.order or order_key(wanted.order) in facts.orders)
        and (not wanted.caller or _rings_from(_digits(facts.caller), _digits(wanted.caller)))
        and _lies_in(facts.duration_ms, wanted.length_ms)
        and _lies_in(facts.score, wanted.score)
        and _lies_in(facts.latency_ms, wanted.latency_ms)
        and _lies_in(facts.wait_ms, wanted.wait_ms)
        and _lies_in(facts.greeting_ms, wanted.greeting_ms)
        and (not wanted.misheard or any(heard == wanted.misheard for _, heard in facts.misheard))
        and all(_said([facts.caller_words, facts.agent_words], term) for term in _terms(wanted.said))
        and all(_said([facts.caller_words], term) for term in _terms(wanted.caller_said))
        and all(_said([facts.agent_words], term) for term in _terms(wanted.agent_said))
    )


def _has(facts: FinishedCall, kind: str, values: Sequence[str]) -> bool:
    own = [value for own_kind, value in facts.values if own_kind == kind]
    patterns = [_pattern(value) for value in values]
    return any(pattern.fullmatch(one) for one in own for pattern in patterns)


def _pattern(value: str) -> re.Pattern[str]:
    if value.startswith("="):
        return re.compile(re.escape(value[1:]))
    return re.compile(".*".join(map(re.escape, value.split("*"))), re.IGNORECASE | re.DOTALL)


def _rings_from(number: str, wanted: str) -> bool:
    return number.endswith(wanted) or (len(number) >= 7 and wanted.endswith(number))


def _lies_in(value: int | None, span: Bounds) -> bool:
    if not span:
        return True
    return (
        value is not None and (span.least is None or value >= span.least) and (span.most is None or value <= span.most)
    )


def _terms(query: str) -> Sequence[Term]:
    return search_terms(query) if query else ()


def _said(sides: Iterable[Sequence[str]], term: Term) -> bool:
    return any(_phrase_at(side, term, place) for side in sides for place in range(len(side)))


def _phrase_at(words: Sequence[str], term: Term, place: int) -> bool:
    found = tuple(words[place : place + len(term.words)])
    if len(found) < len(term.words) or found[:-1] != term.words[:-1]:
        return False
    return found[-1].startswith(term.words[-1]) if term.prefix else found[-1] == term.words[-1]


def _digits(number: str) -> str:
    return "".join(one for one in number if "0" <= one <= "9")
