"""Text from outside that may be anything: JSON read within bounds, and text made fit for a terminal."""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

MOST_CHARS = 1_000_000
MOST_LEVELS = 64
"""Lists and mappings within one another; ours have about ten."""
CLOCK_SKEW_SECONDS = 60.0
"""The clocks of nodes agree within seconds: what is further in the future is not believed."""

_KEPT = "\n\t"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.?)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_BREAKERS = frozenset("\u2028\u2029\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Line ends and signs that turn the direction of writing: they can make a line look like another one."""


def parse_json(text: str | bytes, *, most_chars: int = MOST_CHARS) -> Any:
    """Read JSON that somebody else may have written. Raises ValueError for everything that ours never is.

    That is text that is too long, is no UTF-8, nests deeper than :data:`MOST_LEVELS`, holds half
    characters, or numbers that are infinite or none.
    """
    if len(text) > most_chars:
        raise ValueError(f"longer than {most_chars} characters")
    if isinstance(text, bytes):
        text = text.decode()
    value = _parsed(text, parse_constant=_no_number, parse_float=_finite)
    if _may_hold_half(text) and _encodable(value) != value:
        raise ValueError("half a character")
    return value


def load_json(text: str, **options: Any) -> Any:
    r"""Parse JSON that may nest without end or hold half characters. Raises ValueError where it nests too deeply.

    ``options`` are those of :func:`json.loads`. Half characters (lone surrogates, ``"\ud800"``) become ``?``: they fit
    into no database, no log file and no message.
    """
    value = _parsed(text, **options)
    return _encodable(value) if _may_hold_half(text) else value


def _may_hold_half(text: str) -> bool:
    """Whether a half character may be in it; the search itself takes longer than parsing, and is hardly ever needed."""
    return ("\\u" in text or not text.isascii()) and _SURROGATE.search(text) is not None


def _parsed(text: str, **options: Any) -> Any:
    check_nesting(text)
    return json.loads(text, **options)


def encodable(text: str) -> str:
    """Return the text with each half character (lone surrogate) as ``?``: they fit into no database and no message."""
    return text.encode("utf-8", "replace").decode("utf-8")


def storable(text: str) -> str:
    """Return the text as every database takes it: :func:`encodable`, and without NUL."""
    return text if text.isascii() and "\0" not in text else encodable(text.replace("\0", ""))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [_encodable(one) for one in value]
    if isinstance(value, dict):
        return {encodable(name): _encodable(one) for name, one in value.items()}
    return value


def check_nesting(text: str) -> None:
    """Raise ValueError where JSON nests deeper than :data:`MOST_LEVELS`.

    Python's parser goes down a level of its stack for each level of the text. Where that ends in a RecursionError,
    whatever else the interpreter does at that depth (finalizers, log lines) fails as well.
    """
    if text.count("[") + text.count("{") <= MOST_LEVELS:
        return
    level = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        match found[0]:
            case "[" | "{":
                level += 1
                if level > MOST_LEVELS:
                    raise ValueError("nested too deeply")
            case "]" | "}":
                level -= 1


def of_shape(adapter: TypeAdapter[T], value: object) -> T:
    """Return untrusted JSON as the type of ``adapter``. Raises ValueError, which names the place, not the value."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}") from error


def finite_number(value: object) -> float:
    """Return a number of untrusted JSON as seconds or a count. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{type(value).__name__} is no number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError("a number too large") from error
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


def printable(text: str, *, keep: str = _KEPT) -> str:
    """Return the text with what would steer a terminal, instead of being read, written out as JSON does.

    ``keep`` are the control characters that may stay. The result of JSON is still the same JSON.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or not _steers(one) else f"\\u{ord(one):04x}" for one in text)


def _steers(one: str) -> bool:
    code = ord(one)
    return code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or one in _BREAKERS


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value
