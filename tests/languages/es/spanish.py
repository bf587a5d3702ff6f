"""A second language, as small as it can be: what a folder ``agent/languages/es`` would hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from agent.languages.carrier_words import CarrierWords, phrase_index
from agent.languages.language import ChangeWords, ChoiceWords, Language
from agent.languages.number_words import NumberWords, SayingWords
from agent.languages.place_words import PlaceWords

UNITS = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
TEEN_WORDS = (
    "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós"
    " veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve"
)
TEENS = tuple(TEEN_WORDS.split())
TENS = {"treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90}
COMPOUNDS: dict[tuple[str, ...], str] = {
    (word, "y", UNITS[unit]): str(value + unit) for word, value in TENS.items() for unit in range(1, 10)
}
WEEKDAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
MONTH_WORDS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
MONTHS = tuple(MONTH_WORDS.split())
ORDINALS = ("primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno")


def cardinal(value: int) -> str:
    """Say 0 to 99."""
    words = {
        **dict(enumerate(UNITS)), **dict(enumerate(TEENS, 10)), **{value: word for word, value in TENS.items()},
        **{int(digits): " ".join(words) for words, digits in COMPOUNDS.items()},
    }  # fmt: skip
    return words.get(value, str(value))


NUMBERS = NumberWords(
    letters="a-záéíóúüñ",
    digits={word: str(digit) for digit, word in enumerate(UNITS)},
    teens={word: value for value, word in enumerate(TEENS, 10)},
    tens=TENS,
    compounds=COMPOUNDS,
    heard=(*UNITS, *TEENS, *TENS, "y"),
    fillers=frozenset({"eh", "pues", "es", "el", "número", "por", "favor", "sí"}),
    markers=(("no",), ("perdón",), ("quiero", "decir")),
    choice="o",
    extendable=frozenset({*TENS, "y"}),
    saying=SayingWords(
        units=UNITS,
        zeros=("cero",),
        zeros_after_tens=("cero",),
        sampled_zeros=("cero",),
        pairs={value: cardinal(value) for value in range(10, 100)},
        pauses=("", "", "eh"),
    ),
    carriers=CarrierWords(
        anywhere=phrase_index("muchas gracias|un momento"),
        leading=phrase_index("mi pedido es|mi número de pedido es|lo tengo aquí"),
        following=phrase_index("los últimos son"),
        lettered={},
        hedges=phrase_index("creo que|me parece|no estoy seguro"),
        lead_words=frozenset({"tengo", "pedido", "mi", "de"}),
        negation="no",
    ),
    places=PlaceWords(),
)


def name_day(day: dt.date, today: dt.date) -> Iterator[tuple[str, ...]]:
    """Yield "mañana", "el jueves", "el doce", "el doce de marzo"."""
    weekday, number = WEEKDAYS[day.weekday()], tuple(cardinal(day.day).split())
    if (day - today).days == 1:
        yield ("mañana",)
    if (day - today).days <= 7:
        yield from ((weekday,), ("el", weekday))
    yield ("el", *number)
    yield ("el", *number, "de", MONTHS[day.month - 1])


def by_place(index: int, count: int) -> Iterator[tuple[str, ...]]:
    """Yield "el primero", "el último"."""
    if index < len(ORDINALS):
        yield ("el", ORDINALS[index])
    if count > 1 and index == count - 1:
        yield ("el", "último")


class SpanishForms:
    """What prompts say; a real folder would have a module with these functions."""

    def spoken_digits(self, number: object, groups: Sequence[int] | None = None) -> str:
        digits = [UNITS[int(digit)] for digit in str(number) if digit.isdigit()]
        return ", ".join(" ".join(part) for part in (digits[:3], digits[3:]) if part)

    def day(self, value: object, today: dt.date) -> str:
        date = dt.date.fromisoformat(str(value)[:10])
        if (date - today).days == 1:
            return "mañana"
        return f"el {WEEKDAYS[date.weekday()]} {cardinal(date.day)} de {MONTHS[date.month - 1]}"

    def clock(self, value: object) -> str:
        return f"las {cardinal(int(str(value)[:2]))}"

    def window(self, value: object) -> str:
        start, _, end = str(value).partition("-")
        return f"entre {self.clock(start)} y {self.clock(end)}"

    def money(self, amount: object, currency: object = "USD") -> str:
        whole, _, cents = str(amount).partition(".")
        name = {"EUR": "euros"}.get(str(currency), str(currency))
        return f"{cardinal(int(whole))} {name}" + (f" con {cardinal(int(cents))}" if int(cents or 0) else "")

    def ordinal(self, value: object) -> str:
        return ORDINALS[int(str(value)) - 1]

    def count(self, value: object, noun: str = "", plural: str = "") -> str:
        number = len(value) if isinstance(value, list) else int(str(value))
        return f"{'un' if number == 1 else cardinal(number)} {noun if number == 1 else plural or f'{noun}s'}"

    def place(self, value: object) -> str:
        return str(value)

    def listing(self, values: object, conjunction: str = "y") -> str:
        names = [str(value) for value in values] if isinstance(values, list | tuple) else [str(values)]
        return f" {conjunction} ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)

    def items(self, values: object) -> str:
        return self.listing(values)

    def clean(self, text: object) -> str:
        return str(text)

    def makeup(self, shapes: Sequence[tuple[int, int, int]]) -> str:
        return " o ".join(cardinal(digits) for _, digits, _ in shapes) + " cifras"

    def enter(self, shape: str, letters: bool) -> str:
        return f"{'diga' if letters else 'marque'} las {shape}"


SPANISH = Language(
    code="es",
    numbers=NUMBERS,
    days=name_day,
    choices=ChoiceWords(by_place=by_place, leads=((), ("el",), ("la",)), joints=frozenset({"de", "con", "para"})),
    changes=ChangeWords(leads=frozenset({"no", "perdón", "mejor"}), denials=frozenset({"no", "nunca"})),
    spoken=SpanishForms(),
)
