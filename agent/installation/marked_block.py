"""Blocks between marks in another program's text file: added, found, and removed byte for byte."""

from __future__ import annotations

from dataclasses import dataclass

from agent.installation.manifest import InstallError

BEGIN = "; >>> orderline: added by 'orderline wire'; 'orderline unwire' takes it out again >>>"
END = "; <<< orderline <<<"


@dataclass(frozen=True)
class MarkedText:
    """A file's text without our block, and what is in the block."""

    rest: str
    block: str | None


def split(text: str, name: str) -> MarkedText:
    """Take a text apart. Raises InstallError when our marks stand in it half, twice or in the wrong order."""
    begins, ends = text.count(BEGIN), text.count(END)
    if begins == ends == 0:
        return MarkedText(text, None)
    start, end = text.find(BEGIN), text.find(END)
    if begins != 1 or ends != 1 or end < start:
        raise InstallError(
            f"{name}: the lines '{BEGIN}' and '{END}' must stand there once, in this order; take them out by hand"
        )
    after = end + len(END)
    after += text.startswith("\n", after)
    # The line end before the block is ours where the file had none at its end.
    before = text[:start]
    inside = text[start + len(BEGIN) : end].strip("\n")
    if inside.startswith(_NO_LINE_END):
        before = before.removesuffix("\n")
        inside = inside.removeprefix(_NO_LINE_END).lstrip("\n")
    return MarkedText(before + text[after:], inside)


_NO_LINE_END = "; (this file did not end with a line end)"


def join(text: str, block: str) -> str:
    """Put a block at the end of a text that has none."""
    if text and not text.endswith("\n"):
        return f"{text}\n{BEGIN}\n{_NO_LINE_END}\n{block.strip()}\n{END}\n"
    return f"{text}{BEGIN}\n{block.strip()}\n{END}\n"
