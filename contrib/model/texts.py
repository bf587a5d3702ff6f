"""What the voices are given to say: numbers, letters, codes, answers, commands and sentences of calls to a shop.

A text is a list of words as the recogniser writes them: lower case, one word for each letter, digits spelled out.
``TextSource.draw`` makes one of a random kind; ``as_written`` is how a voice is told to read it.
"""

from __future__ import annotations

import random
import re
import string
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LISTS = tomllib.loads((Path(__file__).parent / "word_lists.toml").read_text(encoding="utf-8"))
WORDS: Mapping[str, list[str]] = {name: words.split() for name, words in LISTS["words"].items()}
LETTERS = list(string.ascii_lowercase)


def phrases(name: str) -> list[str]:
    """The phrases of a list, which stand on lines or are parted by "|"."""
    lines = LISTS["phrases"][name].replace("|", "\n").splitlines()
    return [line.strip() for line in lines if line.strip()]


ANSWERS, COMMANDS = phrases("answers"), phrases("commands")
SENTENCES: list[str] = LISTS["phrases"]["sentences"].strip().splitlines()

MIX: Mapping[str, float] = {
    "phone": 0.06, "zip": 0.05, "order": 0.07, "digits": 0.06, "digit": 0.05, "letters": 0.05, "spell": 0.10,
    "code": 0.07, "as_in": 0.04, "alphabet": 0.04, "answer": 0.10, "number": 0.04, "command": 0.12, "sentence": 0.15,
}  # fmt: skip
"""The share of each kind among the texts."""


class TextSource:
    """Random texts from one seed; two sources of the same seed give the same texts."""

    def __init__(self, seed: int, mix: Mapping[str, float] = MIX) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a repeatable choice, nothing secret
        self.kinds: dict[str, Callable[[], list[str]]] = {
            "phone": lambda: self.plain_digits(10 if self.random.random() < 0.6 else 7),
            "zip": lambda: self.plain_digits(5),
            "order": lambda: self.plain_digits(self.random.randint(4, 9)),
            "digits": self.grouped_digits,
            "digit": lambda: [self.random.choice([*WORDS["digits"], "oh"])],
            "letters": lambda: self.some(LETTERS, 1, 6),
            "spell": lambda: list(
                self.random.choice([*WORDS["first_names"], *WORDS["surnames"], *WORDS["surnames"], *WORDS["towns"]])
            ),
            "code": self.code,
            "as_in": self.letters_by_the_alphabet,
            "alphabet": lambda: self.some(WORDS["alphabet"], 1, 6),
            "answer": lambda: self.random.choice(ANSWERS).split(),
            "number": lambda: self.number(self.random.randint(10, 99_999)),
            "command": lambda: self.random.choice(COMMANDS).split(),
            "sentence": lambda: self.expand(self.random.choice(SENTENCES)).split(),
            "small": lambda: self.number(self.random.randint(2, 40)),
            "money": self.money,
            "date": self.date,
            "item": self.item,
            "name": lambda: [self.random.choice([*WORDS["first_names"], *WORDS["surnames"]])],
        }
        unknown = set(mix) - set(self.kinds)
        if unknown:
            raise ValueError(f"no such kinds of text: {', '.join(sorted(unknown))}")
        self.mix = dict(mix)

    def draw(self) -> tuple[str, list[str]]:
        """One text: its kind and its words."""
        kind = self.random.choices(list(self.mix), weights=list(self.mix.values()))[0]
        return kind, self.kinds[kind]()

    def some(self, words: Sequence[str], least: int, most: int) -> list[str]:
        """Between ``least`` and ``most`` words of a list."""
        return [self.random.choice(words) for _ in range(self.random.randint(least, most))]

    def plain_digits(self, length: int) -> list[str]:
        """Digits one by one; the nought is "zero" or "oh" throughout, or now this, now that."""
        nought = self.random.choice(["zero", "oh", None])
        digits = [self.random.randint(0, 9) for _ in range(length)]
        return [WORDS["digits"][d] if d else nought or self.random.choice(["zero", "oh"]) for d in digits]

    def grouped_digits(self) -> list[str]:
        """Digits with "double five", "triple two" and pairs read as a number among them."""
        words: list[str] = []
        for _ in range(self.random.randint(1, 8)):
            (digit,) = self.plain_digits(1)
            way = self.random.random()
            if way < 0.05:
                words += ["double", digit]
            elif way < 0.07:
                words += ["triple", digit]
            elif way < 0.11:
                words += self.number(self.random.randint(10, 99))
            else:
                words.append(digit)
        return words

    def code(self) -> list[str]:
        """Letters and digits in one of the shapes that codes have."""
        return [
            self.random.choice(LETTERS) if place == "A" else self.plain_digits(1)[0]
            for place in self.random.choice(WORDS["code_shapes"])
        ]

    def letters_by_the_alphabet(self) -> list[str]:
        """Letters said as "b as in bravo", one to four of them."""
        words: list[str] = []
        for word in self.some(WORDS["alphabet"], 1, 4):
            words += [word[0], *self.random.choice(["as in", "as in", "for", "like"]).split(), word]
        return words

    def number(self, value: int) -> list[str]:
        """A cardinal number in words, up to 999,999."""
        if value < 10:
            return [WORDS["digits"][value]]
        if value < 20:
            return [WORDS["teens"][value - 10]]
        if value < 100:
            return [WORDS["tens"][value // 10 - 2], *(self.number(value % 10) if value % 10 else [])]
        unit, name = (1000, "thousand") if value >= 1000 else (100, "hundred")
        rest = value % unit
        joint = ["and"] if unit == 100 and self.random.random() < 0.5 else []
        return [*self.number(value // unit), name, *([*joint, *self.number(rest)] if rest else [])]

    def money(self) -> list[str]:
        """An amount of money, half of them with cents."""
        words = [*self.number(self.random.randint(1, 400)), self.random.choice(["dollars", "dollars", "pounds"])]
        cents = ["and", *self.number(self.random.randint(2, 99)), "cents"]
        return [*words, *cents] if self.random.random() < 0.5 else words

    def date(self) -> list[str]:
        """A day, as callers name one."""
        month_and_day = f"{self.random.choice(WORDS['months'])} {self.random.choice(WORDS['ordinals'])}"
        day = self.random.choice(WORDS["days"])
        ways = [month_and_day, month_and_day, day, f"next {day}", f"last {day}", "tomorrow", "today", "yesterday"]
        return self.random.choice(ways).split()

    def item(self) -> list[str]:
        """Goods, some with a colour."""
        colour = [self.random.choice(WORDS["colours"])] if self.random.random() < 0.4 else []
        return [*colour, self.random.choice(WORDS["items"])]

    def expand(self, pattern: str) -> str:
        """Replace the choices of a pattern from the inside out, then its ``{names}``."""
        while found := re.search(r"\(([^()]*)\)", pattern):
            pattern = pattern[: found.start()] + self.random.choice(found[1].split("|")) + pattern[found.end() :]
        return re.sub(r"\{(\w+)\}", lambda name: " ".join(self.kinds[name[1]]()), pattern)

    def as_written(self, kind: str, words: Sequence[str]) -> str:
        """The text for a voice: letters in capitals, some commas where a caller may pause."""
        spelled = kind in {"letters", "spell", "code", "as_in"}
        listed = kind != "as_in" and (spelled or kind in {"phone", "zip", "order", "digits", "alphabet"})
        written = []
        for place, word in enumerate(words):
            letter = len(word) == 1 and (spelled or word not in "ai")
            shown = word.upper() if letter or word == "i" or word.startswith("i'") else word
            if word.startswith("i'"):
                shown = "I" + word[1:]
            pause = 0.5 if letter else 0.12 if listed else 0.0
            more = place + 1 < len(words)
            written.append(shown + ("," if more and self.random.random() < pause else ""))
        text = " ".join(written)
        return text[0].upper() + text[1:] + self.random.choice([".", ".", ".", "?", ""])
