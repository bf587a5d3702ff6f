"""Every file, directory, module and link that the documentation names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("docs/*.md"),
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        ROOT / "asterisk-conf" / "README.md",
    ]
)
PATH = re.compile(r"(?<![\w./<@-])(?:agent|tests|docs|benchmarks|contrib|dialplan|asterisk-conf)/[\w./*{},-]+")
"""A path from the root of the repository, wherever it stands in the text."""
PAGE_NAME = re.compile(r"(?<![\w./-])[\w-]+\.md\b")
"""A page named without a directory."""
MODULE = re.compile(r"(?<![\w./-])agent(?:\.[a-z_]+)+\b(?!\()")
FILE_NAME = re.compile(r"(?<![\w./-])(?:[a-z_]+/)?\w+\.py\b")
"""A Python file named without its directory, or with the last part of it."""
CODE_NAME = re.compile(r"`([A-Z]\w+(?:\.[a-z_]+)?)(?:\(|`)(?<!\.md`)")
"""A class, a constant, a method of a class, a dialplan application: ``Handover.emergency``."""
LOG_NAMES = {"agent.live"}
"""Names of log lines that installed filters read; no modules."""
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")
TOPS = ("agent", "tests", "benchmarks")
EXAMPLES = {"agent/languages/es"}
"""Places that the reader is to make."""
NOT_OURS = {"manage.py", "schema.py", "urls.py"}
"""Files of other people's programs."""
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def expanded(path: str) -> Iterator[str]:
    """Return the paths that ``{a,b}`` stands for."""
    found = re.search(r"\{([^{}]*)\}", path)
    if found is None:
        yield path
        return
    for choice in found.group(1).split(","):
        yield from expanded(path[: found.start()] + choice + path[found.end() :])


def anchors(page: Path) -> set[str]:
    """Return the anchors GitHub makes of the headings of a page."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def missing_paths(text: str, beside: Path = ROOT) -> list[str]:
    found = (path for match in PATH.findall(text) for path in expanded(match.rstrip(".,/")))
    missing = (path for path in found if not any(ROOT.glob(path)) and not any(beside.glob(path)))
    return sorted({*missing} - EXAMPLES)


def missing_pages(text: str, beside: Path) -> list[str]:
    places = (beside, ROOT, ROOT / "docs", ROOT / "docs" / "benchmarks")
    return sorted({name for name in PAGE_NAME.findall(text) if not any((place / name).is_file() for place in places)})


def missing_modules(text: str) -> list[str]:
    def exists(name: str) -> bool:
        place = ROOT.joinpath(*name.split("."))
        return place.is_dir() or place.with_suffix(".py").is_file()

    return sorted({name for name in MODULE.findall(text) if name not in LOG_NAMES and not exists(name)})


def missing_file_names(text: str) -> list[str]:
    names = {name for name in FILE_NAME.findall(text) if name not in NOT_OURS}
    files = [f"/{file.relative_to(ROOT)}" for top in TOPS for file in (ROOT / top).rglob("*.py")]
    return sorted(name for name in names if not any(file.endswith(f"/{name}") for file in files))


def broken_links(text: str, page: Path) -> list[str]:
    broken = []
    for link in LINK.findall(re.sub(r"(?m)^ {4,}.*$", "", text)):  # what is set in is code: [400](+) is no link
        place, _, anchor = link.partition("#")
        target = page.parent / place if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_what_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert {
        "paths": missing_paths(text, page.parent),
        "pages": missing_pages(text, page.parent),
        "modules": missing_modules(text),
        "files": missing_file_names(text),
        "links": broken_links(text, page),
    } == {"paths": [], "pages": [], "modules": [], "files": [], "links": []}


@pytest.mark.parametrize("name", ["contrib/**/*", "dialplan/*", "asterisk-conf/*.conf", "Makefile"])
def test_comments_in_configuration_files_name_only_what_exists(name: str) -> None:
    for file in ROOT.glob(name):
        if file.is_file() and "__pycache__" not in file.parts:
            assert missing_paths(file.read_text(encoding="utf-8")) == [], file


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_classes_and_constants_a_developer_is_sent_to_exist(page: str) -> None:
    sources = [
        *ROOT.glob("agent/**/*.py"),
        *ROOT.glob("dialplan/*.conf"),
        *ROOT.glob("contrib/**/*.service"),
        ROOT / "Makefile",
    ]
    words = {word for file in sources for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}
    named = set(CODE_NAME.findall((ROOT / page).read_text(encoding="utf-8")))
    assert named
    assert {name for name in named if not set(name.split(".")) <= words} == set()


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {link.partition("#")[0] for link in LINK.findall(index)}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - linked == {"README.md"}


def test_a_page_that_names_a_file_that_is_gone_is_found_out() -> None:
    assert missing_paths("see `agent/dialog/nowhere.py`, tests/docs/test_paths.py and agent/{call,nowhere}/.") == [
        "agent/dialog/nowhere.py",
        "agent/nowhere",
    ]
    assert missing_pages("(nowhere.md, flows.md)", ROOT) == ["nowhere.md"]
    assert missing_modules("agent.call.nowhere of agent.call.session") == ["agent.call.nowhere"]
    assert missing_file_names("`nowhere.py`, `call/session.py`, `call/vad.py`") == ["call/vad.py", "nowhere.py"]
    assert broken_links(
        "[a](flows.md#checking) [b](flows.md#nowhere) [c](nowhere.md)", ROOT / "docs" / "README.md"
    ) == [
        "flows.md#nowhere",
        "nowhere.md",
    ]
