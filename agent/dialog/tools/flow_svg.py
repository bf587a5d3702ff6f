"""Draws a flow's graph as a self-contained SVG picture. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from agent.dialog.tools.flow_graph import FlowGraph, GraphEdge, GraphNode
from agent.dialog.tools.graph_layout import GraphLayout, LayoutBox, LayoutLine, LineRoute, Point, lay_out

_MARGIN, _HEAD = 24.0, 78.0
_PAD_X, _PAD_Y = 12.0, 7.0
_MIN_WIDTH, _MAX_CHARS, _START_CHARS = 64.0, 36, 70
_LINE, _SMALL_LINE = 15.0, 13.0
_CHAR = {"title": 7.2, "line": 6.4, "name": 5.9, "label": 5.9}
"""Pixels a character takes on average, with room for wider fonts."""
_ROUND = 0.55
"""Makes a quarter of a circle of a curve."""
_ROUNDING = {"collect": 9.0, "say": 3.0, "start": 14.0, "link": 2.0, "set": 0.0, "next": 0.0}
"""Of the corners, in pixels; of other shapes as round as can be."""
_LEGEND = (
    ("start", "start"), ("collect", "asks"), ("say", "says"), ("call", "calls system"), ("if", "decides"),
    ("set", "notes"), ("link", "other flow"), ("handover", "a person"), ("hangup", "hangs up"), ("end", "end of flow"),
)  # fmt: skip
_STYLE = """\
text{font-family:Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#1b1f24}
.title{font-size:12px;font-weight:bold}.line{font-size:11px}.name{font-size:10px;fill:#4a545e}
.head{font-size:18px;font-weight:bold}.label{font-size:10px;fill:#37424c}
.edge{fill:none;stroke:#5b6670;stroke-width:1.3}.failure{stroke:#c0392b;stroke-dasharray:5 3}
.back{stroke:#1f6fb2}.label.failure{fill:#a93226;stroke:none}
.start{fill:#e3f4e3;stroke:#2e7d32}.end{fill:#eceff1;stroke:#607d8b}.collect{fill:#e3f0fc;stroke:#1565c0}
.say{fill:#fff;stroke:#546e7a}.call{fill:#efe7f8;stroke:#6a1b9a}.set,.next{fill:#f6f6f6;stroke:#9e9e9e}
.if{fill:#fff8e1;stroke:#f9a825}.link{fill:#e0f2f1;stroke:#00695c}.handover{fill:#ffe9d9;stroke:#d84315}
.hangup{fill:#cfd8dc;stroke:#37474f}"""
_ARROWS = (("arrow", "#5b6670"), ("arrow-failure", "#c0392b"), ("arrow-back", "#1f6fb2"))


@dataclass(frozen=True)
class FlowTrail:
    """The way one call took through a flow."""

    steps: Collection[str]
    """Names of the steps it came to."""
    ways: Collection[tuple[str, str]]
    """From step to step; ``start`` stands for the beginning."""
    last: str = ""
    """The step at which the call ended, or left the flow for good; ``""`` where it went on."""


@dataclass(frozen=True)
class _Text:
    """What stands in a box, one (class, words) a line."""

    lines: tuple[tuple[str, str], ...]

    @property
    def width(self) -> float:
        widest = max((len(words) * _CHAR[kind] for kind, words in self.lines), default=0.0)
        return max(widest + 2 * _PAD_X, _MIN_WIDTH)

    @property
    def height(self) -> float:
        return sum(_LINE if kind == "title" else _SMALL_LINE for kind, _ in self.lines) + 2 * _PAD_Y


def svg(graph: FlowGraph) -> str:
    """Return the picture as a whole SVG document."""
    drawing = _Drawing(graph)
    width = max(drawing.width, len(_LEGEND) * 96.0) + 2 * _MARGIN
    height = drawing.height + _HEAD + 2 * _MARGIN
    left = (width - drawing.width) / 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" role="img">',
            f"<title>{escape(graph.flow)}: {escape(graph.description)}</title>",
            f"<style>{escape(_STYLE)}</style>",
            *_markers("", colours=True),
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
            f'<text class="head" x="{_MARGIN}" y="{_MARGIN + 14}">{escape(graph.flow)}</text>',
            *_legend(),
            f'<g transform="translate({left:.1f} {_HEAD + _MARGIN:.1f})">',
            *drawing.parts(),
            "</g>",
            "</svg>",
            "",
        ]
    )


def embedded_svg(graph: FlowGraph, trail: FlowTrail) -> str:
    """Return the picture for a page whose style sheet has the looks, with the way of a call lit.

    What the call came to has the class ``lit``, where it ended ``last``. There is no ``<style>`` in it and no colour.
    """
    drawing = _Drawing(graph, trail, prefix=f"{graph.flow}-")
    width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
    return "".join(
        [
            f'<svg class="flow-map" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" role="img" aria-label={quoteattr(f"Map of {graph.flow}")}>',
            *_markers(f"{graph.flow}-", colours=False),
            f'<g transform="translate({_MARGIN} {_MARGIN})">',
            *drawing.parts(),
            "</g></svg>",
        ]
    )


class _Drawing:
    """A flow's boxes, lines and labels, without anything around them."""

    def __init__(self, graph: FlowGraph, trail: FlowTrail | None = None, prefix: str = "") -> None:
        self._graph = graph
        self._trail = trail
        self._prefix = prefix
        self._texts = {node.id: _text(node) for node in graph.nodes}
        boxes = [
            LayoutBox(node.id, self._texts[node.id].width + _extra(node.kind), self._texts[node.id].height)
            for node in graph.nodes
        ]
        lines = [LayoutLine(edge.source, edge.target, *_label_size(edge)) for edge in graph.edges]
        self._layout = lay_out(boxes, lines)
        self._sizes = {box.id: box for box in boxes}
        self._names = {node.id: node.name or node.kind for node in graph.nodes}
        self.width, self.height = self._layout.width, self._layout.height

    def parts(self) -> Iterator[str]:
        """Yield lines, boxes, labels: what is drawn later lies above."""
        routes = list(zip(self._graph.edges, self._layout.routes, strict=True))
        # the lit way lies above the others
        for edge, route in sorted(routes, key=lambda one: self._lit_way(one[0])):
            yield _edge(edge, route, self._prefix, lit=self._lit_way(edge))
        for node in self._graph.nodes:
            yield _node(node, self._texts[node.id], self._sizes[node.id], self._layout, self._look(node))
        for edge, route in routes:
            if edge.label:
                yield _label(edge, route)

    def _lit_way(self, edge: GraphEdge) -> bool:
        return self._trail is not None and (self._names[edge.source], self._names[edge.target]) in self._trail.ways

    def _look(self, node: GraphNode) -> str:
        if self._trail is None:
            return ""
        if node.name and node.name == self._trail.last:
            return "lit last"
        return "lit" if node.name in self._trail.steps or node.kind == "start" else ""


def _text(node: GraphNode) -> _Text:
    chars = _START_CHARS if node.kind == "start" else _MAX_CHARS
    bare = node.title == node.kind
    name = f"{node.name} · {node.kind}" if bare and node.name else node.name
    lines = [("name", name)] if name else []
    lines += [("title", piece) for piece in textwrap.wrap("" if bare else node.title, chars - 4)]
    lines += [("line", piece) for text in node.lines for piece in textwrap.wrap(text, chars)]
    return _Text(tuple(lines))


def _extra(kind: str) -> float:
    """Return how much wider than its text a shape is."""
    return {"if": 22.0, "call": 18.0, "link": 8.0}.get(kind, 0.0)


def _label_size(edge: GraphEdge) -> tuple[float, float]:
    pieces = _label_lines(edge)
    return (max(map(len, pieces)) * _CHAR["label"] + 6, len(pieces) * 12.0) if edge.label else (0.0, 0.0)


def _label_lines(edge: GraphEdge) -> list[str]:
    return textwrap.wrap(edge.label, 24, break_long_words=False) or [""]


def _markers(prefix: str, *, colours: bool) -> Iterator[str]:
    yield "<defs>"
    for name, colour in _ARROWS:
        fill = f' fill="{colour}"' if colours else f' class="{name}"'
        units = "" if colours else ' markerUnits="userSpaceOnUse"'  # else a bold line has a bold arrow
        yield (
            f'<marker id={quoteattr(prefix + name)} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            f'markerHeight="7"{units} orient="auto"><path d="M0 0L8 4L0 8z"{fill}/></marker>'
        )
    yield "</defs>"


def _node(node: GraphNode, text: _Text, box: LayoutBox, layout: GraphLayout, look: str) -> str:
    x, y = layout.centres[node.id]
    look = f' class="{look}"' if look else ""
    parts = [
        f'<g data-step={quoteattr(node.name)} data-kind="{node.kind}"{look}><title>{escape(node.id)}</title>',
        *_shape(node.kind, x, y, box.width, box.height),
    ]
    line_y = y - box.height / 2 + _PAD_Y
    for kind, words in text.lines:
        line_y += _LINE if kind == "title" else _SMALL_LINE
        parts.append(_words(kind, x, line_y - 3, words))
    return "".join([*parts, "</g>"])


def _shape(kind: str, x: float, y: float, width: float, height: float) -> Iterator[str]:
    left, right, top, bottom = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    if kind == "if":
        cut = 11.0
        upper, lower = [(left + cut, top), (right - cut, top)], [(right - cut, bottom), (left + cut, bottom)]
        points = [(left, y), *upper, (right, y), *lower]
    elif kind == "call":
        cut = 12.0
        points = [(left + cut, top), (right, top), (right - cut, bottom), (left, bottom)]
    else:
        rounding = _ROUNDING.get(kind, height / 2)
        yield (
            f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{min(rounding, 20.0):.1f}"/>'
        )
        if kind == "link":
            yield (
                f'<rect class="{kind}" x="{left + 4:.1f}" y="{top + 4:.1f}" width="{width - 8:.1f}" '
                f'height="{height - 8:.1f}"/>'
            )
        return
    yield f'<polygon class="{kind}" points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}"/>'


def _edge(edge: GraphEdge, route: LineRoute, prefix: str, *, lit: bool) -> str:
    look = "failure" if edge.failure else "back" if route.back else ""
    marker = f"{prefix}arrow-{look}" if look else f"{prefix}arrow"
    looks = " ".join(filter(None, ("edge", look, "lit" if lit else "")))
    return f'<path class="{looks}" d="{_path(route)}" marker-end="url(#{marker})"/>'


def _path(route: LineRoute) -> str:
    here = route.stretches[0][0]
    parts = [f"M{here[0]:.1f} {here[1]:.1f}"]
    turns = (1, len(route.stretches) - 2) if route.back else ()
    for number, (first, last) in enumerate(route.stretches):
        if here != first:
            parts.append(_curve(here, first, level=(number - 1 in turns, number in turns)))
        if last != first:
            parts.append(f"V{last[1]:.1f}")
        here = last
    return "".join(parts)


def _curve(here: Point, there: Point, level: tuple[bool, bool]) -> str:
    """Lead from one point to the next; ``level`` says of both ends whether the line runs level there, not upright."""
    (x, y), (to_x, to_y) = here, there
    bend = _ROUND if any(level) else 0.5
    one = (x + (to_x - x) * bend, y) if level[0] else (x, y + (to_y - y) * bend)
    two = (to_x - (to_x - x) * bend, to_y) if level[1] else (to_x, to_y - (to_y - y) * bend)
    return f"C{one[0]:.1f} {one[1]:.1f} {two[0]:.1f} {two[1]:.1f} {to_x:.1f} {to_y:.1f}"


def _label(edge: GraphEdge, route: LineRoute) -> str:
    x, y = route.label
    width, height = _label_size(edge)
    left, top = x - width / 2, y - height / 2
    parts = [f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="#fff"/>']
    look = "label failure" if edge.failure else "label"
    for number, words in enumerate(_label_lines(edge)):
        parts.append(_words(look, x, top + 12 * number + 9.5, words))
    return "".join(parts)


def _legend() -> Iterator[str]:
    for number, (kind, words) in enumerate(_LEGEND):
        x = _MARGIN + 46 + 96 * number
        yield from _shape(kind, x, _MARGIN + 42, 88, 22)
        yield _words("line", x, _MARGIN + 46, words)


def _words(look: str, x: float, y: float, words: str) -> str:
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(words)}</text>'
