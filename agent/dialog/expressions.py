"""Small expressions of flow files (``order.status == 'delayed'``, ``tries + 1``), evaluated in jinja's sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import TemplateError as JinjaError
from jinja2 import meta, nodes
from jinja2.exceptions import SecurityError

from agent.dialog.errors import DialogError
from agent.dialog.sandbox import DataSandbox

_NO_VALUE = ("none", "None")


def is_none(expression: str) -> bool:
    """Return whether an expression says that something is to be forgotten."""
    return expression.strip() in _NO_VALUE


class Expressions:
    """Compiles each expression once. Holds only this cache; safe to share between conversations."""

    def __init__(self) -> None:
        self._environment = DataSandbox()
        self._compiled: dict[str, Callable[..., Any]] = {}

    def check(self, expression: str) -> str:
        """Return what is wrong with the expression, or ``""``."""
        try:
            self._compile(expression)
        except JinjaError as error:
            return f"is not an expression: {error}"
        return ""

    def names(self, expression: str) -> frozenset[str]:
        """Return the slots and variables an expression uses; empty for a broken one."""
        try:
            return frozenset(meta.find_undeclared_variables(self._environment.parse("{{ " + expression + " }}")))
        except JinjaError:
            return frozenset()

    def constants(self, expression: str) -> frozenset[str]:
        """Return the quoted texts inside an expression."""
        try:
            tree = self._environment.parse("{{ " + expression + " }}")
        except JinjaError:
            return frozenset()
        return frozenset(node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str))

    def evaluate(self, expression: str, context: Mapping[str, Any]) -> Any:
        """Return the value; unknown names are None. Raises :class:`DialogError` when it cannot be computed."""
        if is_none(expression):
            return None
        try:
            return self._compile(expression)(**context)
        except (JinjaError, SecurityError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise DialogError(f"the expression {expression!r} failed: {error}") from error

    def _compile(self, expression: str) -> Callable[..., Any]:
        compiled = self._compiled.get(expression)
        if compiled is None:
            compiled = self._environment.compile_expression(expression, undefined_to_none=True)
            self._compiled[expression] = compiled
        return compiled
