"""Reads the lines of a file that anybody may have written: bounded, any encoding, packed or not; tells what is odd."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from agent.common.files import open_ordinary
from agent.common.untrusted import printable
from agent.impact.errors import CallLogUnusable

MOST_BYTES = 2_000_000_000
"""Of one file, unpacked: ten years of a queue with a thousand calls a day."""
MOST_LINE_BYTES = 20_000
MOST_PLACES = 100
"""Of one kind of oddity that are told with their line; all are counted."""

_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = {
    b"PK\x03\x04": "a spreadsheet or a zip archive: save it as CSV",
    b"BZh": "packed with bzip2: unpack it",
    b"\xfd7zXZ": "packed with xz: unpack it",
    b"(\xb5/\xfd": "packed with zstd: unpack it",
    b"SQLite format 3": "a database: export the table as CSV",
    b"%PDF": "a PDF",
    b"\x7fELF": "a program",
}
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass
class ImportNotes:
    """What was odd in files that were read, by kind, with places. Nothing is left out without a note here."""

    counts: dict[str, int] = field(default_factory=dict)
    """What was odd -> how often."""
    places: dict[str, list[str]] = field(default_factory=dict)
    """The same -> ``file:line`` of the first :data:`MOST_PLACES`."""

    def add(self, what: str, place: str) -> None:
        """Note one."""
        what = printable(what, keep="")
        self.counts[what] = self.counts.get(what, 0) + 1
        known = self.places.setdefault(what, [])
        if len(known) < MOST_PLACES:
            known.append(place)

    def add_many(self, what: str, count: int) -> None:
        """Note so many of which no single one has a place."""
        self.counts[what] = self.counts.get(what, 0) + count
        self.places.setdefault(what, [])

    def lines(self, most_places: int = 8) -> list[str]:
        """Return a sentence for each kind, with its first places."""
        told = []
        for what, count in self.counts.items():
            known = self.places[what][:most_places]
            more = ", ..." if count > len(known) else ""
            told.append(f"{count} x {what}" + (f" ({', '.join(known)}{more})" if known else ""))
        return told


@dataclass
class FileRead:
    """What was read of one file."""

    name: str
    lines: int = 0
    """That hold anything."""
    used: int = 0
    """Of them, that say something about calls."""
    other: int = 0
    """Of them, that are fine and about something else (pauses, members, ringing)."""
    repeated: int = 0
    """Of them, that stand in another file as well."""
    refused: int = 0
    """Of them, that cannot be read; each has a note."""


def read_lines(path: Path, name: str, notes: ImportNotes) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their number, without line ends; empty ones are left out.

    gzip is unpacked; UTF-8, UTF-16 with a byte order mark, and Latin-1 are read. NUL bytes (a machine that lost power)
    and other oddities get a note. Raises :class:`CallLogUnusable` for what is no such file.
    """
    try:
        with open_ordinary(path) as file:
            yield from _lines(file, name, notes)
    except OSError as error:
        raise CallLogUnusable(f"{name}: cannot be read: {error.strerror or error}") from error


def _lines(file: BinaryIO, name: str, notes: ImportNotes) -> Iterator[tuple[int, str]]:
    start = file.read(16)
    file.seek(0)
    for mark, what in _OTHER_FORMATS.items():
        if start.startswith(mark):
            raise CallLogUnusable(f"{name}: is {what}")
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if start.startswith(_GZIP) else file
    encoding = next((text for mark, text in _UTF16.items() if start.startswith(mark)), "")
    if encoding:
        stream = cast(BinaryIO, _Recoded(stream, encoding))
    number = 0
    for raw in _raw_lines(stream, name, notes):
        for piece in raw.rstrip(b"\r\n").split(b"\r"):  # a single CR ends lines of old spreadsheets
            number += 1
            place = f"{name}:{number}"
            if len(piece) > MOST_LINE_BYTES:
                notes.add(f"line longer than {MOST_LINE_BYTES} bytes: not used", place)
                continue
            text = _decoded(piece, place, notes)
            if number == 1:
                text = text.removeprefix("\ufeff")
            if text := text.strip():
                yield number, text


def _raw_lines(stream: BinaryIO, name: str, notes: ImportNotes) -> Iterator[bytes]:
    """Yield lines of at most :data:`MOST_LINE_BYTES` and a bit; the rest of a longer one is read over."""
    number, size = 0, 0
    while True:
        number += 1
        try:
            raw = rest = stream.readline(MOST_LINE_BYTES + 1)
            size += len(raw)
            while len(rest) > MOST_LINE_BYTES and not rest.endswith(b"\n") and size <= MOST_BYTES:
                rest = stream.readline(MOST_LINE_BYTES + 1)
                size += len(rest)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            notes.add(f"packed file ends or breaks here, the rest is not used ({error})", f"{name}:{number}")
            return
        if size > MOST_BYTES:
            raise CallLogUnusable(f"{name}: is larger than {MOST_BYTES // 10**6} MB; give fewer months")
        if not raw:
            return
        yield raw


def _decoded(raw: bytes, place: str, notes: ImportNotes) -> str:
    if b"\0" in raw:
        notes.add("NUL bytes, left out of the line", place)
        raw = raw.replace(b"\0", b"")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        notes.add("no UTF-8, read as Latin-1", place)
        return raw.decode("latin-1")


class _Recoded(io.RawIOBase):
    """UTF-16 as UTF-8 bytes, read by ``readline``."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        super().__init__()
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line, or at most ``size`` characters of it."""
        return self._text.readline(-1 if size is None else size).encode("utf-8")
