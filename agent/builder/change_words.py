"""Tells what changed between two sets of pack files: in sentences for people, and as a unified diff for engineers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.common import yaml_reader
from agent.common.yaml_reader import KeyPath

_SECTIONS = {
    "flows": "Procedure", "slots": "Question", "prompts": "Prompt", "services": "Service", "rules": "Rule of phrases",
    "variables": "Variable", "escalate": "Escalation", "not_for_us": "Not for us", "entries": "Way in",
    "same": "Same words", "answers": "Answers of callers", "other_languages": "Other language",
}  # fmt: skip
_KNOWLEDGE = {"answers": "Answer", "promotions": "Promotion"}
_KEYS = {
    "says": "it says", "ask": "callers ask", "examples": "an example", "phrases": "a phrase", "triggers": "a trigger",
    "if": "the condition", "then": "if so", "else": "otherwise", "next": "then", "say": "it says",
    "with": "handed over", "save": "kept", "failed": "when it fails", "ends": "the last day", "starts": "the first day",
    "code": "the code", "minimum": "the least amount", "noinput": "after silence", "nomatch": "when not understood",
    "prompt": "it asks", "reprompt": "it asks again", "choices": "the choices", "steps": "a step",
    "description": "the description", "handover": "the reason of the hand-over",
}  # fmt: skip
_KINDS = ("collect", "say", "call", "set", "if", "link", "handover", "hangup", "next")
_MOST_CHARS = 160
_SAME_KIND = 0.3
_LIKE = 0.5
"""Two steps without a name that are as alike are the same one, changed."""


@dataclass(frozen=True)
class ChangeSentence:
    """One change in words."""

    file: str
    path: KeyPath
    """Of the newer edition; of the older one for what is gone."""
    procedure: str
    words: str

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {"file": self.file, "path": list(self.path), "procedure": self.procedure, "words": self.words}


def change_sentences(before: Mapping[str, str], after: Mapping[str, str]) -> list[ChangeSentence]:
    """Return what changed, file by file, in the order of the files."""
    found: list[ChangeSentence] = []
    for file in sorted(before.keys() | after.keys()):
        if before.get(file) == after.get(file):
            continue
        trees = [yaml_reader.read(file, held.get(file, "")).data for held in (before, after)]
        told = list(_differences((), trees[0], trees[1]))
        if not told:
            told = [((), "Only comments, or how it is written.")]
        for path, words in told:
            procedure = str(path[1]) if path[:1] == ("flows",) and len(path) > 1 else ""
            found.append(ChangeSentence(file, path, procedure, words))
    return found


def unified_diffs(before: Mapping[str, str], after: Mapping[str, str], context: int = 3) -> list[dict[str, str]]:
    """Return ``{"file", "diff"}`` for each file that changed."""
    found: list[dict[str, str]] = []
    for file in sorted(before.keys() | after.keys()):
        old, new = before.get(file, ""), after.get(file, "")
        if old != new:
            lines = difflib.unified_diff(
                old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{file}", f"b/{file}", n=context
            )
            text = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
            found.append({"file": file, "diff": text})
    return found


def _differences(path: KeyPath, old: Any, new: Any) -> Iterator[tuple[KeyPath, str]]:
    if old == new:
        return
    if isinstance(old, dict | None) and isinstance(new, dict | None) and (old or new):
        yield from _in_mapping(path, old or {}, new or {})
    elif isinstance(old, list) and isinstance(new, list):
        yield from _in_list(path, old, new)
    else:
        yield path, f"{_place(path)}: {_value(new)}. Was: {_value(old)}."


def _in_mapping(path: KeyPath, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for key in (*new, *(key for key in old if key not in new)):
        here = (*path, key)
        if key not in old and not _is_section(here):
            yield here, f"{_place(here)} is new: {_value(new[key])}."
        elif key not in new and not _is_section(here):
            yield here, f"{_place(here)} is gone. Was: {_value(old[key])}."
        else:
            yield from _differences(here, old.get(key), new.get(key))


def _is_section(path: KeyPath) -> bool:
    """Return whether a key only holds named things, so that each of them is told for itself."""
    return (len(path) == 1 and path[0] in (*_SECTIONS, "knowledge")) or path in (
        ("knowledge", "answers"),
        ("knowledge", "promotions"),
    )


def _in_list(path: KeyPath, old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[KeyPath, str]]:
    pairs = _paired(old, new)
    taken = {before for before, _ in pairs.values()}
    for place, item in enumerate(new):
        here = (*path, place)
        if place not in pairs:
            where = _behind(path, new, place)
            yield here, f"{_item(path, item, place)} is new{where}: {_value(item)}."
            continue
        before, same = pairs[place]
        if not same:
            yield from _in_item(here, path, old[before], item, place)
    for place, item in enumerate(old):
        if place not in taken:
            yield (*path, place), f"{_item(path, item, place)} is gone. Was: {_value(item)}."
    order = [pairs[place][0] for place in sorted(pairs)]
    if order != sorted(order):
        yield path, f"{_place(path)}: another order."


def _in_item(here: KeyPath, path: KeyPath, old: Any, new: Any, place: int) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for inner, words in _in_mapping(here, old, new):
            yield inner, words.replace(_place(here), _item(path, new, place), 1)
    else:
        yield here, f"{_item(path, new, place)}: {_value(new)}. Was: {_value(old)}."


def _paired(old: Sequence[Any], new: Sequence[Any]) -> dict[int, tuple[int, bool]]:
    """Return new place -> (old place, whether nothing of it changed): by name, by equality, then by likeness."""
    pairs: dict[int, tuple[int, bool]] = {}
    left = list(range(len(old)))
    for place, item in enumerate(new):
        same = next((before for before in left if old[before] == item), None)
        if same is not None:
            pairs[place] = (same, True)
            left.remove(same)
    for place, item in enumerate(new):
        if place in pairs:
            continue
        alike = max(left, key=lambda before: _likeness(old[before], item), default=None)
        if alike is not None and _likeness(old[alike], item) >= _LIKE:
            pairs[place] = (alike, False)
            left.remove(alike)
    return pairs


def _likeness(old: Any, new: Any) -> float:
    if isinstance(old, dict) and isinstance(new, dict):
        if (old.get("id") or new.get("id")) and old.get("id") == new.get("id"):
            return 2.0
        keys = old.keys() | new.keys()
        shared = sum(1 for key in keys if old.get(key) == new.get(key))
        same_kind = _kind(old) != "" and _kind(old) == _kind(new)
        return shared / len(keys) + (_SAME_KIND if same_kind else 0.0)
    if isinstance(old, str) and isinstance(new, str):
        return difflib.SequenceMatcher(None, old, new).ratio()
    return 0.0


def _kind(step: Mapping[str, Any]) -> str:
    return next((kind for kind in _KINDS if kind in step), "")


def _behind(path: KeyPath, items: Sequence[Any], place: int) -> str:
    if path[-1:] != ("steps",) or not place:
        return ""
    return f", behind {_item(path, items[place - 1], place - 1).removeprefix(_owner(path)).lstrip(', ')}"


def _owner(path: KeyPath) -> str:
    return _place(path[:2]) if path[:1] == ("flows",) else _place(path)


def _item(path: KeyPath, item: Any, place: int) -> str:
    """Return what an item of a list is called."""
    if path[:1] == ("flows",) and path[-1:] == ("steps",):
        named = item.get("id") if isinstance(item, dict) else None
        what = f"step '{named}'" if named else f"step {place + 1}{_about(item)}"
        return f"{_owner(path)}, {what}"
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    return f"{_place(path[:-1])}, {_KEYS.get(last, f'an entry of {last}')}" if path else last


def _about(step: Any) -> str:
    kind = _kind(step) if isinstance(step, dict) else ""
    return f" ({kind} {_short(step[kind], 40)})" if kind else ""


def _place(path: KeyPath) -> str:
    """Return what a place is called: ``Procedure returns, step 'photo', the condition``."""
    if path[:1] == ("knowledge",) and len(path) > 2:
        head, rest = f"{_KNOWLEDGE.get(str(path[1]), path[1])} '{path[2]}'", path[3:]
    elif len(path) > 1 and path[0] in _SECTIONS:
        head, rest = f"{_SECTIONS[str(path[0])]} '{path[1]}'", path[2:]
    elif path:
        head, rest = str(path[0]).replace("_", " ").capitalize(), path[1:]
    else:
        return "The file"
    parts = [_KEYS.get(part, part.replace("_", " ")) for part in rest if isinstance(part, str)]
    return ", ".join([head, *(part for part in parts if part != _KEYS["steps"])])


def _value(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, dict):
        return "; ".join(f"{key.replace('_', ' ')}: {_short(part, 80)}" for key, part in list(value.items())[:6])
    if isinstance(value, list):
        return ", ".join(_short(part, 60) for part in value[:6]) + (
            f" and {len(value) - 6} more" if len(value) > 6 else ""
        )
    return _short(value, _MOST_CHARS)


def _short(value: Any, most: int) -> str:
    if isinstance(value, dict | list):
        value = (
            "; ".join(f"{key}: {part}" for key, part in value.items())
            if isinstance(value, dict)
            else ", ".join(map(str, value))
        )
    text = " ".join(str("nothing" if value is None else value).split())
    return f'"{text[: most - 1]}…"' if len(text) > most else f'"{text}"'
