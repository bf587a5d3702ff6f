"""Reads files that people name or drop into a directory: ordinary files of bounded size, nothing else.

A named pipe would hold up the program for ever, and a link to a device would fill its memory.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 4_000_000

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}


def read_text(path: Path, *, most_bytes: int = MOST_BYTES, encoding: str = "utf-8-sig") -> str:
    """Return a file's UTF-8 text without a byte order mark (with it where ``encoding`` is ``utf-8``).

    Raises OSError (what it is instead of an ordinary file, or too large, stands in ``strerror``) and
    UnicodeDecodeError.
    """
    with open_ordinary(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"is larger than {most_bytes} bytes", str(path))
    return content.decode(encoding)


def open_ordinary(path: Path) -> BinaryIO:
    """Open an ordinary file of any size for reading bytes.

    Raises OSError; what it is instead of an ordinary file stands in ``strerror``.
    """
    _ordinary(path, os.stat(path))  # before it is opened: opening some devices does something
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(handle, "rb")
    try:
        _ordinary(path, os.fstat(handle))
    except OSError:
        file.close()
        raise
    return file


def _ordinary(path: Path, state: os.stat_result) -> None:
    kind = stat.S_IFMT(state.st_mode)
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, f"is {_KINDS.get(kind, 'something else')}, no ordinary file", str(path))
