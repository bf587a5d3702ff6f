"""What somebody who can write to the shared Redis, and is none of our nodes, may leave under our keys."""

from __future__ import annotations

import json
import time

NOT_UTF8 = b"\xff\xfe\x80"
VALUES: dict[str, bytes] = {
    "no UTF-8": NOT_UTF8,
    "nested deeply": b"[" * 100_000,
    "nested deeply, and closed": b"[" * 500 + b"]" * 500,
    "huge": b'["' + b"x" * 3_000_000 + b'"]',
    "a number": b"7",
    "null": b"null",
    "an object of other keys": b'{"a": 1}',
    "a number without end": b'["c-9", "other", 1e999, {}]',
    "not a number": b'["c-9", "other", NaN, {}]',
    "a number of 400 digits": b'["c-9", "other", ' + b"9" * 400 + b", {}]",
    "half a character": b'["c-\\ud800", "other", 1.0, {}]',
    "control characters": b'["c-\\u001b[2J", "other", 1.0, {}]',
    "wrong types": b'[["c"], {"other": 1}, "1", []]',
    "nothing": b"",
    "from the future": json.dumps(["c-1", "other", time.time() + 10_000_000, {"turn": "planted"}]).encode(),
}
"""Name -> value."""
PAUSES: dict[str, bytes] = {
    **VALUES,
    "a pause of wrong types": b'{"since": ["x"], "by": {}, "at": "soon"}',
    "a pause without end": b'{"since": "2026-03-02T09:00:00+00:00", "by": "x", "at": 1e999}',
    "a pause in another age": b'{"since": "2026-03-02T09:00:00+00:00", "by": "x", "at": 1e300}',
}
