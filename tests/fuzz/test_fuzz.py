"""A short run of the fuzzer in every test run; ``make fuzz`` is the long one."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.targets import Target, targets


@pytest.fixture(autouse=True)
def handlers_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
async def test_broken_inputs_crash_hang_and_leak_nothing(target: Target) -> None:
    result = await fuzz(target, 40 * target.share, seed=7)
    assert result.problems == []
    assert result.inputs == 40 * target.share
