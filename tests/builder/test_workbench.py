from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agent.builder.checking import CheckRules
from agent.builder.pack_tests import PackTestChanged, PackTestError, PackTestFiles
from agent.builder.simulation import SimulationError
from agent.builder.teaching_effect import TaughtAdditions, TeachingStudy, UnknownMeaning
from agent.builder.workbench import UnusablePack, Workbench
from agent.builder.workbench_settings import WorkbenchSettings
from agent.dialog.errors import FlowError
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_model import text_calls_of
from agent.dialog.understanding.fitting import FittedScore
from agent.dialog.understanding.source import Teaching
from agent.speech.wording import filters
from tests.builder.fruit_pack import TESTS, edited, fruit_files


@pytest.fixture
def tests_directory(tmp_path: Path) -> Path:
    directory = tmp_path / "tests"
    directory.mkdir()
    (directory / "fruit.yaml").write_text(TESTS, encoding="utf-8")
    return directory


@pytest.fixture
def workbench(tmp_path: Path, tests_directory: Path) -> Workbench:
    return Workbench(WorkbenchSettings({}, tests_directory, tmp_path / "scores"))


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    settings = WorkbenchSettings({"order_number": "99999"}, tmp_path, tmp_path / "scores")
    assert WorkbenchSettings.from_json(settings.to_json()) == settings


def test_a_call_is_played_stepped_back_and_begun_again_on_edited_files(workbench: Workbench) -> None:
    files = fruit_files()
    state = workbench.begin("one", files, {"outcomes": {"shop.buy": "sold_out"}})
    assert state["turn"] == 0
    assert state["scored_by"] == "phrases alone"
    workbench.take("one", {"say": "i want fruit"})
    state = workbench.take("one", {"say": "an apple"})
    assert state["said"][0]["text"] == "We have none left."
    held = [
        {"given": turn["input"], "said": [one["text"] for one in turn["said"]]} for turn in workbench.turns("one")[1:]
    ]
    other = edited(files, "We have none left.", "All sold.")
    again = workbench.begin("one", other, {"outcomes": {"shop.buy": "sold_out"}}, held)
    assert again["differs"] == 1
    assert again["said"][0]["text"] == "All sold."
    assert workbench.begin("two", files, {"outcomes": {"shop.buy": "sold_out"}}, held)["differs"] is None
    assert workbench.back("one", 2)["turn"] == 0


def test_turns_that_the_edited_call_does_not_wait_for_are_left_out(workbench: Workbench) -> None:
    held = [{"given": {"say": "i want fruit"}}, {"given": {"say": "an apple"}}, {"given": {"answer": "one_apple"}}]
    files = edited(fruit_files(), "      - collect: fruit\n", "      - say: Fruit it is.\n")
    state = workbench.begin("one", files, {}, held)
    assert state["pending"]["service"] == "shop.buy"
    assert (state["turn"], state["differs"]) == (1, 1)


def test_outcomes_may_be_changed_in_the_middle(workbench: Workbench) -> None:
    workbench.begin("one", fruit_files(), {})
    workbench.take("one", {"say": "i want fruit"})
    workbench.change("one", {"shop.buy": "one_apple"}, None)
    assert workbench.take("one", {"say": "an apple"})["effects"][0]["choice"] == "one_apple"


def test_a_call_that_has_ended_is_forgotten(workbench: Workbench) -> None:
    workbench.begin("one", fruit_files(), {})
    workbench.end("one")
    with pytest.raises(SimulationError):
        workbench.state("one")


def test_a_pack_with_mistakes_cannot_be_played_and_its_first_mistake_is_told(workbench: Workbench) -> None:
    with pytest.raises(UnusablePack, match="gonne"):
        workbench.begin("one", edited(fruit_files(), "sold_out: gone", "sold_out: gonne"), {})


def test_all_tests_are_played_and_the_steps_that_none_reaches_told(workbench: Workbench) -> None:
    stages: list[tuple[str, int, int]] = []
    found = workbench.tests(fruit_files(), lambda *told: stages.append(told))
    assert (found["calls"], found["failed"]) == (2, [])
    assert found["missed"] == ["buy.person"]
    assert stages[-1] == ("testing", 2, 2)


def test_a_test_that_fails_tells_what_was_said_instead(workbench: Workbench) -> None:
    found = workbench.tests(edited(fruit_files(), "We have none left.", "All sold."), lambda *_: None)
    (failed,) = found["failed"]
    assert failed["name"] == "a caller finds nothing"
    assert "All sold." in failed["problems"][0]


def test_a_file_of_tests_that_cannot_be_read_counts_as_failed(workbench: Workbench, tests_directory: Path) -> None:
    (tests_directory / "broken.yaml").write_text("calls: [\n", encoding="utf-8")
    assert workbench.tests(fruit_files(), lambda *_: None)["failed"][0]["file"] == "broken.yaml"


# --- files of tests -------------------------------------------------------------------------------------


def test_a_call_is_added_to_a_new_file_and_to_one_that_is_there(tests_directory: Path) -> None:
    held = PackTestFiles(tests_directory)
    call = "  - call: added\n    lines:\n      - user: i want fruit\n"
    for file, count in (("console.yaml", 1), ("fruit.yaml", 3)):
        text = held.add(file, call).text
        assert len(text_calls_of(file, text)[0]) == count
    assert (tests_directory / "fruit.yaml").read_text(encoding="utf-8").startswith(TESTS.rstrip())


def test_a_file_changed_meanwhile_or_with_mistakes_is_not_written(tests_directory: Path) -> None:
    held = PackTestFiles(tests_directory)
    with pytest.raises(PackTestChanged):
        held.write("fruit.yaml", TESTS, "0" * 64)
    with pytest.raises(FlowError):
        held.write("fruit.yaml", "calls: [{call: x}]\n", held.read("fruit.yaml").sha256)
    for name in ("../out.yaml", "A.yaml", ".a.yaml", "a.txt"):
        with pytest.raises(PackTestError):
            held.write(name, TESTS, "")
    assert (tests_directory / "fruit.yaml").read_text(encoding="utf-8") == TESTS


def test_two_who_write_one_file_at_the_same_time_are_not_both_believed(tests_directory: Path) -> None:
    held = PackTestFiles(tests_directory)
    made_from = held.read("fruit.yaml").sha256
    texts = [f"{TESTS}# {number}\n" for number in range(8)]

    def write(text: str) -> bool:
        try:
            held.write("fruit.yaml", text, made_from)
        except PackTestChanged:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(write, texts)) == 1


def test_a_file_that_was_named_by_hand_is_read_like_the_others(tests_directory: Path) -> None:
    (tests_directory / "Fruit.v2.yaml").write_text(TESTS, encoding="utf-8")
    assert [one.file for one in PackTestFiles(tests_directory).read_all()] == ["Fruit.v2.yaml", "fruit.yaml"]


# --- teaching -------------------------------------------------------------------------------------------


class NoScores:
    """Rules alone decide."""

    vectors = None

    def fitted(self, _: Teaching) -> FittedScore | None:
        return None


def study() -> TeachingStudy:
    calls, _ = text_calls_of("fruit.yaml", TESTS)
    return TeachingStudy(fruit_files(), CheckRules(), NoScores(), SandboxRenderer(filters), calls)


def effect(additions: TaughtAdditions, sentences: dict[str, int]) -> dict[str, Any]:
    return study().effect(additions, sentences, lambda *_: None)


def test_a_new_phrase_shows_which_sentences_are_understood_by_it_and_that_tests_still_go_well() -> None:
    found = effect(TaughtAdditions("buy", phrases=("sell me fruit",)), {"sell me fruit": 3, "what a day": 1})
    assert found["problems"] == []
    strange = found["not_understood"]
    assert (strange["of"], strange["before"], strange["after"]) == (2, 0, 1)
    (gained,) = strange["gained"]
    assert (gained["text"], gained["times"], gained["after"]["meaning"]) == ("sell me fruit", 3, "buy")
    assert [one["text"] for one in strange["still"]] == ["what a day"]
    assert found["tests"] == {"of": 2, "failed_before": [], "failed_after": []}


def test_a_phrase_that_cannot_be_read_is_told_and_nothing_else() -> None:
    assert effect(TaughtAdditions("buy", phrases=("sell (me",)), {})["problems"]


def test_an_example_that_another_meaning_has_is_told() -> None:
    files = edited(
        fruit_files(),
        "  buy:\n",
        "  other:\n    description: something else\n    examples: [a banana please]\n    steps: [{say: No.}]\n  buy:\n",
    )
    calls, _ = text_calls_of("fruit.yaml", TESTS)
    found = TeachingStudy(files, CheckRules(), NoScores(), SandboxRenderer(filters), calls).effect(
        TaughtAdditions("buy", examples=("a banana please",)), {}, lambda *_: None
    )
    assert any("already an example of" in problem for problem in found["problems"])


@pytest.mark.parametrize(
    "meaning", ["nothing", "topic:nothing", "promotion:nothing", "not_for_us:nothing", "command:repeat"]
)
def test_what_the_pack_does_not_have_cannot_be_taught(meaning: str) -> None:
    with pytest.raises(UnknownMeaning):
        effect(TaughtAdditions(meaning, examples=("hello",)), {})
