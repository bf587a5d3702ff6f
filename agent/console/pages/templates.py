"""Prints pages from their templates: everything in them is text, unless it was made by us as markup."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.console.pages import formats, labels

_HERE = Path(__file__).resolve().parents[1]
STATIC_DIRECTORY = _HERE / "static"
"""What browsers load, under ``/static/``."""
_TEMPLATE_DIRECTORY = _HERE / "templates"


class Templates:
    """The templates of all pages. A name that is not given is an error, not an empty place."""

    def __init__(self) -> None:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATE_DIRECTORY),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "markup": Markup,  # of drawings alone, which escape the texts in them
            "span": formats.span,
            "ms": formats.milliseconds,
            "number": formats.number,
            "humanise": labels.humanise,
            "phone": formats.phone,
        }
        environment.globals |= {"static": static_link, "label_of": labels.outcome, "state_of": labels.state}
        self._environment = environment

    def page(self, name: str, **context: Any) -> str:
        """Return a page as HTML."""
        return self._environment.get_template(name).render(context)


@functools.cache
def static_link(name: str) -> str:
    """Return the address of a static file, with a mark of its contents: it can be kept for ever."""
    mark = hashlib.sha256((STATIC_DIRECTORY / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"
