import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialog.errors import DialogError
from agent.dialog.model.model import PackFile
from agent.dialog.pack import lint
from agent.dialog.tools.flow_commands import show_all_flows, show_flow
from agent.dialog.tools.flow_graph import FlowGraph, graph_of
from agent.dialog.tools.flow_svg import svg
from agent.dialog.tools.graph_layout import GraphLayout, LayoutBox, LayoutLine, lay_out
from agent.dialog.tools.mermaid import escaped, mermaid
from agent.flows import english_pack
from tests.shipped_pack import RENDER, shipped_pack

CONTENTS = shipped_pack().contents
SVG = "{http://www.w3.org/2000/svg}"
NASTY = """<b a="1">&'x'</b> ]]> --> | {{ end }} `#quot;` "x" \\ é %%"""


def small(*steps: dict[str, object], **more: object) -> PackFile:
    flow = {"description": "all", "steps": list(steps), **more}
    return PackFile.model_validate({"start": "main", "flows": {"main": flow, "other": {**flow, "triggers": ["hi"]}}})


def edges(graph: FlowGraph) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.label) for edge in graph.edges}


@pytest.mark.parametrize("flow_id", CONTENTS.flows)
def test_every_flow_of_the_pack_can_be_drawn(flow_id: str) -> None:
    graph = graph_of(CONTENTS, flow_id)
    steps = CONTENTS.flows[flow_id].steps
    names = {lint.step_name(steps, index) for index in range(len(steps))}
    ids = [node.id for node in graph.nodes]
    assert len(set(ids)) == len(ids)
    assert names <= {node.name for node in graph.nodes}
    assert {end for edge in graph.edges for end in (edge.source, edge.target)} == set(ids)
    picture = ElementTree.fromstring(svg(graph))  # noqa: S314 (our own)
    assert {group.get("data-step") for group in picture.iter(f"{SVG}g")} - {None, ""} == names
    assert len([path for path in picture.iter(f"{SVG}path") if "edge" in path.get("class", "")]) == len(graph.edges)
    text = mermaid(graph)
    drawn = set(re.findall(r"^    (n\d+)[\[({]", text, re.MULTILINE))
    assert len(drawn) == len(ids)
    assert {name for ends in re.findall(r"^    (n\d+) -.*?(n\d+)$", text, re.MULTILINE) for name in ends} == drawn


def test_the_picture_needs_nothing_else() -> None:
    text = svg(graph_of(CONTENTS, "returns"))
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|<image|@import|\bon\w+=", text)


def test_decisions_failures_loops_and_ends_are_drawn() -> None:
    contents = small(
        {"id": "ask", "collect": "x"},
        {"if": "x == 1", "then": "ask"},
        {"id": "do", "call": "a.b", "failed": {"c": "ask", "d": "ask", "otherwise": "gone"}},
        {"hangup": "done"},
        {"id": "gone", "handover": "broken"},
    )
    assert edges(graph_of(contents, "main")) == {
        ("start", "ask", ""), ("ask", "2", ""), ("2", "ask", "yes"), ("2", "do", "no"), ("do", "4", ""),
        ("do", "ask", "c, d"), ("do", "gone", "any other failure"),
    }  # fmt: skip


def test_an_ending_that_several_steps_lead_to_stands_beside_each() -> None:
    contents = small(
        {"if": "x", "then": "gone"}, {"if": "y", "then": "gone"}, {"next": "end"}, {"id": "gone", "handover": "zz"}
    )
    graph = graph_of(contents, "main")
    assert {("1", "gone", "yes"), ("2", "gone.2", "yes"), ("3", "3.end", "")} <= edges(graph)
    assert [node.name for node in graph.nodes if node.kind == "handover"] == ["gone", "gone"]


def test_a_failure_nobody_maps_leads_to_a_person() -> None:
    flow = {"description": "all", "steps": [{"call": "a.b", "failed": {"c": "end"}}]}
    services = {"a.b": {"failures": ["c", "d"]}}
    contents = PackFile.model_validate({"start": "main", "services": services, "flows": {"main": flow}})
    assert ("1", "unmapped", "d") in edges(graph_of(contents, "main"))


def test_the_start_tells_what_starts_the_flow_and_what_it_forgets() -> None:
    start = graph_of(CONTENTS, "returns").nodes[0]
    assert "“i want to return something”" in start.lines
    assert any(line.startswith("forgets afterwards: return_item, ") for line in start.lines)
    assert "every call begins here" in graph_of(CONTENTS, "main").nodes[0].lines
    assert any("queue_failed" in line for line in graph_of(CONTENTS, "nobody_free").nodes[0].lines)
    assert any(line.startswith("used by ") for line in graph_of(CONTENTS, "identify").nodes[0].lines)


def test_nothing_a_flow_says_can_break_out_of_its_label() -> None:
    graph = graph_of(small({"say": NASTY}, {"handover": "xx", "say": NASTY}, description=NASTY), "main")
    picture = ElementTree.fromstring(svg(graph))  # noqa: S314 (our own)
    assert not list(picture.iter("b"))
    assert any("<b" in (text.text or "") for text in picture.iter(f"{SVG}text"))
    for label in re.findall(r'"(.*)"', mermaid(graph)):
        assert not set(label.replace("<br/>", "")) & set('<>"&`{}[]|\\%')


@given(st.text())
def test_an_escaped_label_holds_nothing_of_mermaids(text: str) -> None:
    assert not set(escaped(text)) & set('<>"&`{}[]|\\%\n')
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), escaped(text)) == " ".join(text.split())


@pytest.mark.usefixtures("shipped_pack_loaded_once")
def test_a_flow_that_is_not_there_is_told_with_the_nearest_name() -> None:
    with pytest.raises(DialogError, match="there is no flow 'retruns'; did you mean 'returns'"):
        show_flow(english_pack(), "retruns", "svg", RENDER)


@pytest.mark.usefixtures("shipped_pack_loaded_once")
def test_all_flows_are_written_into_a_directory(tmp_path: Path) -> None:
    written = show_all_flows(english_pack(), ["mermaid", "svg"], tmp_path / "new", RENDER)
    assert len(written) == 2 * len(CONTENTS.flows)
    assert (tmp_path / "new" / "returns.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert (tmp_path / "new" / "returns.mmd").read_text(encoding="utf-8").startswith("flowchart TD\n")


# --- the layout ---------------------------------------------------------------------------------------


def overlapping(layout: GraphLayout, boxes: Sequence[LayoutBox]) -> list[tuple[str, str]]:
    found = []
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            (x, y), (other_x, other_y) = layout.centres[one.id], layout.centres[other.id]
            beside = abs(x - other_x) * 2 >= one.width + other.width - 0.01
            if not beside and abs(y - other_y) * 2 < one.height + other.height - 0.01:
                found.append((one.id, other.id))
    return found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_boxes_never_overlap_and_lines_run_from_box_to_box(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    sizes = data.draw(st.lists(st.tuples(st.integers(10, 200), st.integers(10, 90)), min_size=count, max_size=count))
    boxes = [LayoutBox(str(index), *size) for index, size in enumerate(sizes)]
    names = st.sampled_from([box.id for box in boxes])
    lines = [LayoutLine(one, other, 30, 12) for one, other in data.draw(st.lists(st.tuples(names, names), max_size=25))]
    layout = lay_out(boxes, lines)
    assert overlapping(layout, boxes) == []
    by_id = {box.id: box for box in boxes}
    for line, route in zip(lines, layout.routes, strict=True):
        begin, end = route.stretches[0][0], route.stretches[-1][1]
        for point, name, side in ((begin, line.source, 1), (end, line.target, -1)):
            x, y = layout.centres[name]
            assert abs(point[0] - x) <= by_id[name].width / 2
            assert point[1] == pytest.approx(y + side * by_id[name].height / 2)
    for box in boxes:
        x, y = layout.centres[box.id]
        assert x - box.width / 2 >= -0.01
        assert x + box.width / 2 <= layout.width + 0.01
        assert y - box.height / 2 >= -0.01
        assert y + box.height / 2 <= layout.height + 0.01


def test_steps_stand_below_what_leads_to_them_and_only_loops_go_up() -> None:
    boxes = [LayoutBox(name, 40, 20) for name in "abcd"]
    lines = [
        LayoutLine("a", "b"),
        LayoutLine("b", "c"),
        LayoutLine("c", "b"),
        LayoutLine("c", "d"),
        LayoutLine("d", "a"),
    ]
    layout = lay_out(boxes, lines)
    heights = [layout.centres[name][1] for name in "abcd"]
    assert heights == sorted(heights)
    assert [route.back for route in layout.routes] == [False, False, True, False, True]


def test_an_empty_graph_is_an_empty_picture() -> None:
    assert lay_out([], []) == GraphLayout(0.0, 0.0, {}, ())
