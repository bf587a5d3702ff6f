"""Open requests: what is said by whom, what counts as right, and what the report tells."""

from __future__ import annotations

from collections import Counter

import pytest

from agent.accuracy import plan
from agent.accuracy.open_judgement import judge_open
from agent.accuracy.open_report import open_page, open_report, open_summary
from agent.accuracy.open_requests import CONDITIONS, FOREIGN, OPEN, open_items, open_sentences, open_trials
from agent.accuracy.speakers import HEARD_BEFORE, KOKORO, OPEN_REQUEST_VOICES, TRAINED
from agent.accuracy.trial_types import HeardUtterance, OpenDecision, Outcome, TrialResult
from agent.dialog.understanding.examples import example_expander, example_lists
from agent.languages.registry import find_language
from tests.shipped_pack import shipped_pack


def test_there_are_enough_sentences_and_none_stands_twice() -> None:
    said = open_sentences()
    requests = [text for texts in said["requests"].values() for text in texts]
    assert len(requests) >= 120
    assert len(said["foreign"]) >= 60
    assert max(Counter(text.lower() for text in [*requests, *said["foreign"]]).values()) == 1


def test_the_voices_never_trained_the_bundled_model() -> None:
    assert len(KOKORO) == 6
    assert TRAINED.isdisjoint(OPEN_REQUEST_VOICES)
    assert set(OPEN_REQUEST_VOICES) <= {*KOKORO, *HEARD_BEFORE}


def test_each_sentence_is_said_by_two_voices_and_every_voice_says_as_much() -> None:
    items = list(open_items(OPEN_REQUEST_VOICES))
    assert set(Counter(item.answer.first for item in items).values()) == {2}
    said = Counter(item.speaker for item in items)
    assert set(said) == set(OPEN_REQUEST_VOICES)
    assert max(said.values()) - min(said.values()) <= 4
    assert {item.lot for item in items} == {OPEN, FOREIGN}


def test_a_quick_run_says_a_part_of_them_with_every_voice() -> None:
    quick, full = open_trials(OPEN_REQUEST_VOICES, plan.QUICK.open_every), open_trials(OPEN_REQUEST_VOICES, 1)
    assert {trial.item.speaker for trial in quick} == set(OPEN_REQUEST_VOICES)
    assert len(quick) < len(full) / 6
    assert {trial.condition.name for trial in full} == {condition.name for condition in CONDITIONS}
    assert open_trials([], 1) == []


def test_no_sentence_of_the_measurement_stands_in_the_procedures() -> None:
    pack = shipped_pack()
    expander = example_expander(pack.contents, find_language("en"))
    examples = {
        phrase.text
        for listed in example_lists(pack.contents)
        for template in listed.templates
        for phrase in expander.expand(template)
    }
    said = open_sentences()
    measured = {text.lower() for texts in [*said["requests"].values(), said["foreign"]] for text in texts}
    assert measured & examples == set()
    assert measured.intersection(pack.grammars["collect:request"].samples) == set()


def told(decision: str, meaning: str = "", score: float = 0.0, *candidates: tuple[str, float]) -> OpenDecision:
    return OpenDecision(decision, meaning, score, candidates)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        (told("act", "returns", 0.9), "taken"),
        (told("act", "order_status", 0.9), "wrong"),
        (told("confirm", "complaint", 0.5), "asked"),
        (told("confirm", "order_status", 0.5), "wrong_asked"),
        (told("choose", "", 0.2, ("order_status", 0.2), ("returns", 0.18), ("invoice", 0.1)), "asked"),
        (told("choose", "", 0.2, ("order_status", 0.2), ("invoice", 0.18), ("returns", 0.1)), "wrong_asked"),
        (told("again"), "missed"),
        (told("person", "command:agent", 1.0), "person"),
    ],
)
def test_what_a_decision_is_worth(decision: OpenDecision, outcome: Outcome) -> None:
    assert judge_open("returns complaint", decision) == outcome


def test_a_person_is_right_for_whoever_asked_for_one() -> None:
    assert judge_open("command:agent", told("person", "command:agent", 1.0)) == "taken"


def test_nothing_is_right_of_a_request_to_somebody_else_but_asking_again() -> None:
    assert judge_open("", told("act", "returns", 0.9)) == "wrong"
    assert judge_open("", told("confirm", "returns", 0.4)) == "wrong_asked"
    assert judge_open("", told("again")) == "missed"


def result(said: str, decision: OpenDecision, meanings: str, line: str = "clean", speaker: str = "joe") -> TrialResult:
    outcome = judge_open(meanings, decision)
    heard = (HeardUtterance(said, said, 0.9, 0.8, "", "request"),)
    return TrialResult(
        said, OPEN, "open" if meanings else "open_foreign", speaker, "request", line, "open requests", "tiny", meanings,
        decision.meaning, outcome, "first_try", heard, decision,
    )  # fmt: skip


RESULTS = [
    result("where is it", told("act", "order_status", 0.9, ("order_status", 0.9)), "order_status"),
    result("it broke", told("confirm", "returns", 0.5, ("returns", 0.5)), "returns"),
    result("cancel it", told("act", "returns", 0.8, ("returns", 0.8)), "cancel_order"),
    result("where are you", told("again", "", 0.1, ("order_status", 0.1)), "order_status"),
    result("book a table", told("act", "returns", 0.75, ("returns", 0.75)), ""),
    result("book a room", told("again"), ""),
]


def test_the_report_counts_by_line_and_follows_the_threshold() -> None:
    data = open_report(RESULTS)
    line = data["lines"]["clean"]
    assert (line["n"], line["taken"]["count"], line["asked"]["count"], line["understood"]["count"]) == (4, 1, 1, 2)
    assert (line["wrong"]["count"], line["missed"]["count"], line["word_error_rate"]) == (1, 1, 0.0)
    assert data["foreign"]["clean"]["wrong"]["count"] == 1
    curve = {one["threshold"]: (one["right"], one["wrong"], one["foreign"]) for one in data["curve"]["clean"]}
    assert curve[0.5] == (0.5, 0.25, 0.5)
    assert curve[0.8] == (0.25, 0.25, 0.0)
    assert curve[0.85] == (0.25, 0.0, 0.0)


def test_the_page_and_the_summary_name_what_was_acted_on_wrongly() -> None:
    data = open_report(RESULTS)
    page = "\n".join(open_page(data))
    assert "| joe | clean | cancel it | cancel it | returns | 0.80 |" in page
    assert "| 0.85 | 25.0 % | 0.0 % | 0.0 % |" in page
    assert "tiny: 4 open requests (clean): 50 % (0-100) right after at most one question" in next(
        open_summary("tiny", data)
    )
    assert list(open_page({})) == []
    assert open_report([]) == {}
