"""JSON Schemas of flow files and of calls in text, made from their models, so that editors complete and check them.

The loader keeps every scalar as the text it is; an editor's own YAML reader takes ``010`` for a number and ``true`` for
a boolean. So the schemas allow numbers and booleans wherever a text may stand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from agent.dialog.model.model import STEP_KINDS, PackFile
from agent.dialog.tools.text_call_model import TextCallFile

FILES = {"pack": "flow-pack.schema.json", "calls": "flow-calls.schema.json"}
"""What a schema is of -> the published file below ``agent/flows``."""
_DRAFT = "http://json-schema.org/draft-07/schema#"
"""The one that all editors with YAML support read."""
_MODELS: dict[str, tuple[type[BaseModel], str]] = {
    "pack": (PackFile, "A file of an Orderline flow pack"),
    "calls": (TextCallFile, "Calls in text that test an Orderline flow pack"),
}
_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": ["string", "number", "boolean"]},
    "number": {"type": ["number", "string"], "pattern": r"^[+-]?\d+(\.\d+)?$"},
    "integer": {"type": ["integer", "string"], "pattern": r"^[+-]?\d+$"},
    "boolean": {"enum": [True, False, "yes", "no", "true", "false", "on", "off"]},
}
_FORMATS: dict[str, dict[str, Any]] = {
    "date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    "date-time": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([Tt ].+)?$"},
}
_NOTHING: tuple[Any, ...] = ("", [], {}, None)


def schema_text(what: str) -> str:
    """Return the schema of ``pack`` or ``calls`` as it is published."""
    model, title = _MODELS[what]
    made = model.model_json_schema(mode="validation", ref_template="#/definitions/{model}")
    definitions = made.pop("$defs")
    for kind, step in STEP_KINDS.items():
        if step.__name__ in definitions:
            # the key that makes a step what it is, also where the model could do without it
            definitions[step.__name__]["required"] = sorted({*definitions[step.__name__].get("required", ()), kind})
    schema = {
        "$schema": _DRAFT,
        **_rewritten(made),
        "title": title,
        "definitions": {name: _rewritten(definition) for name, definition in sorted(definitions.items())},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _rewritten(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return one (sub)schema as editors should see it: text-like scalars, plain descriptions, no made-up titles."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "description":
            found[key] = " ".join(value.replace("``", "`").split())
        elif key == "properties":
            found[key] = {name: _rewritten(one) for name, one in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            found[key] = _rewritten(value)
        elif key in ("anyOf", "oneOf"):
            found[key] = [_rewritten(one) for one in value]
        elif key == "default" and value in _NOTHING:
            continue
        elif key != "title":
            found[key] = value
    if "enum" in found or "const" in found:
        found.pop("type", None)
        return found
    kind = found.get("type")
    if found.get("format") in _FORMATS:
        return {**found, **_FORMATS[found["format"]]}
    if isinstance(kind, str) and kind in _TYPES:
        del found["type"]
        return {**_TYPES[kind], **found}
    return found
