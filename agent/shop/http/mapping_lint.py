"""Checks a mapping file beyond its shape: paths, templates, word lists, fields that response models do not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jmespath
from jmespath.exceptions import JMESPathError

from agent.shop.http.mapping import (
    FailsWhen,
    FailureSpec,
    FieldSpec,
    Operation,
    Request,
    Step,
    SystemMapping,
)
from agent.shop.http.operations import ALWAYS, OPERATIONS
from agent.shop.http.response_models import ItemFields, ParcelFields, ResponseModel, needed
from agent.shop.http.templates import RequestTemplates
from agent.shop.models import ORDER_STATUSES
from agent.shop.returns import ReturnState

KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str]
_NESTED: Mapping[str, type[ResponseModel]] = {"items": ItemFields, "parcels": ParcelFields, "lines": ItemFields}
_WORDS: Mapping[str, tuple[str, ...]] = {"status": ORDER_STATUSES, "state": get_args(ReturnState)}


def lint(system: SystemMapping) -> list[Problem]:
    """Return what is wrong, each with its key path from the top of the file."""
    return list(_Lint(system).problems())


class _Lint:
    def __init__(self, system: SystemMapping) -> None:
        self._system = system
        self._templates = RequestTemplates()

    def problems(self) -> Iterator[Problem]:
        if self._system.timezone:
            yield from _zone(self._system.timezone, ("timezone",))
        for name, template in self._system.headers.items():
            yield from self._template(template, frozenset(), ("headers", name))
        if self._system.check is not None:
            yield from self._request(self._system.check, frozenset(), ("check",))
        for name, operation in self._system.operations.items():
            at: KeyPath = ("operations", name)
            if name not in OPERATIONS:
                close = get_close_matches(name, OPERATIONS, n=1, cutoff=0.6)
                hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(OPERATIONS)}"
                yield at, f"there is no such operation; {hint}"
                continue
            yield from self._operation(name, operation, at)

    def _operation(self, name: str, operation: Operation, at: KeyPath) -> Iterator[Problem]:
        kind = OPERATIONS[name]
        names = kind.arguments
        yield from self._request(operation, names, at)
        for index, step in enumerate(operation.steps):
            yield from self._step(step, names, (*at, "steps", index))
            names |= {step.name}
        if operation.check is not None:
            yield from self._request(operation.check, frozenset(), (*at, "check"))
        if operation.items is not None:
            yield from _path(operation.items, (*at, "list"))
        if operation.more is not None:
            yield from _path(operation.more, (*at, "more"))
        if operation.find_each is not None:
            yield from _path(operation.find_each, (*at, "find_each"))
            if name != "orders.find_by_phone" or "orders.find" not in self._system.operations:
                yield (*at, "find_each"), "is for orders.find_by_phone, in a file that maps orders.find too"
            return
        if kind.many and operation.items is None:
            yield at, "answers with a list: 'list' must say where it is (\"@\" when the answer is the list itself)"
        yield from self._fields(operation.fields, kind.noun, names, (*at, "fields"))
        if operation.idempotency is not None:
            yield from self._idempotency(name, operation, names, (*at, "idempotency"))

    def _idempotency(self, name: str, operation: Operation, names: frozenset[str], at: KeyPath) -> Iterator[Problem]:
        kind = OPERATIONS[name]
        if not kind.changes:
            yield at, f"{name} changes nothing and needs none"
        first = operation.idempotency.find_first if operation.idempotency else None
        if first is not None:
            yield from self._request(first, kind.arguments, (*at, "find_first"))
            yield from _path(first.found, (*at, "find_first", "found"))
            if first.fields is not None:
                yield from self._fields(first.fields, kind.noun, names, (*at, "find_first", "fields"))

    def _step(self, step: Step, names: frozenset[str], at: KeyPath) -> Iterator[Problem]:
        if step.for_each is not None:
            yield from _path(step.for_each, (*at, "for_each"))
        if step.name in names | ALWAYS:
            yield (*at, "name"), f"{step.name} means something else already"
        yield from self._request(step, names, at)

    def _request(self, request: Request, names: frozenset[str], at: KeyPath) -> Iterator[Problem]:
        if request.follow is not None:
            yield from _path(request.follow, (*at, "follow"))
        elif request.method:
            if not request.path.startswith("/"):
                yield (*at, request.method.lower()), "must begin with /; it is added to base_url"
            yield from self._template(request.path, names, (*at, request.method.lower()))
        for part in ("query", "headers", "form"):
            for name, template in (getattr(request, part) or {}).items():
                yield from self._template(template, names, (*at, part, name))
        yield from self._tree(request.json_body, names, (*at, "json"))
        if request.pattern is not None:
            yield from _regex(request.pattern, (*at, "pattern"))
        if request.not_found_when is not None:
            yield from _path(request.not_found_when, (*at, "not_found_when"))
        for index, fails in enumerate(request.fails_when):
            yield from _path(fails.when, (*at, "fails_when", index, "when"))
            yield from self._failure(fails, names, (*at, "fails_when", index))
        for code, failure in request.status.items():
            yield from self._failure(failure, names, (*at, "status", str(code)))
        if request.pages is not None:
            for part in ("items", "next", "cursor_path", "more"):
                if (path := getattr(request.pages, part)) is not None:
                    yield from _path(path, (*at, "pages", part))

    def _failure(self, failure: FailureSpec | FailsWhen, names: frozenset[str], at: KeyPath) -> Iterator[Problem]:
        if failure.reason is not None:
            if failure.code != "not_allowed":
                yield (*at, "reason"), "only not_allowed has a reason"
            yield from self._field(failure.reason, names, (*at, "reason"))

    def _tree(self, tree: Any, names: frozenset[str], at: KeyPath) -> Iterator[Problem]:
        if isinstance(tree, Mapping):
            for key, value in tree.items():
                yield from self._tree(value, names, (*at, key))
        elif isinstance(tree, list):
            for index, value in enumerate(tree):
                yield from self._tree(value, names, (*at, index))
        elif isinstance(tree, str):
            yield from self._template(tree, names, at)

    def _fields(
        self,
        fields: Mapping[str, FieldSpec],
        noun: type[ResponseModel],
        names: frozenset[str],
        at: KeyPath,
        optional: frozenset[str] = frozenset(),
    ) -> Iterator[Problem]:
        known = noun.model_fields
        for name in known:
            if name in needed(noun) - optional and name not in fields:
                yield at, f"{name} is missing"
        for name, spec in fields.items():
            here = (*at, name)
            if name not in known:
                close = get_close_matches(name, known, n=1, cutoff=0.6)
                hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
                yield here, f"there is no such field; {hint}"
                continue
            yield from self._field(spec, names, here)
            if (name in _NESTED) != (spec.items is not None):
                yield here, "needs list and fields" if name in _NESTED else "is no list of things with fields"
            elif spec.fields is not None:
                # what a return is of may go without names, an order's lines may not
                optional = frozenset(("name",)) if name == "lines" else frozenset()
                yield from self._fields(spec.fields, _NESTED[name], names, (*here, "fields"), optional)
            if name in _WORDS:
                yield from _words(spec, _WORDS[name], here)

    def _field(self, spec: FieldSpec, names: frozenset[str], at: KeyPath) -> Iterator[Problem]:
        if spec.path is not None:
            yield from _path(spec.path, (*at, "path"))
        if spec.items is not None:
            yield from _path(spec.items, (*at, "list"))
        if spec.value is not None:
            yield from self._template(spec.value, names, (*at, "value"))
        if spec.match is not None:
            yield from _regex(spec.match, (*at, "match"))
        if spec.timezone is not None:
            yield from _zone(spec.timezone, (*at, "timezone"))

    def _template(self, template: str, names: frozenset[str], at: KeyPath) -> Iterator[Problem]:
        if problem := self._templates.problem(template, names | ALWAYS):
            yield at, problem


def _path(path: str, at: KeyPath) -> Iterator[Problem]:
    try:
        jmespath.compile(path)
    except JMESPathError as error:
        yield at, f"is not a JMESPath: {str(error).splitlines()[0]}"


def _regex(pattern: str, at: KeyPath) -> Iterator[Problem]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield at, f"is not a regular expression: {error}"


def _zone(name: str, at: KeyPath) -> Iterator[Problem]:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        yield at, f"there is no time zone {name!r}"


def _words(spec: FieldSpec, ours: tuple[str, ...], at: KeyPath) -> Iterator[Problem]:
    """The words of a status must be among ours."""
    given = {**{("map", theirs): word for theirs, word in (spec.words or {}).items()}}
    if spec.default is not None:
        given[("default", "")] = spec.default
    for (part, key), word in given.items():
        if word not in ours:
            yield (*at, part, *([key] if key else [])), f"{word!r} is none of ours: {', '.join(ours)}"
