"""The guard over callers' own words: sentences that are taught nowhere are understood as well as they were."""

from pathlib import Path

import pytest

from agent.dialog.engine.engine import CallFacts
from agent.dialog.tools.hearing import hear_sentence
from agent.dialog.understanding.examples import example_lists
from benchmarks.words import FOREIGN, LabelledSentence, RightMeanings, outcome, read_sentences, report
from tests.dialog.engine.test_open_requests import FACTS
from tests.shipped_pack import RENDER, scored_pack

SENTENCES = read_sentences(Path(__file__).parent / "sentences.tsv")


def test_no_sentence_kept_apart_is_taught() -> None:
    taught = {template for listed in example_lists(scored_pack().contents) for template in listed.templates}
    assert [one.text for one in SENTENCES if one.text in taught] == []


@pytest.mark.slow
def test_own_words_are_understood_as_well_as_they_were() -> None:
    facts: CallFacts = FACTS
    found: list[str] = []
    acted = 0
    for one in SENTENCES:
        heard = hear_sentence(scored_pack(), facts, RENDER, one.text)
        if one.scope == FOREIGN:
            acted += heard.decision == "act" and not heard.meaning.startswith("command:")
            continue
        own = frozenset(one.label.split("|"))
        right = RightMeanings(True, own, bool(own & {"command:agent", "not_for_us"}))
        found.append(outcome(heard.decision, [heard.meaning, *(name for name, _ in heard.candidates)], right))
    total = len(found)
    assert found.count("right") >= 0.65 * total
    assert sum(found.count(one) for one in ("right", "asked", "choice")) >= 0.88 * total
    assert found.count("wrong") <= 0.025 * total
    assert acted <= 1


def test_the_report_counts_by_source_and_label_and_sweeps_the_threshold() -> None:
    rows = [
        LabelledSentence("us", "order_status", "in", "where is my order"),
        LabelledSentence("them", "oos", "oos", "x"),
    ]
    heard = [hear_sentence(scored_pack(), FACTS, RENDER, row.text) for row in rows]
    text = report(rows, heard, {}, scored_pack().thresholds(""))
    lines = [line.split() for line in text.splitlines()]
    assert ["core", "1", "100.0%"] in [line[:3] for line in lines]
    assert ["other", "domains", "1", "acted", "on", "0.0%,"] in [line[:6] for line in lines]
    assert text.count("foreign acted on 0 of 1") == 9
