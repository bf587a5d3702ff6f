"""The maps of the procedures a call went through, with its way lit. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.dialog.errors import DialogError
from agent.dialog.model.model import PackFile
from agent.dialog.tools.flow_graph import START, FlowGraph, graph_of
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


def call_maps(contents: PackFile, trail: Sequence[Mapping[str, Any]], *, whole: bool = False) -> tuple[CallMap, ...]:
    """Return the map of each procedure in the trail, in the order in which the call came to them.

    ``trail`` is the record's; a procedure that the pack does not have is left out. Without ``whole`` a map has the
    steps that the call came to, and where else it could have gone from them.
    """
    flows = list(dict.fromkeys(flow for step in trail if isinstance(flow := step.get("flow"), str)))
    return tuple(_maps(contents, trail, flows, whole=whole))


def longest(maps: Sequence[CallMap]) -> int:
    """Return the place of the map with the most steps of the call, from 1 on; 0 where there is none."""
    return max(range(len(maps)), key=lambda place: maps[place].steps, default=-1) + 1


def _maps(
    contents: PackFile, trail: Sequence[Mapping[str, Any]], flows: Sequence[str], *, whole: bool
) -> Iterator[CallMap]:
    for flow in flows:
        try:
            graph = graph_of(contents, flow)
        except DialogError:
            continue
        lit = trail_through(trail, flow)
        drawn = graph if whole else way_taken(graph, lit)
        yield CallMap(flow, graph.description, embedded_svg(drawn, lit), len(set(lit.steps)))


def way_taken(graph: FlowGraph, trail: FlowTrail) -> FlowGraph:
    """Return the part of a procedure that a call came to, with the ways it did not take from there."""
    on_the_way = {node.id for node in graph.nodes if node.kind == START or (node.name and node.name in trail.steps)}
    edges = tuple(edge for edge in graph.edges if edge.source in on_the_way)
    kept = on_the_way | {edge.target for edge in edges}
    nodes = tuple(
        replace(node, lines=node.lines[:1]) if node.kind == START else node for node in graph.nodes if node.id in kept
    )
    return replace(graph, nodes=nodes, edges=edges)


def trail_through(trail: Sequence[Mapping[str, Any]], flow: str) -> FlowTrail:
    """Return the part of a call's trail that lies in one procedure; steps of others in between are passed over."""
    steps = [str(step.get("step")) for step in trail if step.get("flow") == flow]
    last = trail[-1] if trail else {}
    ways = set(itertools.pairwise(steps))
    if steps:
        ways.add((START, steps[0]))
    return FlowTrail(frozenset(steps), frozenset(ways), steps[-1] if steps and last.get("flow") == flow else "")
