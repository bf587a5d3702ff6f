"""Runs one operation of a system: its requests in order, then its answer as a checked response model."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait
from agent.shop.http.fields import FieldError, FieldReader, is_true, keys_of, search
from agent.shop.http.idempotency_cache import IdempotencyCache
from agent.shop.http.mapping import FieldSpec, FindFirst, Operation, Step, SystemMapping
from agent.shop.http.noun_reader import NounReader
from agent.shop.http.odd_variants import VariantsTried
from agent.shop.http.operations import OPERATIONS
from agent.shop.http.requester import MIN_ATTEMPT_SECONDS, CutOffList, Requester
from agent.shop.http.response_models import ResponseModel
from agent.shop.http.transport import CircuitOpen, Deadline, RequestNotSent

log = logging.getLogger(__name__)

MAX_CONCURRENT_REQUESTS = 5
"""Requests of one ``for_each`` that are under way together."""
GRACE_SECONDS = 0.05
"""The requests' own deadline says more about what was late, so it comes first."""
MAX_FOUND = 10
"""Orders of one phone that ``find_each`` looks up."""
Keep = Callable[[Any], bool]
T = TypeVar("T")


@dataclass(frozen=True)
class FoundNouns:
    """What an operation's list holds, as far as it could be seen and read."""

    nouns: Sequence[Any]
    cut_off: bool = False
    """True when the system has more than it was asked for."""
    unreadable: int = 0
    """Entries that were left out: a field that the noun cannot be without did not fit."""

    @property
    def complete(self) -> bool:
        """True when nothing is missing."""
        return not self.cut_off and not self.unreadable


@dataclass(frozen=True)
class ResponseDocument:
    """An answer and what its fields are read with."""

    document: Any
    fields: Mapping[str, FieldSpec]


class OperationRunner:
    """The operations of one system."""

    def __init__(
        self,
        system: SystemMapping,
        requester: Requester,
        reader: FieldReader,
        zone: dt.tzinfo,
        clock: Callable[[], float],
        now: Callable[[], dt.datetime],
        repeats: IdempotencyCache,
    ) -> None:
        self._system = system
        self._requester = requester
        self._reader = reader
        self._clock = clock
        self._now = now
        self._repeats = repeats
        self.last_error = ""
        """``operation: code`` of the last failure that was not an answer of the system; empty when all is well."""
        self.nouns = NounReader(system.system, reader, zone)

    def deadline(self, name: str) -> Deadline:
        """Return the moment by which an operation that starts now must have ended."""
        seconds = self._system.operations[name].timeout_seconds or self._system.timeout_seconds
        return Deadline(seconds, self._clock)

    async def one(self, name: str, arguments: Mapping[str, Any], deadline: Deadline | None = None) -> Any:
        """Return the noun of an operation that answers with one. Raises ServiceError."""
        until = deadline or self.deadline(name)
        return await self._guarded(name, until, lambda: self._single(name, arguments, until))

    async def many(
        self,
        name: str,
        arguments: Mapping[str, Any],
        deadline: Deadline | None = None,
        keep: tuple[str, Keep] | None = None,
    ) -> FoundNouns:
        """Return the nouns of an operation's list; ``keep`` is a field and what its value must be like.

        Whatever is not kept is not looked at any further, and one that cannot be read does not hide the others.
        Raises ServiceError, also when there are some and none of them can be read.
        """
        until = deadline or self.deadline(name)
        found: FoundNouns = await self._guarded(name, until, lambda: self._list(name, arguments, until, keep))
        return found

    async def change(self, name: str, arguments: Mapping[str, Any], key: str) -> Any:
        """Make a change once, however often it is asked for with this key. Raises ServiceError."""
        idempotency = self._system.operations[name].idempotency
        noun, filled = OPERATIONS[name].noun, {**arguments, "key": key}
        repeatable = idempotency is not None
        return await self._repeats.once(name, key, noun, lambda: self.one(name, filled), repeatable=repeatable)

    async def made_before(self, name: str, key: str) -> Any:
        """Return what a change has made with this key before; None for nothing."""
        return await self._repeats.known(name, key, OPERATIONS[name].noun)

    def trouble(self, name: str, message: str) -> None:
        """Log and remember an answer that must not be used."""
        self.last_error = f"{name}: unavailable"
        log.warning("%s: %s: %s", self._system.system, name, message)

    async def _guarded(self, name: str, deadline: Deadline, run: Callable[[], Awaitable[Any]]) -> Any:
        """Log and remember what goes wrong; a broken answer becomes a ServiceError."""
        try:
            async with asyncio.timeout(deadline.remaining_seconds + GRACE_SECONDS):
                result = await run()
        except TimeoutError:
            self.last_error = f"{name}: timed_out"
            raise ServiceError("timed_out", f"{self._system.system}: {name}: no answer in time") from None
        except FieldError as trouble:
            # a change with a good status has probably been made: nobody may say that it was not
            code = "timed_out" if OPERATIONS[name].changes else "unavailable"
            self.last_error = f"{name}: {code}"
            message = f"{self._system.system}: {name}: field {trouble}"
            log.warning("%s", message)
            raise ServiceError(code, message) from None
        except ServiceError as error:
            if error.code in ("unavailable", "timed_out", "bad_request"):
                self.last_error = f"{name}: {error.code}"
                level = logging.INFO if isinstance(error, CircuitOpen) else logging.WARNING
                log.log(level, "%s: %s: %s", name, error.code, error.message)
            raise
        self.last_error = ""
        return result

    async def _single(self, name: str, arguments: Mapping[str, Any], deadline: Deadline) -> ResponseModel:
        found = await self._documents(name, arguments, deadline)
        context = self.context(arguments)
        try:
            return self.nouns.noun(name, found.fields, found.document, context)
        except FieldError:
            made = await self._find_unconfirmed_change(name, context, deadline)
            if made is None:
                raise
            return self.nouns.noun(name, made.fields, made.document, context)

    async def _find_unconfirmed_change(
        self, name: str, context: Mapping[str, Any], deadline: Deadline
    ) -> ResponseDocument | None:
        """Look for a change whose confirmation cannot be understood; None when there is no way to, or nothing there."""
        operation = self._system.operations[name]
        first = operation.idempotency.find_first if operation.idempotency else None
        if first is None or deadline.remaining_seconds < MIN_ATTEMPT_SECONDS:
            return None
        try:
            return await self._look(operation, first, context, deadline)
        except ServiceError:
            return None

    async def _list(
        self, name: str, arguments: Mapping[str, Any], deadline: Deadline, keep: tuple[str, Keep] | None
    ) -> FoundNouns:
        operation = self._system.operations[name]
        context = self.context(arguments)

        def is_kept(item: Any) -> bool:
            if keep is None:
                return True
            field, fits = keep
            try:
                return fits(self._reader.read(operation.fields[field], item, {**context, "item": item}, field))
            except FieldError:
                return False

        # an order that is looked for by its number is there once: no page behind it is needed
        enough = (lambda items: any(map(is_kept, items))) if name == "orders.find" and keep is not None else None
        found = await self._documents(name, arguments, deadline, enough)
        path = operation.items or operation.find_each or "@"
        items = search(path, found.document)
        if not isinstance(items, list):
            raise FieldError("list", f"{path!r} gives no list; {keys_of(found.document)}")
        cut_off = isinstance(found.document, CutOffList) or (
            operation.more is not None and is_true(operation.more, found.document)
        )
        if operation.find_each is not None:
            return await self._find_each(items, deadline, cut_off=cut_off)
        nouns: list[ResponseModel] = []
        broken: list[FieldError] = []
        for item in (item for item in items if item is not None and is_kept(item)):
            try:
                nouns.append(self.nouns.noun(name, found.fields, item, {**context, "item": item}))
            except FieldError as trouble:
                broken.append(trouble)
        self._told_of_unreadable(name, nouns, broken)
        return FoundNouns(nouns, cut_off, len(broken))

    def _told_of_unreadable(self, name: str, nouns: Sequence[Any], broken: Sequence[FieldError]) -> None:
        """Log what was left out of a list; raises the first of it when nothing else is there."""
        if broken and not nouns:
            raise broken[0]
        for trouble in broken:
            log.warning("%s: %s: one of the list is left out: field %s", self._system.system, name, trouble)

    async def try_odd_variants(
        self, name: str, arguments: Mapping[str, Any], keep: tuple[str, Keep] | None = None
    ) -> VariantsTried:
        """Ask for a sample and read odd variants of it. Raises ServiceError where there is no sample to be had."""
        until = self.deadline(name)
        found: VariantsTried = await self._guarded(name, until, lambda: self._odd(name, arguments, until, keep))
        return found

    async def _odd(
        self, name: str, arguments: Mapping[str, Any], deadline: Deadline, keep: tuple[str, Keep] | None
    ) -> VariantsTried:
        operation = self._system.operations[name]
        document = (await self._documents(name, arguments, deadline)).document
        context = self.context(arguments)
        if operation.items is not None:
            items = search(operation.items, document)
            kept = [item for item in items if item is not None] if isinstance(items, list) else []
            if keep is not None:
                field, fits = keep
                kept = [item for item in kept if fits(self._reader.read(operation.fields[field], item, context, field))]
            if not kept:
                return VariantsTried(0)
            document = kept[0]
        return self.nouns.try_odd_variants(name, operation.fields, document, context)

    async def _find_each(self, numbers: Sequence[Any], deadline: Deadline, *, cut_off: bool) -> FoundNouns:
        wanted = [str(number) for number in numbers if isinstance(number, str | int) and not isinstance(number, bool)]

        async def find(number: str) -> ResponseModel | FieldError | None:
            try:
                return await self._single("orders.find", {"number": number}, deadline)
            except FieldError as trouble:
                return trouble
            except ServiceError as error:
                if error.code != "not_found":
                    raise
                return None

        found = await _gathered(find, wanted[:MAX_FOUND])
        broken = [one for one in found if isinstance(one, FieldError)]
        nouns = [one for one in found if isinstance(one, ResponseModel)]
        self._told_of_unreadable("orders.find", nouns, broken)
        return FoundNouns(nouns, cut_off or len(wanted) > MAX_FOUND, len(broken))

    def context(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what templates may use."""
        now = self._now().astimezone(dt.UTC).isoformat(timespec="seconds")
        return {**arguments, "settings": self._system.settings, "now": now}

    async def _documents(
        self,
        name: str,
        arguments: Mapping[str, Any],
        deadline: Deadline,
        enough: Callable[[list[Any]], bool] | None = None,
    ) -> ResponseDocument:
        """Ask for everything the operation needs; no further pages once what is there is ``enough``."""
        operation = self._system.operations[name]
        context = self.context(arguments)
        first = operation.idempotency.find_first if operation.idempotency else None
        if first is not None and (made := await self._look(operation, first, context, deadline)) is not None:
            return made
        try:
            answer = await self._asked(name, operation, context, deadline, enough)
            found = ResponseDocument(answer, operation.fields)
        except ServiceError as error:
            lost = error.code in ("timed_out", "unavailable") and not isinstance(error, RequestNotSent)
            if first is None or not lost or deadline.remaining_seconds < MIN_ATTEMPT_SECONDS:
                raise
            # what was asked for may have been made all the same: then it is there now
            made = await self._look(operation, first, context, deadline)
            if made is None:
                raise
            return made
        if operation.idempotency is not None and operation.idempotency.look_after:
            await self._confirm_by_lookup(name, context, deadline)
        return found

    async def _confirm_by_lookup(self, name: str, context: Mapping[str, Any], deadline: Deadline) -> None:
        """Raise ``timed_out`` (nobody knows) unless what was just confirmed is there to be found."""
        if await self._find_unconfirmed_change(name, context, deadline) is None:
            message = f"{self._system.system}: {name}: confirmed, but not to be found (look_after)"
            raise ServiceError("timed_out", message)

    async def _look(
        self, operation: Operation, first: FindFirst, context: Mapping[str, Any], deadline: Deadline
    ) -> ResponseDocument | None:
        try:
            answer = await self._requester.ask(first, context, None, deadline)
        except ServiceError as error:
            if error.code == "not_found":
                return None
            raise
        document = search(first.found, answer)
        if document in (None, False, "", [], {}):
            return None
        return ResponseDocument(document, operation.fields if first.fields is None else first.fields)

    async def _asked(
        self,
        name: str,
        operation: Operation,
        context: Mapping[str, Any],
        deadline: Deadline,
        enough: Callable[[list[Any]], bool] | None,
    ) -> Any:
        kind, idempotency = OPERATIONS[name], operation.idempotency
        options: dict[str, Any] = {"changes": kind.changes}
        if idempotency is not None:
            options["repeatable"] = bool(idempotency.header or idempotency.declared)
            if idempotency.header:
                options["headers"] = {idempotency.header: self._requester.header("{{ key }}", context)}
        if not operation.steps:
            return await self._requester.ask(operation, context, None, deadline, enough=enough, **options)
        document: dict[str, Any] = {}
        for step in operation.steps:
            document[step.name] = await self._step(step, {**context, **document}, document, deadline, options)
        return document

    async def _step(
        self,
        step: Step,
        context: Mapping[str, Any],
        document: Mapping[str, Any],
        deadline: Deadline,
        options: Mapping[str, Any],
    ) -> Any:
        if step.for_each is None:
            return await self._requester.ask(step, context, document, deadline, **options)
        items = search(step.for_each, document)
        if items is None:
            return []
        if not isinstance(items, list):
            raise FieldError(step.name, f"for_each {step.for_each!r} gives no list")

        async def ask(item: Any) -> dict[str, Any]:
            inner = {**context, "item": item}
            answer = await self._requester.ask(step, inner, {**document, "item": item}, deadline, **options)
            return {"item": item, "answer": answer}

        return list(await _gathered(ask, items[: step.max_items]))


async def _gathered(work: Callable[[Any], Awaitable[T]], items: Sequence[Any]) -> Sequence[T]:
    """Do the work for every item, a few at a time; the first failure ends the others."""
    gate = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

    async def run(item: Any) -> T:
        async with gate:
            return await work(item)

    tasks = [asyncio.ensure_future(run(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await cancel_and_wait(*tasks)
