"""Marks look-ups that a call can do without: they never make a system look broken to the calls that need it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_OPTIONAL: ContextVar[bool] = ContextVar("optional_lookup", default=False)


@contextlib.contextmanager
def optional_lookups() -> Iterator[None]:
    """Mark everything that is asked of a system within the block, in tasks begun there too, as optional."""
    before = _OPTIONAL.set(True)
    try:
        yield
    finally:
        _OPTIONAL.reset(before)


def is_optional() -> bool:
    """Return whether what is being asked is optional."""
    return _OPTIONAL.get()


__all__ = ["is_optional", "optional_lookups"]
