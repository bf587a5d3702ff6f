import json
from pathlib import Path

import pytest

from agent.dialog.contract import Event, Turn
from agent.dialog.engine.engine import Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_model import LocatedTextCall, read_text_calls
from agent.dialog.tools.text_call_runner import play, run_text_call_files
from agent.flows import english_pack
from agent.speech.wording import filters

FLOWS = Path(__file__).parents[2] / "flows"
FILES = sorted(FLOWS.glob("*.yaml"))
RENDER = SandboxRenderer(filters)
PACK = FlowPack.load(english_pack(), RENDER.filters)
VOCABULARY = (
    Path(__file__).parents[3] / "agent" / "speech" / "models" / "vosk-model-tiny-en-us-phone" / "vocabulary.txt"
)


@pytest.mark.parametrize("located", read_text_calls(FILES), ids=lambda located: f"{located.file}:{located.line}")
def test_a_call_in_text_goes_as_written(located: LocatedTextCall) -> None:
    result = play(PACK, located, RENDER)
    assert not result.problems, "\n".join([*result.transcript, *result.problems])


def test_the_calls_reach_every_step_of_the_shipped_pack() -> None:
    assert run_text_call_files(PACK, FILES, RENDER).missed == ()


def test_the_shipped_pack_has_no_warnings() -> None:
    assert PACK.warnings == ()


def test_the_bundled_model_knows_every_word_of_the_shipped_pack() -> None:
    known = set(VOCABULARY.read_text(encoding="utf-8").split())
    assert {word: phrase for word, phrase in PACK.vocabulary().items() if word not in known} == {}


def test_yes_and_no_grammars_are_short_and_hold_no_yeah() -> None:
    phrases = PACK.grammars["confirm:order_number"].phrases
    assert len(phrases) < 150
    assert not any("yeah" in phrase.split() for phrase in phrases)


def test_fixed_prompts_hold_the_greeting_with_the_shops_name_and_no_variable_prompt() -> None:
    prompts = {prompt.id: prompt.text for prompt in PACK.fixed_prompts({"shop": "Example Shop"}, RENDER)}
    assert prompts["greeting"] == "Thanks for calling Example Shop. How can I help?"
    assert prompts["order_number.nomatch.1"] == "Sorry, I didn't get that. What's the order number?"
    assert "status.shipped" not in prompts
    assert all(prompts.values())


class ConversationRestoredAfterEveryEvent(Conversation):
    """A conversation that lives in another process after every event: through JSON and back."""

    def hear(self, event: Event) -> Turn:
        turn = super().hear(event)
        snapshot = json.loads(json.dumps(self.snapshot()))
        self.__dict__.update(Conversation.restore(PACK, snapshot, RENDER).__dict__)
        return turn


@pytest.mark.parametrize("located", read_text_calls(FILES), ids=lambda located: f"{located.file}:{located.line}")
def test_a_call_that_moves_to_another_process_after_every_event_goes_the_same_way(located: LocatedTextCall) -> None:
    result = play(PACK, located, RENDER, ConversationRestoredAfterEveryEvent)
    assert not result.problems, "\n".join([*result.transcript, *result.problems])
