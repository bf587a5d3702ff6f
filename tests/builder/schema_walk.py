"""Walks the JSON schema of packs: every model and key, where it stands in a pack, and values that it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import flows
from agent.builder.trees import Tree, value_at
from agent.common.yaml_reader import KeyPath

SCHEMA: Mapping[str, Any] = json.loads((Path(flows.__file__).parent / "flow-pack.schema.json").read_text())
ANY = "*"
"""Stands in a pattern for any name of a mapping, or any place of a list."""
Pattern = tuple[str, ...]
STEPS: Pattern = ("flows", ANY, "steps", ANY)
_NAME = "made_by_the_walk"


@dataclass(frozen=True)
class SchemaModel:
    """A mapping with keys of its own, at one kind of place."""

    name: str
    """Of the definition; ``""`` for the pack."""
    pattern: Pattern
    schema: Mapping[str, Any]

    @property
    def keys(self) -> Mapping[str, Mapping[str, Any]]:
        """Every key -> its schema."""
        found: Mapping[str, Mapping[str, Any]] = self.schema["properties"]
        return found

    @property
    def required(self) -> frozenset[str]:
        """What it cannot do without; a step that only leads on is told by its ``next``."""
        return frozenset(self.schema.get("required", ["next"] if self.name == "NextStep" else []))

    def is_at(self, value: Tree) -> bool:
        """Return whether a value of a pack is this model."""
        return isinstance(value, dict) and self.required <= set(value) <= set(self.keys)


def models() -> list[SchemaModel]:
    """Return every model at every kind of place, the pack first."""
    return list(_models(SCHEMA, "", ()))


def _models(schema: Mapping[str, Any], name: str, pattern: Pattern) -> Iterator[SchemaModel]:
    for alternative in alternatives(schema):
        reference = str(alternative.get("$ref", "")).rpartition("/")[2]
        found = SCHEMA["definitions"][reference] if reference else alternative
        if "properties" in found:
            yield SchemaModel(reference or name, pattern, found)
            for key, value in found["properties"].items():
                yield from _models(value, "", (*pattern, key))
        for below in _below(found):
            yield from _models(below, "", (*pattern, ANY))


def _below(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in (
        schema.get("additionalProperties"),
        schema.get("items"),
        *schema.get("patternProperties", {}).values(),
    ):
        if isinstance(value, dict):
            yield value


def alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a schema allows, one kind of value each; nothing at all is none of them."""
    told = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return [one for one in told if one.get("type") != "null"]


def places(tree: Tree, pattern: Pattern, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield every path of a tree that a pattern describes."""
    if not pattern:
        yield path
        return
    first, rest = pattern[0], pattern[1:]
    names: list[str | int] = [first]
    if first == ANY:
        names = list(range(len(tree))) if isinstance(tree, list) else list(tree) if isinstance(tree, dict) else []
    for name in names:
        below = value_at(tree, (name,))
        if isinstance(below, dict | list | str):
            yield from places(below, rest, (*path, name))


# --- values -----------------------------------------------------------------------------------------------------


def samples(schema: Mapping[str, Any]) -> list[Tree]:
    """Return values that a schema allows, at least two of them."""
    return [value for one in alternatives(schema) for value in _samples(one)]


def _samples(schema: Mapping[str, Any]) -> list[Tree]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return [sample(SchemaModel(name, (), SCHEMA["definitions"][name]), number) for number in (0, 1)]
    if "properties" in schema:
        return [sample(SchemaModel("", (), schema), number) for number in (0, 1)]
    if "enum" in schema:
        return [one for one in schema["enum"] if isinstance(one, str)]
    if schema.get("type") == "array":
        return [[samples(schema["items"])[number]] for number in (0, 1)]
    if schema.get("type") == "object":
        name = schema.get("propertyNames", {}).get("enum", [_NAME])[0]
        return [{name: samples(next(_below(schema)))[number]} for number in (0, 1)]
    return _texts(schema)


def _texts(schema: Mapping[str, Any]) -> list[Tree]:
    kinds = schema.get("type", [])
    if schema.get("format") == "date":
        return ["2026-12-01", "2026-12-24"]
    if "integer" in kinds or str(schema.get("pattern", "")).startswith("^[+-]?"):
        return ["1"] + (["0.5"] if schema.get("maximum") == 1 else ["2"])
    return [_NAME, f"{_NAME}_too"]


def sample(model: SchemaModel, number: int = 0) -> dict[str, Tree]:
    """Return a model with what it cannot do without; the second one differs where it holds anything."""
    return {key: samples(schema)[number] for key, schema in model.keys.items() if key in model.required}


def below(pattern: Pattern, value: Tree) -> Tree:
    """Return a value with the mappings and lists around it that a pattern asks for."""
    for part in reversed(pattern):
        value = {_NAME if part == ANY else part: value}
    return value
