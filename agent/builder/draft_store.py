"""Drafts kept in the console's file: opened, changed by several people at once, taken back, merged with the disk."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from agent.builder import draft_tables as tables
from agent.builder.base_files import BaseFiles
from agent.builder.draft import Draft, DraftConflict, DraftEntry, EntryKind, checked_open
from agent.builder.edit_requests import (
    Answer,
    EditRequest,
    EditRights,
    EveryRight,
    check_rights,
    checked_operations,
    conflict_answer,
)
from agent.builder.errors import DraftMissing, DraftNotOpen, EditConflict, EditRefused
from agent.builder.operations import operation_from
from agent.builder.patches import Patch, patch_between
from agent.builder.rebasing import apply_all, as_seen, conflicts_of, continued, forced_on, rebased, stands_now
from agent.common.sqlite import SqliteFile

T = TypeVar("T")
MOST_OPEN = 200
_EVERY_RIGHT = EveryRight()


class DraftStore:
    """The drafts of a console. Methods raise ``sqlite3.Error`` and ``OSError`` of the files, :class:`DraftMissing`."""

    def __init__(self, database: SqliteFile, directory: Path, clock: Callable[[], float] = time.time) -> None:
        """``directory`` holds the procedures; ``clock`` gives seconds since 1970."""
        self._database = database
        self._base = BaseFiles(directory, clock)
        self._clock = clock
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._kept: dict[str, tuple[Any, Draft]] = {}
        self._told: set[Callable[[Draft | None], None]] = set()

    # --- drafts -----------------------------------------------------------------------------------------------

    async def open(self, name: str, who: str, client: str = "") -> Draft:
        """Begin a draft of the files as they are. The same ``client`` gets the draft it has begun already.

        Raises :class:`EditRefused` where there are too many.
        """
        client = client or secrets.token_hex(16)
        base, files = await self._base.read()
        now = self._clock()
        draft = Draft(secrets.token_hex(8), name, "open", who, now, now, who, base, 0, _base_files=files)

        def job(db: sqlite3.Connection) -> str:
            if known := tables.id_of_client(db, client):
                return known
            if len(tables.all_drafts(db, "open")) >= MOST_OPEN:
                raise EditRefused(f"{MOST_OPEN} drafts are open: publish or discard some", "too_many")
            tables.add_draft(db, draft, client)
            return draft.id

        return self._tell(await self.get(await self._database.transaction(job)))

    async def list(self, state: str = "open") -> list[Draft]:
        """Return drafts without logs and files, the latest changed first; ``all`` is every state."""
        return await self._database.run(lambda: tables.all_drafts(self._database.open(), state))

    async def get(self, draft_id: str) -> Draft:
        """Return a draft; an open one on the files as they are on disk now. Raises :class:`DraftMissing`."""
        async with self._locks[draft_id]:
            return await self._current(draft_id)

    async def rename(self, draft_id: str, name: str, who: str) -> Draft:
        """Give a draft another name."""
        return await self._change(draft_id, lambda draft: replace(draft, name=name, changed_by=who))

    async def discard(self, draft_id: str, who: str) -> Draft:
        """Put a draft aside. It is kept and can be restored. Raises :class:`DraftNotOpen`."""
        return await self._change(
            draft_id, lambda draft: replace(checked_open(draft), state="discarded", changed_by=who)
        )

    async def restore(self, draft_id: str, who: str) -> Draft:
        """Take up a draft that was discarded. Raises :class:`DraftNotOpen` for one that was published."""

        def again(draft: Draft) -> Draft:
            if draft.state == "published":
                raise DraftNotOpen("This draft has been published: begin another one.")
            return replace(draft, state="open", changed_by=who)

        await self._change(draft_id, again)
        return await self.get(draft_id)

    async def published(self, draft_id: str, who: str, seq: int) -> Draft:
        """Note that a draft is in the files, as it was after an entry: it is not edited any more.

        Where it has been edited since, it stays open with what has been done since.
        """

        def job(db: sqlite3.Connection, draft: Draft) -> Draft:
            if not draft.conflicts and all(one.kind == "rebase" for one in draft.entries if one.seq > seq):
                done = replace(draft, state="published", changed_by=who, changed_at=self._clock())
                tables.update_draft(db, done)
                return done
            if not any(one.seq == seq for one in draft.entries):
                return draft  # the files have been changed since, and it stands on them by now
            rest = continued(draft, seq)
            tables.replace_log(db, rest)
            return rest

        return await self._changed(draft_id, job)

    async def catch_up(self, published: Container[str]) -> None:
        """Note which open drafts were published before the console was killed; for its start.

        ``published`` are the editions that were.
        """
        for told in await self.list("open"):
            draft = await self.get(told.id)
            if draft.in_files and draft.edition_in_files in published:
                await self.published(draft.id, draft.changed_by, draft.in_files)

    # --- what is done in them -----------------------------------------------------------------------------------

    async def apply(
        self, draft_id: str, who: str, asked: Sequence[EditRequest], seen: int, rights: EditRights = _EVERY_RIGHT
    ) -> tuple[Draft, Sequence[Answer]]:
        """Do what somebody asks for, one after the other, and return what came of each.

        ``seen`` is the entry up to which their browser knows the draft; what is asked for builds on one another. What
        was asked before gets its first answer again. Raises :class:`DraftNotOpen`.
        """
        async with self._locks[draft_id]:
            draft = checked_open(await self._current(draft_id))
            view = draft.files_at(seen) if seen < draft.seq else None
            answers: list[Answer] = []
            for one in asked:
                known = await self._answer(draft_id, one.id)
                if known is not None:
                    answers.append(known)
                    if view is not None and known["state"] == "applied" and known["seq"] > seen:
                        done = [operation_from(one) for one in one.operations]
                        view = await asyncio.to_thread(as_seen, view, done)
                    continue
                draft, answer, view = await self._apply_one(draft, who, one, view, rights)
                answers.append(answer)
        return self._tell(draft), answers

    async def _apply_one(
        self, draft: Draft, who: str, asked: EditRequest, view: dict[str, str] | None, rights: EditRights
    ) -> tuple[Draft, Answer, dict[str, str] | None]:
        try:
            operations = checked_operations(asked, rights)
            now = draft.files()
            done = await asyncio.to_thread(apply_all, now, operations, view, rights.refusal_of_result)
        except EditRefused as refused:
            return draft, {"id": asked.id, "state": "refused", "code": refused.kind, "message": refused.message}, view
        except EditConflict as conflict:
            told = DraftConflict(
                0, asked.id, self._clock(), who, asked.operations, conflict.message, conflict.mine, conflict.theirs
            )
            draft, answer = await self._keep_conflict(draft, told)
            return draft, answer, view
        patch = await asyncio.to_thread(patch_between, draft.seq + 1, now, done.files)
        draft, answer = await self._add(draft, asked.id, who, "edit", done.operations, patch)
        if view is not None:
            view = await asyncio.to_thread(as_seen, view, operations)
        return draft, answer, view

    async def undo(
        self, draft_id: str, who: str, entry_id: str, of: int | None = None, rights: EditRights = _EVERY_RIGHT
    ) -> tuple[Draft, Answer]:
        """Take back somebody's latest edit, or entry ``of``. What others have done since stays.

        The answer is ``nothing`` where there is nothing to take back, ``conflict`` where the same place was changed
        since. Raises :class:`DraftNotOpen`, :class:`EditNotAllowed` for an edit that they could not make.
        """
        return await self._take_back(draft_id, entry_id, "undo", lambda draft: draft.to_undo(who, of), who, rights)

    async def redo(
        self, draft_id: str, who: str, entry_id: str, rights: EditRights = _EVERY_RIGHT
    ) -> tuple[Draft, Answer]:
        """Do again what somebody took back last. Answers and raises like :meth:`undo`."""
        return await self._take_back(draft_id, entry_id, "redo", lambda draft: draft.to_redo(who), who, rights)

    async def _take_back(
        self,
        draft_id: str,
        entry_id: str,
        kind: Literal["undo", "redo"],
        choose: Callable[[Draft], DraftEntry | None],
        who: str,
        rights: EditRights,
    ) -> tuple[Draft, Answer]:
        async with self._locks[draft_id]:
            draft = checked_open(await self._current(draft_id))
            if (known := await self._answer(draft_id, entry_id)) is not None:
                return draft, known
            entry = choose(draft)
            if entry is None:
                return draft, {"id": entry_id, "state": "nothing", "message": f"There is nothing to {kind}."}
            check_rights(rights, draft.edit_of(entry).operations)
            try:
                patch = await asyncio.to_thread(draft.taking_back, entry)
            except EditConflict as conflict:
                return draft, {"id": entry_id, "state": "conflict", "of": entry.seq, "message": conflict.message}
            draft, answer = await self._add(draft, entry_id, who, kind, (), patch)
        return self._tell(draft), answer

    async def settle(
        self,
        draft_id: str,
        who: str,
        number: int,
        take: Literal["mine", "theirs"],
        rights: EditRights = _EVERY_RIGHT,
    ) -> tuple[Draft, Answer]:
        """Settle a conflict: what was wanted is done whatever stands there now (``mine``), or left (``theirs``).

        Raises :class:`DraftMissing` for a conflict that there is not, :class:`EditRefused` where ``mine`` cannot be,
        or where something else stands there by now than the conflict showed, :class:`EditNotAllowed` for one about
        what they may not change.
        """
        async with self._locks[draft_id]:
            draft = checked_open(await self._current(draft_id))
            conflict = next((one for one in draft.conflicts if one.number == number), None)
            if conflict is None:
                raise DraftMissing("There is no such conflict: it may be settled already.")
            check_rights(rights, conflict.operations)
            entry_id = f"conflict-{number}"
            answer: Answer = {"id": entry_id, "state": "settled", "seq": draft.seq}
            if take == "mine":
                now = draft.files()
                await self._check_theirs(draft, conflict, now)
                forced = [operation_from(forced_on(one, now)) for one in conflict.operations]
                try:
                    done = await asyncio.to_thread(apply_all, now, forced, None, rights.refusal_of_result)
                except EditConflict as again:
                    raise EditRefused(
                        f"{again.message}: put it in by hand, then take theirs", "no_such_place"
                    ) from again
                patch = await asyncio.to_thread(patch_between, draft.seq + 1, now, done.files)
                draft, answer = await self._add(draft, entry_id, who, "edit", done.operations, patch, settled=number)
            else:
                await self._database.transaction(lambda db: tables.settle_conflict(db, draft_id, number, take))
            draft = replace(draft, conflicts=tuple(one for one in draft.conflicts if one.number != number))
            self._remember(draft)
        return self._tell(draft), answer

    async def _check_theirs(self, draft: Draft, conflict: DraftConflict, now: Mapping[str, str]) -> None:
        """Raise :class:`EditRefused` where something else stands there than the conflict showed; it shows that then."""
        theirs = await asyncio.to_thread(stands_now, conflict.operations, now)
        if conflict.theirs is None or theirs is None or theirs == conflict.theirs:
            return
        await self._database.transaction(lambda db: tables.change_theirs(db, draft.id, conflict.number, theirs))
        changed = replace(conflict, theirs=theirs)
        self._remember(replace(draft, conflicts=tuple(changed if one is conflict else one for one in draft.conflicts)))
        raise EditRefused("it has been changed again since: look at both once more", "changed_again")

    # --- for those who follow -------------------------------------------------------------------------------------

    def follow(self, told: Callable[[Draft | None], None]) -> Callable[[], None]:
        """Have a function called with each draft that has changed; call what is returned to stop that.

        It is called with None when nothing more is told.
        """
        self._told.add(told)
        return lambda: self._told.discard(told)

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._told)

    def end_followers(self) -> None:
        """Tell all who follow that nothing more comes: the console stops."""
        for told in tuple(self._told):
            told(None)

    def _tell(self, draft: Draft) -> Draft:
        for told in tuple(self._told):
            told(draft)
        return draft

    # --- the file -------------------------------------------------------------------------------------------------

    async def _current(self, draft_id: str) -> Draft:
        """Return a draft as it is kept, moved onto the files on disk where those have changed. Holds its lock."""
        head = await self._database.run(lambda: tables.head_of(self._database.open(), draft_id))
        if head is None:
            self._locks.pop(draft_id, None)
            raise DraftMissing("There is no such draft.")
        kept = self._kept.get(draft_id)
        if kept is None or kept[0] != head:
            draft = await self._database.run(lambda: tables.one_draft(self._database.open(), draft_id))
            if draft is None:
                raise DraftMissing("There is no such draft.")
            self._remember(draft)
        else:
            draft = kept[1]
        return await self._on_disk(draft) if draft.state == "open" else draft

    async def _on_disk(self, draft: Draft) -> Draft:
        base, files = await self._base.read()
        if base == draft.edition_in_files:
            return draft
        made_by = await asyncio.to_thread(draft.entry_that_made, files)
        if made_by is not None:  # it is being published, or taken back again
            known = replace(draft, in_files=made_by)
            await self._database.transaction(lambda db: tables.update_draft(db, known))
            self._remember(known)
            return known
        moved, lost = await asyncio.to_thread(lambda: rebased(continued(draft, draft.in_files), files))
        now = self._clock()
        entry = DraftEntry(draft.seq + 1, f"rebase-{base}-{draft.seq}", now, "", "rebase", (), Patch(draft.seq + 1, {}))
        moved = replace(moved, seq=entry.seq, entries=(*moved.entries, entry))
        told = conflicts_of(lost, now)

        def job(db: sqlite3.Connection) -> tuple[DraftConflict, ...]:
            tables.replace_log(db, moved)
            return tuple(replace(one, number=tables.add_conflict(db, draft.id, one)) for one in told)

        added = await self._database.transaction(job)
        moved = replace(moved, conflicts=(*draft.conflicts, *added))
        self._remember(moved)
        return self._tell(moved)

    def _remember(self, draft: Draft) -> None:
        self._kept[draft.id] = ((draft.seq, draft.base, draft.state, len(draft.conflicts)), draft)
        while len(self._kept) > 16:
            del self._kept[next(iter(self._kept))]

    async def _change(self, draft_id: str, change: Callable[[Draft], Draft]) -> Draft:
        def job(db: sqlite3.Connection, draft: Draft) -> Draft:
            changed = replace(change(draft), changed_at=self._clock())
            tables.update_draft(db, changed)
            return changed

        return await self._changed(draft_id, job)

    async def _changed(self, draft_id: str, job: Callable[[sqlite3.Connection, Draft], Draft]) -> Draft:
        def found(db: sqlite3.Connection) -> Draft:
            draft = tables.one_draft(db, draft_id)
            if draft is None:
                self._locks.pop(draft_id, None)
                raise DraftMissing("There is no such draft.")
            return job(db, draft)

        async with self._locks[draft_id]:
            draft = await self._database.transaction(found)
            self._remember(draft)
        return self._tell(draft)

    async def _add(
        self,
        draft: Draft,
        entry_id: str,
        who: str,
        kind: EntryKind,
        operations: Sequence[Any],
        patch: Patch,
        settled: int = 0,
    ) -> tuple[Draft, Answer]:
        entry = DraftEntry(draft.seq + 1, entry_id, self._clock(), who, kind, tuple(operations), patch)
        after = draft.with_entry(entry)
        answer: Answer = {"id": entry_id, "state": "applied", "seq": entry.seq}
        if patch.of is not None:
            answer["of"] = patch.of

        def job(db: sqlite3.Connection) -> None:
            tables.add_entry(db, after, entry)
            tables.keep_answer(db, draft.id, entry_id, answer)
            if settled:
                tables.settle_conflict(db, draft.id, settled, "mine")

        await self._database.transaction(job)
        self._remember(after)
        return after, answer

    async def _keep_conflict(self, draft: Draft, conflict: DraftConflict) -> tuple[Draft, Answer]:
        def job(db: sqlite3.Connection) -> DraftConflict:
            kept = replace(conflict, number=tables.add_conflict(db, draft.id, conflict))
            tables.keep_answer(db, draft.id, conflict.id, conflict_answer(kept))
            return kept

        kept = await self._database.transaction(job)
        after = replace(draft, conflicts=(*draft.conflicts, kept))
        self._remember(after)
        return after, conflict_answer(kept)

    async def _answer(self, draft_id: str, entry_id: str) -> Answer | None:
        return await self._database.run(lambda: tables.answer_of(self._database.open(), draft_id, entry_id))
