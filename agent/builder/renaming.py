"""Renames something with all its uses, and finds the uses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.builder import jinja_names, trees, yaml_edit
from agent.builder.errors import EditRefused
from agent.builder.locating import Files, readable
from agent.builder.operations import RenameKind, RenameOperation
from agent.builder.pack_texts import PackText, Role, pack_texts
from agent.builder.trees import MISSING, Tree
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath, path_text
from agent.dialog.model.model import END

_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_SERVICE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
_ANY = re.compile(r"\S(.*\S)?")
_PATTERNS: dict[RenameKind, re.Pattern[str]] = {"service": _SERVICE, "choice": _ANY}
_SECTIONS: dict[RenameKind, tuple[KeyPath, ...]] = {
    "flow": (("flows",),),
    "slot": (("slots",), ("variables",)),
    "variable": (("variables",), ("slots",)),
    "prompt": (("prompts",),),
    "rule": (("rules",),),
    "answer": (("knowledge", "answers"),),
    "promotion": (("knowledge", "promotions"),),
    "service": (("services",),),
}
"""Where names of a kind are keys: the first has it, in all of them the new one must be free."""
_PLAIN: dict[RenameKind, tuple[Role, ...]] = {
    "flow": ("flow", "flow_or_choice"),
    "slot": ("name",),
    "variable": ("name",),
    "prompt": ("prompt",),
    "service": ("service",),
    "answer": ("answer",),
}
"""Texts of which the whole is such a name."""


@dataclass(frozen=True)
class Renaming:
    """What is called what from now on."""

    kind: RenameKind
    old: str
    new: str
    flow: str = ""
    slot: str = ""
    takers: frozenset[str] = frozenset()
    """Slots that can have the name as their value."""


def rename(files: Files, operation: RenameOperation) -> dict[str, str]:
    """Return the files after a renaming. Raises :class:`EditRefused` for names that are unknown, taken or unfit."""
    wanted = Renaming(operation.kind, operation.name, operation.to, operation.flow, operation.slot)
    wanted = _with_takers(files, wanted)
    _check(files, wanted)
    result = dict(files)
    for file, data in readable(files):
        text = files[file]
        for place in reversed([one for one in pack_texts(data) if _renamed(one, wanted) is not None]):
            new = _renamed(place, wanted)
            if place.is_key:
                text = yaml_edit.rename_key(file, text, place.path, str(new))
            elif place.path not in document(file, text).aliases:
                text = _set_text(file, text, place.path, str(new))
        result[file] = text
    return result


def uses(files: Files, kind: RenameKind, name: str, flow: str = "", slot: str = "") -> list[tuple[str, KeyPath]]:
    """Return where a name is used and where it is given, as (file, path)."""
    wanted = _with_takers(files, Renaming(kind, name, f"{name}_", flow, slot))
    return [
        (file, one.path)
        for file, data in readable(files)
        for one in pack_texts(data)
        if _renamed(one, wanted) is not None
    ]


def _set_text(file: str, text: str, path: KeyPath, value: str) -> str:
    doc = document(file, text)
    for depth in range(len(path)):
        if path[:depth] in doc.aliases:
            return text  # it is renamed where it stands
    return yaml_edit.set_value(file, text, path, value)


def _with_takers(files: Files, wanted: Renaming) -> Renaming:
    if wanted.kind == "choice":
        return Renaming(**{**vars(wanted), "takers": frozenset({wanted.slot})})
    source = {"answer": "answers", "promotion": "promotions"}.get(wanted.kind)
    if source is None:
        return wanted
    found = set()
    for _, data in readable(files):
        for name, slot in (
            (trees.value_at(data, ("slots",)) or {}).items()
            if isinstance(data, dict) and isinstance(data.get("slots"), dict)
            else ()
        ):
            choices = slot.get("choices_from") if isinstance(slot, dict) else None
            if source in (choices, choices.get("list") if isinstance(choices, dict) else None):
                found.add(name)
    return Renaming(**{**vars(wanted), "takers": frozenset(found)})


def _check(files: Files, wanted: Renaming) -> None:
    if not _PATTERNS.get(wanted.kind, _WORD).fullmatch(wanted.new) or wanted.new in (END, "none"):
        raise EditRefused(f"'{wanted.new}' cannot be a name here: small letters, digits and _", "not_text")
    places = _keyed(wanted)
    known = any(_at(data, (*places[0], wanted.old), wanted) is not MISSING for _, data in readable(files))
    taken = any(
        _at(data, (*place, wanted.new), wanted) is not MISSING for _, data in readable(files) for place in places
    )
    if not known:
        raise EditRefused(f"there is no {path_text((*places[0], wanted.old))}", "no_such_place")
    if taken and wanted.new != wanted.old:
        raise EditRefused(f"'{wanted.new}' exists already", "taken")


def _keyed(wanted: Renaming) -> tuple[KeyPath, ...]:
    if wanted.kind == "choice":
        return (("slots", wanted.slot, "choices"),)
    if wanted.kind == "step":
        return (("flows", wanted.flow, "steps"),)
    return _SECTIONS[wanted.kind]


def _at(data: Tree, path: KeyPath, wanted: Renaming) -> Tree:
    if wanted.kind == "step":
        steps = trees.value_at(data, path[:-1])
        named = (
            [step for step in steps if isinstance(step, dict) and step.get("id") == path[-1]]
            if isinstance(steps, list)
            else []
        )
        return named[0] if named else MISSING
    return trees.value_at(data, path)


def _renamed(place: PackText, wanted: Renaming) -> str | None:
    """Return the text after the renaming; None where the name is not in it."""
    new = _changed(place, wanted)
    return new if new != place.text else None


def _changed(place: PackText, wanted: Renaming) -> str:
    kind, old, new = wanted.kind, wanted.old, wanted.new
    if place.is_key:
        keyed = kind != "step" and place.path[:-1] in _keyed(wanted)[:1]
        named = place.role == "name" and kind in ("slot", "variable")
        chosen = place.role == "choice" and kind in ("choice", "answer", "promotion") and place.slot in wanted.takers
        return new if place.text == old and (keyed or named or chosen) else place.text
    if kind == "step":
        return new if place.role == "step" and place.flow == wanted.flow and place.text == old else place.text
    if place.text == old and place.role in _PLAIN.get(kind, ()):
        return new
    if place.text == old and place.role in ("choice", "flow_or_choice") and place.slot in wanted.takers:
        return new
    if place.role == "phrase":
        return _in_phrase(place.text, wanted)
    if place.role == "expression":
        return jinja_names.in_expression(place.text, lambda source: _in_prompt(source, wanted, place.slot))
    if place.role == "template":
        return _in_prompt(place.text, wanted, place.slot)
    return place.text


def _in_phrase(phrase: str, wanted: Renaming) -> str:
    if wanted.kind == "rule":
        return phrase.replace(f"<{wanted.old}>", f"<{wanted.new}>")
    if wanted.kind == "slot":
        return phrase.replace(f"{{{wanted.old}}}", f"{{{wanted.new}}}")
    return phrase


def _in_prompt(source: str, wanted: Renaming, given_to: str) -> str:
    if wanted.kind in ("slot", "variable"):
        found: Iterator[int] = jinja_names.variable_places(source, wanted.old)
    elif wanted.kind in ("answer", "promotion", "choice"):
        places: list[int] = []
        if wanted.kind != "choice":
            places += jinja_names.attribute_places(source, f"{wanted.kind}s", wanted.old)
        asked = given_to in wanted.takers or any(
            next(jinja_names.variable_places(source, slot), None) is not None for slot in wanted.takers
        )
        places += jinja_names.constant_places(source, wanted.old) if asked else ()
        found = iter(places)
    else:
        return source
    return jinja_names.replaced(source, found, wanted.old, wanted.new)
