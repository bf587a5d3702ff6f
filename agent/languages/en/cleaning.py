"""Turns text from other systems into speakable words: no markup, codes, capitals or digits. Pure.

Such text (carriers' notes, item names) may hold anything. It is only ever read, never executed, and comes out as
letters, spaces, ``'`` ``-`` ``,`` ``.`` ``?`` ``!``, at most ``MAX_CHARS`` long.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import unicodedata
from decimal import Decimal

from agent.languages.en import figures

MAX_CHARS = 240
"""Nothing from another system is spoken longer than this: about 15 seconds."""

_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "ł": "l", "Ł": "L", "đ": "d", "ð": "d", "þ": "th"}
    | {"ı": "i", "’": "'", "‘": "'", "–": " - ", "—": " - ", "×": "x", "−": "-"}
)
_ESCAPES = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_MARKUP = re.compile(r"\{\{[^{}]{0,200}\}\}|\{%[^{}]{0,200}%\}|\{#[^{}]{0,200}#\}|<[^<>]{0,200}>")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S{1,300}|\b[\w.+-]{1,60}@[\w-]{1,60}\.[\w.-]{1,60}", re.I)
_CODE = re.compile(
    r"[(\[]?\b(?:sku|ref|item no|art)\b\.?\s?[:#]\s?[\w-]{1,40}[)\]]?"
    r"|\b(?-i:[A-Z]{1,4}-?\d{3,20}[A-Z0-9-]{0,20}"
    r"|(?=[A-Z0-9-]{0,40}\d)(?=[0-9-]{0,40}[A-Z])[A-Z0-9]{1,20}(?:-[A-Z0-9]{1,20}){2,8}"
    r"|(?=[0-9]{0,20}[A-Z])(?=[A-Z]{0,20}[0-9])[A-Z0-9]{8,40})\b",
    re.I,
)
"""Article codes and tracking numbers: of use to nobody on the telephone."""
_TOKEN = re.compile(
    r"(?P<date>\b\d{4}-\d\d-\d\d\b)(?:T[\d:.+Z-]{1,30})?"
    r"|(?P<clock>\b\d{1,2}:\d\d\b)(?::\d\d\b)?"
    r"|(?P<currency>[$€£])\s?(?P<amount>\d[\d,]{0,15}(?:\.\d{1,4})?)"
    r"|(?P<ordinal>\b\d{1,6})(?:st|nd|rd|th)\b"
    r"|(?P<number>\d{1,3}(?:,\d{3}){1,4}(?!\d)|\d{1,60})(?P<decimals>\.\d{1,6})?"
    r"(?:(?P<glued>[a-z]{1,3})\b| (?P<unit>ml|cl|mm|cm|km|mg|kg|oz|lbs?|ft|gb|tb|mb|pcs)\b)?"
    r"|(?P<word>[a-z]+(?:'[a-z]+)*)"
    r"|(?P<symbol>[&%@+/#°:;()\[\]])",
    re.I,
)
_ABBREVIATIONS = (
    (re.compile(r"\bw/o\b\s?", re.I), "without "),
    (re.compile(r"\bw/\s?", re.I), "with "),
    (re.compile(r"\band/or\b", re.I), "or"),
    (re.compile(r"(?<=\d)\s?x\s?(?=\d)", re.I), " by "),
    (re.compile(r"(?<=\d)\s?x\b", re.I), " "),
    (re.compile(r"#\s?(?=\d)"), " number "),
)
_SYMBOLS = {"&": " and ", "%": " percent ", "@": " at ", "+": " plus ", "°": " degrees ", "#": " "}
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP"}
_UNIT_WORDS = (
    "ml=milliliter cl=centiliter l=liter mm=millimeter cm=centimeter m=meter km=kilometer mg=milligram g=gram"
    " kg=kilogram oz=ounce lb=pound lbs=pound ft=foot in=inch mb=megabyte gb=gigabyte tb=terabyte w=watt v=volt"
    " h=hour hr=hour hrs=hour min=minute pc=piece pcs=piece pk=pack"
)
_UNITS = dict(pair.split("=") for pair in _UNIT_WORDS.split())
_ACRONYM_WORDS = (
    "AC BBQ BMX CD DHL DIY DPD DVD FM GLS GPS HD HDMI ID LCD LED NFC OLED PC PDF QR TNT TV UK UPS US USA USB USPS UV"
    " VAT XL XXL XS"
)
_ACRONYMS = frozenset(_ACRONYM_WORDS.split())
_UNSPEAKABLE = re.compile(r"[^A-Za-z' ,.?!-]")
_LOOSE = re.compile(r"(?<![A-Za-z])[-']+|[-']+(?![A-Za-z])|\.(?=[A-Za-z])")
_PUNCTUATION = re.compile(r"\s*([,.?!])[\s,.?!]*")


def clean(text: object, max_chars: int = MAX_CHARS) -> str:
    """Return the text as a voice can say it; ``""`` for None or when nothing speakable is left. Never raises."""
    raw = figures.text(text)[: max_chars * 4]
    raw = _ESCAPES.sub(" ", html.unescape(raw)[: max_chars * 4]).translate(_LETTERS)
    raw = "".join(_plain(character) for character in unicodedata.normalize("NFKD", raw)[: max_chars * 8])
    raw = _ADDRESS.sub(" ", _MARKUP.sub(" ", raw))
    # A name that is nothing but a code is better spelled than silent.
    return _speak(_CODE.sub(" ", raw), max_chars) or _speak(raw, max_chars)


def cut(words: str, max_chars: int) -> str:
    """Cut speakable text to a length at a word's end."""
    if len(words) <= max_chars:
        return words
    return words[: max_chars + 1].rpartition(" ")[0].rstrip(" ,.-'") or words[:max_chars]


def _plain(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if character in "€£°":
        return character
    return "" if unicodedata.combining(character) else " "


def _speak(text: str, max_chars: int) -> str:
    letters = [character for character in text if character.isalpha()]
    shouted = len(letters) > 3 and sum(map(str.isupper, letters)) > 0.8 * len(letters)
    for pattern, words in _ABBREVIATIONS:
        text = pattern.sub(words, text)
    text = _TOKEN.sub(lambda token: _say(token, shouted), text)
    text = _LOOSE.sub(" ", _UNSPEAKABLE.sub(" ", text))
    text = _PUNCTUATION.sub(r"\1 ", " ".join(text.split())).strip(" ,")
    return cut(text.lstrip(" .?!,"), max_chars)


def _say(token: re.Match[str], shouted: bool) -> str:
    part = token.groupdict()
    if part["word"]:
        return _word(part["word"], shouted)
    if part["symbol"]:
        return _SYMBOLS.get(part["symbol"], ", ")
    if part["date"]:
        return f" {_date(part['date'])} "
    if part["clock"]:
        return f" {_clock(part['clock'])} "
    if part["currency"]:
        amount = Decimal(part["amount"].replace(",", ""))
        return f" {figures.money(amount, _CURRENCIES[part['currency']])} "
    if part["ordinal"]:
        return f" {figures.ordinal(int(part['ordinal']))} "
    return f" {_number(part['number'], part['decimals'] or '')} {_unit(part)} "


def _number(whole: str, decimals: str) -> str:
    if "," in whole or decimals:
        digits = whole.replace(",", "")
        return figures.decimal(Decimal(digits[:13] + decimals)) if len(digits) <= 12 else figures.spoken_digits(digits)
    if len(whole) > 4 or (len(whole) > 1 and whole.startswith("0")):
        return figures.spoken_digits(whole)
    value = int(whole)
    return figures.spoken_year(value) if 1900 <= value < 2100 else figures.cardinal(value)


def _unit(part: dict[str, str | None]) -> str:
    short = part["glued"] or part["unit"] or ""
    unit = _UNITS.get(short.lower())
    if unit is None:
        return short
    one = part["number"] == "1" and not part["decimals"]
    return unit if one else {"foot": "feet"}.get(unit) or figures.plural(unit)


def _word(word: str, shouted: bool) -> str:
    if not word.isupper() or word in _ACRONYMS:
        return word
    if shouted and len(word) > 1:
        return word.lower()
    return word.capitalize() if len(word) > 3 else word


def _date(text: str) -> str:
    try:
        return figures.date(dt.date.fromisoformat(text))
    except ValueError:
        return figures.spoken_digits(text)


def _clock(text: str) -> str:
    try:
        return figures.time(dt.time.fromisoformat(text.zfill(5)))
    except ValueError:
        return figures.spoken_digits(text.replace(":", " "))
