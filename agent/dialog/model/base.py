"""What all models of a pack's files share: frozen, no unknown keys, their docstrings in the JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


def _as_tuple(value: Any) -> Any:
    """Let a single text stand for a list of one."""
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])]
"""A text or a list of texts: prompt names, or the words themselves."""


Reason = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{1,39}$")]
"""Why a call is handed over. It is also the extension of the dialplan's hand-over context, which takes ``_[a-z].``:
a small letter, then at least one character more."""


class FileModel(BaseModel):
    """A mapping in a pack's file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)
