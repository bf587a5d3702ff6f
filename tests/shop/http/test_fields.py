"""Reading fields: paths, words, dates and amounts; a broken answer is refused by field name, never by value."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.shop.http.fields import FieldError, FieldReader, OddField, keys_of, search
from agent.shop.http.mapping import FieldSpec
from agent.shop.http.response_models import OrderFields, build, build_leniently
from agent.shop.http.templates import RequestTemplates
from agent.shop.models import OrderItem
from tests.shop.http.mapped import PHONE

CHICAGO = ZoneInfo("America/Chicago")
READER = FieldReader(RequestTemplates(), CHICAGO)
RAW: dict[str, Any] = {
    "number": 10473,
    "status": "shipped",
    "placed_on": "2026-11-20",
    "currency": "usd",
    "total": "49.90",
    "postcode": "60614",
    "phone": "202-555-0143",
}


def read(document: object, **spec: object) -> Any:
    return READER.read(FieldSpec.model_validate(spec), document, {"key": "k-1"}, "field")


def order(**changes: object) -> OrderFields:
    made: OrderFields = build(OrderFields, {**RAW, **changes}, CHICAGO, lambda _: "")
    return made


class TestValues:
    def test_words_are_ours_whatever_their_case(self) -> None:
        assert read({"s": "SENT"}, path="s", map={"sent": "shipped"}) == "shipped"

    def test_an_unknown_word_takes_the_default_or_is_refused(self) -> None:
        assert read({"s": "lost"}, path="s", map={"sent": "shipped"}, default="placed") == "placed"
        with pytest.raises(FieldError, match="'map' does not have") as caught:
            read({"s": "lost"}, path="s", map={"sent": "shipped"})
        assert "lost" not in str(caught.value)

    def test_a_pattern_takes_its_group(self) -> None:
        assert read({"n": "#1001"}, path="n", match="#?(.+)") == "1001"
        assert read({"n": ["#1001"]}, path="n", match="#?(.+)") is None

    def test_cents_become_amounts(self) -> None:
        assert order(total=read({"t": 4990}, path="t", divide=100)).total == order().total

    def test_a_template_stands_for_what_the_system_does_not_tell(self) -> None:
        assert read({}, value="sms-{{ key }}") == "sms-k-1"


class TestDays:
    @pytest.mark.parametrize(
        ("spec", "value"),
        [
            ({}, "2026-11-21T04:30:00Z"),
            ({}, "2026-11-20"),
            ({"timezone": "UTC"}, "2026-11-21T04:30:00"),
            ({"format": "%d.%m.%Y"}, "20.11.2026"),
            ({"format": "unix"}, 1795235400),
            ({"format": "unix_ms"}, "1795235400000"),
        ],
    )
    def test_a_day_is_the_one_in_the_shops_zone(self, spec: dict[str, object], value: object) -> None:
        assert order(placed_on=read({"d": value}, path="d", **spec)).placed_on == dt.date(2026, 11, 20)

    @pytest.mark.parametrize("value", ["soon", 17, True, "2026-13-01", 1e300])
    def test_nonsense_is_refused(self, value: object) -> None:
        with pytest.raises(FieldError, match="placed_on: must be a date"):
            order(placed_on=value)

    @pytest.mark.parametrize(("form", "value"), [("unix", 1e300), ("unix", "soon"), ("%d.%m.%Y", "soon"), ("%d", 17)])
    def test_what_has_another_form_is_refused(self, form: str, value: object) -> None:
        with pytest.raises(FieldError, match="must be a date"):
            read({"d": value}, path="d", format=form)


class TestNouns:
    def test_an_order_is_made(self) -> None:
        made = order().order("US")
        assert (made.number, made.currency, made.phone) == ("10473", "USD", PHONE)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("number", ""),
            ("number", True),
            ("number", ["10473"]),
            ("number", "1" * 101),
            ("status", "lost"),
            ("currency", "dollars"),
            ("total", -1),
            ("total", "NaN"),
            ("total", "1e999"),
            ("total", {}),
            ("total", True),
            ("postcode", {"zip": 1}),
            ("items", "Mug"),
            ("items", [{"name": "Mug", "quantity": -1}]),
            ("items", [{"name": ["Mug"]}]),
            ("expected_window", "tomorrow"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_the_name_of_its_field(self, field: str, value: object) -> None:
        with pytest.raises(FieldError) as caught:
            order(**{field: value})
        assert str(caught.value).startswith(field)

    def test_a_phone_that_cannot_be_one_is_none(self) -> None:
        assert order(phone="call me").order("US").phone == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*RAW, "items"]), inner),
    max_leaves=20,
)


@given(JSON)
def test_any_data_gives_an_order_or_a_named_field(data: Any) -> None:
    raw = {**RAW, **data} if isinstance(data, dict) else {**RAW, "items": data}
    with contextlib.suppress(FieldError):
        assert build(OrderFields, raw, CHICAGO, lambda _: "").order("US").number
    with contextlib.suppress(FieldError):
        assert build_leniently(OrderFields, raw, CHICAGO, lambda _: "")[0].order("US").number


@given(JSON, st.sampled_from(["a.b", "sum(@)", "sort_by(@, &number)", "@[0]", "items[?total > `1`]", "abs(total)"]))
def test_no_path_raises_over_any_data(data: Any, path: str) -> None:
    search(path, data)


def test_a_document_is_described_by_its_keys_alone() -> None:
    assert keys_of({"name": "Maria", "zip": "60614"}) == "the keys there: name, zip"
    assert keys_of([{"name": "Maria"}]) == "there is a list of 1; in the first, the keys there: name"


class TestOddFields:
    """An optional field that does not fit is not known; the noun is made all the same."""

    def lenient(self, **changes: object) -> tuple[Any, list[str]]:
        made, odd = build_leniently(OrderFields, {**RAW, **changes}, CHICAGO, lambda _: "")
        return made.order("US"), [one.field for one in odd]

    @pytest.mark.parametrize(
        ("field", "value", "known"),
        [
            ("status", "lost", "unknown"),
            ("currency", "dollars", ""),
            ("total", -1, None),
            ("placed_on", "soon", None),
            ("expected_on", 17, None),
            ("expected_window", "tomorrow", None),
            ("refund_amount", True, None),
            ("items", "Mug", ()),
            ("parcels", [5], ()),
        ],
    )
    def test_it_counts_as_not_known(self, field: str, value: object, known: object) -> None:
        made, odd = self.lenient(**{field: value})
        assert getattr(made, field) == known
        assert len(odd) == 1
        assert odd[0].startswith(field)

    def test_a_line_loses_what_is_wrong_with_it_and_keeps_the_rest(self) -> None:
        made, odd = self.lenient(
            items=[{"name": "Mug", "quantity": "two", "price": -1, "sku": "M"}, {"name": "Cup"}, 7]
        )
        assert made.items == (OrderItem("M", "Mug", None, None), OrderItem("", "Cup", None, None))
        assert sorted(odd) == ["items[0].price", "items[0].quantity", "items[2]"]

    def test_a_weight_is_a_quantity(self) -> None:
        made, odd = self.lenient(items=[{"name": "Tea", "quantity": 1.52}, {"name": "Cup", "quantity": "2.0"}])
        assert ([item.quantity for item in made.items], odd) == ([Decimal("1.52"), 2], [])

    @pytest.mark.parametrize("field", ["number", "postcode", "phone"])
    def test_what_an_order_cannot_be_without_is_refused(self, field: str) -> None:
        with pytest.raises(FieldError) as caught:
            self.lenient(**{field: {"odd": 1}})
        assert caught.value.field == field

    def test_a_reader_notes_what_it_leaves_out(self) -> None:
        fields = {name: FieldSpec.model_validate(spec) for name, spec in self.FIELDS.items()}
        odd: list[OddField] = []
        found = READER.read_all(fields, {"s": "lost", "w": "odd", "d": "soon", "l": 5, "n": 3}, {}, odd=odd)
        assert found == {"number": 3, "word": "placed"}
        assert {one.field for one in odd} == {"status", "word", "day", "items"}
        assert not [one for one in odd if "lost" in one.message]

    FIELDS: ClassVar[dict[str, Any]] = {
        "number": {"path": "n"},
        "status": {"path": "s", "map": {"sent": "shipped"}},
        "word": {"path": "w", "map": {"sent": "shipped"}, "default": "placed"},
        "day": {"path": "d", "format": "%d.%m.%Y"},
        "items": {"list": "l", "fields": {"name": {"path": "n"}}},
    }
