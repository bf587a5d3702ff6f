"""What ``orderline shop`` prints: the shipped mappings, and what a check of the mapped systems found."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from typing import TextIO

from agent.shop.http.check import check_shop
from agent.shop.http.check_requests import CheckSamples
from agent.shop.http.mapping_files import MappingError, MappingFile, additions, shipped
from agent.shop.http.shop import open_http_shop

_MARKS = {"ok": "ok      ", "warning": "WARNING ", "failed": "FAILED  ", "skipped": "skipped "}


def list_mappings(out: TextIO) -> None:
    """Print the shipped mappings, one a line: name, and the first line of what the file says about itself."""
    for name, path in shipped().items():
        first = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        print(f"{name:14} {first}", file=out)
    print(f"To be added to those systems (docs/peers.md): {', '.join(additions())}", file=out)


def print_mapping(name: str, out: TextIO) -> None:
    """Print one shipped mapping, or a file that is added to its system. Raises MappingError for a name there is not."""
    there = {**shipped(), **additions()}
    path = there.get(name)
    if path is None:
        raise MappingError(f"there is no mapping {name!r}; there are: {', '.join(there)}")
    out.write(path.read_text(encoding="utf-8"))


def check(
    files: Sequence[MappingFile], samples: CheckSamples, region: str, now: Callable[[], dt.datetime], out: TextIO
) -> int:
    """Print every finding; 0 when all is well, 1 with warnings only, 2 when something must be mended."""
    return asyncio.run(_check(files, samples, region, now, out))


async def _check(
    files: Sequence[MappingFile], samples: CheckSamples, region: str, now: Callable[[], dt.datetime], out: TextIO
) -> int:
    shop = open_http_shop([file.system for file in files], now=now, region=region)
    worst = 0
    try:
        async for finding in check_shop(files, shop, samples, now().date()):
            mark = _MARKS[finding.verdict]
            print(f"{mark}{finding.operation:25} {finding.system:12} {finding.asked}", file=out)
            print(f"        {finding.detail}", file=out)
            if finding.fix:
                print(f"        fix: {finding.fix}", file=out)
            worst = max(worst, {"failed": 2, "warning": 1}.get(finding.verdict, 0))
    finally:
        await shop.close()
    words = ("The mapped systems answer as they should.", "They answer; look at the warnings.", "Mend what failed.")
    print(words[worst], file=out)
    return worst
