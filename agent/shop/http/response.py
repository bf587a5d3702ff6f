"""Reads an HTTP response within size limits and parses it as JSON or text."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.common.untrusted import load_json

_CHUNK_BYTES = 65_536
_NO_JSON = ("text/html", "text/xml", "application/xml", "application/xhtml", "image/", "audio/", "video/")


class UnreadableResponse(Exception):
    """The answer cannot be taken in or understood; the text says why, without quoting it."""


@dataclass(frozen=True)
class HttpResponse:
    """One answer, whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)


async def read_body(chunks: AsyncIterator[bytes], encoding: str, max_bytes: int) -> bytes:
    """Read a body piece by piece, unpacking gzip and deflate, and give up where it grows beyond ``max_bytes``."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        unpack = None
    elif encoding in ("gzip", "x-gzip", "deflate"):
        unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    else:
        raise UnreadableResponse("is packed in a way that was not asked for (Content-Encoding)")
    whole = bytearray()
    async for chunk in chunks:
        while chunk:
            if unpack is None:
                piece, chunk = chunk, b""
            else:
                try:
                    piece = unpack.decompress(chunk, _CHUNK_BYTES)
                except zlib.error:
                    raise UnreadableResponse("is not packed as its headers say") from None
                chunk = b"" if unpack.eof else unpack.unconsumed_tail
            whole += piece
            if len(whole) > max_bytes:
                raise UnreadableResponse(f"is larger than {max_bytes} bytes (max_bytes)")
    return bytes(whole)


def parse_json(answer: HttpResponse) -> Any:
    """Return the JSON of an answer; None for an empty body. Raises Unreadable."""
    if not answer.body.strip():
        return None
    content_type = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type.startswith(_NO_JSON) and not content_type.endswith("+json"):
        raise UnreadableResponse(f"is no JSON but {content_type}: is base_url right?")
    try:
        text = answer.body.decode("utf-8-sig")
        return load_json(text, parse_constant=_no_number)
    except ValueError as error:
        # UnicodeDecodeError and JSONDecodeError are ValueErrors; their texts may quote the body
        raise UnreadableResponse(f"is not readable as JSON ({type(error).__name__})") from None


def parse_text(answer: HttpResponse, pattern: str | None) -> dict[str, Any]:
    """Return ``text``, or the named groups of ``pattern``. Raises Unreadable when the pattern is not there."""
    text = answer.body.decode("utf-8", "replace").strip()
    if pattern is None:
        return {"text": text}
    found = re.search(pattern, text[:10_000])
    if found is None:
        raise UnreadableResponse("does not look like its pattern")
    return dict(found.groupdict())


def _no_number(name: str) -> Any:
    raise ValueError(name)
