import json
from pathlib import Path

import pytest

from agent.dialog.contract import Event, Turn
from agent.dialog.engine.engine import Conversation
from agent.dialog.tools.text_call_model import LocatedTextCall
from agent.dialog.tools.text_call_runner import TextCallReport, TextCallResult, play
from agent.shop.answers import complete_answer
from tests.shipped_pack import RENDER, scored_pack, shipped_text_calls

PACK = scored_pack()
VOCABULARY = (
    Path(__file__).parents[3] / "agent" / "speech" / "models" / "vosk-model-tiny-en-us-phone" / "vocabulary.txt"
)


PLAYED: dict[tuple[str, int], TextCallResult] = {}


def played(located: LocatedTextCall) -> TextCallResult:
    """Return how a call goes; it is played once for all tests that ask."""
    key = located.file, located.line
    if key not in PLAYED:
        PLAYED[key] = play(PACK, located, RENDER, check_answer=complete_answer)
    return PLAYED[key]


@pytest.mark.parametrize("located", shipped_text_calls(), ids=lambda located: f"{located.file}:{located.line}")
def test_a_call_in_text_goes_as_written(located: LocatedTextCall) -> None:
    result = played(located)
    assert not result.problems, "\n".join([*result.transcript, *result.problems])


def test_the_calls_reach_every_step_of_the_shipped_pack() -> None:
    report = TextCallReport(tuple(map(played, shipped_text_calls())), tuple(PACK.steps()))
    assert report.missed == ()


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
    prompts = {
        prompt.id: prompt.text for prompt in PACK.fixed_prompts({"shop": "Example Shop", "automated": True}, RENDER)
    }
    assert prompts["greeting"] == "Thanks for calling Example Shop. I'm the automated assistant. How can I help?"
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


@pytest.mark.slow
@pytest.mark.parametrize("located", shipped_text_calls(), ids=lambda located: f"{located.file}:{located.line}")
def test_a_call_that_moves_to_another_process_after_every_event_goes_the_same_way(located: LocatedTextCall) -> None:
    result = play(PACK, located, RENDER, ConversationRestoredAfterEveryEvent, check_answer=complete_answer)
    assert not result.problems, "\n".join([*result.transcript, *result.problems])
