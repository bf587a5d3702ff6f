"""Splits a prompt into sentences and clauses, so that the first can play while the next is synthesised."""

from __future__ import annotations

import re
from typing import Final

from agent.common.audio import SAMPLE_RATE

LONG_SENTENCE = 90
"""Characters from which a sentence is also cut at its clauses. Shorter ones sound better whole."""
SHORTEST_CLAUSE = 28
"""Characters a clause must have on both sides of a cut."""
SENTENCE_PAUSE_SECONDS = 0.28
CLAUSE_PAUSE_SECONDS = 0.12

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’)\]]*\s+(?=\S)")
_CLAUSE_END = re.compile(r"(?<=[,;:])\s+|\s+[-–—]\s+")
_NO_END: Final = frozenset({"mr", "mrs", "ms", "dr", "st", "no", "vs", "e.g", "i.e", "approx", "inc", "ltd", "co"})


def split_for_speech(text: str) -> list[str]:
    """Return the pieces of ``text`` in order: sentences, and clauses of long ones. Joined by spaces they are the text.

    Empty for a text without words.
    """
    pieces: list[str] = []
    for sentence in _sentences(" ".join(text.split())):
        pieces.extend(_clauses(sentence) if len(sentence) >= LONG_SENTENCE else [sentence])
    return pieces


def pause_after(piece: str) -> bytes:
    """Return the silence (8 kHz 16-bit) that belongs between this piece and the next.

    Rendered pieces are trimmed to the voice, so that each begins at once; a piece that follows another needs this.
    """
    ended = piece.rstrip('"”’)] ').endswith((".", "!", "?", "…"))
    seconds = SENTENCE_PAUSE_SECONDS if ended else CLAUSE_PAUSE_SECONDS
    return bytes(2 * round(seconds * SAMPLE_RATE))


def _sentences(text: str) -> list[str]:
    sentences, begin = [], 0
    for match in _SENTENCE_END.finditer(text):
        if _is_end(text[begin : match.start()], text[match.end()]):
            sentences.append(text[begin : match.end()].strip())
            begin = match.end()
    rest = text[begin:].strip()
    return [*sentences, rest] if rest else sentences


def _is_end(before: str, following: str) -> bool:
    """Tell "Dr. Smith" and "J. Smith" from the end of a sentence."""
    if following.islower():
        return False
    word = before.rstrip('"”’)]').rsplit(" ", 1)[-1].lstrip("(\"“'‘")
    if not word.endswith("."):
        return True
    return word[:-1].lower() not in _NO_END and not (len(word) == 2 and word[0].isupper())


def _clauses(sentence: str) -> list[str]:
    clauses, begin = [], 0
    for match in _CLAUSE_END.finditer(sentence):
        if match.start() - begin >= SHORTEST_CLAUSE and len(sentence) - match.end() >= SHORTEST_CLAUSE:
            clauses.append(sentence[begin : match.end()].strip())
            begin = match.end()
    return [*clauses, sentence[begin:]]


__all__ = ["pause_after", "split_for_speech"]
