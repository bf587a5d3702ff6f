"""One operation of the JSON API: its address, right, query and body, checked by what is published of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from agent.common.untrusted import parse_json
from agent.console.call_query import InvalidQuery, mistakes, read_query
from agent.console.rights import Right
from agent.console.routing import body_in_time, page

PREFIX = "/api/v1"
MOST_BODY_BYTES = 64 * 1024
_PATH_FIELD = re.compile(r"\{(\w+)\}")
MOST_PATH_CHARS = 200


@dataclass(frozen=True)
class Asked:
    """What a request asks for, checked."""

    query: Any
    """An instance of the operation's ``query``."""
    body: Any
    """An instance of the operation's ``body``."""


ApiHandler = Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]


class Nothing(BaseModel):
    """No query, no body."""

    model_config = {"extra": "forbid"}


@dataclass(frozen=True)
class ApiOperation:
    """One operation. ``answer`` is its JSON schema, or ``None`` for what is no JSON (``content_type``)."""

    method: str
    path: str
    """Below ``/api/v1``: ``/calls/{call_id}``."""
    handler: ApiHandler
    right: Right
    summary: str
    query: type[BaseModel] = Nothing
    body: type[BaseModel] | None = None
    answer: Mapping[str, Any] | None = field(default_factory=lambda: {"type": "object"})
    content_type: str = "application/json"
    status: int = 200
    refusals: tuple[int, ...] = ()
    """Answers besides those that every operation has."""
    quiet: bool = False
    most_body_bytes: int = MOST_BODY_BYTES

    def route(self) -> web.RouteDef:
        """Return the route that checks and then asks the handler."""

        @page(right=self.right, quiet=self.quiet)
        async def handle(request: web.Request) -> web.StreamResponse:
            for name, value in request.match_info.items():
                if len(value) > MOST_PATH_CHARS or not value.isprintable():
                    raise InvalidQuery(f"{name} is too long, or no text")
            query = read_query(self.query, request.query)
            body = await read_body(request, self.body, self.most_body_bytes) if self.body is not None else None
            return await self.handler(request, Asked(query, body))

        return web.RouteDef(
            self.method, PREFIX + self.path, handle, {"allow_head": False} if self.method == "GET" else {}
        )

    @property
    def path_fields(self) -> Sequence[str]:
        """The names in the address."""
        return _PATH_FIELD.findall(self.path)


async def read_body(request: web.Request, model: type[BaseModel], most_bytes: int = MOST_BODY_BYTES) -> BaseModel:
    """Read a JSON body by a model. Raises :class:`InvalidQuery`."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send JSON (Content-Type: application/json).\n")
    async with body_in_time():
        content = await request.content.read(most_bytes + 1)
        while len(content) <= most_bytes and not request.content.at_eof():
            content += await request.content.read(most_bytes + 1 - len(content))
    try:
        return model.model_validate(parse_json(content or b"{}", most_chars=most_bytes))
    except ValidationError as error:
        raise InvalidQuery("; ".join(mistakes(error))) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidQuery(f"the body is no JSON that can be read: {error}") from error
