"""Breaks good inputs in many ways; the same seed gives the same breakage."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 1e308, "", " ", "0", "null", "\0", "\r\nX-Evil: 1", "é\u202e\ud83d\ude00", "%s%n",
    "${SHELL(id)}", "{{ 7*7 }}", "<script>", "../../etc/passwd", "A" * 5000, [], [None], {}, {"id": None}, [[[[]]]],
)  # fmt: skip
_BYTES = (
    b"\0",
    b"\xff",
    b"\r\n",
    b"\n\n",
    b"{",
    b"}",
    b"[",
    b'"',
    b": ",
    b"\\u0000",
    b"\xed\xa0\x80",
    b"- ",
    b"!!python",
)


def broken_json(source: Any, dice: random.Random) -> str:
    """JSON text made from ``source``: values swapped, keys dropped, or the text itself broken."""
    data = copy.deepcopy(source)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        data = _swap(data, dice)
    text = json.dumps(data, ensure_ascii=dice.random() < 0.5)
    if dice.random() < 0.2:
        return broken_bytes(text.encode("utf-8", "replace"), dice).decode("utf-8", "replace")
    return text


def broken_bytes(source: bytes, dice: random.Random) -> bytes:
    """Bytes flipped, cut out, doubled, put in."""
    data = bytearray(source)
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(7):
            case 0 if data:
                data[at % len(data)] = dice.randrange(256)
            case 1:
                del data[at : at + dice.choice((1, 2, 10, 100))]
            case 2:
                data[at:at] = dice.choice(_BYTES)
            case 3:
                data[at:at] = data[at : at + dice.choice((5, 50, 200))]
            case 4:
                del data[at:]
            case 5:
                data[at:at] = str(dice.choice(ODD)).encode("utf-8", "replace")
            case _:
                data[at:at] = dice.randbytes(dice.choice((1, 4, 40)))
    return bytes(data[:200_000])


def broken_lines(source: str, dice: random.Random) -> str:
    """Text with lines dropped, doubled, swapped, indented otherwise, values replaced."""
    lines = source.splitlines(keepends=True)
    for _ in range(dice.choice((1, 1, 2, 4))):
        if not lines:
            break
        at = dice.randrange(len(lines))
        match dice.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[dice.randrange(len(lines))])
            case 2:
                lines[at] = "  " * dice.randrange(4) + lines[at].lstrip()
            case 3:
                head, colon, _ = lines[at].partition(":")
                lines[at] = f"{head}{colon} {json.dumps(dice.choice(ODD))}\n"
            case 4:
                lines[at] = lines[at].replace(
                    dice.choice("abcdeorst:"), dice.choice((":", "{", "'", '"', "&a ", "*a", "|", "%"))
                )
            case _:
                return broken_bytes("".join(lines).encode(), dice).decode("utf-8", "replace")
    return "".join(lines)


def any_shape(dice: random.Random, levels: int = 5) -> Any:
    """JSON-like data of any shape, of odd values."""
    kind = dice.random()
    if levels == 0 or kind < 0.4:
        return copy.deepcopy(dice.choice(ODD))
    if kind < 0.7:
        return [any_shape(dice, levels - 1) for _ in range(dice.choice((0, 1, 2, 5)))]
    return {str(dice.choice(ODD))[:50]: any_shape(dice, levels - 1) for _ in range(dice.choice((0, 1, 2, 5)))}


def _swap(data: Any, dice: random.Random) -> Any:
    """Replace, drop or repeat one value somewhere inside."""
    if isinstance(data, dict) and data and dice.random() < 0.9:
        key = dice.choice(list(data))
        match dice.randrange(5):
            case 0:
                del data[key]
            case 1:
                data[key] = copy.deepcopy(dice.choice(ODD))
            case 2:
                data[str(dice.choice(ODD))[:50]] = data[key]
            case _:
                data[key] = _swap(data[key], dice)
        return data
    if isinstance(data, list) and data and dice.random() < 0.9:
        at = dice.randrange(len(data))
        match dice.randrange(4):
            case 0:
                del data[at]
            case 1:
                data.extend(copy.deepcopy(data[at : at + 1]) * dice.choice((1, 3, 50)))
            case _:
                data[at] = _swap(data[at], dice)
        return data
    return copy.deepcopy(dice.choice(ODD))
