"""Files of packs for tests of the file writer: the shipped ones, and some in other people's styles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import strategies as st

from agent.builder.trees import Tree
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath
from agent.dialog.pack.pack_files import read_pack_files
from agent.flows import english_pack

SHIPPED = read_pack_files(english_pack())[0]
FOREIGN = read_pack_files(Path(__file__).parent / "packs")[0]

AWKWARD = (
    "hello", "yes", "12", "007", "a: b", "- x", "#c", "a #b", "it's \"q\"", "a, b [c]", "{x}", "", "~",
    "line one\nline two",
    "long " * 40 + "end", "{{ a | money }}.", "~ (a | b) *", "é ü 😀", "null", "0x1f", " lead", "trail ", "tab\tin",
    "multi\n\n  indented\n", "ends\n", "2026-11-30", "%x", "@y", "`z", "a\u2028b", "x:", "? y", "& z", "!t", "*",
    "|", ">-",
)  # fmt: skip
NAMES = st.sampled_from(["a", "b: c", "id", "say", "yes", "12", "x y", "[q", "#k", "new_name"])
TEXTS = st.sampled_from(AWKWARD) | st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12
).filter(lambda text: text.isprintable())
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.none() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def places(tree: Tree, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield every path of a tree, the empty one first."""
    yield path
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places(value, (*path, name))


def a_place(draw: st.DrawFn, files: dict[str, str]) -> tuple[str, str, Tree, KeyPath]:
    """Draw a file, its text, what it holds and a path in it that is no alias."""
    file = draw(st.sampled_from(sorted(files)))
    doc = document(file, files[file])
    free = [path for path in places(doc.data) if path and not any(path[: len(alias)] == alias for alias in doc.aliases)]
    return file, files[file], doc.data, draw(st.sampled_from(free))
