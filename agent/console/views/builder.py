"""The pages of the builder, and who may see them. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.dialog.errors import DialogError
from agent.dialog.pack.reader import read_files
from agent.dialog.tools.flow_graph import START, FlowGraph, graph_of
from agent.dialog.tools.flow_svg import FlowTrail, embedded_svg
from agent.reports.step_traffic import StepTraffic


@dataclass(frozen=True)
class BuilderPage:
    """One page of the builder."""

    name: str
    title: str
    lead: str
    right: str

    @property
    def path(self) -> str:
        """Its address."""
        return f"/builder/{self.name}"


BUILDER_PAGES = (
    BuilderPage("answers", "Answers", "What the agent knows without asking a system.", "answers"),
    BuilderPage("promotions", "Promotions", "Offers and codes, with their days and rules.", "promotions"),
    BuilderPage("prompts", "Prompts", "What is said in more than one place, or by the agent itself.", "edit"),
    BuilderPage("questions", "Questions", "What is asked, and what is said when no answer comes.", "edit"),
    BuilderPage("phrases", "Phrases", "What callers say, and what it is taken for.", "edit"),
    BuilderPage("hours", "Opening hours", "What callers are told, beside the hours at which staff answer.", "edit"),
    BuilderPage("procedures", "Procedures", "What is done step by step, and where each step leads.", "edit"),
    BuilderPage("pack", "All keys", "Everything a pack may hold, section by section.", "edit"),
    BuilderPage("editions", "Editions", "What was published; each can be compared and brought back.", "procedures"),
)


def first_page(may: Callable[[str], bool]) -> BuilderPage:
    """Return the first page that somebody may see; the first of all where there is none."""
    return next((one for one in BUILDER_PAGES if may(one.right)), BUILDER_PAGES[0])


def procedure_map(
    files: Mapping[str, str], flow: str, way: Sequence[str], traffic: Mapping[str, StepTraffic] | None = None
) -> str | None:
    """Return the map of a procedure as an SVG document, with a way through it lit; None where it cannot be drawn.

    ``files`` are the pack's texts by name, ``way`` names of steps in the order in which a call came to them,
    ``traffic`` the calls to be told at the steps, by ``procedure.step``.
    """
    try:
        graph = graph_of(read_files(files).contents, flow)
    except DialogError:
        return None
    if traffic is not None:
        graph = _with_traffic(graph, traffic)
    ways = {*itertools.pairwise(way), *((START, step) for step in way[:1])}
    drawing = embedded_svg(graph, FlowTrail(frozenset(way), ways, way[-1] if way else ""))
    return drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def _with_traffic(graph: FlowGraph, traffic: Mapping[str, StepTraffic]) -> FlowGraph:
    """Return the graph with a line about its calls in every box of a step that had any."""
    nodes = []
    for node in graph.nodes:
        calls = traffic.get(f"{graph.flow}.{node.name}") if node.name else None
        nodes.append(node if calls is None else replace(node, lines=(*node.lines, traffic_words(calls))))
    return replace(graph, nodes=tuple(nodes))


_LOST = ("hung_up", "no_match", "no_input", "fault")
_WAYS = (
    ("hung_up", "hung up"),
    ("no_match", "not understood"),
    ("no_input", "silent"),
    ("person", "to a person"),
    ("taken_over", "taken over"),
    ("fault", "broke off"),
)


def traffic_words(calls: StepTraffic) -> str:
    """Return a step's calls in words: ``412 calls, 3 % lost: 9 hung up, 3 silent``."""
    told = [f"{calls.left[way]:,} {words}" for way, words in _WAYS if calls.left.get(way)]
    lost = sum(calls.left.get(way, 0) for way in _LOST)
    share = f", {100 * lost / calls.came:.0f} % lost" if lost and calls.came else ""
    came = f"{calls.came:,} {'call' if calls.came == 1 else 'calls'}"
    return f"{came}{share}" + (f": {', '.join(told)}" if told else "")
