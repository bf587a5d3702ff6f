"""Pages from templates: everything is escaped, and every page knows who looks at it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
from aiohttp import web

from agent.console.context import context_of
from agent.console.csrf import csrf_token
from agent.console.routing import visitor_of
from agent.console.sessions import COOKIE
from agent.console.views import formats, labels
from agent.console.views.frame import THEME_COOKIE, chosen_theme, menu_for

_ROOM = Path(__file__).resolve().parent


def template_environment() -> jinja2.Environment:
    """Return the environment of all pages: autoescape on, an unknown name is a mistake.

    ``static(name)`` gives the address of a file of ``static`` with its content's mark.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ROOM / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"static": static_address, "label_of": labels.outcome, "state_of": labels.state}
    environment.filters |= {
        "markup": markupsafe.Markup,  # of drawings of ours alone, which escape the texts in them
        "span": formats.span,
        "ms": formats.milliseconds,
        "number": formats.number,
        "browser": formats.browser,
        "phone": formats.phone,
        "humanise": labels.humanise,
        "at": formats.at,
        "iso": formats.iso,
    }
    return environment


@cache
def static_address(name: str) -> str:
    """Return ``/static/NAME?v=MARK``; without a mark where there is no such file."""
    file = _ROOM / "static" / name
    if not file.is_file():
        return f"/static/{name}"
    return f"/static/{name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def render(
    request: web.Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return a page.

    Templates know ``person`` (None: nobody), ``csrf_token``, ``shop``, ``now``, ``zone_name``, ``path``, ``menu``,
    ``theme`` besides.
    """
    context = context_of(request)
    token = request.cookies.get(COOKIE, "")
    person = visitor_of(request)
    text = context.templates.get_template(template).render(
        person=person,
        csrf_token=csrf_token(token) if person is not None else "",
        shop=context.settings.shop.name,
        now=context.now(),
        zone_name=context.settings.shop.timezone,
        path=request.path,
        menu=menu_for(person.may, request.path) if person is not None else (),
        theme=chosen_theme(request.cookies.get(THEME_COOKIE, "")),
        **(values or {}),
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)
