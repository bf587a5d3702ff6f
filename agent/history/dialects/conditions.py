"""The conditions of a search that both databases write alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, or_

from agent.history.dialects.base import Conditions, shorter_numbers
from agent.history.filters import Bounds

Column = ColumnElement[Any]


def within(column: Column, wanted: Conditions) -> Iterator[ColumnElement[bool]]:
    """Yield what bounds the time of a call, for a column that holds its place."""
    if wanted.first_seq is not None:
        yield column >= wanted.first_seq
    if wanted.before_seq is not None:
        yield column < wanted.before_seq
    if wanted.among:
        yield column.in_(wanted.among)


def caller_is(column: Column, digits: str) -> ColumnElement[bool]:
    """A number (last digit first) ends with these digits, or is the end of the number that was asked for."""
    return or_(*caller_conditions(column, digits))


def caller_conditions(column: Column, digits: str) -> list[ColumnElement[bool]]:
    """The conditions of :func:`caller_is`, at least one of which must be true; no number fulfils two."""
    ends = (column >= digits) & (column < digits + ":")  # the character after 9
    shorter = shorter_numbers(digits)
    return [ends, column.in_(shorter)] if shorter else [ends]


def in_bounds(column: Column, span: Bounds) -> ColumnElement[bool]:
    """A number lies in a span."""
    if span.least is None:
        return column <= span.most
    if span.most is None:
        return column >= span.least
    return column.between(span.least, span.most)
