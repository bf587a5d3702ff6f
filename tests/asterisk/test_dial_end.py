"""How an attempt ended: every row of what far ends do is told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asterisk.dial_end import ChannelEnd, dial_end
from agent.call.dialling import DialEnd

RING_SECONDS = 25.0


def end(cause: int, sip: int, *, rang: bool = False, lasted: float = 0.1, **more: bool) -> DialEnd:
    return dial_end(ChannelEnd(cause, sip, rang, lasted, RING_SECONDS, **more))


@pytest.mark.parametrize(
    ("cause", "sip", "expected"),
    [
        (17, 486, DialEnd.BUSY),
        (19, 480, DialEnd.NO_ANSWER),
        (18, 408, DialEnd.NO_ANSWER),
        (21, 403, DialEnd.REFUSED),
        (21, 603, DialEnd.DECLINED),
        (21, 607, DialEnd.DECLINED),
        (1, 404, DialEnd.BAD_NUMBER),
        (22, 410, DialEnd.BAD_NUMBER),
        (28, 484, DialEnd.BAD_NUMBER),
        (34, 503, DialEnd.TRUNK_FAULT),
        (27, 502, DialEnd.TRUNK_FAULT),
        (38, 500, DialEnd.TRUNK_FAULT),
        (58, 488, DialEnd.TRUNK_FAULT),
        (21, 401, DialEnd.TRUNK_FAULT),
        (23, 302, DialEnd.FORWARDED),
        (17, 0, DialEnd.BUSY),
        (21, 0, DialEnd.REFUSED),
        (3, 0, DialEnd.TRUNK_FAULT),
        (20, 0, DialEnd.TRUNK_FAULT),
        (16, 0, DialEnd.UNKNOWN),
    ],
)
def test_a_refusal_before_the_answer_is_told_by_its_sip_status_else_by_its_cause(
    cause: int, sip: int, expected: DialEnd
) -> None:
    assert end(cause, sip) is expected


def test_a_dead_trunk_differs_from_a_customer_who_does_not_answer_by_the_ringing_alone() -> None:
    assert end(19, 480, rang=True, lasted=RING_SECONDS) is DialEnd.NO_ANSWER
    assert end(19, 480, rang=False, lasted=RING_SECONDS) is DialEnd.TRUNK_FAULT
    assert end(19, 480, rang=False, lasted=1.0) is DialEnd.NO_ANSWER, "the far end said so itself"
    assert end(18, 408, rang=False, lasted=32.0) is DialEnd.TRUNK_FAULT


def test_a_call_that_was_answered_ended_as_answered_whatever_ended_it() -> None:
    assert end(0, 0, rang=True, answered=True, cancelled=True) is DialEnd.ANSWERED


def test_our_own_cancelling_is_none_of_the_customers_doing() -> None:
    assert end(16, 0, rang=True, cancelled=True) is DialEnd.CANCELLED
    assert end(16, 487, rang=True, cancelled=True) is DialEnd.CANCELLED
    assert end(17, 486, cancelled=True) is DialEnd.BUSY, "they were quicker"


def test_a_forward_that_was_not_followed_reached_nobody() -> None:
    assert end(0, 0, forwarded=True) is DialEnd.FORWARDED


@given(st.integers(0, 200), st.integers(0, 700), st.booleans(), st.floats(0, 100))
def test_nothing_that_an_asterisk_says_is_taken_for_an_answer(cause: int, sip: int, rang: bool, lasted: float) -> None:
    assert end(cause, sip, rang=rang, lasted=lasted) is not DialEnd.ANSWERED
