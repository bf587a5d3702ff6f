"""Examples of a pack: where they may stand, and which mistakes in them are told."""

from pathlib import Path

import pytest

from agent.dialog.errors import FlowError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.understanding.examples import example_lists

PROMPTS = "\n".join(
    f"  {name}: said"
    for name in (
        "ask_again", "back_to", "cancelled", "confirm_number", "confirm_request", "corrected", "go_on", "goodbye",
        "handover", "handover_summary", "help", "not_that", "start_over", "still_there", "wait",
    )
)  # fmt: skip
PACK = f"""\
start: main
defaults: {{noinput: [hello there], nomatch: [sorry what]}}
rules: {{thing: (parcel | package)}}
prompts:
{PROMPTS}
slots:
  request: {{type: request, prompt: What can I do}}
  topic: {{type: choice, choices_from: answers, prompt: What is it about}}
  promotion: {{type: choice, choices_from: promotions, prompt: Which offer}}
knowledge:
  answers:
    hours:
      ask: [when are you open]
      says: Every day.
      examples: [at what time do you close today]
  promotions:
    sale: {{name: the sale, says: It is on., spoken: [the sale], examples: [is there a sale on]}}
flows:
  main:
    description: all
    steps: [{{collect: request}}]
  track:
    description: where the order is
    triggers: [where is my order]
    examples:
      - where has my <thing> got to
      - "[hello] i wonder where it is"
    steps: [{{say: On its way.}}]
  tell:
    description: a question
    triggers: ["{{topic}}"]
    steps: [{{say: knowledge.answer}}]
  offer:
    description: an offer
    triggers: ["{{promotion}}"]
    steps: [{{say: knowledge.promotion}}]
not_for_us:
  elsewhere:
    - what is the weather like
  jobs:
    topic: a job with us
    examples: [are you hiring]
understanding: {{act: 0.8, confirm: 0.4, choose: 0.2, recognizers: {{small: {{act: 0.9, confirm: 0.3, choose: 0.1}}}}}}
"""


def load(directory: Path, content: str) -> FlowPack:
    (directory / "pack.yaml").write_text(content, encoding="utf-8")
    return FlowPack.load(directory)


def findings(directory: Path, content: str) -> list[str]:
    with pytest.raises(FlowError) as caught:
        load(directory, content)
    return [str(finding) for finding in caught.value.findings]


def test_flows_answers_promotions_and_foreign_requests_have_examples(tmp_path: Path) -> None:
    pack = load(tmp_path, PACK)
    assert [(listed.meaning, len(listed.templates)) for listed in example_lists(pack.contents)] == [
        ("track", 2), ("topic:hours", 1), ("promotion:sale", 1), ("not_for_us:elsewhere", 1), ("not_for_us:jobs", 1),
    ]  # fmt: skip
    assert pack.contents.not_for_us["jobs"].topic == "a job with us"
    assert pack.contents.not_for_us["elsewhere"].topic == ""


def test_thresholds_are_told_by_recogniser(tmp_path: Path) -> None:
    settings = load(tmp_path, PACK).contents.understanding
    assert settings is not None
    assert (settings.act, settings.confirm, settings.choose) == (0.8, 0.4, 0.2)
    assert settings.recognizers["small"].act == 0.9


def test_groups_of_foreign_requests_may_stand_in_several_files(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("not_for_us: {bank: [block my card]}\n", encoding="utf-8")
    assert set(load(tmp_path, PACK).contents.not_for_us) == {"elsewhere", "jobs", "bank"}


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("where has my <thing> got to", '"~ where has my *"', "an example is a sentence as callers say it"),
        ("where has my <thing> got to", "where has my <thingy> got to", "there is no rule <thingy>; did you mean"),
        ("where has my <thing> got to", '"where (has"', "cannot be read as a phrase template"),
        ("is there a sale on", "i wonder where it is", "'i wonder where it is' is already an example of 'track'"),
        ("are you hiring", "what is the weather like", "'what is the weather like' is already an example of"),
        ("is there a sale on", "where has my parcel got to", "'where has my parcel got to' is already an example of"),
        ("act: 0.8", "act: 0.3", "'act' must not be below 'confirm'"),
        ("act: 0.8", "act: 1.8", "less than or equal to 1"),
        ("confirm: 0.3, choose: 0.1", "confirm: 0.3, choose: 0.35", "nor 'confirm' below 'choose'"),
        ("topic: a job with us", "tpic: a job with us", "there is no key 'tpic' here"),
    ],
)
def test_mistakes_in_examples_are_told_with_their_line(tmp_path: Path, good: str, bad: str, told: str) -> None:
    content = PACK.replace(good, bad)
    found = findings(tmp_path, content)
    assert any(told in text for text in found), found
    lines = [number for number, text in enumerate(content.splitlines(), 1) if bad.strip('"') in text]
    assert any(text.startswith(f"pack.yaml:{line}:") for text in found for line in lines), found
