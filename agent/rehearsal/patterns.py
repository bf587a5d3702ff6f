"""Matches what a script expects the agent to say: plain words, or a regular expression between slashes."""

from __future__ import annotations

import re

from agent.rehearsal.script_yaml import ScriptProblems


def is_regex(pattern: str) -> bool:
    """Tell a regular expression (``/.../``) from plain words."""
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")


def matches(pattern: str, text: str) -> bool:
    """Tell whether the text holds the words in this order (case and punctuation aside), or fits the expression."""
    if is_regex(pattern):
        return re.search(pattern[1:-1], text, re.IGNORECASE) is not None
    return f" {_words(pattern)} " in f" {_words(text)} "


def check_patterns(patterns: tuple[str, ...], line: int, problems: ScriptProblems) -> tuple[str, ...]:
    """Return the patterns; an empty one, or an expression that does not compile, is a mistake of the script."""
    for pattern in patterns:
        if not _words(pattern) and not is_regex(pattern):
            problems.add(line, f"{pattern!r} has no words and would match everything")
        elif is_regex(pattern):
            try:
                re.compile(pattern[1:-1])
            except re.error as error:
                problems.add(line, f"{pattern} is not a regular expression: {error}")
    return patterns


def _words(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.casefold()))
