"""Renders prompts: fills variables into templates in jinja's sandbox, where data stays data."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from jinja2 import ChainableUndefined, TemplateError, Undefined, meta, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context

from agent.dialog.errors import DialogError
from agent.dialog.grammar.templates import did_you_mean
from agent.dialog.templating.jinja_sandbox import DataSandbox
from agent.languages.language import Language
from agent.languages.registry import USUAL, find_language

_MAX_VALUE_CHARS = 300
_REMEMBERED = 4096
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f<>{}\[\]|\\]+")
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_LANGUAGE = "language of the prompt"
"""Where filters find it; no name that a template could hold."""
_SPACE = re.compile(r"\s+")
_SPACE_BEFORE_STOP = re.compile(r"\s+([.,?!])")


Filters = Mapping[str, Callable[..., Any]]
FiltersAt = Callable[[datetime, Language], Filters]


class Renderer(Protocol):
    """Turns a prompt's template into the words to speak."""

    def __call__(self, template: str, context: Mapping[str, Any], language: Language | None = None) -> str:
        """Return the words. Raises :class:`DialogError` when the template cannot be filled in.

        ``language`` is the pack's; the usual one when None.
        """


class SandboxRenderer:
    """The default renderer: sandboxed jinja with the filters handed in.

    Values from outside are inserted as plain words: template syntax, markup and control characters inside them are
    dropped, and a value is cut at 300 characters. Unknown names are silent. White space is collapsed.

    ``filters`` is a mapping, or a function from the time of the call and the language to a mapping ("tomorrow" depends
    on the day); it sees the prompt's ``now``, and gives the same names in every language. Templates are compiled once:
    make one renderer and share it between calls.
    """

    def __init__(self, filters: Filters | FiltersAt | None = None) -> None:
        self._environment = DataSandbox(
            autoescape=False, undefined=ChainableUndefined, finalize=_speakable, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.filters.update(_at_call_time(filters) if callable(filters) else filters or {})
        self._compiled: dict[str, Any] = {}

    @property
    def filters(self) -> frozenset[str]:
        """Names of all filters, jinja's own included."""
        return frozenset(self._environment.filters)

    def __call__(self, template: str, context: Mapping[str, Any], language: Language | None = None) -> str:
        """Return the words to speak. Raises :class:`DialogError`."""
        try:
            compiled = self._compiled.get(template)
            if compiled is None:
                compiled = self._compiled[template] = self._environment.from_string(template)
            text = self._environment.bounded_render(
                compiled, context if language is None else {**context, _LANGUAGE: language}
            )
        except (
            TemplateError, SecurityError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError
        ) as error:  # fmt: skip
            raise DialogError(f"the prompt {template[:200]!r} cannot be filled in: {error}") from error
        return _SPACE_BEFORE_STOP.sub(r"\1", _SPACE.sub(" ", text)).strip()


class _AnyFilter(dict[str, Callable[..., Any]]):
    """Lets templates with filters of the renderer's own be analysed without having them."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return the filter, or one that changes nothing."""
        return super().get(name) or (lambda value, *_: value)


_ANY_FILTERS = DataSandbox()
_ANY_FILTERS.filters = _AnyFilter(_ANY_FILTERS.filters)
"""Reads prompts, and holds nothing of a conversation."""


class TemplateChecker:
    """Finds mistakes in prompts without filling them in."""

    def __init__(self, filters: Collection[str] | None = None) -> None:
        self._filters = filters

    def problems(self, template: str, names: Collection[str]) -> list[str]:
        """Return what is wrong: syntax, unknown variables, unknown filters (when filters are known)."""
        try:
            unknown = sorted(_names_in(template) - set(names))
        except TemplateError as error:
            return [f"cannot be read as a prompt: {error}"]
        known = sorted(names)
        found = [f"uses '{name}', which is no slot or variable{did_you_mean(name, known)}" for name in unknown]
        if self._filters is not None:
            unknown = sorted(_filters_in(template) - set(self._filters))
            known = sorted(self._filters)
            found += [f"uses the filter '{name}', which does not exist{did_you_mean(name, known)}" for name in unknown]
        return found

    def names(self, template: str) -> frozenset[str]:
        """Return the variables a template uses; none for an unreadable one."""
        try:
            return _names_in(template)
        except TemplateError:
            return frozenset()


@functools.lru_cache(maxsize=_REMEMBERED)  # most prompts of an edited pack are those of the edition before it
def _names_in(template: str) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(_tree(template)))


@functools.lru_cache(maxsize=_REMEMBERED)
def _filters_in(template: str) -> frozenset[str]:
    return frozenset(node.name for node in _tree(template).find_all(nodes.Filter))


def _tree(template: str) -> nodes.Template:
    return _ANY_FILTERS.parse(template)


def _speakable(value: Any) -> Any:
    """Clean one inserted value; jinja calls this for everything between ``{{ }}``."""
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, str):
        return _UNSPEAKABLE.sub(" ", value)[:_MAX_VALUE_CHARS]
    return value


def _at_call_time(filters_at: FiltersAt) -> Filters:
    """Return filters that ask ``filters_at`` for the right ones when a prompt is filled in."""

    def bound(name: str) -> Callable[..., Any]:
        @pass_context
        def apply(context: Context, *values: Any, **options: Any) -> Any:
            now = context.get("now")
            language = context.get(_LANGUAGE, usual)
            return filters_at(now if isinstance(now, datetime) else _NO_TIME, language)[name](*values, **options)

        return apply

    usual = find_language(USUAL)
    return {name: bound(name) for name in filters_at(_NO_TIME, usual)}
