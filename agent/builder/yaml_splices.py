"""Which characters of a file one edit replaces, and by what: values, entries of mappings, items of lists."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import yaml

from agent.builder.errors import EditRefused
from agent.builder.trees import Tree
from agent.builder.yaml_document import Entry, YamlDocument
from agent.builder.yaml_format import WIDTH, Writer, folded, literal
from agent.common.yaml_reader import KeyPath


@dataclass(frozen=True)
class TextSplice:
    """Characters of a text and what replaces them."""

    start: int
    end: int
    text: str


def value_splices(doc: YamlDocument, path: KeyPath, value: Tree) -> list[TextSplice]:
    """Return what gives a place that exists another value, written like the old one where it can be."""
    node = doc.find(path)
    if isinstance(value, str | None) and isinstance(node, yaml.ScalarNode):
        return [_text_splice(doc, path, node, value)]
    writer = Writer(doc)
    in_flow = _in_flow(doc, path)
    if not path:
        return _whole_file(doc, node, value)
    entry = _entry(doc, path)
    column = doc.column(entry.start)
    lead = entry.key.end_mark.index if entry.key is not None else entry.start
    behind = doc.text.index(":", lead) + 1 if entry.key is not None else lead + 1
    if in_flow:
        return [TextSplice(node.start_mark.index, doc.end_of(node), writer.flow(value, path))]
    dash = entry.key is None
    if dash and isinstance(value, dict) and value:
        gap = writer.style.item
        text = doc.newline.join(writer.lines(value, column + gap, path))
        return [TextSplice(behind, entry.end, " " * (gap - 1) + text)]
    text = doc.newline.join(writer.behind_lead("", value, column, path))
    if text.startswith(doc.newline):  # on lines of its own: a comment behind the key stays where it is
        end = doc.line_end(behind)
        if isinstance(node, yaml.ScalarNode) and node.start_mark.line == node.end_mark.line and entry.end > behind:
            return [TextSplice(behind, entry.end, ""), TextSplice(end, end, text)]
        if isinstance(node, yaml.ScalarNode) and entry.end == behind:
            return [TextSplice(end, end, text)]
    return [_comment_in_header(doc, TextSplice(behind, entry.end, text))]


def _whole_file(doc: YamlDocument, node: yaml.Node, value: Tree) -> list[TextSplice]:
    if not isinstance(value, dict | list) or not value:
        return [TextSplice(node.start_mark.index, doc.end_of(node), Writer(doc).flow(value))]
    return [TextSplice(node.start_mark.index, doc.end_of(node), doc.newline.join(Writer(doc).lines(value, 0, ())))]


def _text_splice(doc: YamlDocument, path: KeyPath, node: yaml.ScalarNode, value: str | None) -> TextSplice:
    start, end = node.start_mark.index, doc.end_of(node)
    writer = Writer(doc)
    if _in_flow(doc, path):
        return TextSplice(start, end, _behind(doc, start, end, writer.flow(value, path, node)))
    column = doc.column(_entry(doc, path).start) if path else 0
    inside = column + writer.style.step
    if value is not None and node.style == ">" and (text := _refolded(doc, node, value, inside)) is not None:
        return TextSplice(start, end, text)
    if value is not None and node.style == "|" and (text := literal(value, inside, doc.newline)) is not None:
        return _comment_in_header(doc, TextSplice(start, end, text))
    was_long = end - doc.line_start(start) > WIDTH
    lead = "" if was_long else doc.text[doc.line_start(start) : start]
    if value is None:
        while doc.text[start - 1 : start] == " " and doc.text[start - 2 : start - 1] in (":", "-", " "):
            start -= 1
        return TextSplice(start, end, "")
    text = writer.text(value, column, path, lead, node if node.style not in ("|", ">") else None)
    return _comment_in_header(doc, TextSplice(start, end, _behind(doc, start, end, text)))


def _comment_in_header(doc: YamlDocument, splice: TextSplice) -> TextSplice:
    """Return a splice that keeps the comment behind it out of a text of several lines: it goes behind ``>-``."""
    end = doc.line_end(splice.end)
    rest = doc.text[splice.end : end]
    header, newline, body = splice.text.partition(doc.newline)
    if not newline or not header.lstrip().startswith((">", "|")) or not rest.lstrip().startswith("#"):
        return splice
    return TextSplice(splice.start, end, header + rest + newline + body)


def _behind(doc: YamlDocument, start: int, end: int, text: str) -> str:
    """Return a text with a space in front where it is the first behind a key or dash, or behind one in a list."""
    if start == end and text and doc.text[start - 1 : start] not in (" ", "[", "{", "\n"):
        return f" {text}"
    return text


def _refolded(doc: YamlDocument, node: yaml.ScalarNode, value: str, inside: int) -> str | None:
    """Return a folded text anew; lines whose words are as before stay as they are, from the top and the bottom."""
    start = node.start_mark.index
    header = doc.text[start : doc.line_end(start)]
    if not header.startswith(">-"):
        return None
    old_lines = doc.text[doc.next_line(start) : doc.end_of(node)].split(doc.newline)
    column = len(old_lines[0]) - len(old_lines[0].lstrip(" "))
    if any(len(line) - len(line.lstrip(" ")) != column for line in old_lines):
        column = inside
    fresh = folded(value, column, doc.newline) or (None if "\n" in value or value != value.strip() else "")
    if not fresh and fresh != "":
        return None
    lines = _kept_lines([line[column:] for line in old_lines], value, column)
    if lines is None:
        return None
    return doc.newline.join([header, *(" " * column + line for line in lines)])


def _kept_lines(old: list[str], value: str, column: int) -> list[str] | None:
    """Return the lines of a text, as many of the old ones as still fit."""
    top = 0
    rest = value
    while top < len(old) and rest.startswith(old[top] + " "):
        rest = rest[len(old[top]) + 1 :]
        top += 1
    bottom = len(old)
    while bottom > top and rest.endswith(" " + old[bottom - 1]):
        rest = rest[: -len(old[bottom - 1]) - 1]
        bottom -= 1
    if bottom > top and rest == old[bottom - 1]:
        return [*old[:top], *old[bottom - 1 :]]
    lines: list[str] = []
    for word in rest.split(" "):
        if not word or (word.startswith(("\t", "#")) and not lines and not top):
            return None
        if lines and column + len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [*old[:top], *lines, *old[bottom:]]


def key_splice(doc: YamlDocument, path: KeyPath, name: str) -> TextSplice:
    """Return what gives a key another name."""
    key = _entry(doc, path).key
    if key is None:
        raise EditRefused("an item of a list has no name", "no_such_place")
    return TextSplice(key.start_mark.index, key.end_mark.index, Writer(doc).key(name, flow=_in_flow(doc, path)))


# --- adding and taking away -------------------------------------------------------------------------------


def insert_splice(doc: YamlDocument, path: KeyPath, place: int, value: Tree) -> TextSplice:
    """Return what adds an entry (its path's last part is its key, or ``place`` itself) at a place among the others."""
    parent = doc.find(path[:-1])
    writer = Writer(doc)
    entries = doc.entries(parent)
    if not isinstance(parent, yaml.CollectionNode):
        raise EditRefused("only a list or a mapping can be added to", "no_such_place")
    if parent.flow_style or not entries:
        return _insert_in_flow(doc, path, place, value, entries, parent)
    column = doc.column(entries[0].start)
    lines = list(writer.lines({path[-1]: value} if isinstance(path[-1], str) else [value], column, path[:-1]))
    return insert_lines(doc, entries, place, lines, column)


def insert_lines(doc: YamlDocument, entries: list[Entry], place: int, lines: list[str], column: int) -> TextSplice:
    """Return what adds lines (the first not indented) as an entry in front of the one at ``place``, or at the end."""
    newline, indent = doc.newline, " " * column
    apart = separated(doc, entries)
    if place == 0:
        if not doc.begins_line(entries[0].start):  # behind a dash: the new key takes its place
            at = entries[0].start
            return TextSplice(at, at, newline.join(lines) + newline + indent)
        at = own_start(doc, entries, 0)
        return TextSplice(at, at, newline.join([indent + lines[0], *lines[1:], *([""] if apart else []), ""]))
    last = entries[place - 1].end
    at = doc.next_line(last)
    head = newline if at == len(doc.text) and not doc.text.endswith("\n") else ""
    tail = "" if head else newline
    text = (newline if apart else "") + newline.join([indent + lines[0], *lines[1:]])
    return TextSplice(at, at, head + text + tail)


def _insert_in_flow(
    doc: YamlDocument, path: KeyPath, place: int, value: Tree, entries: list[Entry], parent: yaml.Node
) -> TextSplice:
    writer = Writer(doc)
    text = writer.flow(value, path)
    if isinstance(path[-1], str):
        text = f"{writer.key(path[-1], flow=True)}: {text}"
    if not entries:
        opening, closing = ("{", "}") if isinstance(parent, yaml.MappingNode) else ("[", "]")
        return TextSplice(parent.start_mark.index, parent.end_mark.index, f"{opening}{text}{closing}")
    gap = " "
    at = entries[place].start if place < len(entries) else entries[-1].end
    if doc.line_end(at) - doc.line_start(at) + len(text) + 2 > WIDTH:
        first = entries[0].start
        gap = doc.newline + " " * doc.column(first)
    return TextSplice(at, at, f"{text},{gap}") if place < len(entries) else TextSplice(at, at, f",{gap}{text}")


def removal_splices(doc: YamlDocument, path: KeyPath) -> list[TextSplice]:
    """Return what takes an entry away, with the comment that belongs to it."""
    parent = doc.find(path[:-1])
    entries = doc.entries(parent)
    place = place_of(entries, path[-1])
    entry = entries[place]
    if len(entries) == 1:
        if not path[:-1]:
            return [TextSplice(parent.start_mark.index, doc.end_of(parent), "{}")]
        return value_splices(doc, path[:-1], {} if isinstance(parent, yaml.MappingNode) else [])
    if isinstance(parent, yaml.CollectionNode) and parent.flow_style:
        if place + 1 < len(entries):
            return [TextSplice(entry.start, entries[place + 1].start, "")]
        return [TextSplice(entries[place - 1].end, entry.end, "")]
    if not doc.begins_line(entry.start):
        return _without_first_key(doc, entry, entries[1])
    start, end = own_lines(doc, entries, place)
    return [TextSplice(_with_blank_before(doc, start, end), end, "")]


def _without_first_key(doc: YamlDocument, entry: Entry, following: Entry) -> list[TextSplice]:
    """Take away the key behind a dash: the next one takes its place, and comments between them go above the dash."""
    between = doc.text[doc.next_line(entry.end) : doc.line_start(following.start)]
    line = doc.line_start(entry.start)
    dash = " " * (len(doc.text[line : entry.start]) - len(doc.text[line : entry.start].lstrip(" ")))
    above = "".join(f"{dash}{one.strip()}{doc.newline}" for one in between.splitlines() if one.strip())
    taken = TextSplice(entry.start, following.start, "")
    return [TextSplice(line, line, above), taken] if above else [taken]


def _with_blank_before(doc: YamlDocument, start: int, end: int) -> int:
    """Return where to begin so that no two empty lines are left, and none at the end of the file."""
    if start == 0:
        return start
    before = doc.line_start(start - 1)
    if not doc.blank(before):
        return start
    if end >= len(doc.text):
        while before > 0 and doc.blank(doc.line_start(before - 1)):
            before = doc.line_start(before - 1)
        return before
    return before if doc.blank(end) else start


def own_lines(doc: YamlDocument, entries: list[Entry], place: int) -> tuple[int, int]:
    """Return the lines of an entry that begins a line: from the comment that belongs to it to its end."""
    return own_start(doc, entries, place), doc.next_line(entries[place].end)


def comment_above(doc: YamlDocument, entry: Entry) -> int:
    """Return where the comment lines directly above an entry begin, in its column; without one, where its line does."""
    line = doc.line_start(entry.start)
    column = doc.column(entry.start)
    while line > 0:
        above = doc.line_start(line - 1)
        text = doc.text[above : doc.line_end(above)]
        if not (text.lstrip(" ").startswith("#") and len(text) - len(text.lstrip(" ")) == column):
            break
        line = above
    return line


def own_start(doc: YamlDocument, entries: list[Entry], place: int) -> int:
    """Return where an entry begins together with its own comment.

    That is the comment directly above it, in its column. One behind an empty line is the heading of what follows and
    belongs to nobody, except where all entries have empty lines between them.
    """
    start, line = doc.line_start(entries[place].start), comment_above(doc, entries[place])
    first_of_file = line == 0
    heading = line > 0 and doc.blank(doc.line_start(line - 1)) and not separated(doc, entries)
    return start if heading or first_of_file else line


def separated(doc: YamlDocument, entries: list[Entry]) -> bool:
    """Return whether most entries have an empty line between them."""
    gaps = [
        any(not one.strip() for one in doc.text[before.end : after.start].split("\n")[1:-1])
        for before, after in itertools.pairwise(entries)
    ]
    return sum(gaps) * 2 > len(gaps)


def place_of(entries: list[Entry], part: str | int) -> int:
    """Return the place of a key among the entries of a mapping, or of a list's item. Raises :class:`EditRefused`."""
    if isinstance(part, int):
        if 0 <= part < len(entries):
            return part
    else:
        for place, entry in enumerate(entries):
            if entry.key is not None and entry.key.value == part:
                return place
    raise EditRefused(f"there is no {part}", "no_such_place")


def _entry(doc: YamlDocument, path: KeyPath) -> Entry:
    entries = doc.entries(doc.find(path[:-1]))
    return entries[place_of(entries, path[-1])]


def _in_flow(doc: YamlDocument, path: KeyPath) -> bool:
    """Return whether a place is inside a list or mapping that is written in one line."""
    for depth in range(len(path)):
        node = doc.find(path[:depth])
        if isinstance(node, yaml.CollectionNode) and node.flow_style:
            return True
    return False
