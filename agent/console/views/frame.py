"""What stands round every page: the menu by a person's rights, the colours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.console.views.builder import BUILDER_PAGES

THEMES = ("light", "dark")
"""Else the machine's own are followed."""
THEME_COOKIE = "orderline-theme"


@dataclass(frozen=True)
class MenuEntry:
    """A page in the menu."""

    link: str
    text: str
    here: bool = False


@dataclass(frozen=True)
class MenuGroup:
    """Pages that belong together."""

    name: str
    entries: tuple[MenuEntry, ...]


_MENU: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Calls",
        (
            ("/live", "Live", "live"),
            ("/calls", "Call log", "calls"),
            ("/misheard", "Not understood", "misheard"),
            ("/reports", "Reports", "reports"),
            ("/impact", "Impact", "reports"),
        ),
    ),
    (
        "Service",
        (
            ("/queues", "Queues", "health"),
            ("/health", "Health", "health"),
            ("/outbound", "Calls to customers", "jobs"),
        ),
    ),
    ("Procedures", tuple((one.path, one.title, one.right) for one in BUILDER_PAGES)),
    (
        "Console",
        (
            ("/people", "People", "people"),
            ("/audit", "Audit", "audit"),
            ("/settings", "Settings", "settings"),
        ),
    ),
)
"""Group -> address, name and the right a page needs."""


def menu_for(may: Callable[[str], bool], path: str) -> tuple[MenuGroup, ...]:
    """Return the pages somebody may open; ``path`` is where they are."""
    return tuple(_groups(may, path))


def _groups(may: Callable[[str], bool], path: str) -> Iterator[MenuGroup]:
    for name, entries in _MENU:
        allowed = tuple(MenuEntry(link, text, _within(path, link)) for link, text, right in entries if may(right))
        if allowed:
            yield MenuGroup(name, allowed)


def _within(path: str, link: str) -> bool:
    return path == link or path.startswith(f"{link}/")


def chosen_theme(cookie: str) -> str:
    """Return the colours that were chosen; ``""`` for what is none of ours."""
    return cookie if cookie in THEMES else ""
