"""What readers of the live feed see of an event: no card numbers, no second facts, no whole record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.records.event_redaction import redact_event
from agent.telemetry.event_examples import EXAMPLES
from agent.telemetry.events import CallEvent, HandedOver
from tests.call_events import agent_said, call_finished, caller_said

CARD = "4111 1111 1111 1111"


def test_a_card_number_goes_out_of_whatever_is_said() -> None:
    said = replace(agent_said(f"You said {CARD}."), understood=f"note={CARD}")
    handed_over = HandedOver("call-1", "no_match", "", 0, summary=f"Read out {CARD}.", ticket="", facts={})
    for event in (said, caller_said(CARD), handed_over):
        shown = str(redact_event(event).data())
        assert "1111" not in shown
        assert "[card number]" in shown


def test_the_value_of_a_secret_slot_goes_out_of_what_was_heard() -> None:
    assert redact_event(caller_said("six oh six one four", slot="postcode")).data()["heard"] == "[postcode]"
    assert redact_event(caller_said("six oh six one four", slot="order_number")).data()["heard"] != "[postcode]"


def test_the_whole_record_is_for_nobody() -> None:
    shown = redact_event(call_finished(record={"turns": ["all that was said"]})).data()
    assert set(shown) == {"outcome", "ended_by", "duration_seconds"}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.event)
def test_an_event_without_secrets_stays_as_it_is(event: CallEvent) -> None:
    assert redact_event(event) == event


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.event)
def test_what_a_refusal_has_taken_out_stays_out(event: CallEvent) -> None:
    assert redact_event(event.without_words()) == event.without_words()
