"""What a pack's file holds, as lists, mappings and text: places in it, and edits that give a new tree. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent.builder.comparing import opcodes
from agent.builder.errors import EditRefused
from agent.common.yaml_reader import KeyPath, path_text

Tree = Any
"""Text, None, a list of trees, or a mapping of text to trees."""
MOST_LEVELS = 24
MOST_CHARS = 200_000


class _Missing:
    """Stands for nothing at all: a key that there is not."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


def checked_tree(value: Any, level: int = 0) -> Tree:
    """Return a value of JSON as a tree. Raises :class:`EditRefused` for what a pack's file cannot hold."""
    if level > MOST_LEVELS:
        raise EditRefused(f"a value has more than {MOST_LEVELS} levels", "not_text")
    match value:
        case None:
            return None
        case str():
            if len(value) > MOST_CHARS:
                raise EditRefused(f"a text has more than {MOST_CHARS} characters", "not_text")
            if any(0xD800 <= ord(one) < 0xE000 or one == "\0" for one in value):
                raise EditRefused("a text holds what is no character", "not_text")
            return value
        case list():
            return [checked_tree(one, level + 1) for one in value]
        case dict():
            if not all(isinstance(name, str) for name in value):
                raise EditRefused("a key is not text", "not_text")
            return {str(checked_tree(name)): checked_tree(one, level + 1) for name, one in value.items()}
    raise EditRefused('numbers and yes or no are written as text: "50", "yes"', "not_text")


def resolved(tree: Tree, path: Sequence[str | int]) -> KeyPath:
    """Return the path with the ids of list items as their places. Raises :class:`EditRefused` where it leads nowhere.

    The last part need not exist in a mapping, or may be a list's length.
    """
    found: list[str | int] = []
    here = tree
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(here, list):
            place = part if isinstance(part, int) else _place_of(here, part)
            if place is None or not 0 <= place < len(here) + last:
                raise EditRefused(f"there is no {path_text(tuple(path[: depth + 1]))}", "no_such_place")
            found.append(place)
            here = here[place] if place < len(here) else MISSING
        elif isinstance(here, Mapping) and isinstance(part, str) and (part in here or last):
            found.append(part)
            here = here.get(part, MISSING)
        else:
            raise EditRefused(f"there is no {path_text(tuple(path[: depth + 1]))}", "no_such_place")
    return tuple(found)


def _place_of(items: Sequence[Tree], name: str) -> int | None:
    places = [place for place, item in enumerate(items) if isinstance(item, dict) and item.get("id") == name]
    return places[0] if places else None


def value_at(tree: Tree, path: KeyPath) -> Tree:
    """Return what stands at a path, :data:`MISSING` where nothing does."""
    here = tree
    for part in path:
        if isinstance(here, list):
            here = here[part] if isinstance(part, int) and 0 <= part < len(here) else MISSING
        else:
            here = here[part] if isinstance(here, dict) and part in here else MISSING
    return here


def with_value(tree: Tree, path: KeyPath, value: Tree) -> Tree:
    """Return the tree with another value at a place that exists."""
    if not path:
        return value
    copy = _copied(tree)
    copy[path[0]] = with_value(copy[path[0]], path[1:], value)
    return copy


def with_inserted(tree: Tree, path: KeyPath, value: Tree, before: str | None = None) -> Tree:
    """Return the tree with a new list item, or a new key in front of another one (None: at the end)."""
    parent = _copied(value_at(tree, path[:-1]))
    name = path[-1]
    if isinstance(parent, list):
        parent.insert(int(name), value)
    else:
        parent = _inserted_key(parent, str(name), value, before)
    return with_value(tree, path[:-1], parent)


def _inserted_key(mapping: Mapping[str, Tree], name: str, value: Tree, before: str | None) -> dict[str, Tree]:
    result: dict[str, Tree] = {}
    for key, one in mapping.items():
        if key == before:
            result[name] = value
        result[key] = one
    result.setdefault(name, value)
    return result


def without(tree: Tree, path: KeyPath) -> Tree:
    """Return the tree without a place that exists."""
    parent = _copied(value_at(tree, path[:-1]))
    del parent[path[-1]]
    return with_value(tree, path[:-1], parent)


def with_key(tree: Tree, path: KeyPath, name: str) -> Tree:
    """Return the tree with another name for a key, in its place."""
    parent = value_at(tree, path[:-1])
    renamed = {name if key == path[-1] else key: one for key, one in parent.items()}
    return with_value(tree, path[:-1], renamed)


def _copied(tree: Tree) -> Tree:
    return dict(tree) if isinstance(tree, dict) else list(tree)


def same(one: Tree, other: Tree) -> bool:
    """Return whether two trees are equal, with the keys of mappings in the same order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


# --- the same place in another edition --------------------------------------------------------------------


def relocated(path: Sequence[str | int], then: Tree, now: Tree, *, gap: bool = False) -> tuple[str | int, ...]:
    """Return a path of the tree ``then`` as it is in ``now``: places of lists move along with their items.

    With ``gap`` the last part is a place between items. Raises :class:`EditRefused` where an item on the way is gone.
    Parts that are names stay.
    """
    found: list[str | int] = []
    old, new = then, now
    for depth, part in enumerate(path):
        here: str | int | None = part
        if isinstance(old, list) and isinstance(new, list) and isinstance(part, int):
            here = aligned_place(old, new, part, gap=gap and depth == len(path) - 1)
        if here is None:
            raise EditRefused(f"{path_text(tuple(path[: depth + 1]))} has been removed", "no_such_place")
        found.append(here)
        old, new = _child(old, part), _child(new, here)
    return tuple(found)


def _child(tree: Tree, part: str | int) -> Tree:
    if isinstance(tree, list) and isinstance(part, str):
        place = _place_of(tree, part)
        return MISSING if place is None else tree[place]
    return value_at(tree, (part,))


def aligned_place(old: Sequence[Tree], new: Sequence[Tree], place: int, *, gap: bool = False) -> int | None:
    """Return where the item at ``place`` of a list is in a later one; None where it was removed.

    With ``gap`` it is a place between items: behind the last one, or where an item was that is gone.
    """
    if not 0 <= place <= len(old):
        return None
    before, after = [_item_key(one) for one in old], [_item_key(one) for one in new]
    if before == after:
        return place if gap or place < len(old) else None
    for tag, i1, i2, j1, j2 in opcodes(before, after):
        if i1 <= place < i2:
            if tag == "equal" or (tag == "replace" and place - i1 < j2 - j1):
                return j1 + place - i1
            return j1 if gap else None
    return len(new) if gap else None


def list_changes(old: Sequence[Tree], new: Sequence[Tree]) -> list[tuple[str, int, int, int, int]]:
    """Return where two lists differ, as (``replace``, ``delete`` or ``insert``, start and end in the old, in the new).

    Items with the same ``id`` count as the same; those that differ all the same are a ``replace`` of their own.
    """
    before, after = [_item_key(one) for one in old], [_item_key(one) for one in new]
    found: list[tuple[str, int, int, int, int]] = []
    for tag, i1, i2, j1, j2 in opcodes(before, after):
        if tag != "equal":
            found.append((tag, i1, i2, j1, j2))
        else:
            found += [
                ("replace", i1 + at, i1 + at + 1, j1 + at, j1 + at + 1)
                for at in range(i2 - i1)
                if old[i1 + at] != new[j1 + at]
            ]
    return found


def _item_key(item: Tree) -> str:
    if isinstance(item, dict) and isinstance(item.get("id"), str):
        return f"id {item['id']}"
    return json.dumps(item, ensure_ascii=False)
