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


LARGE = [
    "{{ 'a' * 1000000000 }}",
    "{{ 1000000000 * 'a' }}",
    "{{ ['a'] * 1000000000 }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'.center(1000000000) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ 'a\nb' | indent(1000000000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 1000000000) }}",
    "{{ 10 ** 1000000000 }}",
    "{{ (('a' * 15000) | replace('a', 'b' * 15000)) }}",
    "{{ ('a' * 15000).replace('a', 'b' * 15000) }}",
    "{{ ('x' * 15000).join(['a'] * 15000) }}",
    "{{ ['a'] * 15000 | join('x' * 15000) }}",
    "{% set ns = namespace(a='aa') %}{% for i in range(40) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}{{ ns.a }}",
    "{% set ns = namespace(a='aa') %}{% for i in range(40) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{{ ns.a }}",
    "{% for a in range(1000) %}{% for b in range(1000) %}some words{% endfor %}{% endfor %}",
    "{% for a in range(9) %}{% for b in range(9) %}{% for c in range(9) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in range(100000000) %}{% endfor %}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "{{ lipsum(n=1000000) }}",
    "x" * 60_000,
]


@pytest.mark.parametrize("template", LARGE, ids=range(len(LARGE)))
def test_no_prompt_grows_beyond_what_can_be_said(template: str) -> None:
    with pytest.raises(DialogError):
        SandboxRenderer()(template, {})


@pytest.mark.parametrize("expression", ["'a' * 1000000000", "10 ** 1000000000", "(" * 20_000 + "1" + ")" * 20_000])
def test_no_expression_grows_beyond_it_either(expression: str) -> None:
    with pytest.raises(DialogError):
        Expressions().evaluate(expression, {})


def test_what_prompts_do_every_day_is_within_the_bounds() -> None:
    render = SandboxRenderer()
    items = [{"name": "shoes"}, {"name": "hat"}]
    assert render("{% for one in items %}{{ one.name }}{{ ', ' if not loop.last }}{% endfor %}", {"items": items}) == (
        "shoes, hat"
    )
    assert render("{{ 'a' ~ 1 ~ none_there ~ 'b' }} {{ '-' * 3 }} {{ 2 ** 10 }}", {}) == "a1b --- 1024"
    assert render("{{ items | map(attribute='name') | join(' and ') }}", {"items": items}) == "shoes and hat"
    assert render("{{ '%05.2f' | format(3.14159) }} {{ '{:>4}'.format('x') }}", {}) == "03.14 x"
