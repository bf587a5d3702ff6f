"""Writes a flow's graph as a Mermaid flowchart, for wikis and README files. Pure."""

from __future__ import annotations

import re
import textwrap

from agent.dialog.tools.flow_graph import FlowGraph, GraphNode

_SHAPES = {
    "start": ("([", "])"), "end": ("([", "])"), "collect": ("[/", "/]"), "say": ("(", ")"), "call": ("{{", "}}"),
    "set": ("[", "]"), "if": ("{", "}"), "next": ("[", "]"), "link": ("[[", "]]"), "handover": ("([", "])"),
    "hangup": ("([", "])"),
}  # fmt: skip
_STYLES = {
    "start": "fill:#e3f4e3,stroke:#2e7d32", "end": "fill:#eceff1,stroke:#607d8b",
    "collect": "fill:#e3f0fc,stroke:#1565c0", "say": "fill:#ffffff,stroke:#546e7a",
    "call": "fill:#efe7f8,stroke:#6a1b9a", "set": "fill:#f5f5f5,stroke:#9e9e9e",
    "if": "fill:#fff8e1,stroke:#f9a825", "next": "fill:#f5f5f5,stroke:#9e9e9e", "link": "fill:#e0f2f1,stroke:#00695c",
    "handover": "fill:#ffe9d9,stroke:#d84315", "hangup": "fill:#cfd8dc,stroke:#37474f",
}  # fmt: skip
_WIDTH = 40
_PLAIN = re.compile(r"[^\w .,:;=()'/?!+*“”…-]")


def mermaid(graph: FlowGraph) -> str:
    """Return the flowchart's text."""
    ids = {node.id: f"n{index}" for index, node in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    for node in graph.nodes:
        left, right = _SHAPES[node.kind]
        lines.append(f'    {ids[node.id]}{left}"{_label(node)}"{right}:::{_css(node.kind)}')
    for edge in graph.edges:
        arrow = "-.->" if edge.failure else "-->"
        label = f'|"{escaped(edge.label)}"|' if edge.label else ""
        lines.append(f"    {ids[edge.source]} {arrow}{label} {ids[edge.target]}")
    for kind in dict.fromkeys(node.kind for node in graph.nodes):
        lines.append(f"    classDef {_css(kind)} {_STYLES[kind]},color:#111")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Write text so that nothing in it is Mermaid's, Markdown's or HTML's own: other characters as entities."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))


def _label(node: GraphNode) -> str:
    head = f"{node.name}: {node.title}" if node.name else node.title
    lines = [piece for text in (head, *node.lines) for piece in textwrap.wrap(text, _WIDTH) or [""]]
    return "<br/>".join(escaped(line) for line in lines)


def _css(kind: str) -> str:
    return f"step_{kind}"  # "end" alone is a word of Mermaid's
