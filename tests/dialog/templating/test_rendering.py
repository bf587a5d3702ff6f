from datetime import datetime

import pytest

from agent.dialog.errors import DialogError
from agent.dialog.templating.expressions import Expressions
from agent.dialog.templating.rendering import SandboxRenderer


def test_white_space_is_collapsed_and_kept_away_from_stops() -> None:
    assert SandboxRenderer()("It  is\n {{ a }} .  Ok ?", {"a": "here"}) == "It is here. Ok?"


def test_data_is_never_a_template_and_loses_its_markup() -> None:
    text = SandboxRenderer()("With {{ carrier }}.", {"carrier": "{{ 7*7 }}{% x %}<b>UPS</b>\x00\n"})
    assert not set("{}<>\x00\n") & set(text)
    assert "49" not in text


def test_data_is_cut_and_nothing_is_silent() -> None:
    render = SandboxRenderer()
    assert len(render("{{ a }}", {"a": "x" * 5000})) == 300
    assert render("a{{ missing.deep.er }}b{{ none }}", {"none": None}) == "ab"


@pytest.mark.parametrize("template", ["{{ ''.__class__.__mro__ }}", "{{ cycler.__init__.__globals__.os.name }}"])
def test_a_template_cannot_reach_into_the_program(template: str) -> None:
    assert SandboxRenderer()(template, {}) == ""


@pytest.mark.parametrize("template", ["{{ a.append(1) }}", "{{ 1/0 }}", "{{ x", "{% for %}"])
def test_a_template_that_fails_is_an_error_of_ours(template: str) -> None:
    with pytest.raises(DialogError):
        SandboxRenderer()(template, {"a": [1]})


def test_filters_may_depend_on_the_time_of_the_call() -> None:
    render = SandboxRenderer(lambda now, _: {"year": lambda value: f"{value} in {now.year}"})
    assert "year" in render.filters
    for year in (2026, 2031):
        assert render("{{ 'x' | year }}", {"now": datetime.fromisoformat(f"{year}-01-01")}) == f"x in {year}"


def test_expressions_compute_and_unknown_names_are_nothing() -> None:
    expressions = Expressions()
    assert expressions.evaluate("tries + 1", {"tries": 1}) == 2
    assert expressions.evaluate("order.status == 'delayed'", {"order": {"status": "delayed"}}) is True
    assert expressions.evaluate("none", {}) is None
    assert expressions.evaluate("nothing", {}) is None
    assert expressions.names("order.status == 'x' and tries") == {"order", "tries"}
    with pytest.raises(DialogError):
        expressions.evaluate("tries / 0", {"tries": 1})
