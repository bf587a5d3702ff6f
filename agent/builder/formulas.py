"""Which expressions are rules that anybody can read (a value, a comparison, a value), and which are formulas. Pure."""

from __future__ import annotations

import functools

import jinja2
from jinja2 import nodes

_COMPARISONS = frozenset({"eq", "ne", "lt", "lteq", "gt", "gteq", "in", "notin"})
_TESTS = frozenset({"defined", "none"})
_FILTERS = frozenset({"length", "count"})
_ENVIRONMENT = jinja2.Environment(autoescape=True)


@functools.lru_cache(maxsize=4096)
def is_rule(expression: str) -> bool:
    """Return whether an expression is made of rules alone: values compared, joined by ``and``, ``or``, ``not``.

    A value is a slot, a part of one, a text, a number, how many there are of something, or one value plus or minus
    another. What cannot be read is no rule.
    """
    try:
        tree = _ENVIRONMENT.parse("{{ " + expression + " }}")
    except (jinja2.TemplateError, RecursionError):
        return False
    outputs = tree.body[0].nodes if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) else []
    return len(outputs) == 1 and _rule(outputs[0])


def _rule(node: nodes.Node) -> bool:
    match node:
        case nodes.And() | nodes.Or():
            return _rule(node.left) and _rule(node.right)
        case nodes.Not():
            return _rule(node.node)
        case nodes.Test():
            return node.name in _TESTS and not node.args and _value(node.node)
        case nodes.Compare():
            return (
                len(node.ops) == 1 and node.ops[0].op in _COMPARISONS and _value(node.expr) and _value(node.ops[0].expr)
            )
    return _value(node)


def _value(node: nodes.Node) -> bool:
    match node:
        case nodes.Name() | nodes.Const():
            return True
        case nodes.Getattr():
            return _value(node.node)
        case nodes.Neg():
            return isinstance(node.node, nodes.Const)
        case nodes.Add() | nodes.Sub():
            return _value(node.left) and _value(node.right)
        case nodes.List() | nodes.Tuple():
            return all(isinstance(item, nodes.Const) for item in node.items)
        case nodes.Filter():
            return node.name in _FILTERS and not node.args and node.node is not None and _value(node.node)
    return False
