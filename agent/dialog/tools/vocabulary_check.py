"""Finds the words of a pack's phrases that the recogniser's vocabulary lacks, and where they are written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from agent.common.yaml_reader import KeyPath, YamlSource, path_text
from agent.dialog.errors import YamlFinding
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reader import read_file

_SPOKEN_KEYS = frozenset(
    {
        "answers", "ask", "choices", "commands", "corrections", "escalate", "fillers", "phrases", "rules", "spoken",
        "triggers", "words",
    }
)  # fmt: skip
"""Keys below which phrases stand; the same word elsewhere is one the agent says."""
_SAID_KEYS = frozenset({"says", "say"})
_WORD = re.compile(r"[\w']+")


def unknown_words(pack: FlowPack, files: Mapping[str, str], vocabulary: Collection[str] | None) -> list[YamlFinding]:
    """Return a warning for every phrase word of a pack with these files that is not in the vocabulary.

    Words that no line holds as they are (parts of numbers) are told without a place. None checks nothing.
    """
    if vocabulary is None:
        return []
    unheard = {word: phrase for word, phrase in pack.vocabulary().items() if word not in vocabulary}
    places = _places(files, set(unheard)) if unheard else {}
    return [_finding(places.get(word), _message(word, phrase)) for word, phrase in sorted(unheard.items())]


def _finding(place: tuple[YamlSource, KeyPath] | None, message: str) -> YamlFinding:
    if place is None:
        return YamlFinding(".", 0, "", message, "warning")
    source, path = place
    return YamlFinding(source.file, source.line(path), path_text(path), message, "warning", path)


def _message(word: str, phrase: str) -> str:
    return f"the recogniser does not know '{word}' (in '{phrase}')"


def _places(files: Mapping[str, str], words: Collection[str]) -> dict[str, tuple[YamlSource, KeyPath]]:
    found: dict[str, tuple[YamlSource, KeyPath]] = {}
    for name, content in sorted(files.items()):
        source = read_file(name, content)
        for path, text in _phrases(source.data, ()):
            for word in _WORD.findall(text.lower()):
                if word in words:
                    found.setdefault(word, (source, path))
    return found


def _phrases(data: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _phrases(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _phrases(value, (*path, index))
    elif isinstance(data, str) and _SPOKEN_KEYS.intersection(path) and path[-1] not in _SAID_KEYS:
        yield path, data
