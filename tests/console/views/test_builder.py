"""Who sees which page of the builder, and the map of a procedure as a draft has it."""

from __future__ import annotations

from xml.etree import ElementTree

from agent.console.rights import ROLES
from agent.console.views.builder import BUILDER_PAGES, first_page, procedure_map
from agent.dialog.pack.pack_files import read_pack_files
from agent.flows import english_pack

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
