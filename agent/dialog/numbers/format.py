"""The shape of a number callers give: ``99999``, ``AA-99999``, ``99999[-9999]``, ``999999|AA9999``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.dialog.numbers.check_digits import RULES, passes
from agent.errors import OrderlineError
from agent.languages.number_words import ZERO_OR_O

_SEPARATORS = "- /."
_NORTH_AMERICAN = re.compile(r"999[- /.]999[- /.]9999")
_ALLOWED = re.compile(r"[9AX\-/. |\[\]]+")
_LONGEST, _MOST_OPTIONAL = 100, 6
"""Bounds of a format: each optional part doubles its shapes."""
_MOST_EITHER = 4
"""So many an "oh" are tried as both; the rest are zeros, and asked about."""
_SHORTEST_TELEPHONE = 9
_EXIT_AND_COUNTRY_CODE = 5
"""Digits of "00" and of the longest country codes."""
_SOUND_ALIKES = {"9": {"A": "8", "O": "0"}, "A": {"8": "A", "0": "O"}}
"""What may stand for another symbol over the telephone: "eight"/"a", zero/the letter O. Always a guess."""


class NumberFormatError(OrderlineError):
    """A number format that cannot be read."""

    code = "number_format"


@dataclass(frozen=True)
class FormatMatch:
    """Heard symbols laid onto a format."""

    value: str
    """Canonical writing, separators included: ``AB-12345``."""
    guesses: int
    """Symbols that had to be bent to fit (a spoken "eight" taken for the letter A)."""


@dataclass(frozen=True)
class NumberFormat:
    """A parsed format: ``9`` is a digit, ``A`` a letter, ``X`` either; ``- / .`` are written, not spoken.

    ``[...]`` may be absent and ``|`` separates whole alternatives. ``check`` names a rule of
    ``number_checks``.
    Raises :class:`NumberFormatError`.
    """

    pattern: str
    check: str = ""
    shapes: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _ALLOWED.fullmatch(self.pattern):
            raise NumberFormatError(f"number format {self.pattern!r} may hold only 9, A, X, - / . and [ ] |")
        if len(self.pattern) > _LONGEST or self.pattern.count("[") > _MOST_OPTIONAL:
            raise NumberFormatError(
                f"number format {self.pattern[:20]!r}... is longer than {_LONGEST} characters or has more than "
                f"{_MOST_OPTIONAL} optional parts: nobody could say it"
            )
        if self.check not in RULES:
            known = ", ".join(name for name in RULES if name)
            raise NumberFormatError(f"unknown check digit rule {self.check!r}; known: {known}")
        shapes: dict[str, None] = {}
        for alternative in self.pattern.split("|"):
            for shape in _optional_parts(alternative.strip(" "), self.pattern):
                if not _spoken(shape):
                    raise NumberFormatError(f"number format {self.pattern!r} has a part without any 9, A or X")
                shapes[shape] = None
        object.__setattr__(self, "shapes", tuple(shapes))

    @property
    def lengths(self) -> tuple[int, ...]:
        """Possible numbers of spoken symbols, ascending."""
        return tuple(sorted({len(_spoken(shape)) for shape in self.shapes}))

    @property
    def max_length(self) -> int:
        """Most spoken symbols; also the keypad entry's length."""
        return self.lengths[-1]

    @property
    def makeup(self) -> tuple[tuple[int, int, int], ...]:
        """What the spoken symbols of each shape are: so many letters, digits, and characters that may be either."""
        spoken = dict.fromkeys(_spoken(shape) for shape in self.shapes)
        return tuple(dict.fromkeys((shape.count("A"), shape.count("9"), shape.count("X")) for shape in spoken))

    @property
    def is_north_american(self) -> bool:
        """True for telephone numbers written 3-3-4: they are often given with the country code 1 before them."""
        return all(_NORTH_AMERICAN.fullmatch(shape) for shape in self.shapes)

    @property
    def longer_entries(self) -> tuple[tuple[str, int], ...]:
        """First keys -> the most digits of an entry that begins with them: telephone numbers with a country code."""
        if self.is_north_american:
            return (("1", self.max_length + 1), ("011", self.max_length + 4))
        return (("00", self.max_length + _EXIT_AND_COUNTRY_CODE),) if self.may_be_telephone else ()

    @property
    def may_be_telephone(self) -> bool:
        """True for digits alone, as many as a telephone number has at home: it may come with its country code."""
        return not self.has_letters and self.max_length >= _SHORTEST_TELEPHONE

    @property
    def has_letters(self) -> bool:
        """True when a letter can occur anywhere."""
        return any(kind in shape for shape in self.shapes for kind in "AX")

    @property
    def has_digits(self) -> bool:
        """True when a digit can occur anywhere."""
        return any(kind in shape for shape in self.shapes for kind in "9X")

    def fits(self, symbols: str) -> tuple[FormatMatch, ...]:
        """Lay a whole number (``0-9A-Z``, :data:`ZERO_OR_O`) onto the format in every way, the least bent first."""
        return _laid(symbols, self.shapes, whole=True)

    def fit(self, symbols: str) -> FormatMatch | None:
        """Return the least bent of :meth:`fits`, None if it is none."""
        return next(iter(self.fits(symbols)), None)

    def begins(self, symbols: str) -> FormatMatch | None:
        """Like :meth:`fit` for the beginning of a longer number; the whole number does not count."""
        return next(iter(_laid(symbols, self.shapes, whole=False)), None)

    def normalise(self, written: str) -> str | None:
        """Return the canonical writing of a typed or stored number, or None if it does not fit."""
        fit = self.fit("".join(char for char in written.upper() if char.isascii() and char.isalnum()))
        return fit.value if fit is not None and fit.guesses == 0 else None

    def passes_check(self, value: str) -> bool:
        """Return whether the check digit (or the other rule named ``check``) is right; True when there is none."""
        return passes(self.check, value)


def symbols_of(value: str) -> str:
    """Return the spoken symbols of a written number: ``AB-123`` -> ``AB123``."""
    return "".join(char for char in value if char not in _SEPARATORS)


def groups_of(value: str) -> tuple[str, ...]:
    """Split a number into the groups in which it is read back.

    Written separators and the border between letters and digits split; long runs go by threes, with a tail of two or
    four: ``10473`` -> ``104 73``, ``2025550143`` -> ``202 555 0143``.
    """
    groups: list[str] = []
    for run in re.findall(r"[0-9]+|[^0-9\-/. ]+", value):
        if len(run) == 4:
            groups += [run[:2], run[2:]]
            continue
        while len(run) > 4:
            groups.append(run[:3])
            run = run[3:]
        groups.append(run)
    return tuple(groups)


def written_groups_of(value: str) -> tuple[str, ...]:
    """Split a number at its written separators: ``202-555-0143`` -> ``202 555 0143``."""
    return tuple(group for group in re.split(r"[- /.]", value) if group)


def _laid(symbols: str, shapes: tuple[str, ...], *, whole: bool) -> tuple[FormatMatch, ...]:
    best: dict[str, FormatMatch] = {}
    for shape, meant in [(one, meant) for one in shapes for meant in _meant(symbols, one)]:
        fit = _lay(meant, shape, whole=whole)
        if fit is not None and (fit.value not in best or fit.guesses < best[fit.value].guesses):
            best[fit.value] = fit
    # where an "oh" may be a letter or a zero, letters come first: codes seldom number from zero
    return tuple(sorted(best.values(), key=lambda fit: (fit.guesses, sum(char.isdigit() for char in fit.value))))


def _meant(symbols: str, shape: str) -> Iterator[str]:
    """Yield the symbols with each "oh" where either kind may stand as a zero and as a letter."""
    places = [at for at, (symbol, kind) in enumerate(zip(symbols, _spoken(shape), strict=False))
              if symbol == ZERO_OR_O and kind == "X"][:_MOST_EITHER]  # fmt: skip
    for chosen in itertools.product("0O", repeat=len(places)):
        meant = list(symbols)
        for at, char in zip(places, chosen, strict=True):
            meant[at] = char
        yield "".join(meant)


def _optional_parts(text: str, pattern: str) -> list[str]:
    parts = re.split(r"(\[[^\[\]]*\])", text)
    if any("[" in part or "]" in part for part in parts[::2]):
        raise NumberFormatError(f"number format {pattern!r} has a bracket without its partner")
    choices = [("", part[1:-1]) if part.startswith("[") else (part,) for part in parts]
    return ["".join(choice) for choice in itertools.product(*choices)]


def _spoken(shape: str) -> str:
    return "".join(kind for kind in shape if kind not in _SEPARATORS)


def _lay(symbols: str, shape: str, *, whole: bool) -> FormatMatch | None:
    """Put each symbol into its position; separators are written as they come."""
    wanted = len(_spoken(shape))
    if (len(symbols) != wanted) if whole else (len(symbols) >= wanted):
        return None
    written: list[str] = []
    guesses = 0
    rest = iter(symbols)
    for kind in shape:
        if kind in _SEPARATORS:
            written.append(kind)
            continue
        symbol = next(rest, None)
        if symbol is None:
            break
        char, bent = _place(symbol, kind)
        if not char:
            return None
        written.append(char)
        guesses += bent
    return FormatMatch("".join(written), guesses)


def _place(symbol: str, kind: str) -> tuple[str, int]:
    """Return the character for one position and whether it is a guess; ``""`` when it cannot stand there."""
    if symbol == ZERO_OR_O:
        return {"9": ("0", 0), "A": ("O", 0)}.get(kind, ("0", 1))
    if kind == "X" or (kind == "9") == symbol.isdigit():
        return symbol, 0
    return _SOUND_ALIKES[kind].get(symbol, ""), 1
