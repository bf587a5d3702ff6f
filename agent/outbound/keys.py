"""The keys of jobs: the same reason to call gives the same key, whatever told of it, and however often."""

from __future__ import annotations

ALL_PARCELS = "all"


def delivery_key(order: str, parcel: str = ALL_PARCELS) -> str:
    """Return the key of the question whether an order, or one parcel of it, arrived well."""
    return f"delivery:{_part(order)}:{_part(parcel or ALL_PARCELS)}"


def survey_key(order: str) -> str:
    """Return the key of the survey after an order."""
    return f"survey:{_part(order)}"


def callback_key(call_id: str) -> str:
    """Return the key of the call-back that was promised in a call."""
    return f"callback:{_part(call_id)}"


def _part(text: str) -> str:
    """One writing of a number: ``#10473`` and ``10473`` are one order. Raises ValueError when nothing is left."""
    part = "".join(character for character in text.upper() if character.isalnum() or character in "-_.")
    if not part:
        raise ValueError(f"{text!r} is no order number")
    return part
