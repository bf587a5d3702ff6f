"""Long-lived objects are made without the garbage collector, which skips them afterwards too."""

import gc

import pytest

from agent.common.gc_pause import gc_paused


def looked_at(wanted: object) -> bool:
    return any(one is wanted for one in gc.get_objects())


def test_what_is_made_meanwhile_is_never_looked_at() -> None:
    with gc_paused():
        assert not gc.isenabled()
        made = [["an entry"]]
    assert gc.isenabled()
    assert not looked_at(made)
    later = [["of a call"]]
    assert looked_at(later)


def test_the_collector_runs_again_after_a_failure_and_stays_off_where_it_was_off() -> None:
    with pytest.raises(ValueError, match="a mistake"), gc_paused():
        raise ValueError("a mistake")
    assert gc.isenabled()
    gc.disable()
    try:
        with gc_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
