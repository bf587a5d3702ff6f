"""What a pack lets records keep is checked when it is read: known names, single values, nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.dialog.errors import FlowError
from agent.dialog.kept_facts import kept_facts
from agent.dialog.model.model import Flow
from agent.dialog.model.services import Service
from agent.dialog.pack.lint import SYSTEM_PROMPTS
from agent.dialog.pack.loader import FlowPack

PACK = """
services:
  orders.find:
    arguments: [number]
    optional: [postcode, options]
    failures: [not_found]
    returns:
      order.status: {{kind: choice, words: its state}}
      order.items: {{kind: list}}
      order.total: what it cost
    keeps: [{keeps}]
slots:
  fruit: {{type: choice, prompt: Which fruit, choices: {{apple: [an apple]}}}}
  pin: {{type: number, format: "9999", prompt: Which pin, redact: yes}}
flows:
  main:
    description: all
    keeps: {flow_keeps}
    steps:
      - collect: fruit
      - collect: pin
      - call: orders.find
        with: {{number: pin}}
        failed: {{otherwise: end}}
"""


def load(directory: Path, keeps: str = "number", flow_keeps: str = "[fruit]") -> FlowPack:
    prompts = "\n".join(f"  {name}: Words of {name.replace('_', ' ')}." for name in SYSTEM_PROMPTS)
    rest = "start: main\ndefaults: {noinput: [Hello.], nomatch: [Sorry.]}\nanswers: {yes: [yes], no: [no]}\n"
    (directory / "rest.yaml").write_text(f"{rest}prompts:\n{prompts}\n", encoding="utf-8")
    (directory / "pack.yaml").write_text(PACK.format(keeps=keeps, flow_keeps=flow_keeps), encoding="utf-8")
    return FlowPack.load(directory)


def test_arguments_and_single_values_of_results_may_be_kept(tmp_path: Path) -> None:
    pack = load(tmp_path, "number, options.colour, order.status, order.total", "{kind: fruit, twice: fruit ~ fruit}")
    service = pack.contents.services["orders.find"]
    assert service.keeps == ("number", "options.colour", "order.status", "order.total")
    assert (service.returns["order.total"].kind, service.returns["order.total"].words) == ("text", "what it cost")
    assert pack.flow("main").keeps == {"kind": "fruit", "twice": "fruit ~ fruit"}


@pytest.mark.parametrize(
    ("keeps", "flow_keeps", "message"),
    [
        ("order.stat", "[]", "there is no argument and nothing in 'returns' called 'order.stat'"),
        ("order.items", "[]", "'order.items' is a list; only single values are kept"),
        ("number", "[pin]", "'pin' is redacted: no record keeps what it holds"),
        ("number", "{code: 'pin ~ fruit'}", "'pin' is redacted"),
        ("number", "[frut]", "there is no slot or variable 'frut'"),
        ("number", "{Kind: fruit}", "'Kind' is no name"),
        ("number", "{kind: 'fruit ~'}", "kind"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(
    tmp_path: Path, keeps: str, flow_keeps: str, message: str
) -> None:
    with pytest.raises(FlowError) as caught:
        load(tmp_path, keeps, flow_keeps)
    (finding,) = caught.value.findings
    assert message in str(finding)
    assert str(finding).startswith("pack.yaml:")


def test_a_list_of_names_is_short_for_what_they_hold() -> None:
    assert Flow.model_validate({"description": "a", "keeps": ["one"], "steps": [{"say": "Hi."}]}).keeps == {
        "one": "one"
    }
    returns = {"order.number": "the number"}
    assert Service.model_validate({"returns": returns}).returns["order.number"].words == "the number"


def test_facts_are_single_values_and_of_bounded_length() -> None:
    result = {"order": {"status": "x" * 500, "items": ["lamp"], "late": False, "total": float("nan"), "note": ""}}
    names = ("order.status", "order.items", "order.late", "order.total", "order.note", "order", "order.status.x", "day")
    assert dict(kept_facts(names, {"day": "2026-11-24"}, result)) == {
        "order.status": "x" * 200, "order.late": False, "day": "2026-11-24",
    }  # fmt: skip


def test_of_an_argument_and_a_result_of_one_name_the_result_counts() -> None:
    assert dict(kept_facts(("reason",), {"reason": "asked"}, {"reason": "done"})) == {"reason": "done"}
    assert dict(kept_facts(("reason",), {"reason": "asked"}, {})) == {"reason": "asked"}
