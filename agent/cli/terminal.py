"""What the commands print is text: nothing that callers, business systems or other nodes said steers the terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from agent.common.untrusted import printable

_COLOURS = re.compile("(\x1b\\[(?:0|33|35|36|90)m)")
"""Those of the live transcripts (``orderline demo``): they hide nothing and move nothing."""


class PrintableOutput(io.TextIOBase):
    """A text stream that writes out what would steer a terminal, and passes everything else on."""

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner

    def write(self, text: str) -> int:
        """Write text; returns its length."""
        parts = _COLOURS.split(text)  # every second one is a colour
        self._inner.write("".join(part if index % 2 else printable(part) for index, part in enumerate(parts)))
        return len(text)

    def flush(self) -> None:
        """Flush the stream behind."""
        self._inner.flush()

    def isatty(self) -> bool:
        """Return whether a person reads along."""
        return self._inner.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream behind."""
        return self._inner.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream behind."""
        return self._inner.encoding

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@contextlib.contextmanager
def printable_output() -> Iterator[None]:
    """Make standard output and standard error printable for the block."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(PrintableOutput(sys.stdout)))
        stack.enter_context(contextlib.redirect_stderr(PrintableOutput(sys.stderr)))
        yield


def discard_output() -> None:
    """Let what is still to be written go nowhere: Python writes it at its end, and would call that an error."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
