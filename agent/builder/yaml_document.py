"""One YAML file as text with the places of its parts: which characters a value, a list item or an entry takes up."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from agent.builder.errors import EditRefused
from agent.builder.trees import Tree
from agent.common import yaml_reader
from agent.common.yaml_reader import KeyPath, path_text

_COLON = re.compile(r"[ \t]*:")
_ALIAS = re.compile(r"[ \t]*:[ \t]*\*[^\s,\[\]{}]+")
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*)+")
_BLOCK_STYLES = ("|", ">")


@dataclass(frozen=True)
class Entry:
    """One item of a list, or one key of a mapping with its value."""

    node: yaml.Node
    """The value."""
    key: yaml.ScalarNode | None
    """None for a list item."""
    start: int
    """Where its key, its dash or (in a flow list) its value begins."""
    end: int
    """Behind its last character; comments do not count."""
    alias: bool = False
    """Whether the value stands elsewhere, and here only its name (``*name``)."""


@dataclass(frozen=True, eq=False)
class YamlDocument:
    """A file that could be read: its text, without a byte order mark, and where everything stands.

    Places are numbers of characters from the beginning of the text.
    """

    file: str
    text: str
    root: yaml.Node | None
    data: Tree
    newline: str
    """What ends a line: ``\\n`` or ``\\r\\n``."""
    aliases: Mapping[KeyPath, KeyPath]
    """Place of an alias -> place of the value that it stands for."""

    def find(self, path: KeyPath) -> yaml.Node:
        """Return the node at a path that exists. Raises :class:`EditRefused` where an alias stands on the way."""
        node = self.root
        for depth, part in enumerate(path):
            child = self._child(node, part)
            if child is None:
                raise EditRefused(f"there is no {path_text(path[: depth + 1])} in {self.file}", "no_such_place")
            node = child.node
            if child.alias:
                raise EditRefused(
                    f"{path_text(path[: depth + 1])} is an alias of what stands on line {node.start_mark.line + 1} of "
                    f"{self.file}: edit it there, both change",
                    "anchor",
                )
        if node is None:
            raise EditRefused(f"{self.file} is empty", "no_such_place")
        return node

    def _child(self, node: yaml.Node | None, part: str | int) -> Entry | None:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            return self.entries(node)[part] if part < len(node.value) else None
        if isinstance(node, yaml.MappingNode):
            return next((one for one in self.entries(node) if one.key is not None and one.key.value == part), None)
        return None

    def entries(self, node: yaml.Node) -> list[Entry]:
        """Return the items of a list or the keys of a mapping, in the order of the file."""
        if isinstance(node, yaml.SequenceNode):
            return [self._item(node, child) for child in node.value]
        if isinstance(node, yaml.MappingNode):
            return [self._pair(key, value) for key, value in node.value]
        return []

    def _item(self, parent: yaml.SequenceNode, child: yaml.Node) -> Entry:
        if child.start_mark.index < parent.start_mark.index:
            line = child.start_mark.line + 1
            raise EditRefused(
                f"{self.file}: a list holds an alias (*name) of line {line}: write it out first", "anchor"
            )
        start = child.start_mark.index
        if not parent.flow_style:
            start = self._dash(self.column(self.start_of(parent)), start)
        return Entry(child, None, start, max(self.end_of(child), start + 1))

    def start_of(self, node: yaml.Node) -> int:
        """Return where a value begins, behind its anchor and tag."""
        start = node.start_mark.index
        if self.text[start : start + 1] in ("&", "!") and (found := _PROPERTIES.match(self.text, start)):
            return found.end()
        return start

    def _dash(self, column: int, inside: int) -> int:
        line = self.line_start(inside)
        while self.text[line + column : line + column + 1] != "-" or line + column >= inside + 1:
            if line == 0:
                raise EditRefused(f"{self.file} is written in a way that cannot be edited here", "style")
            line = self.line_start(line - 1)
        return line + column

    def _pair(self, key: yaml.Node, value: yaml.Node) -> Entry:
        if not isinstance(key, yaml.ScalarNode):
            raise EditRefused(f"{self.file}:{key.start_mark.line + 1}: a key is not plain text", "style")
        if value.start_mark.index < key.start_mark.index:
            alias = _ALIAS.match(self.text, key.end_mark.index)
            return Entry(value, key, key.start_mark.index, alias.end() if alias else key.end_mark.index, alias=True)
        colon = _COLON.match(self.text, key.end_mark.index)
        behind = colon.end() if colon else key.end_mark.index
        return Entry(value, key, key.start_mark.index, max(self.end_of(value), behind))

    def end_of(self, node: yaml.Node) -> int:
        """Return the place behind a value's last character."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            return max(entry.end for entry in self.entries_at_the_end(node))
        end = node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in _BLOCK_STYLES:
            return self._end_of_block_scalar(node, end)
        return end

    def entries_at_the_end(self, node: yaml.CollectionNode) -> list[Entry]:
        """Return the last entry of a list or mapping, in a list."""
        last = node.value[-1]
        if isinstance(node, yaml.MappingNode):
            return [self._pair(*last)]
        return [self._item(node, last)] if isinstance(node, yaml.SequenceNode) else []

    def _end_of_block_scalar(self, node: yaml.ScalarNode, end: int) -> int:
        header = self.text[node.start_mark.index : self.line_end(node.start_mark.index)]
        body = self.text[node.start_mark.index : end]
        if "+" in header.partition("#")[0]:
            return node.start_mark.index + len(body.rstrip(" \t")) - (len(self.newline) if "\n" in body else 0)
        return node.start_mark.index + len(body.rstrip())

    # --- lines ----------------------------------------------------------------------------------------------

    def line_start(self, place: int) -> int:
        """Return where the line of a place begins."""
        return self.text.rfind("\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """Return where the line of a place ends, in front of what ends it."""
        end = self.text.find("\n", place)
        if end < 0:
            return len(self.text)
        return end - 1 if end > place and self.text[end - 1] == "\r" else end

    def next_line(self, place: int) -> int:
        """Return where the next line begins, the end of the text behind the last one."""
        end = self.text.find("\n", place)
        return len(self.text) if end < 0 else end + 1

    def column(self, place: int) -> int:
        """Return how many characters stand in front of a place on its line."""
        return place - self.line_start(place)

    def begins_line(self, place: int) -> bool:
        """Return whether nothing but spaces stands in front of a place on its line."""
        return not self.text[self.line_start(place) : place].strip(" ")

    def blank(self, line: int) -> bool:
        """Return whether the line that begins at a place is empty; the end of the text is none."""
        return line < len(self.text) and not self.text[line : self.line_end(line)].strip()


_REMEMBERED = 96


@functools.lru_cache(maxsize=_REMEMBERED)
def document(file: str, text: str) -> YamlDocument:
    """Read one file. Raises :class:`EditRefused` for one with mistakes of form: nothing in it can be edited safely."""
    content = text.removeprefix("\ufeff")
    source, root = yaml_reader.read_with_nodes(file, content)
    if source.findings:
        raise EditRefused(f"{source.findings[0]}; put this right first, in the file's text", "broken_file")
    lines = content.count("\n")
    newline = "\r\n" if content.count("\r\n") * 2 > lines else "\n"
    aliases = _aliases(root) if "*" in content and root is not None else {}
    return YamlDocument(file, content, root, source.data, newline, aliases)


def _aliases(root: yaml.Node) -> dict[KeyPath, KeyPath]:
    places: dict[int, KeyPath] = {}
    found: dict[KeyPath, KeyPath] = {}

    def walk(node: yaml.Node, path: KeyPath) -> None:
        if isinstance(node, yaml.ScalarNode) and not node.value and not node.style:
            return  # nothing, which no anchor names
        if id(node) in places:
            found[path] = places[id(node)]
            return
        places[id(node)] = path
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                walk(value, (*path, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for place, child in enumerate(node.value):
                walk(child, (*path, place))

    walk(root, ())
    return found


def anchors_of(text: str) -> list[int]:
    """Return the lines (1-based) on which YAML anchors, aliases or tags stand."""
    try:
        tokens = list(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return []
    kinds = (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)
    return [token.start_mark.line + 1 for token in tokens if isinstance(token, kinds)]


def line_of(file: str, text: str, path: KeyPath) -> int:
    """Return the line, from 1, on which the value at a path begins; 0 where an alias stands for it."""
    try:
        return int(document(file, text).find(path).start_mark.line) + 1
    except EditRefused:
        return 0
