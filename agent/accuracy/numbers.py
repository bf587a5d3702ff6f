"""Made-up numbers and the ways callers say them, from a seed."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

from agent.accuracy.trial_types import SpokenAnswer
from agent.dialog.numbers.format import groups_of, symbols_of
from agent.dialog.numbers.spoken_forms import say_number
from agent.languages.en.numbers import NUMBERS
from agent.rehearsal.spoken_numbers import PHONETIC, digit_words

_HESITATIONS = frozenset({"um", "uh"})
_AREA_CODES = ("202", "312", "415", "617", "718")
_MOST_TRIES = 50


def order_numbers(count: int, seed: str) -> list[str]:
    """Return different five-digit numbers."""
    chance = random.Random(f"orders:{seed}")  # noqa: S311 - repeatable numbers, not secrets
    return [f"{value:05d}" for value in chance.sample(range(100, 100_000), count)]


def postcodes(count: int, seed: str) -> list[str]:
    """Return different US postcodes."""
    chance = random.Random(f"postcodes:{seed}")  # noqa: S311 - repeatable numbers, not secrets
    return [f"{value:05d}" for value in chance.sample(range(1001, 99_951), count)]


def phones(count: int, seed: str) -> list[str]:
    """Return different telephone numbers of the range kept for fiction (555-01xx)."""
    chance = random.Random(f"phones:{seed}")  # noqa: S311 - repeatable numbers, not secrets
    all_of_them = [f"{area}-555-01{last:02d}" for area in _AREA_CODES for last in range(100)]
    return chance.sample(all_of_them, count)


def codes(count: int, seed: str) -> list[str]:
    """Return different order numbers of two letters and five digits."""
    chance = random.Random(f"codes:{seed}")  # noqa: S311 - repeatable numbers, not secrets
    letters = sorted(letter.upper() for letter in PHONETIC)
    return ["".join(chance.choices(letters, k=2)) + f"-{chance.randrange(100_000):05d}" for _ in range(count)]


def of_same_shape(code: str, count: int) -> list[str]:
    """Return made-up codes with a letter where ``code`` has one and a digit where it has one, no separators in them."""
    chance = random.Random(f"shape:{code}")  # noqa: S311 - repeatable codes, not secrets
    kinds = [string.digits if symbol.isdigit() else string.ascii_uppercase for symbol in symbols_of(code)]
    return ["".join(chance.choice(kind) for kind in kinds) for _ in range(count)]


def digit_by_digit(value: str, seed: str) -> SpokenAnswer:
    """Return how a careful caller says a number: each digit; one in two says "oh" for zero."""
    zero = "oh" if random.Random(f"zero:{seed}:{value}").random() < 0.5 else "zero"  # noqa: S311 - see above
    return SpokenAnswer(value, digit_words(symbols_of(value), zero), in_groups(value))


def in_other_ways(value: str, seed: str) -> SpokenAnswer:
    """Return how a quick caller says it: tens and teens, "double", "hundred"; asked again, each digit."""
    plain = set(digit_words(symbols_of(value)).split()) | {"oh"}
    for words in _ways(value, seed):
        if set(words.split()) - plain:
            return SpokenAnswer(value, words, in_groups(value))
    return SpokenAnswer(value, digit_words(symbols_of(value), "oh"), in_groups(value))


def spelt(value: str, *, by_alphabet: bool) -> SpokenAnswer:
    """Return a number with letters: ``a b one two`` or ``alpha bravo one two``; asked again, always the alphabet."""

    def words(alphabet: bool) -> str:
        return " ".join(_symbol(symbol, alphabet) for symbol in symbols_of(value))

    return SpokenAnswer(value, words(by_alphabet), words(True))


def in_groups(value: str) -> str:
    """Return a number as it is repeated to somebody who did not get it: digit by digit, in groups."""
    return digit_words(" ".join(groups_of(value)))


def _ways(value: str, seed: str) -> Iterator[str]:
    for attempt in range(_MOST_TRIES):
        chance = random.Random(f"ways:{seed}:{value}:{attempt}")  # noqa: S311 - see above
        yield " ".join(
            word for word in say_number(value, chance.randrange, NUMBERS).split() if word not in _HESITATIONS
        )


def _symbol(symbol: str, by_alphabet: bool) -> str:
    if symbol.isdigit():
        return digit_words(symbol)
    return PHONETIC[symbol.lower()] if by_alphabet else symbol.lower() + ","


__all__ = [
    "codes",
    "digit_by_digit",
    "in_groups",
    "in_other_ways",
    "of_same_shape",
    "order_numbers",
    "phones",
    "postcodes",
    "spelt",
]
