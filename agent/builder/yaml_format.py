"""Writes values as YAML the way the file around them is written: quotes, indentation, lists in one line or in many."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import yaml

from agent.builder.trees import Tree
from agent.builder.yaml_document import YamlDocument
from agent.common import yaml_reader
from agent.common.yaml_reader import KeyPath
from agent.dialog.model.model import PackFile

WIDTH = 128
"""Columns: a longer text is folded, where it is not one already that is written in one line."""
_SHORT_LIST_CHARS = 70
_NUMBER_LIKE = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_,]*(\.[0-9]*)?([eE][-+]?[0-9]+)?)|0[xo][0-9a-fA-F]+|[0-9:]+")
_NULL_LIKE = re.compile(r"~|null|Null|NULL|")
_WORD = re.compile(r"[A-Za-z0-9_][\w.-]*")
_PLAIN_NUMBERS_BELOW = frozenset({"variables", "dtmf", "set", "with", "save", "failed", "keeps"})
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\x85\u2028\u2029\ufeff]"
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


@dataclass(frozen=True)
class Style:
    """How a file indents, in columns."""

    step: int = 2
    """Of a mapping inside a mapping."""
    dash: int = 2
    """Of a dash, from the key of its list."""
    item: int = 2
    """Of an item's content, from its dash."""


@functools.lru_cache(maxsize=96)
def style_of(doc: YamlDocument) -> Style:
    """Return how a file indents most of the time."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    items: Counter[int] = Counter()
    waiting = [doc.root] if doc.root is not None else []
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode) or node.flow_style:
            continue
        seen.add(id(node))
        column = doc.column(doc.start_of(node))
        if isinstance(node, yaml.MappingNode):
            for _, value in node.value:
                if isinstance(value, yaml.CollectionNode) and not value.flow_style:
                    counted = steps if isinstance(value, yaml.MappingNode) else dashes
                    counted[doc.column(doc.start_of(value)) - column] += 1
                waiting.append(value)
        else:
            for child in node.value:
                if child.start_mark.column > column:
                    items[child.start_mark.column - column] += 1
                waiting.append(child)
    usual = Style()
    step = _most(steps, usual.step, least=1)
    return Style(step, _most(dashes, step, least=0), _most(items, usual.item, least=2))


def _most(counted: Counter[int], otherwise: int, least: int) -> int:
    fitting = [(count, -columns) for columns, count in counted.items() if columns >= least]
    return -max(fitting)[1] if fitting else otherwise


# --- texts ------------------------------------------------------------------------------------------------

Quotes = Literal["", "'", '"']


def scalar(text: str | None, *, flow: bool, path: KeyPath = (), old: yaml.Node | None = None) -> str:
    """Return a text as it stands in one line; the quotes of ``old`` are kept where they can be."""
    if text is None:
        return "~" if flow else ""
    preferred = old.style if isinstance(old, yaml.ScalarNode) and old.style in ("'", '"') else None
    was_plain = isinstance(old, yaml.ScalarNode) and not old.style and old.value != ""
    if preferred is None and (was_plain or not _needs_quotes(text, path)) and is_plain(text, flow):
        return text
    if _UNPRINTABLE.search(text) or "\n" in text or "\r" in text:
        return double_quoted(text)
    if preferred == "'" or (preferred is None and ('"' in text or "\\" in text) and "'" not in text):
        return "'" + text.replace("'", "''") + "'"
    if preferred is None and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'" if text.count("'") <= text.count('"') else double_quoted(text)
    return double_quoted(text)


def double_quoted(text: str) -> str:
    """Return a text in double quotes, in one line."""
    return '"' + "".join(_ESCAPES.get(one) or _escaped(one) for one in text) + '"'


def _escaped(one: str) -> str:
    if not _UNPRINTABLE.match(one):
        return one
    code = ord(one)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_plain(text: str, flow: bool) -> bool:
    """Return whether a text stands for itself without quotes: as a key's value and as a list's item."""
    if _NULL_LIKE.fullmatch(text) or text != text.strip() or "\n" in text or _UNPRINTABLE.search(text):
        return False
    forms = [f"[{text}]", f"{{k: {text}}}"] if flow else [f"k: {text}", f"- {text}", f"- k: {text}"]
    return all(_reads_as(form, text) for form in forms)


def _reads_as(form: str, text: str) -> bool:
    try:
        node = yaml_reader.compose(form)
    except (yaml.YAMLError, RecursionError):
        return False
    while isinstance(node, yaml.CollectionNode) and len(node.value) == 1:
        node = node.value[0][1] if isinstance(node, yaml.MappingNode) else node.value[0]
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value == text


def _needs_quotes(text: str, path: KeyPath) -> bool:
    """Return whether another reader of YAML would take the text for a number or for nothing."""
    if not _NUMBER_LIKE.fullmatch(text):
        return False
    names = [part for part in path if isinstance(part, str)]
    below = bool(names) and (names[-1] in number_keys() or any(name in _PLAIN_NUMBERS_BELOW for name in names[:-1]))
    return not below


@functools.cache
def number_keys() -> frozenset[str]:
    """Return the keys of a pack whose values are numbers."""
    found: set[str] = set()
    waiting = [PackFile.model_json_schema()]
    while waiting:
        here = waiting.pop()
        for name, schema in here.get("properties", {}).items():
            kinds = [schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))]
            if "number" in kinds or "integer" in kinds or schema.get("$ref", "").endswith("Share"):
                found.add(name)
        waiting += list(here.get("$defs", {}).values())
    return frozenset(found)


def folded(text: str, column: int, newline: str) -> str | None:
    """Return a long text as a folded scalar (``>-``) with its lines at a column; None where folding would change it."""
    words = text.split(" ")
    if not all(words) or "\n" in text or _UNPRINTABLE.search(text) or text.startswith(("#", "\t")) or len(words) < 2:
        return None
    lines, line = [], words[0]
    for word in words[1:]:
        if column + len(line) + 1 + len(word) > WIDTH and not word.startswith("\t"):
            lines.append(line)
            line = word
        else:
            line += f" {word}"
    return newline.join([">-", *(" " * column + one for one in [*lines, line])])


def literal(text: str, column: int, newline: str) -> str | None:
    """Return a text of several lines as a literal scalar (``|``); None where that would change it."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    if not body or body[0] in " \t\n" or _UNPRINTABLE.search(text) or "\r" in text or ends > 1:
        return None
    if any(line != line.rstrip() for line in body.split("\n")):
        return None
    lines = [" " * column + line if line else "" for line in body.split("\n")]
    return newline.join(["|" if ends else "|-", *lines])


# --- values -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """Writes values for one file."""

    doc: YamlDocument

    @property
    def style(self) -> Style:
        """How the file indents."""
        return style_of(self.doc)

    def flow(self, value: Tree, path: KeyPath = (), old: yaml.Node | None = None) -> str:
        """Return a value in one line."""
        if isinstance(value, list):
            return "[" + ", ".join(self.flow(one, (*path, at)) for at, one in enumerate(value)) + "]"
        if isinstance(value, dict):
            pairs = (f"{self.key(name, flow=True)}: {self.flow(one, (*path, name))}" for name, one in value.items())
            return "{" + ", ".join(pairs) + "}"
        return scalar(value, flow=True, path=path, old=old)

    def key(self, name: str, *, flow: bool) -> str:
        """Return a key: without quotes where it stands for itself."""
        form = f"{{{name}: v}}" if flow else f"{name}: v"
        if name and name == name.strip() and "\n" not in name and not _UNPRINTABLE.search(name) and len(name) < 1000:
            try:
                node = yaml_reader.compose(form)
            except (yaml.YAMLError, RecursionError):
                node = None
            if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
                key, value = node.value[0]
                if isinstance(key, yaml.ScalarNode) and not key.style and (key.value, value.value) == (name, "v"):
                    return name
        return double_quoted(name)

    def lines(self, value: Tree, column: int, path: KeyPath) -> Iterator[str]:
        """Yield the lines of a list or mapping in block style; every line but the first is indented.

        ``column`` is where its keys or dashes stand.
        """
        first = True
        style = self.style
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, one in items:
            here = (*path, name)
            lead = "" if first else " " * column
            first = False
            if isinstance(value, dict):
                yield from self.behind_lead(f"{lead}{self.key(str(name), flow=False)}:", one, column, here)
            else:
                dash = f"{lead}-"
                if isinstance(one, dict) and one and not self._in_one_line(one, here):
                    inner = list(self.lines(one, column + style.item, here))
                    yield dash + " " * (style.item - 1) + inner[0]
                    yield from inner[1:]
                else:
                    yield from self.behind_lead(dash, one, column, here, gap=style.item - 1)

    def behind_lead(self, lead: str, value: Tree, column: int, path: KeyPath, gap: int = 1) -> Iterator[str]:
        """Yield the lines of a value behind its key or dash, which stands at a column."""
        style = self.style
        if isinstance(value, dict | list) and value and not self._in_one_line(value, path):
            yield lead
            in_list = bool(path) and isinstance(path[-1], int)
            further = style.item if in_list else style.step if isinstance(value, dict) else style.dash
            inner = list(self.lines(value, column + further, path))
            yield " " * (column + further) + inner[0]
            yield from inner[1:]
            return
        text = self.flow(value, path) if isinstance(value, dict | list) else self.text(value, column, path, lead)
        head, *rest = text.split(self.doc.newline)
        yield f"{lead}{' ' * gap}{head}".rstrip() if head else lead
        yield from rest

    def text(self, value: str | None, column: int, path: KeyPath, lead: str = "", old: yaml.Node | None = None) -> str:
        """Return a text behind a key or dash at a column: in one line, folded, or line by line."""
        inside = column + self.style.step
        newline = self.doc.newline
        if value is not None and "\n" in value and (block := literal(value, inside, newline)) is not None:
            return block
        line = scalar(value, flow=False, path=path, old=old)
        if value is None or len(lead) + 1 + len(line) <= WIDTH or value.startswith("~"):
            return line
        return folded(value, inside, newline) or line

    def _in_one_line(self, value: Tree, path: KeyPath) -> bool:
        """Return whether a list or mapping is written in one line here: as its like in this file, or when short."""
        like = _like(self.doc, path, type(value))
        if any(isinstance(one, dict | list) for one in (value.values() if isinstance(value, dict) else value)):
            return False
        short = len(self.flow(value, path)) <= _SHORT_LIST_CHARS
        if like is not None:
            return like and len(self.flow(value, path)) < WIDTH - 20
        return short and isinstance(value, list) and all(_WORD.fullmatch(one or "") for one in value)


def _like(doc: YamlDocument, path: Sequence[str | int], kind: type) -> bool | None:
    """Return whether most values of the same name in this file are in one line; None where there are none."""
    name = path[-1] if path else None
    styles = _styles(doc).get((name if isinstance(name, str) else None, kind is dict), ())
    if not styles and len(path) > 1:
        styles = _styles(doc).get((("below", path[-2] if isinstance(path[-2], str) else None), kind is dict), ())
    return None if not styles else sum(styles) * 2 > len(styles)


_Key = tuple[str | tuple[str, str | None] | None, bool]


@functools.lru_cache(maxsize=96)
def _styles(doc: YamlDocument) -> dict[_Key, list[bool]]:
    """Return, by key and by the key above, whether lists and mappings are in one line."""
    found: dict[_Key, list[bool]] = {}
    seen: set[int] = set()

    def walk(node: yaml.Node, name: str | None, above: str | None) -> None:
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            return
        seen.add(id(node))
        if node.value:
            is_map = isinstance(node, yaml.MappingNode)
            found.setdefault((name, is_map), []).append(bool(node.flow_style))
            found.setdefault((("below", above), is_map), []).append(bool(node.flow_style))
        for child in node.value:
            if isinstance(node, yaml.MappingNode):
                walk(child[1], str(child[0].value), name)
            else:
                walk(child, None, name)

    if doc.root is not None:
        walk(doc.root, None, None)
    return found
