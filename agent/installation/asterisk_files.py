"""Reads Asterisk's configuration files as far as the wiring and the preflight must understand them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SECTION = re.compile(r"^\[([^\]]+)\](?:\s*\(([^)]*)\))?")
_SETTING = re.compile(r"^([A-Za-z_][\w-]*)\s*=>?\s*(.*)$")
_INCLUDE = re.compile(r"^#(?:try)?include\s+[\"<]?([^\">;]+?)[\">]?\s*$")
_MOST_FILES = 200


@dataclass
class AsteriskFile:
    """One file with everything it includes."""

    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    """Section -> key -> value; where a key stands twice the later one wins, as in Asterisk's own files of settings."""
    includes: list[str] = field(default_factory=list)
    found: bool = False

    def get(self, section: str, key: str, default: str = "") -> str:
        """One value, keys in any case."""
        return self.sections.get(section, {}).get(key.lower(), default)


def read(directory: Path, name: str) -> AsteriskFile:
    """Read a file of Asterisk's and what it includes. What cannot be read counts as empty (``found`` tells)."""
    file = AsteriskFile()
    file.found = _into(file, directory, directory / name, [""], set())
    return file


def _into(file: AsteriskFile, directory: Path, path: Path, section: list[str], seen: set[Path]) -> bool:
    if path in seen or len(seen) > _MOST_FILES:
        return True
    seen.add(path)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    for raw in _without_comments(text).splitlines():
        line = raw.strip()
        if included := _INCLUDE.match(line):
            target = included[1]
            file.includes.append(target)
            for other in sorted(directory.glob(target)) if not target.startswith("/") else [Path(target)]:
                _into(file, directory, other, section, seen)
        elif begins := _SECTION.match(line):
            section[0] = begins[1]
            held = file.sections.setdefault(section[0], {})
            for template in (begins[2] or "").split(","):  # (!) makes a template, (+) goes on with a section
                held.update(file.sections.get(template.strip(), {}))
        elif setting := _SETTING.match(line):
            file.sections.setdefault(section[0], {})[setting[1].lower()] = setting[2].strip()
    return True


def _without_comments(text: str) -> str:
    """Drop ``;`` comments (not a semicolon behind a backslash) and ``;-- --;`` blocks."""
    text = re.sub(r";--(?!-).*?--;", "", text, flags=re.DOTALL)
    return re.sub(r"(?<!\\);.*", "", text)


def yes(value: str) -> bool:
    """Whether Asterisk takes a value for yes."""
    return value.strip().lower() in ("yes", "true", "y", "t", "1", "on")


def settings_of(directory: Path, names: tuple[str, ...]) -> Mapping[str, AsteriskFile]:
    """Read several files at once: while root may, before the rights are given up."""
    return {name: read(directory, name) for name in names}
