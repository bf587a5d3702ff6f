"""Jinja's immutable sandbox with bounds: no template makes a text larger, or loops longer, than any prompt needs.

Jinja's own sandbox keeps templates away from the program, not from its memory: ``{{ 'a' * 1000000000 }}`` is one
gigabyte, and so is a text joined with itself thirty times.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MOST_ITEMS = 1000
"""What one loop may run over; loops may stand in one another twice."""
_MOST_LOOPS = 2
_MOST_WIDTH = 1000
_MOST_BITS = 4096
_MOST_SOURCE_CHARS = 50_000
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{4,}|\*)|:[^{}]*\d{4,}|\{[^{}]*\{")
"""A width of four digits or more in a format, or one that is an argument."""
_REFUSED = (nodes.Macro, nodes.CallBlock, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)
_PADDING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs", "to_bytes", "indent", "wordwrap"})
_LOOP = "bounded_items"


class BoundedSandbox(ImmutableSandboxedEnvironment):
    """A mapping's key wins over a method of the same name: ``order.items`` is the order's items.

    Raises ``SecurityError`` (a ``TemplateError``) where a bound is passed. :meth:`bounded_render` renders.
    """

    intercepted_binops = frozenset({"*", "**", "%", "+"})
    most_chars = 20_000
    """Of one text, and of what one template renders to."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.filters.update({name: self._bounded(name, work) for name, work in self.filters.items()})
        self.filters[_LOOP] = _items
        self.globals.pop("lipsum", None)
        self.globals["range"] = _range

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return ``obj.attribute``: the key of a mapping when there is one."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def bounded_render(self, template: Template, context: Mapping[str, Any]) -> str:
        """Return what a template renders to. Raises what jinja raises, ``SecurityError`` for more than is allowed."""
        parts: list[str] = []
        length = 0
        for part in template.generate(context):
            length += len(part)
            self._check_size(length)
            parts.append(part)
        return "".join(parts)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute what could become large, after a look at how large."""
        if operator == "*":
            self._check_product(left, right)
        elif operator == "+" and isinstance(left, _SIZED) and isinstance(right, _SIZED):
            self._check_size(len(left) + len(right))
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            _check_bits(left.bit_length() * max(right, 1))
        elif operator == "%" and isinstance(left, str):
            _check_format(left)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **options: Any) -> Any:
        """Call a method, after the same look."""
        __self._check_call(getattr(__obj, "__name__", ""), getattr(__obj, "__self__", None), args, options)
        done = super().call(__context, __obj, *args, **options)
        if isinstance(done, _SIZED):
            __self._check_size(len(done))
        return done

    def compile_expression(self, source: str, undefined_to_none: bool = True) -> TemplateExpression:
        """Compile an expression. Raises TemplateSyntaxError, for one that nests too deeply, too."""
        _check_source(source)
        try:
            return super().compile_expression(source, undefined_to_none)
        except RecursionError as error:
            raise TemplateSyntaxError("nested too deeply", 1) from error

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        _check_source(source)
        try:
            return super()._parse(source, name, filename)
        except RecursionError as error:
            raise TemplateSyntaxError("nested too deeply", 1) from error

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        for refused in source.find_all(_REFUSED):
            raise TemplateSyntaxError("has no macros, imports or includes", refused.lineno)
        bounded: nodes.Template = _Bounds().visit(source)
        return super()._generate(bounded, name, filename, defer_init)

    def _bounded(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def apply(*args: Any, **options: Any) -> Any:
            self._check_call(name, None, args, options)
            done = work(*args, **options)
            if isinstance(done, _SIZED):
                self._check_size(len(done))
            return done

        return apply

    def _check_call(self, name: str, owner: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        given = [*args, *options.values()]
        texts = [value for value in (owner, *given) if isinstance(value, str)]
        if name in _PADDING:
            for value in given:
                if isinstance(value, int) and abs(value) > _MOST_WIDTH:
                    raise SecurityError(f"{name} is wider than {_MOST_WIDTH} characters")
                if isinstance(value, str):
                    self._check_size(len(value) * max(1, *(len(text) for text in texts)))
        if name in ("format", "format_map"):
            for text in (texts[0],) if texts else (str(owner or ""),):
                _check_format(text)
            if any(isinstance(value, int) and abs(value) > 10**18 for value in given):
                raise SecurityError("a number too large to be written")
        if name == "replace" and len(texts) >= 3:
            where, old, new = texts[:3]
            self._check_size(len(where) + (where.count(old) if old else len(where) + 1) * len(new))
        if name == "join" and texts:
            self._check_size(sum(len(value) for value in given if isinstance(value, _SIZED)) * max(map(len, texts)))
        if name == "tojson" and any(isinstance(value, int) and value > 10 for value in options.values()):
            raise SecurityError("an indent too wide")

    def _check_product(self, left: Any, right: Any) -> None:
        for text, times in ((left, right), (right, left)):
            if isinstance(text, _SIZED) and isinstance(times, int):
                self._check_size(len(text) * max(times, 0))
        if isinstance(left, int) and isinstance(right, int):
            _check_bits(left.bit_length() + right.bit_length())

    def _check_size(self, length: int) -> None:
        if length > self.most_chars:
            raise SecurityError(f"makes a text longer than {self.most_chars} characters")


_SIZED = (str, bytes, list, tuple)


class _Bounds(NodeTransformer):
    """Sends every loop through :func:`_items`, and ``~`` through ``+``, which is looked at."""

    def __init__(self) -> None:
        self._loops = 0

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self._loops += 1
        if self._loops > _MOST_LOOPS:
            raise TemplateSyntaxError("has more than two loops in one another", node.lineno)
        self.generic_visit(node)
        self._loops -= 1
        node.iter = nodes.Filter(node.iter, _LOOP, [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        texts = [nodes.Filter(part, "string", [], [], None, None, lineno=node.lineno) for part in node.nodes]
        return functools.reduce(lambda left, right: nodes.Add(left, right, lineno=node.lineno), texts)  # type: ignore[arg-type,return-value]


def _items(value: Iterable[Any]) -> list[Any]:
    items = list(itertools.islice(value, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise SecurityError(f"loops over more than {MOST_ITEMS} things")
    return items


def _range(*args: int) -> range:
    found = range(*args)
    if len(found) > MOST_ITEMS:
        raise SecurityError(f"a range of more than {MOST_ITEMS} numbers")
    return found


def _check_source(source: object) -> None:
    if isinstance(source, str) and len(source) > _MOST_SOURCE_CHARS:
        raise TemplateSyntaxError(f"is longer than {_MOST_SOURCE_CHARS} characters", 1)


def _check_format(text: str) -> None:
    if _WIDE.search(text):
        raise SecurityError("a format with a width of more than three digits, or a width that is an argument")


def _check_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise SecurityError("a number too large")
