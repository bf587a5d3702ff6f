"""``/api/openapi.json``: the API described for programs (OpenAPI 3.1), made from the operations themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from agent import __version__
from agent.console.api.operation import MOST_PATH_CHARS, PREFIX, ApiOperation
from agent.console.csrf import HEADER
from agent.console.sessions import COOKIE

_PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "required": ["title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
}
_NAME_SIGNS = str.maketrans({"/": "_", ".": "_", "{": "", "}": ""})
_REFUSALS = {
    400: "something that cannot be asked for; nothing was done",
    401: "nobody is signed in",
    403: "a right is missing, or the request is not from the console's own pages",
    404: "there is no such thing, or none that you may see",
    409: "refused as things stand",
    415: "not JSON",
    416: "no such part of the recording",
    503: "a file, the index or an agent cannot be used just now",
}


def openapi(operations: Sequence[ApiOperation]) -> dict[str, Any]:
    """Return the description of all operations."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orderline console",
            "version": __version__,
            "description": (
                "What the pages of the console use. Signed in by the cookie of /login; changes need the header "
                f'{HEADER} with the value of <meta name="csrf-token"> of any page.'
            ),
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": dict(_PROBLEM)},
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
        "security": [{"session": []}],
    }


def _operation(operation: ApiOperation) -> dict[str, Any]:
    content = {operation.content_type: {"schema": dict(operation.answer or {"type": "string"})}}
    told: dict[str, Any] = {
        "summary": operation.summary,
        "description": f"Needs the right `{operation.right}`.",
        "operationId": operation.method.lower() + operation.path.translate(_NAME_SIGNS),
        "parameters": [*_path_parameters(operation), *_query_parameters(operation.query)],
        "responses": {str(operation.status): {"description": "done", "content": content}},
    }
    refusals = {400, 401, 403, 503, *operation.refusals}
    if operation.path_fields:
        refusals.add(404)
    if operation.body is not None:
        refusals.add(415)
        schema = operation.body.model_json_schema()
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    for status in sorted(refusals):
        told["responses"][str(status)] = {
            "description": _REFUSALS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return told


def _path_parameters(operation: ApiOperation) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": MOST_PATH_CHARS}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in operation.path_fields]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    described = model.model_json_schema()
    required = described.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": {key: value for key, value in schema.items() if key not in ("title", "default")},
        }
        for name, schema in described.get("properties", {}).items()
    ]
