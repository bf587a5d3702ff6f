"""The pack's ``story``: what tickets and hand-overs tell of a call, whatever the pack calls its slots."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.dialog.contract import HandOverAction, TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import FlowError
from agent.dialog.model.model import Story
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from tests.dialog.pack.test_loader import SYSTEM, findings, line_of, load
from tests.shipped_pack import shipped_pack

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
LIBRARY = f"""\
start: main
defaults: {{noinput: ["Hello there."], nomatch: ["Sorry what."]}}
answers: {{yes: [yes], no: [no]}}
variables: {{knows_pin: false}}
story: {{about: loan, verified: knows_pin}}
slots:
  loan: {{type: number, format: "99999", prompt: Which loan is it}}
  shelf: {{type: number, format: "999", prompt: Which shelf is it}}
  pin: {{type: number, format: "9999", prompt: Which pin is it, redact: yes}}
prompts:
{SYSTEM}
flows:
  main:
    description: all
    steps:
      - collect: loan
      - collect: shelf
      - collect: pin
      - set: {{knows_pin: pin == '1234'}}
      - handover: asked
"""


def played(pack: FlowPack) -> tuple[Conversation, HandOverAction]:
    """Give the three numbers and return the conversation with its hand-over."""
    conversation = Conversation(pack, CallFacts(NOW), SandboxRenderer())
    conversation.start()
    for said in ("one zero four seven three", "one two three"):
        conversation.hear(TurnInput(said))
    then = conversation.hear(TurnInput("one two three four")).then
    assert isinstance(then, HandOverAction)
    return conversation, then


def test_a_pack_names_the_slot_a_call_is_about_and_the_variable_that_means_verified(tmp_path: Path) -> None:
    conversation, handover = played(load(tmp_path, LIBRARY))
    assert (conversation.story.about, conversation.story.verified) == ("10473", True)
    assert conversation.story.answers == (("shelf", "123"),)
    assert handover.facts == {
        "loan": "10473", "shelf": "123", "order_number": "10473", "requests": [], "verified": True,
    }  # fmt: skip


def test_the_callers_own_numbers_are_expected_in_the_slot_the_call_is_about(tmp_path: Path) -> None:
    assert Conversation(load(tmp_path, LIBRARY), CallFacts(NOW), SandboxRenderer()).subject_slot == "loan"


def test_only_the_slots_named_are_told(tmp_path: Path) -> None:
    content = LIBRARY.replace("verified: knows_pin}", "verified: knows_pin, slots: [loan]}")
    conversation, handover = played(load(tmp_path, content))
    assert conversation.story.answers == ()
    assert "shelf" not in handover.facts


def test_the_shipped_pack_says_so_itself() -> None:
    assert shipped_pack().story == Story(about="order_number", verified="verified")


@pytest.mark.parametrize(
    ("slot", "variable", "story"),
    [
        ("order_number", "verified", Story(about="order_number", verified="verified")),
        ("order_number", "tries", Story(about="order_number")),
        ("loan", "verified", Story(verified="verified")),
    ],
)
def test_a_pack_without_the_section_goes_by_the_usual_names(
    tmp_path: Path, slot: str, variable: str, story: Story
) -> None:
    content = LIBRARY.replace("story: {about: loan, verified: knows_pin}\n", "")
    content = content.replace("loan", slot).replace("knows_pin", variable)
    assert load(tmp_path, content).story == story


@pytest.mark.parametrize(
    ("section", "key", "message"),
    [
        ("about: lone", "story.about", "there is no number slot 'lone'; did you mean 'loan'?"),
        ("verified: knows_pins", "story.verified", "there is no variable 'knows_pins'; did you mean 'knows_pin'?"),
        ("slots: [shelves]", "story.slots[0]", "there is no slot 'shelves'; did you mean 'shelf'?"),
        ("slots: [pin]", "story.slots[0]", "'pin' is redacted: nobody is told what it holds"),
        ("about: loan, slots: [shelf]", "story.slots", "'loan' is what the call is about: it belongs to what is told"),
    ],
)
def test_a_story_that_names_nothing_is_a_mistake_at_its_line(
    tmp_path: Path, section: str, key: str, message: str
) -> None:
    content = LIBRARY.replace("about: loan, verified: knows_pin", section)
    assert findings(tmp_path, content) == [f"pack.yaml:{line_of(content, 'story:')}: {key}: {message}"]


def test_an_unknown_key_in_it_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"there is no key 'abuot' here; did you mean 'about'\?"):
        load(tmp_path, LIBRARY.replace("about:", "abuot:"))
