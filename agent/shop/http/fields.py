"""Reads the fields of an answer: JMESPath, patterns, word lists, dates, amounts. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError

from agent.shop.http.mapping import FieldSpec
from agent.shop.http.templates import RequestTemplates

MAX_MATCHED_CHARS = 10_000
_PATH_ERRORS = (JMESPathError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError, AttributeError)


class FieldError(Exception):
    """A field cannot be read; the text names what, never a value."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class OddField:
    """A field of an answer that does not fit and is taken as not known."""

    field: str
    """``items[1].quantity``."""
    message: str
    """What is wrong with it; never a value."""


def search(path: str, document: Any) -> Any:
    """Evaluate a JMESPath; what cannot be evaluated over this document (a function over nothing) gives None."""
    try:
        return jmespath.search(path, document)
    except _PATH_ERRORS:
        return None


def is_true(path: str, document: Any) -> bool:
    """Return whether a JMESPath gives anything but null, false and empty."""
    found = search(path, document)
    return found is True or (not isinstance(found, bool) and found not in (None, "", [], {}))


def keys_of(document: Any) -> str:
    """Describe a document by its keys alone, for whoever has to put a path right."""
    if isinstance(document, Mapping):
        shown = [str(key)[:40] for key in list(document)[:25]]
        return f"the keys there: {', '.join(shown) or 'none'}"
    if isinstance(document, list):
        first = f"; in the first, {keys_of(document[0])}" if document and isinstance(document[0], Mapping) else ""
        return f"there is a list of {len(document)}{first}"
    return "there is nothing" if document is None else f"there is a {type(document).__name__}"


class FieldReader:
    """Reads fields of one system's answers."""

    def __init__(self, templates: RequestTemplates, zone: dt.tzinfo) -> None:
        """``zone`` is where days are told in."""
        self._templates = templates
        self._zone = zone

    def read_all(
        self,
        fields: Mapping[str, FieldSpec],
        document: Any,
        context: Mapping[str, Any],
        at: str = "",
        odd: list[OddField] | None = None,
    ) -> dict[str, Any]:
        """Return the raw values by field name; those that are not there are left out.

        With ``odd`` a field that cannot be read is left out too and noted there; without, FieldError is raised.
        """
        found: dict[str, Any] = {}
        for name, spec in fields.items():
            try:
                value = self.read(spec, document, context, f"{at}{name}", odd)
            except FieldError as error:
                if odd is None:
                    raise
                odd.append(OddField(error.field, error.message))
                continue
            if value is not None:
                found[name] = value
        return found

    def read(
        self,
        spec: FieldSpec,
        document: Any,
        context: Mapping[str, Any],
        at: str,
        odd: list[OddField] | None = None,
    ) -> Any:
        """Return one raw value, None when it is not there; ``odd`` as in :meth:`read_all`. Raises FieldError."""
        if spec.items is not None and spec.fields is not None:
            return self._list(spec.items, spec.fields, document, context, at, odd)
        if spec.value is not None:
            value: Any = self._templates.text(spec.value, context)
        else:
            value = search(spec.path, document) if spec.path is not None else None
        if spec.match is not None:
            value = _matched(spec.match, value)
        if spec.words is not None:
            if odd is not None and spec.default is not None and _is_strange(spec.words, value):
                odd.append(OddField(at, "has a word that 'map' does not have; the default is taken"))
            value = self._in_our_words(spec.words, spec.default, value, at)
        if value is None or value == "":
            value = spec.default
        if value is None or value == "":
            return value
        if spec.divide is not None:
            value = _divided(value, spec.divide, at)
        if spec.format is not None or spec.timezone is not None:
            value = _moment(value, spec.format, ZoneInfo(spec.timezone) if spec.timezone else self._zone, at)
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            value = value.astimezone(self._zone)
        return value

    def _list(
        self,
        path: str,
        fields: Mapping[str, FieldSpec],
        document: Any,
        context: Mapping[str, Any],
        at: str,
        odd: list[OddField] | None,
    ) -> list[dict[str, Any]] | None:
        found = search(path, document)
        if found is None:
            return None
        if not isinstance(found, list):
            raise FieldError(at, f"{path!r} gives no list but a {type(found).__name__}")
        return [
            self.read_all(fields, one, {**context, "item": one}, f"{at}[{index}].", odd)
            for index, one in enumerate(found)
            if one is not None
        ]

    @staticmethod
    def _in_our_words(words: Mapping[str, str], default: str | None, value: Any, at: str) -> str | None:
        if value is None:
            return default
        found = _ours(words, value)
        if found is None and default is None and value != "":
            raise FieldError(at, "the answer has a word that 'map' does not have, and there is no default")
        return found if found is not None else default


def _ours(words: Mapping[str, str], value: Any) -> str | None:
    if isinstance(value, bool):
        value = "true" if value else "false"
    ours = {theirs.casefold(): word for theirs, word in words.items()}
    return ours.get(str(value).strip().casefold()) if isinstance(value, str | int | float) else None


def _is_strange(words: Mapping[str, str], value: Any) -> bool:
    return value is not None and value != "" and _ours(words, value) is None


def _matched(pattern: str, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = re.search(pattern, str(value)[:MAX_MATCHED_CHARS])
    if found is None:
        return None
    return found[1] if found.re.groups else found[0]


def _divided(value: Any, by: int, at: str) -> Decimal:
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        return Decimal(str(value)) / by
    except InvalidOperation:
        raise FieldError(at, f"must be a number to be divided by {by}") from None


def _moment(value: Any, form: str | None, zone: dt.tzinfo, at: str) -> dt.datetime:
    """Read a point in time. Without an offset it is in ``zone``."""
    try:
        if form in ("unix", "unix_ms"):
            seconds = float(value) / (1000 if form == "unix_ms" else 1)
            return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
        if not isinstance(value, str):
            raise ValueError
        text = value.strip()
        moment = dt.datetime.strptime(text, form) if form else dt.datetime.fromisoformat(text)  # noqa: DTZ007 (below)
    except (ValueError, TypeError, OverflowError, OSError):
        raise FieldError(at, f"must be a date ({form or 'ISO 8601'})") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
