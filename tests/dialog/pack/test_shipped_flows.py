import json
from pathlib import Path

import pytest

from agent.dialog.contract import Event, Turn
from agent.dialog.engine.engine import Conversation
from agent.dialog.tools.text_call_model import LocatedTextCall
from agent.dialog.tools.text_call_runner import TextCallReport, TextCallResult, play
from agent.shop.answers import complete_answer
from tests.shipped_pack import RENDER, scored_pack, shipped_text_calls

VOCABULARY = (
    Path(__file__).parents[3] / "agent" / "speech" / "models" / "vosk-model-tiny-en-us-phone" / "vocabulary.txt"
)


PLAYED: dict[tuple[str, int], TextCallResult] = {}
FILES = sorted({located.file for located in shipped_text_calls()})


def calls_of(file: str) -> list[LocatedTextCall]:
    return [located for located in shipped_text_calls() if located.file == file]


def problems(located: LocatedTextCall, result: TextCallResult) -> list[str]:
    """Return the call's place, how it went and what is wrong with it; nothing for one that went well."""
    return [f"{located.file}:{located.line}", *result.transcript, *result.problems] if result.problems else []


def played(located: LocatedTextCall) -> TextCallResult:
    """Return how a call goes; it is played once for all tests that ask."""
    key = located.file, located.line
    if key not in PLAYED:
        PLAYED[key] = play(scored_pack(), located, RENDER, check_answer=complete_answer)
    return PLAYED[key]


@pytest.mark.parametrize("file", FILES)
def test_calls_in_text_go_as_written(file: str) -> None:
    wrong = [line for located in calls_of(file) for line in problems(located, played(located))]
    assert not wrong, "\n".join(wrong)


def test_the_calls_reach_every_step_of_the_shipped_pack() -> None:
    report = TextCallReport(tuple(map(played, shipped_text_calls())), tuple(scored_pack().steps()))
    assert report.missed == ()


def test_the_shipped_pack_has_no_warnings() -> None:
    assert scored_pack().warnings == ()


def test_the_bundled_model_knows_every_word_of_the_shipped_pack() -> None:
    known = set(VOCABULARY.read_text(encoding="utf-8").split())
    assert {word: phrase for word, phrase in scored_pack().vocabulary().items() if word not in known} == {}


def test_yes_and_no_grammars_are_short_and_hold_no_yeah() -> None:
    phrases = scored_pack().grammars["confirm:order_number"].phrases
    assert len(phrases) < 150
    assert not any("yeah" in phrase.split() for phrase in phrases)


def test_fixed_prompts_hold_the_greeting_with_the_shops_name_and_no_variable_prompt() -> None:
    prompts = {
        prompt.id: prompt.text
        for prompt in scored_pack().fixed_prompts({"shop": "Example Shop", "automated": True}, RENDER)
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
        self.__dict__.update(Conversation.restore(scored_pack(), snapshot, RENDER).__dict__)
        return turn


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_a_call_that_moves_to_another_process_after_every_event_goes_the_same_way(file: str) -> None:
    wrong = []
    for located in calls_of(file):
        result = play(scored_pack(), located, RENDER, ConversationRestoredAfterEveryEvent, check_answer=complete_answer)
        wrong += problems(located, result)
    assert not wrong, "\n".join(wrong)
