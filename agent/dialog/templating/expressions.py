"""Small expressions of flow files (``order.status == 'delayed'``, ``tries + 1``), evaluated in jinja's sandbox."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import TemplateError as JinjaError
from jinja2 import meta, nodes
from jinja2.exceptions import SecurityError

from agent.dialog.errors import DialogError
from agent.dialog.templating.jinja_sandbox import DataSandbox

_NO_VALUE = ("none", "None")
_REMEMBERED = 4096
_ENVIRONMENT = DataSandbox()
"""Compiles, and holds nothing of a conversation."""


def is_none(expression: str) -> bool:
    """Return whether an expression says that something is to be forgotten."""
    return expression.strip() in _NO_VALUE


class Expressions:
    """Compiles each expression once, whatever the edition of a pack. Safe to share between conversations."""

    def check(self, expression: str) -> str:
        """Return what is wrong with the expression, or ``""``."""
        try:
            _compiled(expression)
        except JinjaError as error:
            return f"is not an expression: {error}"
        return ""

    def names(self, expression: str) -> frozenset[str]:
        """Return the slots and variables an expression uses; empty for a broken one."""
        return _names(expression)

    def constants(self, expression: str) -> frozenset[str]:
        """Return the quoted texts inside an expression."""
        try:
            tree = _tree(expression)
        except JinjaError:
            return frozenset()
        return frozenset(node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str))

    def evaluate(self, expression: str, context: Mapping[str, Any]) -> Any:
        """Return the value; unknown names are None. Raises :class:`DialogError` when it cannot be computed."""
        if is_none(expression):
            return None
        try:
            return _compiled(expression)(**context)
        except (
            JinjaError, SecurityError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError
        ) as error:  # fmt: skip
            raise DialogError(f"the expression {expression[:200]!r} failed: {error}") from error


@functools.lru_cache(maxsize=_REMEMBERED)
def _compiled(expression: str) -> Callable[..., Any]:
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=True)


@functools.lru_cache(maxsize=_REMEMBERED)
def _names(expression: str) -> frozenset[str]:
    try:
        return frozenset(meta.find_undeclared_variables(_tree(expression)))
    except JinjaError:
        return frozenset()


def _tree(expression: str) -> nodes.Template:
    return _ENVIRONMENT.parse("{{ " + expression + " }}")
