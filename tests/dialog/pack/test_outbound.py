"""The proof that nothing private can be said before the right person's yes, and the names of the section."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.dialog.errors import FlowError
from agent.dialog.pack.loader import FlowPack
from tests.dialog.pack.small_pack import load_small_pack

PACK = """
outbound:
  flows: {delivery: check}
  right_person: who
  private: [basket]
  private_words: [parcel]
  stop: stop
  outcome: result
  greetings: [hello]
  machines: {voicemail: [leave a message, (after | at) the tone]}
  says: {screener: The shop calling., message: The shop called.}
variables: {result: "''"}
slots:
  who: {type: choice, prompt: Is it Maria, choices: {"yes": [that's me], hello: [hello]}}
flows:
  main: {description: all, steps: [{collect: what, force: yes}]}
  reach:
    description: to reach somebody
    steps:
      - {id: ask, collect: who, force: yes}
      - {if: who == 'yes', then: end}
      - BEFORE
      - {hangup: later, say: Goodbye.}
  check:
    description: a delivery
    steps:
      - link: reach
      - {set: {result: "'done'"}}
      - {say: "Did the parcel of order {{ matter.order_number }} come"}
      - {hangup: done}
  stop: {description: no more calls, steps: [{hangup: stopped, say: Done.}]}
"""


def load(directory: Path, before: str = "{say: Thank you.}", *changes: tuple[str, str]) -> FlowPack:
    text = PACK.replace("BEFORE", before)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load_small_pack(directory, text)


def test_what_is_private_may_be_said_behind_the_gate(tmp_path: Path) -> None:
    pack = load(tmp_path)
    assert pack.callee_phrases.machines["voicemail"] == ("leave a message", "after the tone", "at the tone")


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ('{say: "About {{ matter.order_number }}."}', "'matter' can be read here"),
        ('{say: "{{ basket }} is yours."}', "'basket' can be read here"),
        ("{say: It is about two parcels.}", "'parcels' can be said"),
        ('{set: {result: "matter.order_number"}}', "'matter' can be read here"),
        ("{set: {who: \"'yes'\"}}", "only the callee's answer gives 'who' a value"),
        ("{call: shop.buy, with: {name: basket}, failed: {otherwise: ask}}", "'basket' can be read here"),
        ("{if: basket, then: ask}", "'basket' can be read here"),
        ("{link: tell}", "'matter' can be read here"),
    ],
)
def test_what_is_private_cannot_be_reached_before_it(tmp_path: Path, before: str, problem: str) -> None:
    also = (
        "flows:\n  main",
        "flows:\n  tell: {description: a tale, steps: [{say: 'See {{ matter.subject }}.'}]}\n  main",
    )
    with pytest.raises(FlowError) as raised:
        load(tmp_path, before, also)
    assert any(problem in finding.message for finding in raised.value.findings), raised.value.findings


def test_a_gate_that_looks_at_something_else_is_none(tmp_path: Path) -> None:
    with pytest.raises(FlowError) as raised:
        load(tmp_path, "{say: Thank you.}", ("if: who == 'yes'", "if: who != 'hello'"))
    assert any("'matter' can be read here" in finding.message for finding in raised.value.findings)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("flows: {delivery: check}", "flows: {delivery: chekc}", "there is no flow 'chekc'"),
        ("right_person: who", "right_person: whom", "there is no slot 'whom'"),
        ("stop: stop", "stop: halt", "there is no flow 'halt'"),
        ("outcome: result", "outcome: come", "there is no variable 'come'"),
        ("private: [basket]", "private: [bucket]", "there is no slot or variable 'bucket'"),
        ("voicemail: [leave a message,", "voicemail: [beep,", "'beep' is one word"),
        ("voicemail: [leave a message,", "voicemail: ['~ leave * message',", "is listened for"),
        (
            'choices: {"yes": [that\'s me], hello: [hello]}',
            "choices: {hello: [hello]}",
            "needs a choice slot with the value",
        ),
    ],
)
def test_names_that_stand_for_nothing_are_told(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(FlowError) as raised:
        load(tmp_path, "{say: Thank you.}", (old, new))
    assert any(problem in finding.message for finding in raised.value.findings), raised.value.findings
