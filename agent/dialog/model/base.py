"""What all models of a pack's files share: frozen, no unknown keys, their docstrings in the JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _as_tuple(value: Any) -> Any:
    """Let a single text stand for a list of one."""
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])]
"""A text or a list of texts: prompt names, or the words themselves."""


class FileModel(BaseModel):
    """A mapping in a pack's file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)
