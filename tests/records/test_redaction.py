"""What is taken out of a call's record, and what is left in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.records import Caller, CallRecord, TurnRecord
from agent.records.call_record import call_record
from agent.records.redaction import RedactionPolicy, luhn, redact_record, redact_text

# Numbers every payment company publishes for tests.
VISA = "4111111111111111"
AMEX = "378282246310005"
SPOKEN_VISA = "four one one one one one one one one one one one one one one one"
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def record(*turns: TurnRecord, **fields: Any) -> dict[str, Any]:
    caller = fields.pop("caller", Caller(number="+12025550143"))
    return call_record(
        CallRecord(id="call-1", caller=caller, started_at="2026-11-22T15:30:00+00:00", turns=list(turns), **fields)
    )


class TestCardNumbers:
    @pytest.mark.parametrize(
        "said",
        [
            VISA,
            AMEX,
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "it's 4111 1111 1111 1111 ok",
            SPOKEN_VISA,
            "uh " + SPOKEN_VISA + " thanks",
            "four triple one double one double one uh double one double one double one double one one",
            "forty one eleven eleven eleven eleven eleven eleven eleven",
            "four one one one and one one one one um one one one one then one one one one",
            "three seven eight two eight two two four six three one oh oh oh five",
        ],
    )
    def test_a_card_number_is_never_kept_however_it_is_given(self, said: str) -> None:
        redacted = redact_text(said)
        assert "[card number]" in redacted
        assert not any(character.isdigit() for character in redacted)
        assert not set(redacted.split()) & {*DIGIT_WORDS, "oh", "eleven", "forty", "double", "triple"}

    def test_a_misheard_digit_does_not_save_a_card_number_from_redaction(self) -> None:
        assert redact_text(SPOKEN_VISA.replace("four", "five")) == "[card number]"

    def test_what_was_said_around_it_stays(self) -> None:
        assert redact_text(f"my number is {VISA} please") == "my number is [card number] please"

    def test_a_security_code_goes_with_the_word_for_it(self) -> None:
        assert redact_text("the security code is one two three") == "the security code is [card number]"
        assert redact_text("my card ends in 4242") == "my card ends in [card number]"

    def test_a_card_given_over_four_turns_is_redacted_in_each(self) -> None:
        parts = ["4111", "one one one one", "1111", "one one one one"]
        redacted = redact_record(
            record(*(TurnRecord(at_seconds=n, agent="Yes?", heard=p) for n, p in enumerate(parts)))
        )
        assert [turn["heard"] for turn in redacted["turns"]] == ["[card number]"] * 4

    def test_also_in_the_agents_words_and_the_summary(self) -> None:
        redacted = redact_record(
            record(
                TurnRecord(at_seconds=0, agent=f"You said {VISA}."),
                handover={"reason": "no_match", "summary": f"Caller said {SPOKEN_VISA}."},
            )
        )
        assert redacted["turns"][0]["agent"] == "You said [card number]."
        assert redacted["handover"]["summary"] == "Caller said [card number]."

    @given(prefix=st.text(alphabet="0123456789", min_size=12, max_size=18), data=st.data())
    def test_every_number_with_a_right_check_digit_goes_written_or_spoken(
        self, prefix: str, data: st.DataObject
    ) -> None:
        number = prefix + next(digit for digit in "0123456789" if luhn(prefix + digit))
        gap = data.draw(st.sampled_from(["", " ", "-"]))
        size = data.draw(st.integers(1, 6)) if gap else len(number)
        written = gap.join(number[start : start + size] for start in range(0, len(number), size))
        spoken = " ".join(DIGIT_WORDS[int(digit)] for digit in number)
        assert redact_text(f"here {written} there") == "here [card number] there"
        assert redact_text(f"here {spoken} there") == "here [card number] there"


class TestPhoneNumbers:
    @pytest.mark.parametrize(
        "said",
        [
            "2025550143",
            "202-555-0143",
            "(202) 555-0143",
            "+1 202 555 0143",
            "+44 20 7946 0018",
            "555-0143",
            "two zero two five five five zero one four three",
            "two oh two triple five oh one forty three",
            "one two zero two five five five zero one four three",
        ],
    )
    def test_phone_numbers_go(self, said: str) -> None:
        assert redact_text(f"call me at {said} please") == "call me at [phone number] please"

    def test_the_network_s_caller_number_stays_unless_the_policy_says_otherwise(self) -> None:
        kept = redact_record(record())
        cut = redact_record(record(), RedactionPolicy(keep_caller_number=False))
        assert kept["caller"]["number"] == "+12025550143"
        assert cut["caller"]["number"] == "[…43]"


class TestSlots:
    def call(self) -> dict[str, Any]:
        return record(
            TurnRecord(
                at_seconds=1,
                agent="What is your order number?",
                heard="one zero four seven three",
                understood="order_number=10473",
                slot="order_number",
            ),
            TurnRecord(
                at_seconds=5,
                agent="And your postcode?",
                heard="uh it's six oh six one five",
                understood="postcode=60615",
                slot="postcode",
            ),
            TurnRecord(
                at_seconds=9,
                agent="Six zero six, one five?",
                heard="no sixty six fourteen",
                understood="postcode=60614",
                slot="postcode",
            ),
            TurnRecord(at_seconds=14, agent="Order one zero four, seven three arrives tomorrow.", heard="goodbye"),
            slots={"order_number": "10473", "postcode": "60614", "verified": True},
            handover={"reason": "x", "summary": "Order 10473, postcode 60614.", "facts": {"zip": "60614", "tries": 2}},
        )

    def test_the_postcode_is_gone_from_every_place_and_nothing_else_is(self) -> None:
        redacted = redact_record(self.call())
        turns = redacted["turns"]
        assert turns[0]["heard"] == "one zero four seven three"
        assert turns[0]["understood"] == "order_number=10473"
        assert turns[1]["heard"] == "uh it's [postcode]"
        assert turns[1]["understood"] == "postcode=[postcode]"
        assert turns[2]["agent"] == "[postcode]?"
        assert turns[2]["heard"] == "no [postcode]"
        assert turns[3]["agent"] == "Order one zero four, seven three arrives tomorrow."
        assert redacted["slots"] == {"order_number": "10473", "postcode": "[postcode]", "verified": True}
        assert redacted["handover"]["summary"] == "Order 10473, postcode [postcode]."
        assert redacted["handover"]["facts"] == {"zip": "[postcode]", "tries": 2}
        assert "60614" not in json.dumps(redacted)

    def test_order_numbers_are_cut_to_two_digits_when_the_policy_says_so(self) -> None:
        redacted = redact_record(self.call(), RedactionPolicy(keep_order_numbers=False))
        text = json.dumps(redacted, ensure_ascii=False)
        assert "10473" not in text
        assert "one zero four" not in text
        assert redacted["slots"]["order_number"] == "[…73]"
        assert redacted["turns"][3]["agent"] == "Order […73] arrives tomorrow."

    def test_letters_of_a_postcode_go_too(self) -> None:
        assert redact_text("sierra whiskey one victor two tango tango", slot="postcode") == "[postcode]"
        assert redact_text("k one a zero b one", slot="postcode") == "[postcode]"

    def test_an_answer_that_is_no_number_stays_even_in_a_secret_slot(self) -> None:
        assert redact_text("i want to talk to a person", slot="postcode") == "i want to talk to a person"

    def test_an_order_number_as_long_as_a_phone_number_stays(self) -> None:
        redacted = redact_record(
            record(
                TurnRecord(at_seconds=0, agent="", heard="2025550143", understood="order_number=2025550143"),
                slots={"order_number": "2025550143"},
            )
        )
        assert redacted["turns"][0]["heard"] == "2025550143"

    def test_three_tries_at_an_order_number_are_not_taken_for_a_card(self) -> None:
        tries = ["10472", "10473", next(f"6061{last}" for last in range(10) if luhn(f"10472104736061{last}"))]
        turns = [TurnRecord(at_seconds=n, agent="", heard=said, slot="order_number") for n, said in enumerate(tries)]
        assert [turn["heard"] for turn in redact_record(record(*turns))["turns"]] == tries


@pytest.mark.parametrize(
    "said",
    [
        "where is my order",
        "i want to return two mugs and one lamp",
        "one zero four seven three",
        "ten four seventy three",
        "it came on the twenty third at nine",
        "see you",
        "order 10473 or 20518",
        "between nine and noon, one parcel",
        "tracking 9400111899223100001234",
    ],
)
def test_what_is_neither_card_nor_phone_stays(said: str) -> None:
    assert redact_text(said, heard=False) == said


def test_the_record_handed_in_is_not_changed() -> None:
    before = record(TurnRecord(at_seconds=0, agent="", heard=VISA), slots={"postcode": "60614"})
    copy = json.loads(json.dumps(before))
    redact_record(before)
    assert before == copy


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(
    data=st.dictionaries(
        st.sampled_from(["id", "turns", "caller", "slots", "handover", "effects", "faults", "x"]), json_like, max_size=6
    )
)
def test_whatever_the_record_holds_redaction_does_not_fail(data: dict[str, Any]) -> None:
    assert set(redact_record(data)) == set(data)


@given(text=st.text(max_size=300), slot=st.sampled_from(["", "postcode", "phone"]), heard=st.booleans())
def test_whatever_the_text_redaction_does_not_fail_and_does_its_work_once(text: str, slot: str, heard: bool) -> None:
    once = redact_text(text, slot=slot, heard=heard)
    assert redact_text(once, slot=slot, heard=heard) == once


# --- what is kept of requests and operations ------------------------------------------------------------


def test_facts_and_requests_are_redacted_by_name_and_by_value() -> None:
    record = {
        "slots": {"order_number": "10473", "postcode": "60614"},
        "trail": [{"flow": "returns", "step": "3", "way": "failed.not_found", "at_seconds": 1.5}],
        "intents": [
            {
                "intent": "address_change",
                "at_seconds": 2.0,
                "about": {
                    "postcode": "60615",
                    "why": "moved, ring 202-555-0143",
                    "note": "4111 1111 1111 1111",
                    "status": "shipped",
                },
            }
        ],
        "facts": [
            {"operation": "orders.find", "name": "order.postcode", "value": "90210", "at_seconds": 3.0, "code": "ok"},
            {"operation": "orders.find", "name": "order.number", "value": "10473", "at_seconds": 3.0, "code": "ok"},
            {"operation": "orders.find", "name": "place", "value": "60614", "at_seconds": 3.0, "code": "ok"},
            {"operation": "orders.find", "name": "order.total", "value": 12.5, "at_seconds": 3.0, "code": "ok"},
        ],
    }
    kept = redact_record(record)
    assert kept["intents"][0]["about"] == {
        "postcode": "[postcode]", "why": "moved, ring [phone number]", "note": "[card number]", "status": "shipped",
    }  # fmt: skip
    assert [fact["value"] for fact in kept["facts"]] == ["[postcode]", "10473", "[postcode]", 12.5]
    assert kept["trail"] == record["trail"]


def test_order_numbers_in_facts_are_cut_where_they_are_not_kept() -> None:
    facts = [{"operation": "orders.find", "name": "order.number", "value": "10473", "at_seconds": 3.0, "code": "ok"}]
    record = {"slots": {"order_number": "10473"}, "facts": facts, "intents": [{"about": {"order_number": "10473"}}]}
    kept = redact_record(record, RedactionPolicy(keep_order_numbers=False))
    assert "104" not in str(kept)
