"""Strangers cannot fill the log."""

from __future__ import annotations

import logging

import pytest

from agent.common.log_rate import MOST_OF_ALL, MOST_OF_ONE, WINDOW_SECONDS, LogRate


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_one_source_has_so_many_lines_a_minute_and_others_still_have_theirs(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    rate = LogRate(logging.getLogger("x"), "failures", clock)
    assert sum(rate.allows("192.0.2.1") for _ in range(500)) == MOST_OF_ONE
    assert rate.allows("192.0.2.2")
    clock.seconds = WINDOW_SECONDS
    assert rate.allows("192.0.2.1")
    assert caplog.messages == [f"{500 - MOST_OF_ONE} more lines about failures were not written"]


def test_all_sources_together_have_a_limit_too_however_many_they_are() -> None:
    rate = LogRate(logging.getLogger("x"), "failures", Clock())
    assert sum(rate.allows(f"2001:db8::{number:x}") for number in range(100_000)) == MOST_OF_ALL
