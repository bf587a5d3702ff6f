"""Fills a request's templates in: jinja's sandbox, each value escaped for the place it goes to. Pure."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import phonenumbers
from jinja2 import ChainableUndefined, TemplateError, Undefined, meta
from jinja2.exceptions import SecurityError

from agent.common.bounded_sandbox import BoundedSandbox
from agent.common.service_error import ServiceError
from agent.common.untrusted import encodable
from agent.shop import normalise

_ONLY = re.compile(r"\s*\{\{(?P<expression>(?:(?!\{\{|\}\}).)*)\}\}\s*", re.DOTALL)
_UNFIT_FOR_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
"""The default alphabet of text messages and its extension, 3GPP TS 23.038 section 6.2.1."""
_ERRORS = (TemplateError, SecurityError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError)


class MappingSandbox(BoundedSandbox):
    """Fills requests in; a ticket's transcript is the largest thing in one."""

    most_chars = 1_000_000


class RequestTemplates:
    """Compiles each template once; one for all systems will do."""

    def __init__(self) -> None:
        self._plain = _environment(_plain)
        self._path = _environment(_segment)
        self._compiled: dict[tuple[str, str], Callable[..., Any]] = {}

    def problem(self, template: str, names: set[str] | frozenset[str]) -> str:
        """Return what is wrong with a template that may use these names, or ``""``."""
        try:
            used = meta.find_undeclared_variables(self._plain.parse(template))
            self._plain.from_string(template)  # finds filters that do not exist
        except TemplateError as error:
            return f"is not a template: {error.message or error}"
        unknown = sorted(used - names)
        return f"uses {unknown[0]!r}, which there is not; there are: {', '.join(sorted(names))}" if unknown else ""

    def text(self, template: str, context: Mapping[str, Any]) -> str:
        """Fill in for a query, a form or a field. Raises ``ServiceError`` ``bad_request``."""
        return str(self._render("text", self._plain, template, context))

    def header(self, template: str, context: Mapping[str, Any]) -> str:
        """Fill in for a header; line ends and control characters become spaces."""
        return _UNFIT_FOR_HEADERS.sub(" ", self.text(template, context))

    def path(self, template: str, context: Mapping[str, Any]) -> str:
        """Fill in for a path: values are percent-encoded. Raises for a value that is empty, ``.`` or ``..``."""
        return str(self._render("path", self._path, template, context))

    def data(self, tree: Any, context: Mapping[str, Any]) -> Any:
        """Fill in a tree of JSON-like data. A text that is nothing but ``{{ ... }}`` keeps its value's type."""
        if isinstance(tree, Mapping):
            return {str(key): self.data(value, context) for key, value in tree.items()}
        if isinstance(tree, list):
            return [self.data(value, context) for value in tree]
        if not isinstance(tree, str) or "{" not in tree:
            return tree
        only = _ONLY.fullmatch(tree)
        if only is None:
            return self.text(tree, context)
        return _jsonable(self._evaluate(only["expression"], context))

    def _evaluate(self, expression: str, context: Mapping[str, Any]) -> Any:
        at = ("data", expression)
        try:
            if at not in self._compiled:
                self._compiled[at] = self._plain.compile_expression(expression, undefined_to_none=True)
            return self._compiled[at](**context)
        except _ERRORS as error:
            raise ServiceError("bad_request", _cannot(expression, error)) from error

    def _render(self, kind: str, environment: MappingSandbox, template: str, context: Mapping[str, Any]) -> Any:
        at = (kind, template)
        try:
            if at not in self._compiled:
                compiled = environment.from_string(template)
                self._compiled[at] = functools.partial(environment.bounded_render, compiled)
            return self._compiled[at](context)
        except _ERRORS as error:
            raise ServiceError("bad_request", _cannot(template, error)) from error


def _cannot(template: str, error: Exception) -> str:
    # the error's own words may quote a value
    return f"the template {template!r} cannot be filled in: {type(error).__name__}"


def _environment(finalize: Callable[[Any], str]) -> MappingSandbox:
    environment = MappingSandbox(autoescape=False, undefined=ChainableUndefined, finalize=finalize)
    environment.filters |= {
        "digits": _digits,
        "national": _national,
        "json": _json,
        "spaced": _spaced,
        "gsm": _gsm,
        "prefixed": _prefixed,
        "without_prefix": lambda value: normalise.without_prefix(_plain(value)),
    }
    return environment


def _plain(value: Any) -> str:
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return encodable(str(value))


def _segment(value: Any) -> str:
    text = _plain(value)
    if text in ("", ".", ".."):
        raise ValueError("a part of a path is empty or a dot")
    return quote(text, safe="")


def _jsonable(value: Any) -> Any:
    if isinstance(value, Undefined):
        return None
    return json.loads(_json(value))


def _json(value: Any) -> str:
    """The value as JSON text."""
    return json.dumps(value, default=_plain)


def _digits(value: Any) -> str:
    """Digits only: ``+1 202-555-0143`` becomes ``12025550143``."""
    return re.sub(r"\D", "", _plain(value))


def _national(value: Any) -> str:
    """The digits of an E.164 number without its country code: ``+12025550143`` becomes ``2025550143``."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(_plain(value)))
    except phonenumbers.NumberParseException:
        return _digits(value)


def _spaced(value: Any, *sizes: int) -> str:
    """Groups with hyphens between: ``'2025550143' | spaced(3, 3, 4)`` becomes ``202-555-0143``."""
    text, parts = _plain(value), []
    for size in sizes:
        parts.append(text[:size])
        text = text[size:]
    return "-".join([*parts, text] if text else parts)


def _prefixed(value: Any, prefix: Any) -> str:
    """An order number with what the shop puts in front: ``'1001' | prefixed('EN-')`` becomes ``EN-1001``."""
    number, front = normalise.order_number(_plain(value)), _plain(prefix)
    return front + (number.removeprefix(normalise.order_number(front)) or number)


def _gsm(value: Any) -> bool:
    """Whether a text message can carry the text in its own alphabet; otherwise it needs UCS-2."""
    return _GSM.issuperset(_plain(value))
