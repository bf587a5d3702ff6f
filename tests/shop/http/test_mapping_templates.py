"""Templates: each value is escaped for the place it goes to, types survive in JSON, nothing gets out of the sandbox."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common.service_error import ServiceError
from agent.shop.http.templates import RequestTemplates

TEMPLATES = RequestTemplates()


def test_a_value_cannot_leave_its_part_of_a_path() -> None:
    assert TEMPLATES.path("/orders/{{ n }}/lines", {"n": "../a?b=c#d e/ü"}) == (
        "/orders/..%2Fa%3Fb%3Dc%23d%20e%2F%C3%BC/lines"
    )


@pytest.mark.parametrize("value", ["", ".", "..", None])
def test_a_value_that_would_change_the_path_is_refused(value: object) -> None:
    with pytest.raises(ServiceError) as caught:
        TEMPLATES.path("/orders/{{ n }}", {"n": value})
    assert caught.value.code == "bad_request"


def test_a_header_takes_no_second_line() -> None:
    assert TEMPLATES.header("{{ v }}", {"v": "a\r\nX-Evil: 1"}) == "a  X-Evil: 1"


def test_json_keeps_types_where_a_text_is_nothing_but_a_value() -> None:
    tree = {
        "a": "{{ yes }}",
        "b": "{{ n }}",
        "c": "no. {{ n }}",
        "d": ["{{ list }}"],
        "e": "{{ nothing.at.all }}",
        "f": 3,
    }
    context = {"yes": True, "n": 5, "list": ["x"]}
    assert TEMPLATES.data(tree, context) == {"a": True, "b": 5, "c": "no. 5", "d": [["x"]], "e": None, "f": 3}


@given(st.text())
def test_no_text_breaks_out_of_json(value: str) -> None:
    body = json.dumps(TEMPLATES.data({"a": "<{{ v }}>", "b": "{{ v }}"}, {"v": value}))
    clean = value.encode("utf-8", "replace").decode()
    assert json.loads(body)["a"] == f"<{clean}>"


def test_a_value_with_template_syntax_stays_a_value() -> None:
    assert TEMPLATES.text("{{ v }}", {"v": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ numbr }}", "uses 'numbr', which there is not; there are: number"),
        ("{{ number | nofilter }}", "is not a template"),
        ("{{ number", "is not a template"),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(template: str, said: str) -> None:
    assert said in TEMPLATES.problem(template, {"number"})


def test_the_sandbox_holds() -> None:
    assert TEMPLATES.text("{{ v.__class__.__mro__ }}", {"v": "x"}) == ""


def test_a_template_that_fails_quotes_no_value() -> None:
    with pytest.raises(ServiceError) as caught:
        TEMPLATES.text("{{ v + 1 }}", {"v": "secret"})
    assert "secret" not in caught.value.message


def test_phone_filters() -> None:
    context = {"phone": "+12025550143"}
    assert TEMPLATES.text("{{ phone | digits }} {{ phone | national }}", context) == "12025550143 2025550143"
    assert TEMPLATES.text("{{ phone | national | spaced(3, 3, 4) }}", context) == "202-555-0143"
