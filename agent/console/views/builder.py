"""The pages of the builder, and who may see them. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.dialog.errors import DialogError
from agent.dialog.pack.reader import read_files
from agent.dialog.tools.flow_graph import START, graph_of
from agent.dialog.tools.flow_svg import FlowTrail, embedded_svg


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


def procedure_map(files: Mapping[str, str], flow: str, way: Sequence[str]) -> str | None:
    """Return the map of a procedure as an SVG document, with a way through it lit; None where it cannot be drawn.

    ``files`` are the pack's texts by name, ``way`` names of steps in the order in which a call came to them.
    """
    try:
        graph = graph_of(read_files(files).contents, flow)
    except DialogError:
        return None
    ways = {*itertools.pairwise(way), *((START, step) for step in way[:1])}
    drawing = embedded_svg(graph, FlowTrail(frozenset(way), ways, way[-1] if way else ""))
    return drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
