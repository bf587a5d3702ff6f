"""The tables of one language that number capture reads and says numbers with. The algorithms are in dialog/numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.languages.carrier_words import CarrierWords, Words
from agent.languages.place_words import PlaceWords

ZERO_OR_O = "°"
"""Symbol for a spoken "oh": the digit 0 or the letter O, whichever the position wants."""

Readings = tuple[tuple[str, int], ...]
"""Symbols some words can stand for, each with its strain (0: how people usually mean them)."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class SayingWords:
    """How callers say a number: for the sample sentences of a grammar, for tests and rehearsals."""

    units: tuple[str, ...]
    """The usual words for 0 to 9."""
    zeros: tuple[str, ...]
    """The words for a zero."""
    zeros_after_tens: tuple[str, ...]
    """Those of them that may follow "sixty"."""
    sampled_zeros: tuple[str, ...]
    """Those that sample sentences choose from."""
    repeats: tuple[tuple[int, str], ...] = ()
    """How often, and the word before the digit: ``(2, "double")``."""
    pairs: Mapping[int, str] = field(default_factory=dict)
    """10 to 99 -> words, as far as people say two digits in one."""
    hundred: tuple[str, str] = ("", "")
    """"hundred", and what may join it to the rest ("and"); empty where nobody reads numbers like that."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Letter -> its word in the spelling alphabet."""
    spellings: tuple[str, ...] = ("{letter}",)
    """Ways of saying a letter: ``{letter}``, ``{example}``, ``{letter} as in {example}``."""
    hyphens: tuple[str, ...] = ("",)
    """How a written hyphen is said; ``""`` for not at all."""
    pauses: tuple[str, ...] = ("",)
    """What stands between two parts: mostly nothing, sometimes "um"."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class NumberWords:
    """The words numbers are spoken with. Words are lower case, as a recogniser writes them. Made once a language."""

    digits: Mapping[str, str]
    """Word -> digit; :data:`ZERO_OR_O` for a word that may be the letter O as well."""
    teens: Mapping[str, int]
    """Words for 10 to 99 that no unit can follow: "eleven"; in German also "einundzwanzig"."""
    tens: Mapping[str, int]
    """Words for 20, 30, ... that a unit may follow."""
    saying: SayingWords
    carriers: CarrierWords
    places: PlaceWords
    heard: tuple[str, ...]
    """Words the recogniser must know to hear any number; each may follow any other."""
    heard_with_letters: tuple[str, ...] = ()
    """Those it must know besides where a number holds letters."""
    letters: str = "a-z"
    """The letters words are made of, as they stand in a regular expression: ``a-zäöüß``."""
    compounds: Mapping[Words, str] = field(default_factory=dict)
    """Several words that are digits together: ``("treinta", "y", "cinco"): "35"``."""
    plurals: Mapping[str, str] = field(default_factory=dict)
    """"ones": two to five of them ("two ones") are so many digits."""
    repeats: Mapping[str, int] = field(default_factory=dict)
    """"double" -> 2."""
    hundreds: frozenset[str] = frozenset()
    thousands: frozenset[str] = frozenset()
    joints: frozenset[str] = frozenset()
    """What may stand behind a hundred: "and"."""
    tens_like_two: frozenset[str] = frozenset()
    """Tens that two digits are often taken for ("six two" heard as "sixty")."""
    never_after_tens: frozenset[str] = frozenset()
    """Digits nobody says behind tens ("sixty zero")."""
    articles: frozenset[str] = frozenset()
    """Articles that may be a letter or stand for one: "a"."""
    silent: frozenset[str] = frozenset()
    """Other articles: "an"."""
    perhaps_silent: frozenset[str] = frozenset()
    """Words that are silent in a number, at a strain: "point"."""
    phonetic: Mapping[str, str] = field(default_factory=dict)
    """The spelling alphabet: word -> letter."""
    letter_names: Mapping[str, str] = field(default_factory=dict)
    """Other names of letters that can be nothing else."""
    letter_pairs: Mapping[Words, str] = field(default_factory=dict)
    """Two words that are a letter: ``("x", "ray")``."""
    repeated_letters: Mapping[Words, Readings] = field(default_factory=dict)
    """A repeat with a letter that means something else as well: "double u"."""
    letter_sounds: Mapping[str, str] = field(default_factory=dict)
    """Words a recogniser writes for a spelled letter: a guess each time."""
    sound_alike: tuple[str, ...] = ()
    """Letters that are taken for one another over a telephone, a string for each set: "BCDEGPTVZ"."""
    digit_sounds: Mapping[str, str] = field(default_factory=dict)
    """Words a recogniser writes for a digit: a guess each time."""
    edge_words: frozenset[str] = frozenset()
    """Digit sounds that are mere words before and after a number."""
    example_leads: tuple[Words, ...] = ()
    """What leads from a letter to an example of it: "as in"."""
    separators: frozenset[str] = frozenset()
    plus: frozenset[str] = frozenset({"+"})
    """What stands before a country code, as typed and as said: "+", "plus"."""
    fillers: frozenset[str] = frozenset()
    """Words that carry nothing inside or around a spoken number."""
    markers: tuple[Words, ...] = ()
    """What announces that the caller corrects what was just said."""
    restating: frozenset[str] = frozenset()
    """What announces that a number is said once more."""
    choice: str = ""
    """What stands between two numbers the caller is unsure of: "or"."""
    no_choice: frozenset[str] = frozenset()
    """What makes it none when it follows: "rather"."""
    extendable: frozenset[str] = frozenset()
    """A number that ends with one of these may well go on."""
    whole_tokens: tuple[str, ...] = ()
    """Words with a hyphen that stay one: "x-ray"."""
    ordinal_ends: tuple[str, ...] = ()
    """What makes digits something else than digits when it is glued to them: "th", "pm"."""
    words_before_digits: frozenset[str] = frozenset()
    """Short words that typed digits may follow; others are letters of a code."""
    small: Mapping[str, int] = field(init=False)
    """Word -> 1 to 9."""
    large: frozenset[str] = field(init=False)
    """Hundreds and thousands."""
    nothing: frozenset[str] = field(init=False)
    """Words that are no symbol: fillers, separators, articles."""
    letter_words: Mapping[str, str] = field(init=False)
    """Every word that is a letter."""
    compounds_by_first: Mapping[str, tuple[tuple[Words, str], ...]] = field(init=False)
    """The compounds by their first word, the longest first."""
    markers_by_first: Mapping[str, tuple[Words, ...]] = field(init=False)
    """The markers by their first word, the longest first."""
    edge_fillers: frozenset[str] = field(init=False)
    """Fillers that do not stand inside a number."""
    letter_leads: frozenset[str] = field(init=False)
    """Words that lead up to a number or are a letter of it."""
    plain_leads: frozenset[str] = field(init=False)
    """Words that lead up to a number, are no letter and lead to no example of one ("i for india")."""
    capital_words: frozenset[str] = field(init=False)
    """Words in capitals that are words, and not typed letters."""
    token: re.Pattern[str] = field(init=False)
    """Finds the words, single letters and digit runs of a text."""
    typed: re.Pattern[str] = field(init=False)
    """Letters and digits in one: typed, never said ("sw1a", "ab12345")."""
    typed_letters: re.Pattern[str] = field(init=False)
    ordinal: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        carriers = self.carriers
        by_first: dict[str, list[tuple[Words, str]]] = {}
        for phrase, symbols in sorted(self.compounds.items(), key=lambda item: -len(item[0])):
            by_first.setdefault(phrase[0], []).append((phrase, symbols))
        markers: dict[str, list[Words]] = {}
        for marker in sorted(self.markers, key=len, reverse=True):
            markers.setdefault(marker[0], []).append(marker)
        made: dict[str, object] = {
            "markers_by_first": {word: tuple(found) for word, found in markers.items()},
            "small": {word: int(digit) for word, digit in self.digits.items() if digit in "123456789"},
            "large": self.hundreds | self.thousands,
            "nothing": self.fillers | self.separators | self.silent | self.plus,
            "letter_words": {**self.phonetic, **self.letter_names},
            "compounds_by_first": {word: tuple(found) for word, found in by_first.items()},
            "edge_fillers": self.fillers - carriers.inside,
            "letter_leads": frozenset({*carriers.letter_leads, *self.letter_sounds}),
            "plain_leads": carriers.lead_words - self.letter_sounds.keys() - carriers.example_leads,
            "capital_words": self.words_before_digits | self.fillers | self.digits.keys() | self.teens.keys(),
            "token": _token(self.letters, self.whole_tokens),
            "typed": re.compile(_TYPED.format(letters=self.letters)),
            "typed_letters": re.compile(rf"(?<![{self.letters}'])([a-z]{{1,3}})(?=[ -]?[0-9])"),
            "ordinal": re.compile(rf"[0-9]+(?:{'|'.join(map(re.escape, self.ordinal_ends)) or '(?!)'})"),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)


_TYPED = r"(?<![{letters}0-9])(?=[a-z0-9]*[0-9])(?=[0-9]*[a-z])[a-z0-9]+(?![{letters}0-9])"


def _token(letters: str, whole: Iterable[str]) -> re.Pattern[str]:
    kept = "".join(f"{re.escape(word)}|" for word in whole)
    return re.compile(rf"{kept}[{letters}]+(?:'[{letters}]+)?|[0-9]+|\+(?=\(?[0-9])|[^\s\-.,;:!?#*/()+_\"]")
