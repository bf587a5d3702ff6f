"""The maps of the procedures a call went through, with its way lit. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.dialog.errors import DialogError
from agent.dialog.model.model import PackFile
from agent.dialog.tools.flow_graph import START, graph_of
from agent.dialog.tools.flow_svg import FlowTrail, embedded_svg


@dataclass(frozen=True)
class CallMap:
    """One procedure with the way of the call through it."""

    flow: str
    description: str
    svg: str
    """Markup of our own making: texts of the procedures are escaped in it."""
    steps: int
    """How many steps of it the call came to."""


def call_maps(contents: PackFile, trail: Sequence[Mapping[str, Any]]) -> tuple[CallMap, ...]:
    """Return the map of each procedure in the trail, in the order in which the call came to them.

    ``trail`` is the record's; a procedure that the pack does not have is left out.
    """
    flows = list(dict.fromkeys(flow for step in trail if isinstance(flow := step.get("flow"), str)))
    return tuple(_maps(contents, trail, flows))


def _maps(contents: PackFile, trail: Sequence[Mapping[str, Any]], flows: Sequence[str]) -> Iterator[CallMap]:
    for flow in flows:
        try:
            graph = graph_of(contents, flow)
        except DialogError:
            continue
        lit = trail_through(trail, flow)
        yield CallMap(flow, graph.description, embedded_svg(graph, lit), len(set(lit.steps)))


def trail_through(trail: Sequence[Mapping[str, Any]], flow: str) -> FlowTrail:
    """Return the part of a call's trail that lies in one procedure; steps of others in between are passed over."""
    steps = [str(step.get("step")) for step in trail if step.get("flow") == flow]
    last = trail[-1] if trail else {}
    ways = set(zip(steps, steps[1:], strict=False))
    if steps:
        ways.add((START, steps[0]))
    return FlowTrail(frozenset(steps), frozenset(ways), steps[-1] if steps and last.get("flow") == flow else "")
