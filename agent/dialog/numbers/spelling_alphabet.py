"""Finds letters that were said by the alphabet: "bravo", "b bravo", "b as in bravo"."""

from __future__ import annotations

from collections.abc import Sequence

from agent.dialog.numbers.format import symbols_of
from agent.languages.number_words import NumberWords


def is_by_alphabet(words: Sequence[str], vocabulary: NumberWords, value: str | None = None) -> bool:
    """Return whether every letter was said by its word of the alphabet.

    ``value`` is the code that was read out of ``words``: each of its letters must have its word, in their order.
    Without one each plain letter among the words must have the word that belongs to it. False where no letter was said.
    """
    letters = _spoken_letters(words, vocabulary)
    by_alphabet = "".join(letter for letter, has_word in letters if has_word)
    if value is None:
        return bool(letters) and len(by_alphabet) == len(letters)
    return bool(by_alphabet) and by_alphabet == "".join(char for char in symbols_of(value) if char.isalpha())


def _spoken_letters(words: Sequence[str], vocabulary: NumberWords) -> list[tuple[str, bool]]:
    """Return each letter that was said, and whether it was said by its word of the alphabet."""
    leads = frozenset(word for lead in vocabulary.example_leads for word in lead)
    letters: list[tuple[str, bool]] = []
    awaits_word = False
    at = 0
    while at < len(words):
        word, pair = words[at], vocabulary.letter_pairs.get(tuple(words[at : at + 2]))
        spoken = pair or vocabulary.phonetic.get(word)
        plain = vocabulary.letter_names.get(word) or (word.upper() if len(word) == 1 and word.isalpha() else "")
        if spoken:
            if awaits_word and letters[-1] == (spoken, False):
                letters.pop()
            times = vocabulary.repeats.get(words[at - 1], 1) if at else 1
            letters += [(spoken, True)] * times
        elif plain:
            letters.append((plain, False))
        awaits_word = not spoken and (bool(plain) or (awaits_word and word in leads))
        at += 2 if pair else 1
    return letters


__all__ = ["is_by_alphabet"]
