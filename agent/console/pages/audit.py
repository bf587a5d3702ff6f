"""Who did what."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from aiohttp import web

from agent.console.context import context_of
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page

_PAGE = 100
_MOST_DIGITS = 15


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/audit", _audit)]


@page(right=Right.AUDIT)
async def _audit(request: web.Request) -> web.StreamResponse:
    context, query = context_of(request), request.query
    who, what, before = (query.get(name, "").strip()[:200] for name in ("who", "what", "before"))
    place = int(before) if before.isascii() and before.isdigit() and len(before) <= _MOST_DIGITS else None
    entries = await context.audit.page(before=place, who=who, what=what, limit=_PAGE)
    verdict = await context.audit.verify() if query.get("check") else None
    chosen = {name: value for name, value in (("who", who), ("what", what)) if value}
    older = urlencode({**chosen, "before": entries[-1].number}) if len(entries) == _PAGE else ""
    values = {
        "entries": [(entry, _about(entry.about)) for entry in entries],
        "who": who,
        "what": what,
        "older": f"/audit?{older}" if older else "",
        "csv": f"/api/v1/audit.csv?{urlencode({**chosen, 'limit': 500})}",
        "check": f"/audit?{urlencode({**chosen, 'check': 1})}",
        "verdict": verdict,
        "zone": context.now().tzinfo,
    }
    return render(request, "audit.html", values)


def _about(about: object) -> str:
    if not isinstance(about, dict):
        return ""
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in about.items()
        if value not in ([], {}, "", None)
    )
