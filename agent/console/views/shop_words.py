"""Promotions and answers as lists. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from agent.console.views import formats, labels
from agent.console.views.labels import Label
from agent.dialog.model.knowledge_file import Knowledge, Promotion
from agent.dialog.model.model import PackFile


@dataclass(frozen=True)
class PromotionRow:
    """One offer."""

    name: str
    code: str
    state: Label
    days: str
    rules: str
    says: str


@dataclass(frozen=True)
class AnswerRow:
    """One thing the agent knows."""

    topic: str
    ask: tuple[str, ...]
    says: str


def promotion_rows(contents: PackFile, today: dt.date) -> tuple[PromotionRow, ...]:
    """Return the offers: those of today first, then those to come, then those that are over."""
    rows = [(_rank(offer, today), offer) for offer in _knowledge(contents).promotions.values()]
    return tuple(_promotion(offer, rank) for rank, offer in sorted(rows, key=lambda row: (row[0], row[1].name)))


def answer_rows(contents: PackFile) -> tuple[AnswerRow, ...]:
    """Return the answers by topic."""
    answers = _knowledge(contents).answers
    return tuple(AnswerRow(one.about or labels.humanise(topic), one.ask, one.says) for topic, one in answers.items())


def _knowledge(contents: PackFile) -> Knowledge:
    return contents.knowledge or Knowledge()


def _rank(offer: Promotion, today: dt.date) -> int:
    if offer.starts is not None and offer.starts > today:
        return 1
    return 2 if offer.ends is not None and offer.ends < today else 0


def _promotion(offer: Promotion, rank: int) -> PromotionRow:
    state = (Label("Valid now", labels.GOOD), Label("To come", labels.NOTE), Label("Over"))[rank]
    rules = []
    if offer.minimum:
        rules.append(f"orders of {offer.minimum:g} or more")
    if offer.first_order:
        rules.append("first order only")
    if offer.tiers:
        rules.append(f"tiers {', '.join(offer.tiers)}")
    if offer.once:
        rules.append("once a customer")
    return PromotionRow(offer.name, offer.code, state, _days(offer), ", ".join(rules) or "no conditions", offer.says)


def _days(offer: Promotion) -> str:
    since, until = offer.starts and formats.day(offer.starts), offer.ends and formats.day(offer.ends)
    if since and until:
        return f"{since} to {until}"
    return f"from {since}" if since else f"until {until}" if until else "always"
