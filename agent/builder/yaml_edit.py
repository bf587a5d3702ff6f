"""Edits of one YAML file by replacing characters: what an edit does not name stays as it was, byte for byte.

Each edit is read again and compared with the tree it was to give; where they differ nothing is changed and
:class:`EditRefused` says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import yaml

from agent.builder import trees
from agent.builder.comparing import opcodes
from agent.builder.errors import EditRefused
from agent.builder.trees import MISSING, Tree
from agent.builder.yaml_document import Entry, YamlDocument, anchors_of, document
from agent.builder.yaml_format import Writer
from agent.builder.yaml_splices import (
    TextSplice,
    insert_lines,
    insert_splice,
    key_splice,
    own_lines,
    place_of,
    removal_splices,
    value_splices,
)
from agent.common.yaml_reader import MAX_FILE_BYTES, KeyPath, path_text

_BOM = "\ufeff"
_MOST_SMALL_EDITS = 60
"""A value that differs from the old one in more places is written as a whole."""


def set_value(file: str, text: str, path: KeyPath, value: Tree) -> str:
    """Return the file's text with another value at a place that exists.

    Of a list or mapping only the entries that differ are touched. Raises :class:`EditRefused`.
    """
    doc = document(file, text)
    old = trees.value_at(doc.data, path)
    if old is MISSING:
        raise EditRefused(f"{file} has no {path_text(path)}", "no_such_place")
    if trees.same(old, value):
        return text
    if type(old) is type(value) and isinstance(old, dict | list) and old and value:
        edits = list(_small_edits(path, old, value))
        if len(edits) <= _MOST_SMALL_EDITS:
            try:
                return _one_after_another(file, text, edits, trees.with_value(doc.data, path, value))
            except EditRefused as refusal:
                if refusal.kind != "style":
                    raise
    return _written(file, text, path, value)


def _written(file: str, text: str, path: KeyPath, value: Tree) -> str:
    """Return the text with a value written as a whole."""
    doc = document(file, text)
    return _edited(doc, text, lambda: value_splices(doc, path, value), trees.with_value(doc.data, path, value))


def insert(file: str, text: str, path: KeyPath, value: Tree, before: str | None = None) -> str:
    """Return the text with a new list item at a place, or a new key in front of another (None: at the end).

    Raises :class:`EditRefused`, also for a key that exists.
    """
    doc = document(file, text)
    if not path:
        raise EditRefused("the whole file cannot be inserted", "no_such_place")
    parent = trees.value_at(doc.data, path[:-1])
    name = path[-1]
    if parent is None and (doc.root is None or path[:-1]):  # an empty value takes its first entry
        first: Tree = [value] if isinstance(name, int) else {name: value}
        return _first_entry(doc, text, path[:-1], first)
    if isinstance(parent, list) and isinstance(name, int) and 0 <= name <= len(parent):
        place = name
    elif isinstance(parent, dict) and isinstance(name, str):
        if name in parent:
            raise EditRefused(f"{path_text(path)} exists already", "taken")
        if before is not None and before not in parent:
            raise EditRefused(f"there is no {path_text((*path[:-1], before))}", "no_such_place")
        place = len(parent) if before is None else list(parent).index(before)
    else:
        raise EditRefused(f"nothing can be inserted at {path_text(path)} of {file}", "no_such_place")
    if not parent and not _in_a_line(doc, path[:-1]):
        return set_value(file, text, path[:-1], [value] if isinstance(name, int) else {name: value})
    expected = trees.with_inserted(doc.data, path, value, before)
    return _edited(doc, text, lambda: [insert_splice(doc, path, place, value)], expected)


def _in_a_line(doc: YamlDocument, path: KeyPath) -> bool:
    """Return whether a value stands inside another one that is written in one line."""
    nodes = [doc.find(path[:depth]) for depth in range(len(path))]
    return any(isinstance(node, yaml.CollectionNode) and node.flow_style for node in nodes)


def _first_entry(doc: YamlDocument, text: str, path: KeyPath, value: Tree) -> str:
    if path:
        return set_value(doc.file, text, path, value)
    lines = doc.newline.join(Writer(doc).lines(value, 0, ()))
    end = len(doc.text)
    head = doc.newline if doc.text and not doc.text.endswith("\n") else ""
    return _edited(doc, text, lambda: [TextSplice(end, end, head + lines + doc.newline)], value)


def remove(file: str, text: str, path: KeyPath) -> str:
    """Return the text without an entry and the comment that belongs to it. Raises :class:`EditRefused`."""
    doc = document(file, text)
    if not path or trees.value_at(doc.data, path) is MISSING:
        raise EditRefused(f"{file} has no {path_text(path)}", "no_such_place")
    return _edited(doc, text, lambda: removal_splices(doc, path), trees.without(doc.data, path))


def rename_key(file: str, text: str, path: KeyPath, name: str) -> str:
    """Return the text with another name for a key, in its place. Raises :class:`EditRefused`."""
    doc = document(file, text)
    old = trees.value_at(doc.data, path[:-1])
    if not isinstance(old, dict) or path[-1] not in old:
        raise EditRefused(f"{file} has no {path_text(path)}", "no_such_place")
    if name == path[-1]:
        return text
    if name in old:
        raise EditRefused(f"{path_text((*path[:-1], name))} exists already", "taken")
    return _edited(doc, text, lambda: [key_splice(doc, path, name)], trees.with_key(doc.data, path, name))


def cut(file: str, text: str, path: KeyPath) -> list[str] | None:
    """Return an entry's lines, with its comment, from its own column on; None where it has no lines of its own."""
    doc = document(file, text)
    parent = doc.find(path[:-1])
    if not isinstance(parent, yaml.CollectionNode) or parent.flow_style:
        return None
    entries = doc.entries(parent)
    place = place_of(entries, path[-1])
    entry = entries[place]
    if not doc.begins_line(entry.start):
        return None
    start, end = own_lines(doc, entries, place)
    column = doc.column(entry.start)
    lines = doc.text[start:end].splitlines()
    if any(line[:column].strip() for line in lines):
        return None
    return [line[column:] for line in lines]


def paste(file: str, text: str, path: KeyPath, lines: Sequence[str], value: Tree, before: str | None = None) -> str:
    """Return the text with an entry given as lines (:func:`cut`), which keep their comments and their form.

    Where lines cannot stand there, or would mean something else, the value is written anew. Raises
    :class:`EditRefused`.
    """
    doc = document(file, text)
    parent_data = trees.value_at(doc.data, path[:-1])
    if not isinstance(parent_data, dict | list) or not parent_data or not lines:
        return insert(file, text, path, value, before)
    parent = doc.find(path[:-1])
    entries: list[Entry] = doc.entries(parent)
    if isinstance(parent, yaml.CollectionNode) and not parent.flow_style:
        place = path[-1] if isinstance(path[-1], int) else len(entries) if before is None else place_of(entries, before)
        column = doc.column(entries[0].start)
        indented = [lines[0], *((" " * column + line if line else "") for line in lines[1:])]
        expected = trees.with_inserted(doc.data, path, value, before)
        try:
            return _edited(doc, text, lambda: [insert_lines(doc, entries, place, indented, column)], expected)
        except EditRefused as refusal:
            if refusal.kind not in ("style", "anchor"):
                raise
    return insert(file, text, path, value, before)


def with_comment(doc: YamlDocument, text: str, splice: TextSplice) -> str:
    """Return the text after a splice that changes nothing but a comment. Raises :class:`EditRefused` where it would."""
    return _edited(doc, text, lambda: [splice], doc.data)


# --- one edit, made of smaller ones -----------------------------------------------------------------------

SmallEdit = tuple[str, KeyPath, Tree]
"""What to do (``set``, ``insert``, ``remove``), where, and the value."""


def _small_edits(path: KeyPath, old: Tree, new: Tree) -> Iterable[SmallEdit]:
    """Yield the edits that make one value another, each to be done after those before it."""
    if trees.same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        yield from _small_edits_of_mapping(path, old, new)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _small_edits_of_list(path, old, new)
    else:
        yield "set", path, new


def _small_edits_of_mapping(path: KeyPath, old: dict[str, Tree], new: dict[str, Tree]) -> Iterable[SmallEdit]:
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old] or not kept:
        yield "set", path, new
        return
    for name in kept:
        yield from _small_edits((*path, name), old[name], new[name])
    following: str | None = None
    for name in reversed(new):
        if name not in old:
            yield "insert" if following is None else f"insert {following}", (*path, name), new[name]
        following = name
    for name in old:
        if name not in new:
            yield "remove", (*path, name), None


def _small_edits_of_list(path: KeyPath, old: list[Tree], new: list[Tree]) -> Iterable[SmallEdit]:
    before, after = ([json.dumps(one, ensure_ascii=False) for one in items] for items in (old, new))
    for tag, i1, i2, j1, j2 in reversed(opcodes(before, after)):
        if tag == "equal":
            continue
        common = min(i2 - i1, j2 - j1)
        for extra in reversed(range(i1 + common, i2)):
            yield "remove", (*path, extra), None
        for extra in reversed(range(j1 + common, j2)):
            yield "insert", (*path, i1 + common), new[extra]
        for at in reversed(range(common)):
            yield from _small_edits((*path, i1 + at), old[i1 + at], new[j1 + at])


def _one_after_another(file: str, text: str, edits: Iterable[SmallEdit], expected: Tree) -> str:
    for what, path, value in edits:
        kind, _, before = what.partition(" ")
        if kind == "insert":
            text = insert(file, text, path, value, before or None)
        elif kind == "remove":
            text = remove(file, text, path)
        else:
            text = _written(file, text, path, value)
    if not _reads_as(file, text, expected):
        raise EditRefused(f"{file}: the value cannot be written piece by piece", "style")
    return text


# --- the proof --------------------------------------------------------------------------------------------


def spliced(text: str, splices: Iterable[TextSplice]) -> str:
    """Return a text with some of its characters replaced; the splices do not overlap."""
    for one in sorted(splices, key=lambda one: (one.start, one.end), reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def _edited(doc: YamlDocument, text: str, splices: Callable[[], list[TextSplice]], expected: Tree) -> str:
    """Return the text after splices that give the expected tree. Raises :class:`EditRefused` where they do not."""
    result = (_BOM if text.startswith(_BOM) else "") + spliced(doc.text, splices())
    if len(result) > MAX_FILE_BYTES:
        raise EditRefused(f"{doc.file} would be larger than {MAX_FILE_BYTES} characters", "too_large")
    if not _reads_as(doc.file, result, expected):
        lines = anchors_of(doc.text)
        if lines:
            raise EditRefused(
                f"{doc.file} uses YAML anchors, aliases or tags (line {lines[0]}): what they stand for cannot be "
                "edited here. Write the values out by hand first",
                "anchor",
            )
        raise EditRefused(f"{doc.file} is written in a way in which this cannot be edited here", "style")
    return result


def _reads_as(file: str, text: str, expected: Tree) -> bool:
    """Return whether a text holds a tree; what an alias stands for is what its anchor has now."""
    try:
        found = document(file, text)
    except EditRefused:
        return False
    for place, anchor in found.aliases.items():
        value = trees.value_at(expected, anchor)
        if value is MISSING or trees.value_at(expected, place) is MISSING:
            return False
        expected = trees.with_value(expected, place, value)
    return trees.same(found.data, expected)
