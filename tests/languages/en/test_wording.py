"""How numbers, dates, money, places and other systems' text are said."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.sandbox import SandboxedEnvironment

from agent.languages.en import LANGUAGE, wording
from agent.speech.wording import filters

TODAY = dt.date(2026, 11, 22)  # a Sunday
FILTERS = filters(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), LANGUAGE)
SPEAKABLE = re.compile(r"[A-Za-z' ,.?!-]*")

anything = st.one_of(
    st.text(max_size=400),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.none(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.booleans(),
)
MESSY_FRAGMENTS = (
    *("{{", "}}", "{%", "<b>", "&amp;", "10473", "A1-B2-C3", "ABC-1234", "2026-11-25", "14:30", "$49.50", "3rd"),
    *(" ", "-", ",", ".", "/", "w/", "500ml", "USB", "HELLO", "x", "2x3", "http://a.b", "a@b.c", "\x00", "é", "٣"),
    *("99:99", "0000-00-00", "$9,9", "1,2,3", "1.", "'", "--", "#", "#7", "㍿", "½", "²", "12345678901234567890"),
)
messy_text = st.lists(st.sampled_from(MESSY_FRAGMENTS), max_size=60).map("".join)


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        ("10473", "one zero four, seven three"),
        ("2025550143", "two zero two, five five five, zero one four three"),
        ("+1 202-555-0143", "one, two zero two, five five five, zero one four three"),
        ("02139", "zero two one, three nine"),
        ("123456", "one two three, four five six"),
        ("1234567", "one two three, four five six seven"),
        ("1234567890123", "one two three, four five six, seven eight nine, zero one two three"),
        ("BX-10473", "B X, one zero four, seven three"),
        ("BX10473", "B X, one zero four, seven three"),
        ("SW1V 2TT", "S W one V, two T T"),
        (10473, "one zero four, seven three"),
        ("", ""),
        (None, ""),
    ],
)
def test_numbers_are_read_back_in_the_groups_people_use(number: object, spoken: str) -> None:
    assert wording.spoken_digits(number) == spoken


def test_groups_can_be_given_and_the_last_size_repeats() -> None:
    assert wording.spoken_digits("1047399", (2, 3)) == "one zero, four seven three, nine nine"


def test_the_letter_a_is_not_read_as_an_article() -> None:
    assert wording.spoken_digits("A1") == "eigh one"


@pytest.mark.parametrize(
    ("date", "spoken"),
    [
        ("2026-11-22", "today"),
        ("2026-11-23", "tomorrow"),
        ("2026-11-21", "yesterday"),
        ("2026-11-26", "Thursday"),
        ("2026-11-18", "Wednesday"),
        ("2026-12-03", "Thursday the third"),
        ("2026-11-12", "Thursday the twelfth"),
        ("2027-03-03", "the third of March"),
        ("2025-03-03", "the third of March twenty twenty-five"),
        (dt.date(2026, 12, 24), "the twenty-fourth of December"),
        (dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC), "tomorrow"),
        ("2026-11-23T09:30:00+01:00", "tomorrow"),
        ("2026-02-30", "two zero two six, zero two, three zero"),
        ("next week", "next week"),
        (None, ""),
    ],
)
def test_days_are_said_as_seen_from_today(date: object, spoken: str) -> None:
    assert wording.day(date, TODAY) == spoken


@pytest.mark.parametrize(
    ("window", "spoken"),
    [
        ("09:00-12:00", "between nine and noon"),
        ("12:00-15:00", "between noon and three"),
        ("13:00-17:00", "between one and five in the afternoon"),
        ("17:00-20:00", "between five and eight in the evening"),
        ("08:00-10:00", "between eight and ten in the morning"),
        ("09:00-17:00", "between nine and five"),
        ("08:00-20:00", "between eight in the morning and eight in the evening"),
        ("08:00-21:00", "between eight in the morning and nine in the evening"),
        ("09:30-11:05", "between nine thirty and eleven oh five in the morning"),
        ("9 to 12", "between nine and noon"),
        ("any time", "any time"),
        (None, ""),
    ],
)
def test_a_delivery_window_cannot_be_taken_for_the_other_half_of_the_day(window: object, spoken: str) -> None:
    assert wording.window(window) == spoken


@pytest.mark.parametrize(
    ("time", "spoken"),
    [
        ("12:00", "noon"),
        ("00:00", "midnight"),
        ("09:00", "nine in the morning"),
        (dt.time(14, 30), "two thirty in the afternoon"),
        ("19:05", "seven oh five in the evening"),
        ("23:15", "eleven fifteen at night"),
        ("25:00", "two five, zero zero"),
    ],
)
def test_times_of_day_are_said_with_their_part_of_the_day(time: object, spoken: str) -> None:
    assert wording.clock(time) == spoken


@pytest.mark.parametrize(
    ("amount", "currency", "spoken"),
    [
        (49.5, "USD", "forty-nine dollars fifty"),
        (120, "EUR", "a hundred and twenty euros"),
        ("49.99", "USD", "forty-nine dollars ninety-nine"),
        (49.05, "USD", "forty-nine dollars and five cents"),
        (1, "USD", "one dollar"),
        (0.01, "GBP", "one penny"),
        (0.3, "GBP", "thirty pence"),
        (0, "USD", "zero dollars"),
        (Decimal("19.999"), "USD", "twenty dollars"),
        (-3, "USD", "minus three dollars"),
        (1250, "USD", "one thousand two hundred and fifty dollars"),
        (500, "JPY", "five hundred Japanese yen"),
        (49.9, "CHF", "forty-nine point nine Swiss francs"),
        (5, "QQQ", "five Q Q Q"),
        (5, "dollars", "five"),
        ("free", "USD", "free"),
        (float("nan"), "USD", ""),
        (10**30, "USD", ""),
    ],
)
def test_amounts_are_said_the_way_a_cashier_says_them(amount: object, currency: str, spoken: str) -> None:
    assert wording.money(amount, currency) == spoken


def test_ordinals_and_counts() -> None:
    assert wording.ordinal(12) == "twelfth"
    assert wording.ordinal("21") == "twenty-first"
    assert wording.count(0, "parcel") == "no parcels"
    assert wording.count(1, "parcel") == "one parcel"
    assert wording.count("2", "parcel") == "two parcels"
    assert wording.count(["a", "b", "c"], "box") == "three boxes"
    assert wording.count(2, "delivery") == "two deliveries"
    assert wording.count(2, "person", "people") == "two people"
    assert wording.count(2.0, "day") == "two days"


@pytest.mark.parametrize(
    ("place", "spoken"),
    [
        ("CHICAGO", "Chicago"),
        ("MEMPHIS, TN 38118 US", "Memphis, Tennessee"),
        ("Portland, OR", "Portland, Oregon"),
        ("GARY IN", "Gary, Indiana"),
        ("winston-salem, NC", "Winston-Salem, North Carolina"),
        ("McAllen, TX, USA", "McAllen, Texas"),
        ("São Paulo", "Sao Paulo"),
        ("CHICAGO, IL 60614 US", "Chicago, Illinois"),
        ("CHICAGO, IL", "Chicago, Illinois"),
        ("DOVER, DE 19901", "Dover, Delaware"),
        ("SELBYVILLE, DE, US", "Selbyville, Delaware"),
        (None, ""),
    ],
)
def test_places_lose_their_abbreviations_and_codes(place: object, spoken: str) -> None:
    assert wording.place(place) == spoken


@pytest.mark.parametrize(
    ("place", "spoken"),
    [
        ("LEIPZIG, DE", "Leipzig, Germany"),
        ("LEIPZIG DE", "Leipzig, Germany"),
        ("LEIPZIG, DE 04159", "Leipzig, Germany"),
        ("KÖLN, DE", "Koln, Germany"),
        ("TORONTO, CA", "Toronto, Canada"),
        ("MUMBAI, IN", "Mumbai, India"),
        ("TEL AVIV, IL", "Tel Aviv, Israel"),
        ("BOGOTA, CO", "Bogota, Colombia"),
        ("PARIS, FR", "Paris, France"),
        ("ROTTERDAM, NL 3011", "Rotterdam, Netherlands"),
        ("EAST MIDLANDS, GB", "East Midlands, United Kingdom"),
    ],
)
def test_the_code_of_a_country_is_not_read_as_a_state(place: str, spoken: str) -> None:
    assert wording.place(place) == spoken


@pytest.mark.parametrize("code", ["AL", "AR", "CA", "CO", "DE", "GA", "ID", "IL", "IN", "MA", "MD", "PA", "TN", "VA"])
def test_a_code_that_is_a_states_and_a_countrys_is_not_said_of_a_town_nobody_knows(code: str) -> None:
    assert wording.place(f"KLEINKLECKERSDORF, {code}") == "Kleinkleckersdorf"


def test_lists_end_with_and() -> None:
    assert wording.listing([]) == ""
    assert wording.listing(["a lamp"]) == "a lamp"
    assert wording.listing(["a", "b"]) == "a and b"
    assert wording.listing(["a", "b", "c"]) == "a, b and c"
    assert wording.listing(["yes", "no"], "or") == "yes or no"


def test_items_are_named_with_their_quantity_and_long_orders_are_counted() -> None:
    lamp = {"name": "Brass Desk Lamp", "quantity": 1, "sku": "LMP-014-BRS"}
    mugs = {"name": "Mug (blue)", "quantity": 2}
    headphones = {"name": "HEADPHONES", "quantity": 2}
    cases = {"name": "Case for 2 bottles", "quantity": 3}
    assert wording.items([lamp, mugs]) == "Brass Desk Lamp and two Mugs"
    assert wording.items([headphones, cases]) == "two headphones and three Cases for two bottles"
    assert wording.items([lamp, mugs, headphones, cases]) == (
        "Brass Desk Lamp, two Mugs, two headphones and one more item"
    )
    assert wording.items([lamp] * 5).endswith("and two more items")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("WEATHER DELAY / MEMPHIS HUB", "weather delay, memphis hub"),
        ("UPS TRUCK BROKE DOWN", "UPS truck broke down"),
        ("Carrier & hub capacity", "Carrier and hub capacity"),
        ("<b>Held</b> at customs", "Held at customs"),
        ("&lt;script&gt;alert&lt;/script&gt; late", "alert late"),
        ("late {{ 7 * 7 }}{% for x in y %} again", "late again"),
        ("Cotton T-Shirt (SKU: TSH-221-NVY)", "Cotton T-Shirt"),
        ("parcel 1Z999AA10123456784 is late", "parcel is late"),
        ("back on 2026-11-25 at 14:30", "back on the twenty-fifth of November at two thirty in the afternoon"),
        ("a fee of $49.50 is due", "a fee of forty-nine dollars fifty is due"),
        ("Candle 500ml, 3 pcs", "Candle five hundred milliliters, three pieces"),
        ("the 3rd attempt", "the third attempt"),
        ("1,250 boxes, 1.5 days", "one thousand two hundred and fifty boxes, one point five days"),
        ("call 2025550143", "call two zero two, five five five, zero one four three"),
        ("Cable w/o plug", "Cable without plug"),
        ("Rug 10x20 cm", "Rug ten by twenty centimeters"),
        ("see https://example.com/track?id=1 for more", "see for more"),
        ("iPhone15Pro", "iPhone fifteen Pro"),
        ("José’s café", "Jose's cafe"),
        ("late\x00\x1b[31m\u202e\ud800 today", "late today"),
        ("AB-12345", "AB one two three, four five"),
        ("NIKE shoes", "Nike shoes"),
        ("", ""),
        (None, ""),
    ],
)
def test_text_from_other_systems_is_made_speakable(text: object, spoken: str) -> None:
    assert wording.clean(text) == spoken


def test_long_text_is_cut_at_a_word() -> None:
    spoken = wording.clean("delayed again " * 500)
    assert len(spoken) <= wording.MAX_CHARS
    assert spoken.endswith(("delayed", "again"))
    assert wording.clean("one two three", 8) == "one two"


def test_prompts_get_the_wording_as_filters_and_cannot_be_broken_by_data() -> None:
    environment = SandboxedEnvironment()
    now = dt.datetime(2026, 11, 22, 10, 0, tzinfo=dt.UTC)
    environment.filters.update(filters(now, LANGUAGE))
    template = environment.from_string(
        "Order {{ number | groups }} with {{ lines | items }} is in {{ place | place }}, because of {{ why | clean }},"
        " and comes {{ day | day }} {{ window | window }}. {{ 2 | count('parcel') }}, {{ 49.5 | money }},"
        " {{ 2 | ordinal }}, {{ '12:00' | clock }}, {{ ['a', 'b'] | listing }}."
    )
    assert template.render(
        number="10473",
        lines=[{"name": "Lamp", "quantity": 2}],
        place="CHICAGO",
        why="{{ 7 * 7 }} SNOW & ICE {% endif %}",
        day="2026-11-23",
        window="09:00-12:00",
    ) == (
        "Order one zero four, seven three with two Lamps is in Chicago, because of snow and ice,"
        " and comes tomorrow between nine and noon. two parcels, forty-nine dollars fifty, second, noon, a and b."
    )


@given(value=anything | messy_text)
def test_whatever_comes_in_only_words_come_out(value: object) -> None:
    for say in filters(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), LANGUAGE).values():
        spoken = say(value)
        assert SPEAKABLE.fullmatch(spoken), (say, spoken)
        assert len(spoken) <= wording.MAX_CHARS + 60


@given(values=st.lists(anything | st.fixed_dictionaries({"name": anything, "quantity": anything}), max_size=8))
def test_whatever_is_listed_only_words_come_out(values: list[object]) -> None:
    for say in (wording.listing, wording.items, wording.count):
        spoken = say(values)
        assert SPEAKABLE.fullmatch(spoken), (say, spoken)
        assert len(spoken) <= wording.MAX_CHARS


@given(amount=anything, currency=st.sampled_from(["USD", "EUR", "JPY", "KWD", "XXX"]) | st.text(max_size=5))
def test_whatever_the_amount_and_currency_only_words_come_out(amount: object, currency: str) -> None:
    assert SPEAKABLE.fullmatch(wording.money(amount, currency))


@given(number=st.text(alphabet="0123456789", min_size=1, max_size=40))
def test_every_digit_of_a_number_is_said_once_and_in_order(number: str) -> None:
    words = wording.spoken_digits(number).replace(",", "").split()
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    assert "".join(str(names.index(word)) for word in words) == number


@pytest.mark.parametrize(
    ("pattern", "shape", "enter"),
    [
        ("99999", "five digits", "key in the five digits"),
        ("99999[-9999]", "five or nine digits", "key in the five or nine digits"),
        ("AA-99999", "two letters and five digits", "say the two letters and five digits"),
        ("XXXX", "four characters", "say the four characters"),
        ("A9", "one letter and one digit", "say the one letter and one digit"),
        ("999|AA9", "three digits or two letters and one digit", "say the three digits or two letters and one digit"),
    ],
)
def test_a_number_format_is_told_as_what_it_is_made_of(pattern: str, shape: str, enter: str) -> None:
    assert FILTERS["shape"](pattern) == shape
    assert FILTERS["enter"](pattern) == enter


def test_what_is_no_number_format_is_said_as_it_stands() -> None:
    assert FILTERS["shape"]("?!") == "?!" or FILTERS["shape"]("?!") == ""
    assert FILTERS["shape"](None) in ("", "None")
