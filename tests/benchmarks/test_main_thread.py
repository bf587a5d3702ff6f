"""The measure of the main thread: real media legs, real listening, no telephone."""

from __future__ import annotations

import pytest

from benchmarks.main_thread import measure


@pytest.mark.slow
async def test_calls_are_listened_to_and_their_cost_is_counted() -> None:
    figures = await measure(2, 1.0, warm_up_seconds=0.5)
    assert figures["frame_lag_ms"]["n"] > 0
    assert 0 < figures["main_thread_ms_a_call_second"] < figures["all_threads_ms_a_call_second"]
