"""A second language is a folder and a pack: nothing of the engine, of number capture or of the grammars knows it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from agent.dialog.contract import Completeness, HandOverAction, TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import FlowError
from agent.dialog.numbers import capture
from agent.dialog.numbers.format import NumberFormat
from agent.dialog.numbers.spoken_forms import say_number
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_runner import run_text_call_files
from agent.languages.language import Language
from agent.speech.wording import filters
from tests.languages.es.spanish import NUMBERS, SPANISH

HERE = Path(__file__).parent
FIVE = NumberFormat("99999")
RENDER = SandboxRenderer(filters)
NOW = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def pack() -> FlowPack:
    return FlowPack.load(HERE / "pack", RENDER.filters, languages={"es": SPANISH})


def test_calls_in_text_go_through(pack: FlowPack) -> None:
    report = run_text_call_files(pack, [HERE / "calls.yaml"], RENDER)
    assert not report.failed, report.text(verbose=True)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("uno cero cuatro siete tres", "10473"),
        ("diez cuatro setenta y tres", "10473"),
        ("mi número de pedido es el uno cero cuatro siete tres por favor", "10473"),
        ("uno cero cinco perdón uno cero cuatro siete tres", "10473"),
        ("veintidós treinta y cuatro uno", "22341"),
        ("10473", "10473"),
    ],
)
def test_a_number_is_understood(said: str, value: str) -> None:
    reading = capture.understand(said, FIVE, vocabulary=NUMBERS)
    assert (reading.value, reading.must_confirm) == (value, False)


def test_somebody_who_is_not_sure_is_asked() -> None:
    assert capture.understand("creo que uno cero cuatro siete tres", FIVE, vocabulary=NUMBERS).must_confirm


def test_english_words_are_no_numbers_in_it() -> None:
    assert capture.understand("one zero four seven three", FIVE, vocabulary=NUMBERS).value is None


def test_a_part_of_a_number_is_known_to_be_unfinished() -> None:
    assert capture.completeness("uno cero cuatro", FIVE, vocabulary=NUMBERS) is Completeness.INCOMPLETE


@pytest.mark.parametrize("way", range(8))
@pytest.mark.parametrize("value", ["10473", "20030", "98431"])
def test_every_way_of_saying_a_number_means_it(value: str, way: int) -> None:
    said = say_number(value, lambda ways: way % ways, NUMBERS)
    reading = capture.understand(said, FIVE, vocabulary=NUMBERS)
    assert value in (reading.value, *reading.alternatives), said


def test_the_recogniser_listens_for_its_words(pack: FlowPack) -> None:
    grammar = pack.grammars["collect:pedido"]
    assert {"uno", "veintidós", "y"} <= set(grammar.words)
    assert not {"one", "zero", "oh", "double"} & {word for sample in grammar.samples for word in sample.split()}


def test_staff_are_told_about_the_order(pack: FlowPack) -> None:
    conversation = Conversation(pack, CallFacts(NOW), RENDER)
    conversation.start()
    conversation.hear(TurnInput("uno cero cuatro siete tres"))
    then = conversation.hear(TurnInput("una persona")).then
    assert isinstance(then, HandOverAction)
    assert (then.facts["order_number"], then.facts["verified"]) == ("10473", False)
    assert then.summary == "Pedido 10473."


def test_a_language_that_is_not_there_is_a_mistake_at_its_line() -> None:
    with pytest.raises(FlowError) as caught:
        FlowPack.load(HERE / "pack")
    assert [str(finding) for finding in caught.value.findings][:1] == [
        "pack.yaml:2: language: there is no language 'es' here; there are: en (docs/flows.md, A second language)"
    ]


@pytest.mark.parametrize(("code", "expected"), [("es", "es"), ("es-MX", "es"), ("en-GB", "en"), ("", "en")])
def test_a_region_goes_by_its_language(tmp_path: Path, code: str, expected: str) -> None:
    text = (HERE / "pack" / "pack.yaml").read_text(encoding="utf-8")
    (tmp_path / "pack.yaml").write_text(text.replace("language: es", f'language: "{code}"'), encoding="utf-8")
    found: Language = FlowPack.load(tmp_path, languages={"es": SPANISH}).language
    assert found.code == expected
