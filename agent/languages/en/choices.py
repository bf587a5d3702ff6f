"""How English callers name one of several things, and change their mind."""

from __future__ import annotations

from collections.abc import Iterator

from agent.languages.language import ChangeWords, ChoiceWords

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _by_place(index: int, count: int) -> Iterator[tuple[str, ...]]:
    if index < len(_ORDINALS):
        for lead in ((), ("the",)):
            yield (*lead, _ORDINALS[index])
            yield (*lead, _ORDINALS[index], "one")
        yield ("number", _NUMBERS[index])
    if count > 1 and index == count - 1:
        yield ("the", "last", "one")


CHOICES = ChoiceWords(
    by_place=_by_place,
    joints=frozenset({"in", "with", "for", "of", "and", "without"}),
    stands_for_noun="one",
    leads=((), ("the",), ("my",), ("it's", "the"), ("just", "the")),
    in_sentence="[the] {name}",
    code="~ [the | my] [code] {word} {number} [code]",
)
_LEADS = "no not wait actually sorry i meant mean said make that it rather but oh hang on"
_DENIALS = "not no nobody never won't can't cannot isn't don't doesn't away vacation until"
CHANGES = ChangeWords(
    leads=frozenset(_LEADS.split()),
    denials=frozenset(_DENIALS.split()),
)
