import random
from pathlib import Path

import pytest
import yaml

from agent.dialog.chat import heard_text
from agent.dialog.loader import FlowPack
from agent.dialog.meanings import Match, Meaning
from agent.dialog.rendering import SandboxRenderer
from agent.dialog.turns import Heard
from agent.flows import english_pack
from agent.speech.wording import filters

HERE = Path(__file__).parent
PACK = FlowPack.load(english_pack(), SandboxRenderer(filters).filters)
SENTENCES = yaml.safe_load((HERE / "caller_sentences.yaml").read_text(encoding="utf-8"))
FOREIGN = yaml.safe_load((HERE / "foreign_sentences.yaml").read_text(encoding="utf-8"))
NUMBERLESS = sorted(key for key in PACK.grammars if key.partition(":")[2] not in PACK.formats)
"""Questions that do not ask for a number and read none back."""
LEAST_RIGHT = {"first": 1.0, "fresh": 0.92}
"""Share of a part's sentences that must go to the right intent; the others may only be refused."""


def intent_of(match: Match | None) -> str:
    """Name what was understood the way the table names its intents."""
    if match is None:
        return ""
    meaning = match.meaning
    if meaning.kind == "request":
        named = dict(meaning.values)
        return {"questions": f"topic:{named.get('topic')}", "promotion": f"promotion:{named.get('promotion')}"}.get(
            meaning.name, meaning.name
        )
    return {"value": meaning.name, "command": f"command:{meaning.name}", "escalate": f"escalate:{meaning.name}"}.get(
        meaning.kind, meaning.kind
    )


def understood(part: str) -> list[tuple[str, str, str]]:
    """Return wanted intent, understood intent and sentence; yes and no are said to a question that wants them."""
    return [
        (intent, intent_of(PACK.grammars[question].match(heard_text(said))), said)
        for intent, sentences in SENTENCES[part].items()
        for question in ["collect:return_sure" if intent in ("yes", "no") else "collect:request"]
        for said in sentences
    ]


@pytest.mark.parametrize("part", LEAST_RIGHT)
def test_no_sentence_goes_to_a_wrong_intent_and_nearly_all_to_the_right_one(part: str) -> None:
    told = understood(part)
    assert [row for row in told if row[1] not in ("", row[0])] == []
    assert sum(wanted == got for wanted, got, _ in told) >= LEAST_RIGHT[part] * len(told)


@pytest.mark.parametrize("question", NUMBERLESS)
def test_nothing_said_near_the_telephone_is_acted_on_but_for_the_known_misses(question: str) -> None:
    """A guess is asked about before anything is done, so only what is no guess counts."""
    matches = {said: PACK.grammars[question].match(heard_text(said)) for said in FOREIGN["foreign"]}
    acted = [said for said, match in matches.items() if match is not None and not match.meaning.guessed]
    assert acted == FOREIGN["accepted"].get(question, [])


def test_no_text_whatever_is_too_much_for_a_grammar() -> None:
    chance = random.Random(7)
    words = [word for rows in SENTENCES["first"].values() for said in rows for word in said.lower().split()]
    words += ["[unk]", "{", "~", "*", "one", "oh", "um", "'", "-"]
    for _ in range(60):
        text = " ".join(chance.choice(words) for _ in range(chance.randrange(90)))
        for question in ("collect:request", "collect:order_number", "confirm:order_number", "collect:return_reason"):
            match = PACK.grammars[question].match(Heard(text))
            assert match is None or isinstance(match.meaning, Meaning)
            PACK.grammars[question].completeness(text)
