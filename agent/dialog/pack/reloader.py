"""Reloads the flow pack when its files change; the last edition that works stays in force."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.common.gc_pause import gc_paused
from agent.dialog.errors import FlowError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.understanding.source import ScoreSource
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
"""How often the files are looked at. An edit is taken up when two looks in a row saw the same: not half-written."""
_MAX_TOLD = 20

FilesSignature = tuple[tuple[str, int, int, int], ...]
"""Name, time of change, size and inode of every file."""


class FlowPackReloader:
    """The edition of the flow pack that new calls get. A call keeps the edition it began with.

    ``prepare`` makes an edition ready to be used (grammars, prompts as audio) before any call gets it; what it raises
    as :class:`OrderlineError` refuses the edition.
    """

    def __init__(
        self,
        directory: Path,
        filters: Collection[str],
        prepare: Callable[[FlowPack], Awaitable[None]],
        wall: Callable[[], datetime],
        number_formats: Mapping[str, str] | None = None,
        scores: ScoreSource | None = None,
    ) -> None:
        """``scores`` fit the score of open requests; they may take seconds, beside the calls."""
        self._scores = scores
        self._number_formats = number_formats
        self._directory = directory
        self._filters = filters
        self._prepare = prepare
        self._wall = wall
        self._current: FlowPack | None = None
        self._since = ""
        self._loaded_signature: FilesSignature = ()
        """The files as they were when they were last loaded, whether or not they could be used."""
        self._seen: FilesSignature = ()
        self._refused: tuple[str, ...] = ()
        self._refused_at = ""

    @property
    def current(self) -> FlowPack:
        """The edition in force."""
        if self._current is None:
            raise RuntimeError("the procedures have not been loaded")
        return self._current

    async def load(self) -> None:
        """Load the first edition. Raises :class:`FlowError` with every mistake, and what ``prepare`` raises."""
        self._loaded_signature = self._seen = await asyncio.to_thread(self._signature)
        await self._activate(await asyncio.to_thread(self._load))

    async def look(self) -> bool:
        """Look at the files once; True when a new edition is in force.

        Files that differ from the last look are left alone until the next one. An edition with mistakes, or one that
        cannot be prepared, changes nothing; the log and :meth:`status` say why.
        """
        signature = await asyncio.to_thread(self._signature)
        settled = signature == self._seen
        self._seen = signature
        if not settled or signature == self._loaded_signature:
            return False
        self._loaded_signature = signature
        try:
            pack = await self._load_unless_changed(signature)
            if pack is None:
                return False
            if pack.fingerprint == self.current.fingerprint:
                if self._refused:
                    log.info("The procedures are as before the refused edit again")
                self._refused = ()
                return False
            await self._activate(pack)
        except FlowError as error:
            self._refuse([str(finding) for finding in error.findings])
        except OrderlineError as error:
            self._refuse([error.message])
        else:
            return True
        return False

    async def watch(self) -> None:
        """Take up edits until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.look()
            except OSError as error:
                self._refuse([f"{self._directory}: cannot be looked at: {error.strerror or error}"])

    def status(self) -> Mapping[str, Any]:
        """Return which edition is in force since when, its warnings, and why the last edit was refused, if it was."""
        pack = self._current
        return {
            "directory": str(self._directory),
            "edition": pack.fingerprint if pack else "",
            "understanding": pack.score.fingerprint if pack and pack.score else "",
            "since": self._since,
            "warnings": [str(warning) for warning in pack.warnings] if pack else [],
            "refused": list(self._refused),
            "refused_at": self._refused_at if self._refused else "",
        }

    async def _activate(self, pack: FlowPack) -> None:
        for warning in pack.warnings:
            log.warning("%s", warning)
        await self._prepare(pack)
        first = self._current is None
        self._current, self._since, self._refused = pack, self._now(), ()
        log.info("Procedures: edition %s is in force%s", pack.fingerprint, "" if first else " from the next call on")

    async def _load_unless_changed(self, signature: FilesSignature) -> FlowPack | None:
        """Load the files; None when they have changed meanwhile: what was read may be some files of each edition."""
        try:
            pack = await asyncio.to_thread(self._load)
        except FlowError:
            if await asyncio.to_thread(self._signature) == signature:
                raise
        else:
            if await asyncio.to_thread(self._signature) == signature:
                return pack
        self._loaded_signature = ()
        return None

    def _load(self) -> FlowPack:
        with gc_paused():
            pack = FlowPack.load(self._directory, self._filters, self._number_formats)
        return pack if self._scores is None else pack.with_score(self._scores)

    def _refuse(self, reasons: list[str]) -> None:
        more = len(reasons) - _MAX_TOLD
        told = (*reasons[:_MAX_TOLD], *([f"and {more} more"] if more > 0 else []))
        if told == self._refused:
            return
        self._refused, self._refused_at = told, self._now()
        edition = self._current.fingerprint if self._current else "none"
        log.error("The edited procedures are refused, edition %s stays in force: %s", edition, "; ".join(told))

    def _now(self) -> str:
        return self._wall().isoformat(timespec="seconds")

    def _signature(self) -> FilesSignature:
        found: list[tuple[str, int, int, int]] = []
        for path in sorted(self._directory.rglob("*.yaml")):
            with contextlib.suppress(OSError):  # gone since it was listed: an editor is at work
                stat = path.stat()
                found.append((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(found)
