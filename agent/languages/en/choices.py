"""How English callers name one of several things, and change their mind."""

from __future__ import annotations

import itertools
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
_DENIALS = (
    "not no nobody nobody's nobody'll never won't can't cannot isn't aren't don't doesn't didn't wasn't wouldn't"
    " couldn't shouldn't away vacation holiday holidays abroad trip until busy working unavailable impossible unless"
    " skip avoid none neither nor out gone closed empty wont cant dont doesnt isnt"
)
_CLAUSES = "can could would will please but so and because instead then therefore maybe perhaps how what make let try"
_GLUE = (
    "yes please do that it this so and a an the to me i you my your for with have get let want would like need go"
    " ahead sure okay thanks thank somebody someone person be can could will is are all of them one up"
)
_AGREEING = "yes yeah yep sure problem worries go ahead exactly course objection objections"
_EXCLUDED_BY = "of than but except besides before after until till not by"
CHANGES = ChangeWords(
    leads=frozenset(_LEADS.split()),
    denials=frozenset(_DENIALS.split()),
    contrasts=frozenset({"but", "because", "cause", "though", "although", "so", "since"}),
    glue=frozenset(_GLUE.split()),
    agreeing=frozenset(_AGREEING.split()),
    joints=frozenset({"and", "also", "plus", "then", "besides"}),
    clauses=frozenset(_CLAUSES.split()),
    excluded_by=frozenset(_EXCLUDED_BY.split()),
    other_days=tuple(itertools.product(("another", "different", "other"), ("day", "time", "date"))),
)
