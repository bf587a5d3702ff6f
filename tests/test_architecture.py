"""What import-linter cannot say about the code: its top level, its names, the size of its modules, a pure dialog."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
AGENT = REPOSITORY / "agent"
MODULES = sorted([*AGENT.rglob("*.py"), *(REPOSITORY / "benchmarks").rglob("*.py")])
MAPPINGS = AGENT / "shop" / "http" / "mappings"
"""Copied to an administrator's own systems and run there: no rooms of ours, no names that others import."""
MOST_LINES = 400
LONGER_MODULES = {
    "agent/asterisk/ari/client.py": 410,  # one client: connection, events and requests share their state
    "agent/asterisk/stasis_app.py": 425,  # every way a call comes in or is taken out, in one place
    "agent/dialog/engine/interpret.py": 410,  # every kind of answer, one function each
    "agent/shop/demo/fixed_data.py": 440,  # orders of the demo shop, written out: data, no code to follow
    "agent/telemetry/events.py": 455,  # every event of the live feed, in one place for the page that lists them
    "agent/dialog/model/model.py": 450,  # every key a procedure may hold, in one place for its author's schema
}
PURE_ROOMS = ("dialog/engine", "dialog/numbers", "dialog/grammar")
MOST_CHARACTERS = 120


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_the_top_of_the_package_holds_rooms_and_four_files() -> None:
    files = {path.name for path in AGENT.iterdir() if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "errors.py", "py.typed"}


PUBLIC_CLASS = re.compile(r"^class ([A-Za-z]\w*)", re.MULTILINE)


def test_no_public_class_name_stands_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        if not path.is_relative_to(MAPPINGS):
            for name in PUBLIC_CLASS.findall(path.read_text(encoding="utf-8")):
                places[name].append(name_of(path))
    assert len(places) > 500
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_module_can_be_read_in_one_go() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > LONGER_MODULES.get(name, MOST_LINES)} == {}
    assert [name for name in LONGER_MODULES if lines.get(name, 0) <= MOST_LINES] == []  # an exception that is none


FIRST_LINE = re.compile(r'(?:#.*\n|\s)*r?"""([^"\n]*)')


def test_a_module_says_in_one_line_what_it_is_for() -> None:
    silent: dict[str, str] = {}
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if path.is_relative_to(MAPPINGS) or not text.strip():
            continue  # an __init__ that only makes a package
        found = FIRST_LINE.match(text)
        first = found[1] if found else ""
        if not 0 < len(first) <= MOST_CHARACTERS:
            silent[name_of(path)] = first
    assert silent == {}


WORLDLY_MODULES = frozenset(
    {
        "aiohttp", "asyncio", "glob", "http", "httpx", "io", "logging", "multiprocessing", "os", "pathlib", "redis",
        "requests", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile",
        "time", "urllib", "uuid", "yaml",
    }
)  # fmt: skip
"""Clocks, chance, files, networks, processes, and the world's own words about us."""
WORLDLY_CALLS = frozenset({"open", "input", "print", "now", "utcnow", "today", "read_text", "write_text", "read_bytes"})


def worldly(tree: ast.Module) -> list[str]:
    """Return what a module takes from outside: imports and calls that read a clock, chance, a file or the network."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [item.name for item in node.names if item.name.split(".")[0] in WORLDLY_MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found += [module] if module.split(".")[0] in WORLDLY_MODULES | {"random"} else []
        elif isinstance(node, ast.Call):
            called = node.func
            name = (
                called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            )
            of = called.value.id if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) else ""
            seeded = of == "random" and name == "Random" and bool(node.args)  # the same samples every time
            if name in WORLDLY_CALLS or (of == "random" and not seeded):
                found.append(f"line {node.lineno}: {of}{'.' if of else ''}{name}()")
    return found


PURE_MODULES = [path for room in PURE_ROOMS for path in sorted((AGENT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", PURE_MODULES, ids=name_of)
def test_the_dialog_reads_no_clock_no_file_and_no_chance(path: Path) -> None:
    assert worldly(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        *("import time", "import asyncio", "from pathlib import Path", "import os.path", "from random import choice"),
        *("open('x')", "datetime.now()", "dt.datetime.now(dt.UTC)", "date.today()", "random.random()"),
        *("random.Random()", "path.read_text()", "def f():\n    import socket"),
    ],
)
def test_a_module_that_reads_the_world_is_noticed(source: str) -> None:
    assert worldly(ast.parse(source)) != []


def test_a_seeded_chance_is_none() -> None:
    assert worldly(ast.parse("import random\nchance = random.Random('seed')\nchance.choice([1])")) == []
