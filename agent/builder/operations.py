"""What a draft can be asked to do: each operation as JSON says it, and the files after it.

An operation carries the old value that its editor saw (``old``). Where something else stands there now, and the two
changes cannot be merged, :class:`EditConflict` tells both values and nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from agent.builder.errors import EditRefused

MOST_PATH_PARTS = 16
FileName = Annotated[str, StringConstraints(max_length=200)]
"""A file that is there, by its name relative to the pack."""
NewFileName = Annotated[
    str,
    StringConstraints(max_length=200, pattern=r"^([A-Za-z0-9_][A-Za-z0-9_-]*/){0,3}[A-Za-z0-9_][A-Za-z0-9_-]*\.yaml$"),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Path = Annotated[
    list[Annotated[str, StringConstraints(max_length=500)] | Annotated[int, Field(ge=0, le=100_000)]],
    Field(min_length=1, max_length=MOST_PATH_PARTS),
]
"""Keys and places: ``["flows", "returns", "steps", 3, "say"]``. A text where a list stands is the ``id`` of an item."""


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def given(self, name: str) -> bool:
        """Return whether a field was given, were it null."""
        return name in self.model_fields_set


class SetOperation(_Operation):
    """Another value for what is there."""

    op: Literal["set"]
    path: Path
    value: Any
    old: Any = None
    """What the editor saw; not checked where it is left out."""
    file: FileName = ""


class InsertOperation(_Operation):
    """A new key of a mapping, or a new item at a place of a list."""

    op: Literal["insert"]
    path: Path
    value: Any
    before: str | None = None
    """The key in front of which it comes; at the end without it."""
    file: FileName = ""
    keep_ways: bool = False
    """Steps: all other ways stay as they were."""


class RemoveOperation(_Operation):
    """Takes an entry away."""

    op: Literal["remove"]
    path: Path
    old: Any = None
    file: FileName = ""
    keep_ways: bool = False


class MoveOperation(_Operation):
    """Puts an entry somewhere else, with its comment."""

    op: Literal["move"]
    path: Path
    to: Path | None = None
    """Lists: its place afterwards, also in another list."""
    before: str | None = None
    """Mappings: the key in front of which it comes, null for the end."""
    old: Any = None
    file: FileName = ""
    to_file: FileName = ""
    keep_ways: bool = False


RenameKind = Literal["step", "flow", "slot", "variable", "prompt", "rule", "answer", "promotion", "service", "choice"]


class RenameOperation(_Operation):
    """Another name for something, everywhere."""

    op: Literal["rename"]
    kind: RenameKind
    name: Name
    to: Name
    flow: Annotated[str, StringConstraints(max_length=80)] = ""
    """Steps: their procedure."""
    slot: Annotated[str, StringConstraints(max_length=80)] = ""
    """Choices: their slot."""


class DuplicateOperation(_Operation):
    """A copy behind the original."""

    op: Literal["duplicate"]
    path: Path
    name: Annotated[str, StringConstraints(max_length=80)] = Field(default="", alias="as")
    """The copy's key; of a step its id, or none."""
    file: FileName = ""


class ExtractOperation(_Operation):
    """Steps made a procedure of their own, and a link to it in their place."""

    op: Literal["extract"]
    flow: Name
    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=0)]
    """Both are among the steps that move."""
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")] = Field(alias="as")
    description: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class HeadingOperation(_Operation):
    """The comment that heads a section of steps: behind an empty line, above its first step."""

    op: Literal["heading"]
    path: Path
    value: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$")]
    """The words; none takes it away."""
    old: str = ""
    file: FileName = ""


class TextOperation(_Operation):
    """A whole file as text."""

    op: Literal["text"]
    file: FileName
    old: str
    value: Annotated[str, StringConstraints(max_length=1_000_000)]


class NewFileOperation(_Operation):
    """A file that there was not."""

    op: Literal["new_file"]
    file: NewFileName
    value: Any = None


class RemoveFileOperation(_Operation):
    """A file that is there no longer."""

    op: Literal["remove_file"]
    file: FileName
    old: str


Operation = Annotated[
    SetOperation
    | InsertOperation
    | RemoveOperation
    | MoveOperation
    | RenameOperation
    | DuplicateOperation
    | ExtractOperation
    | HeadingOperation
    | TextOperation
    | NewFileOperation
    | RemoveFileOperation,
    Field(discriminator="op"),
]
OPERATION: TypeAdapter[Operation] = TypeAdapter(Operation)


def operation_from(value: Mapping[str, Any]) -> Operation:
    """Return the operation that JSON says. Raises :class:`EditRefused` for what is none."""
    try:
        return OPERATION.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise EditRefused(f"this is no operation: {place}: {first['msg']}", "no_operation") from error


def operation_json(operation: Operation) -> dict[str, Any]:
    """Return an operation as JSON says it."""
    told: dict[str, Any] = operation.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return told
