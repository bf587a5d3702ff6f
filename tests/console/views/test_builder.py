"""Who sees which page of the builder, and the map of a procedure as a draft has it."""

from __future__ import annotations

from xml.etree import ElementTree

from agent.console.rights import ROLES
from agent.console.views.builder import BUILDER_PAGES, first_page, procedure_map, traffic_words
from agent.dialog.pack.pack_files import read_pack_files
from agent.flows import english_pack
from agent.reports.step_traffic import StepTraffic

_SVG = "{http://www.w3.org/2000/svg}"


def test_shop_staff_may_open_answers_and_promotions_alone() -> None:
    assert [one.name for one in BUILDER_PAGES if one.right in ROLES["shop"]] == ["answers", "promotions"]
    assert first_page(lambda right: right == "promotions").name == "promotions"


def test_a_supervisor_may_open_every_page() -> None:
    assert all(one.right in ROLES["supervisor"] for one in BUILDER_PAGES)


def test_a_map_is_xml_whose_boxes_name_their_steps_and_whose_way_is_lit() -> None:
    files, _ = read_pack_files(english_pack())
    drawing = procedure_map(files, "returns", ["told_reason", "who"])
    assert drawing is not None
    boxes = ElementTree.fromstring(drawing).iter(f"{_SVG}g")  # noqa: S314 - a drawing of ours
    looks = {box.get("data-step"): box.get("class") for box in boxes if box.get("data-step")}
    assert (looks["told_reason"], looks["who"], looks["first_reason"]) == ("lit", "lit last", None)


def test_there_is_no_map_of_a_procedure_that_is_not_there() -> None:
    files, _ = read_pack_files(english_pack())
    assert procedure_map(files, "no_such", []) is None


def test_a_map_tells_the_calls_at_its_steps() -> None:
    files, _ = read_pack_files(english_pack())
    traffic = {"returns.first_reason": StepTraffic(200, {"hung_up": 4, "person": 6}), "identify.who": StepTraffic(9)}
    drawing = procedure_map(files, "returns", [], traffic)
    assert drawing is not None
    text = " ".join("".join(ElementTree.fromstring(drawing).itertext()).split())  # noqa: S314 - a drawing of ours
    assert text.count(" lost: ") + text.count(" lost:") >= 1
    assert "200 calls, 2 % lost: 4 hung up, 6" in text
    assert "9 calls" not in text


def test_calls_at_a_step_in_words() -> None:
    assert traffic_words(StepTraffic(1)) == "1 call"
    assert (
        traffic_words(StepTraffic(1200, {"no_input": 12, "fault": 12}))
        == "1,200 calls, 2 % lost: 12 silent, 12 broke off"
    )
