"""Finds the language that a pack names: one of the folders here, or one that is handed in."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import cast

import agent.languages
from agent.errors import OrderlineError
from agent.languages.language import Language

USUAL = "en"
"""The language of a pack that names none."""


class UnknownLanguage(OrderlineError):
    """A pack names a language that is not there."""

    code = "unknown_language"


def language_codes() -> tuple[str, ...]:
    """Return the languages that come with the program: the folders beside this file."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(agent.languages.__path__) if found.ispkg))


def find_language(code: str, others: Mapping[str, Language] | None = None) -> Language:
    """Return a language by its code; ``en-GB`` is ``en`` where there is no folder of its own, and ``""`` the usual one.

    ``others`` (code -> language) are looked at first. Raises :class:`UnknownLanguage` with the codes there are.
    """
    others = others or {}
    wanted = code.strip().lower() or USUAL
    for name in (wanted, wanted.replace("_", "-").partition("-")[0]):
        if name in others:
            return others[name]
        if name in language_codes():
            return cast(Language, importlib.import_module(f"agent.languages.{name}").LANGUAGE)
    known = ", ".join(sorted({*language_codes(), *others}))
    raise UnknownLanguage(f"there is no language '{code}' here; there are: {known} (docs/flows.md, A second language)")
