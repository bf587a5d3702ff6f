import re
import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.dialog.contract import Completeness
from agent.dialog.numbers.candidates import readings
from agent.dialog.numbers.format import NumberFormat, NumberFormatError, groups_of
from agent.dialog.numbers.spoken_forms import say_number
from agent.dialog.numbers.words import words_for
from agent.languages.en.numbers import NUMBERS
from tests.dialog.numbers.english import completeness, correct, understand

FIVE = NumberFormat("99999")
LETTERED = NumberFormat("AA-99999")
UK = NumberFormat("A9 9AA|A99 9AA|AA9 9AA|AA99 9AA|A9A 9AA|AA9A 9AA", check="uk_postcode")
WORDS = sorted(
    {*NUMBERS.digits, *NUMBERS.teens, *NUMBERS.tens, *NUMBERS.fillers, *NUMBERS.phonetic, *string.ascii_lowercase}
    | {"double", "triple", "hundred", "thousand"}
    | {"not", "as", "in", "for", "[unk]", "dash", "12", "banana"}
    | {word for marker in NUMBERS.markers for word in marker}
)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("one zero four seven three", "10473"),
        ("one oh four seven three", "10473"),
        ("one o four seven three", "10473"),
        ("ten four seventy three", "10473"),
        ("ten forty seven three", "10473"),
        ("one oh four seventy three", "10473"),
        ("one hundred and four seventy three", "10473"),
        ("one hundred four seventy three", "10473"),
        ("ten thousand four hundred and seventy three", "10473"),
        ("ten thousand four seventy three", "10473"),
        ("um it's one oh uh four seven three please", "10473"),
        ("1 0 4 7 3", "10473"),
        ("104 73", "10473"),
        ("double one four seven three", "11473"),
        ("one triple zero three", "10003"),
        ("double oh seven double three", "00733"),
        ("two oh four eleven", "20411"),
        ("nineteen eighty four five", "19845"),
        ("one oh four seven three no one oh four seven four", "10474"),
        ("one oh five sorry one oh four seven three", "10473"),
        ("no i said one oh four seven three", "10473"),
        ("one oh four seven three not one oh four seven four", "10473"),
    ],
)
def test_people_say_an_order_number_in_many_ways(said: str, value: str) -> None:
    reading = understand(said, FIVE)
    assert (reading.value, reading.must_confirm) == (value, False)


def test_tens_and_units_join_or_stand_apart_as_the_length_wants() -> None:
    assert understand("sixty two seventeen", NumberFormat("9999")).value == "6217"
    assert understand("twenty four", NumberFormat("99")).value == "24"
    apart = understand("twenty four", NumberFormat("999"))
    assert (apart.value, apart.must_confirm) == ("204", True)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("a b one oh four seven three", "AB-10473"),
        ("alpha bravo one oh four seven three", "AB-10473"),
        ("a as in alpha b as in bravo dash one oh four seven three", "AB-10473"),
        ("b for bravo d like delta ten four seventy three", "BD-10473"),
        ("double b one oh four seven three", "BB-10473"),
        ("x-ray x as in x-ray one oh four seven three", "XX-10473"),
        ("oh b one oh four seven three", "OB-10473"),
        ("oscar zulu one oh four seven three", "OZ-10473"),
    ],
)
def test_letters_come_plain_phonetic_or_with_an_example(said: str, value: str) -> None:
    reading = understand(said, LETTERED)
    assert (reading.value, reading.must_confirm) == (value, False)


def test_an_example_outweighs_the_letter_heard_but_is_asked_about() -> None:
    reading = understand("d as in bravo a one oh four seven three", LETTERED)
    assert (reading.value, reading.must_confirm) == ("BA-10473", True)


def test_an_eight_where_a_letter_belongs_is_taken_for_an_a_and_asked_about() -> None:
    reading = understand("eight b one oh four seven three", LETTERED)
    assert (reading.value, reading.must_confirm) == ("AB-10473", True)


@pytest.mark.parametrize("said", ["seventy three twenty one", "one oh seventy three"])
def test_a_reading_that_had_to_be_stretched_to_fit_is_asked_about(said: str) -> None:
    assert understand(said, FIVE).must_confirm
    assert completeness(said, FIVE) is Completeness.OPEN


@pytest.mark.parametrize("said", ["", "banana", "one two three four five six", "[unk]", "yes", "one banana three"])
def test_what_is_no_number_of_the_format_has_no_value(said: str) -> None:
    assert understand(said, FIVE).value is None


def test_a_part_corrected_in_the_same_breath_is_mended_and_asked_about() -> None:
    reading = understand("one oh four seven no eight three", FIVE)
    assert (reading.value, reading.must_confirm) == ("10483", True)
    reading = understand("one oh four fifteen no fifty", FIVE)
    assert (reading.value, reading.must_confirm) == ("10450", True)


def test_two_breaths_make_one_number() -> None:
    first = understand("one oh four", FIVE)
    assert (first.value, first.partial) == (None, "104")
    assert understand("seven three", FIVE, so_far="one oh four").value == "10473"


def test_a_whole_number_in_the_second_breath_replaces_the_first() -> None:
    assert understand("two oh five one eight", FIVE, so_far="one oh four").value == "20518"


def test_a_split_between_breaths_that_could_be_read_two_ways_is_asked_about() -> None:
    assert understand("three", FIVE, so_far="one oh seventy").must_confirm


def test_the_callers_own_number_decides_between_recognitions() -> None:
    reading = understand("one oh four seven", FIVE, ["10473"], ["one oh four seven nine", "one oh four seven three"])
    assert (reading.value, reading.must_confirm, reading.alternatives) == ("10473", True, ("10479",))


def test_the_callers_own_number_is_never_put_in_place_of_what_was_said() -> None:
    assert understand("one oh four seven four", FIVE, ["10473"]).value == "10474"


def test_a_number_only_another_recognition_gave_is_asked_about() -> None:
    reading = understand("one oh four seven", FIVE, alternatives=["one oh four seven three"])
    assert (reading.value, reading.must_confirm) == ("10473", True)


def test_a_check_digit_drops_what_cannot_be() -> None:
    checked = NumberFormat("99999", check="luhn")
    assert understand("one oh four seven two", checked).value is None
    assert understand("one oh four seven nine", checked).value is None
    assert [digit for digit in range(10) if checked.passes_check(f"1047{digit}")] == [0]
    assert understand("one oh four seventy", checked).value == "10470"


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        ("10474", "no seven three", "10473"),
        ("10573", "one oh four", "10473"),
        ("10450", "fifteen not fifty", "10415"),
        ("10450", "no i said fifteen", "10415"),
        ("10474", "one oh four seven three", "10473"),
    ],
)
def test_a_correction_replaces_only_the_group_that_was_wrong(before: str, said: str, after: str) -> None:
    assert correct(before, said, FIVE).value == after


def test_a_corrected_part_is_asked_about_and_a_whole_number_is_not() -> None:
    assert correct("10474", "no seven three", FIVE).must_confirm
    assert not correct("10474", "no one oh four seven three", FIVE).must_confirm


def test_a_part_that_may_stand_for_two_groups_offers_both() -> None:
    reading = correct("1234", "fifty", NumberFormat("9999"))
    assert {reading.value, *reading.alternatives} == {"5034", "1250"}


def test_a_correction_that_is_no_number_changes_nothing() -> None:
    assert correct("10473", "banana", FIVE).value is None


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("one oh four", Completeness.INCOMPLETE),
        ("one oh four seven three", Completeness.COMPLETE),
        ("one oh four seventy", Completeness.OPEN),
        ("ten four seventy three", Completeness.COMPLETE),
        ("", Completeness.OPEN),
        ("banana", Completeness.OPEN),
        ("one two three four five six", Completeness.OPEN),
    ],
)
def test_the_end_of_a_number_is_known_before_the_silence(said: str, verdict: Completeness) -> None:
    assert completeness(said, FIVE) is verdict


def test_a_format_with_an_optional_tail_stays_open_after_its_short_form() -> None:
    zipcode = NumberFormat("99999[-9999]")
    assert understand("six oh six one four", zipcode).value == "60614"
    assert completeness("six oh six one four", zipcode) is Completeness.OPEN
    assert understand("six oh six one four one two three four", zipcode).value == "60614-1234"


@pytest.mark.parametrize("pattern", ["", "abc", "-", "9[9", "99|", "9]"])
def test_a_format_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(NumberFormatError):
        NumberFormat(pattern)


@pytest.mark.parametrize(
    ("value", "groups"),
    [
        ("10473", ("104", "73")),
        ("2025550143", ("202", "555", "0143")),
        ("AB-10473", ("AB", "104", "73")),
        ("1234", ("12", "34")),
        ("123456", ("123", "456")),
        ("1234567", ("123", "4567")),
    ],
)
def test_numbers_are_read_back_in_groups(value: str, groups: tuple[str, ...]) -> None:
    assert groups_of(value) == groups


def test_the_words_for_a_format_hold_all_its_digits_and_letters() -> None:
    assert {"zero", "oh", "nine", "nineteen", "ninety", "double", "triple", "hundred"} <= set(words_for(FIVE, NUMBERS))
    assert not set(string.ascii_lowercase) & set(words_for(FIVE, NUMBERS))
    assert {*string.ascii_lowercase, "bravo", "x-ray", "as", "in"} <= set(words_for(LETTERED, NUMBERS))


def test_a_number_with_more_words_than_any_number_needs_is_none_because_a_correction_may_follow() -> None:
    said = "one oh four seven three " + "um " * 60
    assert understand(said + "no one oh four seven four", FIVE).value is None


def test_a_caller_who_is_unsure_or_takes_it_back_is_asked_even_about_an_order_of_theirs() -> None:
    for said in ("i think it's one oh four seven three", "one oh four seven three no"):
        reading = understand(said, FIVE, ["10473"])
        assert (reading.value, reading.must_confirm) == ("10473", True)


def test_a_letter_or_a_zero_where_both_may_stand_is_asked_about() -> None:
    reading = understand("oh one two three four five", NumberFormat("X99999"))
    assert (reading.must_confirm, {reading.value, *reading.alternatives}) == (True, {"012345", "O12345"})


def test_a_postcode_rule_tells_the_letter_o_from_a_zero() -> None:
    assert understand("s e one oh nine j h", UK).value == "SE10 9JH"
    assert understand("p o one three a x", UK).value == "PO1 3AX"
    assert understand("v v one one a a", UK).value is None


def test_a_code_whose_spoken_number_crosses_the_gap_is_asked_about() -> None:
    assert understand("n nineteen g u", UK).must_confirm
    assert not understand("n one nine g u", UK).must_confirm


# --- properties ------------------------------------------------------------------------------------

FIXED = ("99999", "9999", "9999999999", "AA-99999", "A9A-9A9", "A9A 9A9", "999999", "999-999-9999", "9999/99", "A.999")
VARIED = ("99999[-9999]", "999999|AA9999", "[A]9999", "X9999", "AXX99", "99|9999|999999")
CHECKED = (NumberFormat("999999", check="luhn"), NumberFormat("AA-99999", check="luhn"), UK)
PATTERNS = st.sampled_from([*FIXED, *VARIED])
KINDS = {"9": string.digits, "A": string.ascii_uppercase, "X": string.digits + string.ascii_uppercase}


@st.composite
def _numbers(draw: st.DrawFn, patterns: tuple[str, ...] = FIXED) -> tuple[str, str]:
    pattern = draw(st.sampled_from(patterns))
    return pattern, _drawn(draw, NumberFormat(pattern))


@st.composite
def _checked(draw: st.DrawFn) -> tuple[NumberFormat, str]:
    number_format = draw(st.sampled_from(CHECKED))
    if number_format is UK:
        return number_format, draw(st.from_regex(UK_POSTCODES, fullmatch=True))
    value = _drawn(draw, number_format)
    last = next(digit for digit in string.digits if number_format.passes_check(value[:-1] + digit))
    return number_format, value[:-1] + last


UK_POSTCODES = re.compile(
    "(([A-PR-UWYZ]|[A-PR-UWYZ][A-HK-Y])[1-9][0-9]?|[A-PR-UWYZ][1-9][ABCDEFGHJKPSTUW]|[A-PR-UWYZ][A-HK-Y][1-9][ABEHMNPRVWXY])"
    " [0-9][ABD-HJLNP-UW-Z]{2}"
)


def _drawn(draw: st.DrawFn, number_format: NumberFormat) -> str:
    shape = draw(st.sampled_from(number_format.shapes))
    value = "".join(draw(st.sampled_from(KINDS[kind])) if kind in KINDS else kind for kind in shape)
    # an area code never begins with 0 or 1; such a number is asked about
    return "2" + value[1:] if number_format.is_north_american else value


def _say(value: str, data: st.DataObject) -> str:
    return say_number(value, lambda ways: data.draw(st.integers(0, ways - 1)), NUMBERS)


@given(_numbers(), st.data())
@settings(max_examples=400, deadline=None)
def test_every_way_of_saying_a_number_is_understood_as_that_number(
    number: tuple[str, str], data: st.DataObject
) -> None:
    pattern, value = number
    said = _say(value, data)
    reading = understand(said, NumberFormat(pattern))
    assert (reading.value, reading.must_confirm) == (value, False), said


@pytest.mark.slow
@given(_numbers(VARIED), st.data())
@settings(max_examples=400, deadline=None)
def test_where_the_format_leaves_a_choice_a_number_is_that_number_or_asked_about(
    number: tuple[str, str], data: st.DataObject
) -> None:
    pattern, value = number
    said = _say(value, data)
    reading = understand(said, NumberFormat(pattern))
    assert value in (reading.value, *reading.alternatives), said
    assert reading.value == value or reading.must_confirm, said


@pytest.mark.slow
@given(_checked(), st.data())
@settings(max_examples=400, deadline=None)
def test_with_a_check_a_number_is_that_number_or_asked_about(
    number: tuple[NumberFormat, str], data: st.DataObject
) -> None:
    number_format, value = number
    said = _say(value, data)
    reading = understand(said, number_format)
    assert value in (reading.value, *reading.alternatives), said
    assert reading.value == value or reading.must_confirm, said


@pytest.mark.slow
@given(_numbers((*FIXED, *VARIED)), st.data(), st.sampled_from(["so far", "spelled"]))
@settings(max_examples=300, deadline=None)
def test_a_number_in_two_breaths_is_that_number_or_asked_about(
    number: tuple[str, str], data: st.DataObject, way: str
) -> None:
    pattern, value = number
    number_format = NumberFormat(pattern)
    symbols = [" ".join(char for char in value if char.isalnum())]
    words = (_say(value, data) if way == "so far" else symbols[0].lower()).split()
    cut = data.draw(st.integers(1, len(words)))
    first, second = " ".join(words[:cut]), " ".join(words[cut:])
    assume(understand(first, number_format).value is None)
    reading = understand(second, number_format, so_far=first)
    assert reading.value in (value, None) or reading.must_confirm, (first, second)


@pytest.mark.slow
@given(PATTERNS.map(NumberFormat), st.data())
@settings(max_examples=300, deadline=None)
def test_two_different_numbers_of_the_format_are_never_taken_as_one_of_them(
    number_format: NumberFormat, data: st.DataObject
) -> None:
    one, other = _drawn(data.draw, number_format), _drawn(data.draw, number_format)
    assume(one != other)
    joint = data.draw(st.sampled_from(["or", "or maybe", "", "and", "that's"]))
    said = f"{_say(one, data)} {joint} {_say(other, data)}"
    reading = understand(said, number_format)
    assert reading.value not in (one, other) or reading.must_confirm, said


@given(
    st.lists(
        st.sampled_from(
            [*NUMBERS.digits, *NUMBERS.teens, *NUMBERS.tens, "double", "hundred", "and", "a", "b", "bravo"]
        ),
        max_size=9,
    ),
    PATTERNS,
)
@settings(max_examples=600, deadline=None)
def test_words_with_two_natural_readings_are_asked_about(words: list[str], pattern: str) -> None:
    number_format = NumberFormat(pattern)
    every = readings(words, number_format.max_length, NUMBERS, letters=number_format.has_letters)
    natural = {
        fit.value
        for symbols, strain in every.items()
        if strain == 0
        for fit in number_format.fits(symbols)
        if fit.guesses == 0
    }
    reading = understand(" ".join(words), number_format)
    assert len(natural) < 2 or reading.value is None or reading.must_confirm


@given(_numbers(), st.data())
@settings(max_examples=300, deadline=None)
def test_a_correction_never_takes_a_patched_number_without_asking_and_changes_only_its_part(
    number: tuple[str, str], data: st.DataObject
) -> None:
    pattern, value = number
    number_format = NumberFormat(pattern)
    group = data.draw(st.sampled_from(groups_of(value)))
    kind = string.digits if group.isdigit() else string.ascii_uppercase
    part = "".join(data.draw(st.sampled_from(kind)) for _ in group)
    reading = correct(value, f"no {_say(part, data)}", number_format)
    assert reading.value is None or reading.must_confirm
    for one in (reading.value, *reading.alternatives):
        if one is not None:
            changed = [at for at, (was, now) in enumerate(zip(value, one, strict=True)) if was != now]
            spoken = [at for at, char in enumerate(value) if char.isalnum()]
            assert not changed or spoken.index(changed[-1]) - spoken.index(changed[0]) < len(part)


def _sounds(value: str) -> str:
    """Write a number with the digits its letters sound like."""
    return "".join(char for char in value if char.isalnum()).replace("O", "0").replace("A", "8")


@pytest.mark.slow
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join), PATTERNS, st.lists(st.sampled_from(WORDS)))
@settings(max_examples=400, deadline=None)
def test_no_run_of_number_words_raises(text: str, pattern: str, before: list[str]) -> None:
    number_format = NumberFormat(pattern)
    reading = understand(text, number_format, ["10473"], [text[::-1]], " ".join(before))
    assert reading.complete == (reading.value is not None)
    assert reading.value is None or number_format.normalise(reading.value) == reading.value
    if reading.value is not None and not reading.must_confirm and reading.value != "10473":
        # another number taken silently beside it may only be one that sounds were bent for
        assert {_sounds(other) for other in reading.alternatives} <= {_sounds(reading.value)}
    completeness(text, number_format)
    correct("10473", text, FIVE)


@pytest.mark.slow
@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_raises(text: str) -> None:
    for number_format in (FIVE, LETTERED, UK, NumberFormat("[9-]999-999-9999")):
        understand(text, number_format, [text], [text], text)
        completeness(text, number_format)
        correct("10473", text, number_format)


@given(_numbers(), st.data())
@settings(max_examples=200, deadline=None)
def test_cut_anywhere_a_number_is_never_called_complete_when_more_digits_follow(
    number: tuple[str, str], data: st.DataObject
) -> None:
    pattern, value = number
    said = say_number(value, lambda ways: data.draw(st.integers(0, ways - 1)), NUMBERS).split()
    number_format = NumberFormat(pattern)
    for cut in range(len(said)):
        part = " ".join(said[:cut])
        if completeness(part, number_format) is Completeness.COMPLETE:
            assert understand(part, number_format).value == value, part


@pytest.mark.parametrize(
    ("heard", "value"),
    [("sixty three four five", "62345"), ("one seventy three two", "17232"), ("nine nine ninety six", "99926")],
)
def test_six_two_recognised_as_sixty_is_the_first_to_be_asked_about(heard: str, value: str) -> None:
    reading = understand(heard, NumberFormat("99999"))
    assert (reading.value, reading.must_confirm) == (value, True)


def test_sixty_stays_sixty_where_that_fits() -> None:
    reading = understand("sixty three four five one", NumberFormat("99999"))
    assert (reading.value, reading.must_confirm) == ("63451", False)


class TestACodeOfTheCallersThatSoundsLikeWhatWasHeard:
    def test_is_asked_about_in_its_place(self) -> None:
        reading = understand("a b one two three four five", LETTERED, known=("AD-12345", "XY-99999"))
        assert (reading.value, reading.must_confirm, reading.alternatives) == ("AD-12345", True, ("AB-12345",))

    @pytest.mark.parametrize(
        "known",
        [
            ("AB-12345",),  # it is theirs as it was heard
            ("AR-12345",),  # sounds different
            ("AD-12346",),  # digits are not put in place of others
            ("JD-12345",),  # every letter is another
            ("AD-12345", "AP-12345"),  # either may be meant
        ],
    )
    def test_is_left_alone_where_it_may_not_be_meant(self, known: tuple[str, ...]) -> None:
        assert understand("a b one two three four five", LETTERED, known=known).value == "AB-12345"
