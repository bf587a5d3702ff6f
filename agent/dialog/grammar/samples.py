"""Sentences with made-up numbers: they tell the recogniser how numbers are strung together.

Vosk makes a bigram model of a grammar's entries. With digits as single words beside a thousand command phrases it hears
"for", "to" and "want" where "four", "two" and "one" were said: no entry has one digit following another. Entries with
whole made-up numbers put that right (measured with six synthetic callers on the order-number question of the English
pack: 1 of 114 numbers without them, 103 of 114 with 2,000; commands in the same grammar 35 and 36 of 36).
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator

from agent.dialog.numbers.format import NumberFormat
from agent.dialog.numbers.spoken_forms import say_number
from agent.languages.number_words import NumberWords, SayingWords

ASKED_SAMPLES = 2000
"""Bare numbers in the grammar of a turn that asks for one; about twice the entries of everything else."""
UNASKED_SAMPLES = 600
"""Bare numbers where one may be said without being asked for."""
FRAMED_SAMPLES = 10
"""Numbers for each phrase that has one in it ("where is order ...")."""
_PLAIN_SHARE = 0.75
"""So many numbers are read digit by digit, the others in one of the other usual ways."""


@functools.lru_cache(maxsize=8192)  # the same sentences stand in the grammar of nearly every turn
def spoken_samples(number_format: NumberFormat, count: int, seed: str, vocabulary: NumberWords) -> tuple[str, ...]:
    """Return ``count`` made-up numbers of this format as callers say them; the same ones for the same seed."""
    chance = random.Random(f"{seed}:{number_format.pattern}")  # noqa: S311 - repeatable samples, not secrets
    return tuple(_spoken_samples(number_format, count, chance, vocabulary))


def _spoken_samples(
    number_format: NumberFormat, count: int, chance: random.Random, vocabulary: NumberWords
) -> Iterator[str]:
    saying = vocabulary.saying
    for index in range(count):
        value = _made_up(number_format, chance)
        if index < count * _PLAIN_SHARE and value.isdigit():
            yield " ".join(_digit(digit, chance, saying) for digit in value)
        else:
            words = say_number(value, chance.randrange, vocabulary).split()
            yield " ".join(word for word in words if word not in saying.pauses)


def _made_up(number_format: NumberFormat, chance: random.Random) -> str:
    shape = chance.choice(number_format.shapes)
    kinds = {"9": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "X": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    return "".join(chance.choice(kinds[kind]) if kind in kinds else kind for kind in shape)


def _digit(digit: str, chance: random.Random, saying: SayingWords) -> str:
    return chance.choice(saying.sampled_zeros) if digit == "0" else saying.units[int(digit)]
