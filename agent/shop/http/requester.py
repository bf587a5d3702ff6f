"""Makes a mapping's request, repeats it where that is safe, and judges the answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from agent.common.service_error import ServiceError
from agent.shop.http import sources
from agent.shop.http.auth import Authenticator, Credentials
from agent.shop.http.fields import FieldError, FieldReader, is_true, keys_of, search
from agent.shop.http.mapping import FailsWhen, FailureSpec, Operation, Pagination, Request, SystemMapping
from agent.shop.http.response import HttpResponse, UnreadableResponse, parse_json, parse_text
from agent.shop.http.templates import RequestTemplates
from agent.shop.http.transport import (
    CircuitOpen,
    ConnectionBroken,
    Deadline,
    OutgoingRequest,
    RequestNotSent,
    Transport,
    join,
    same_origin,
)
from agent.shop.refusal import Refusal

REPEAT_PAUSE_SECONDS = 0.1
MIN_ATTEMPT_SECONDS = 0.2
"""With less time left nothing is tried again."""
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_OURS = (400, 405, 406, 409, 411, 413, 414, 415, 422)
"""The system does not understand what we ask: a mistake in the mapping."""
_UNKNOWN = (500, 502, 504)
"""A change that is answered so may have happened all the same."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


class CutOffList(list[Any]):
    """The joined items of the pages that were asked for; the system has more."""


class Requester:
    """Requests of one system."""

    def __init__(
        self,
        system: SystemMapping,
        transport: Transport,
        auth: Authenticator,
        templates: RequestTemplates,
        reader: FieldReader,
    ) -> None:
        self._system = system
        self._transport = transport
        self._auth = auth
        self._templates = templates
        self._reader = reader

    async def ask(
        self,
        request: Request,
        context: Mapping[str, Any],
        document: Any,
        deadline: Deadline,
        *,
        changes: bool = False,
        repeatable: bool = False,
        headers: Mapping[str, str] | None = None,
        enough: Callable[[list[Any]], bool] | None = None,
    ) -> Any:
        """Return what the answer holds: parsed JSON, a joined list when there are pages, a mapping of a text.

        ``document`` is what ``follow`` looks into. ``repeatable`` says that a change may be asked for twice. No further
        page is asked for once its items are ``enough``; a list that has more is a :class:`CutOffList`.
        Raises ServiceError.
        """
        # a GET among steps looks something up; where it is all there is, it is the change itself (sendsms)
        changes = changes and (request.method != "GET" or isinstance(request, Operation))
        url = self.url(request, context, document)
        sent = OutgoingRequest(
            method=request.method,
            url=url,
            headers=self._headers(request, context, headers or {}),
            body=self._body(request, context),
            what=describe(request),
            changes=changes,
        )
        if request.pages is not None:
            return await self._pages(request, request.pages, sent, context, deadline, enough)
        answer = await self._answer(sent, deadline, repeatable=repeatable or not changes)
        return self._judge(request, sent, answer, context)

    def header(self, template: str, context: Mapping[str, Any]) -> str:
        """Return the value of a header. Raises ServiceError ``bad_request``."""
        return self._templates.header(template, context)

    def fill(self, request: Request, context: Mapping[str, Any]) -> None:
        """Fill everything of a request in without sending it. Raises ServiceError ``bad_request``."""
        if request.follow is None:
            self.url(request, context, None)
        self._headers(request, context, {})
        self._body(request, context)

    def url(self, request: Request, context: Mapping[str, Any], document: Any) -> str:
        """Return the absolute address of a request. Raises ServiceError."""
        base = self._system.base_url.rstrip("/")
        if request.follow is not None:
            found = search(request.follow, document)
            if not isinstance(found, str) or not found:
                message = f"{self._name}: follow {request.follow!r} gives no address; {keys_of(document)}"
                raise ServiceError("unavailable", message)
            url = join(base + "/", found)
            if not same_origin(base, url):
                raise ServiceError("unavailable", f"{self._name}: follow {request.follow!r} leads to another host")
        else:
            url = base + self._templates.path(request.path, context)
        return with_query(url, {name: self._templates.text(text, context) for name, text in request.query.items()})

    @property
    def _name(self) -> str:
        return self._system.system

    def _headers(self, request: Request, context: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, str]:
        found = {"Accept": "*/*" if request.response == "text" else "application/json"}
        if request.json_body is not None:
            found["Content-Type"] = "application/json"
        elif request.form is not None:
            found["Content-Type"] = "application/x-www-form-urlencoded"
        for name, template in {**self._system.headers, **request.headers}.items():
            for known in [known for known in found if known.lower() == name.lower()]:
                del found[known]
            found[name] = self._templates.header(template, context)
        return {**found, **more}

    def _body(self, request: Request, context: Mapping[str, Any]) -> bytes | None:
        if request.json_body is not None:
            return json.dumps(self._templates.data(request.json_body, context)).encode()
        if request.form is not None:
            form = {name: self._templates.text(text, context) for name, text in request.form.items()}
            return urlencode(form).encode()
        return None

    async def _answer(self, sent: OutgoingRequest, deadline: Deadline, *, repeatable: bool) -> HttpResponse:
        """Send, and once more where that is safe and there is time."""
        credentials = await self._auth.credentials(deadline)
        try:
            answer = await self._send(sent, credentials, deadline)
        except CircuitOpen:
            raise
        except (RequestNotSent, ConnectionBroken) as error:
            if not (repeatable or isinstance(error, RequestNotSent)) or not await self._pause(
                deadline, REPEAT_PAUSE_SECONDS
            ):
                raise
            return await self._send(sent, credentials, deadline)
        if answer.status == 401 and self._auth.renewable:
            fresh = await self._auth.credentials(deadline, refused=credentials)
            return await self._send(sent, fresh, deadline)
        if answer.status == 429 and await self._pause(deadline, _retry_after(answer)):
            return await self._send(sent, credentials, deadline)
        if answer.status in (502, 503, 504) and repeatable and await self._pause(deadline, REPEAT_PAUSE_SECONDS):
            return await self._send(sent, credentials, deadline)
        return answer

    async def _send(self, sent: OutgoingRequest, credentials: Credentials, deadline: Deadline) -> HttpResponse:
        whole = OutgoingRequest(
            sent.method,
            with_query(sent.url, credentials.query),
            {**sent.headers, **credentials.headers},
            sent.body,
            sent.what,
            sent.changes,
        )
        return await self._transport.send(whole, deadline)

    @staticmethod
    async def _pause(deadline: Deadline, seconds: float) -> bool:
        """Wait when there is time enough for that and another try; returns whether there was."""
        if deadline.remaining_seconds < seconds + MIN_ATTEMPT_SECONDS:
            return False
        await asyncio.sleep(seconds)
        return True

    async def _pages(
        self,
        request: Request,
        pages: Pagination,
        sent: OutgoingRequest,
        context: Mapping[str, Any],
        deadline: Deadline,
        enough: Callable[[list[Any]], bool] | None,
    ) -> list[Any]:
        found: list[Any] = []
        previous: list[Any] = []
        url, first, seen = sent.url, sent.url, set[str]()
        for number in range(1, pages.max_pages + 1):
            seen.add(url)
            one = OutgoingRequest(sent.method, url, sent.headers, sent.body, sent.what, changes=False)
            try:
                answer = await self._answer(one, deadline, repeatable=True)
            except ServiceError:
                if not found:
                    raise
                # what came before is good: it is what can be said, and that it is not all
                return CutOffList(found)
            body = self._judge(request, one, answer, context)
            items = search(pages.items, body)
            if not isinstance(items, list):
                message = f"{sent.what}: pages.items {pages.items!r} gives no list; {keys_of(body)}"
                raise ServiceError("unavailable", f"{self._name}: {message}")
            # a list that grows while it is read has entries on two pages
            found, previous = found + [item for item in items if item not in previous], items
            url = self._next(pages, first, answer, body, number, len(items)) if items else ""
            # a system that leads in a circle is not followed round and round
            if not url or url in seen:
                return found if len(found) <= pages.max_items else CutOffList(found[: pages.max_items])
            if len(found) >= pages.max_items or (enough is not None and enough(items)):
                break
        return CutOffList(found[: pages.max_items])

    def _next(self, pages: Pagination, first: str, answer: HttpResponse, body: Any, number: int, count: int) -> str:
        if pages.more is not None and not is_true(pages.more, body):
            return ""
        if pages.link_header and (link := _NEXT.search(answer.headers.get("link", ""))):
            return self._same_host(first, link[1])
        if pages.page is not None:
            full = pages.page_size is None or count >= pages.page_size
            return with_query(first, {pages.page: str(number + 1)}) if full else ""
        if pages.cursor is not None:
            cursor = search(pages.cursor_path or "", body)
            return with_query(first, {pages.cursor: cursor}) if isinstance(cursor, str) and cursor else ""
        address: Any = search(pages.next, body) if pages.next is not None else ""
        return self._same_host(first, address) if isinstance(address, str) and address else ""

    def _same_host(self, first: str, address: str) -> str:
        url = join(first, address)
        if not same_origin(first, url):
            raise ServiceError("unavailable", f"{self._name}: the next page is on another host; not followed")
        return url

    def _judge(self, request: Request, sent: OutgoingRequest, answer: HttpResponse, context: Mapping[str, Any]) -> Any:
        """Return the answer's data, or raise what its status or content means."""
        declared = request.status.get(answer.status)
        good = 200 <= answer.status < 300 or (declared is not None and declared.code == "ok")
        if not good or (declared is not None and declared.code != "ok"):
            self._fail(declared or self._usual(sent, answer), sent, answer, context)
        try:
            data = _parse(request, answer)
        except UnreadableResponse as error:
            # a change with a good status has probably been made: nobody may say that it was not
            code = "timed_out" if sent.changes else "unavailable"
            raise ServiceError(code, f"{self._name}: {sent.what}: the answer {error}") from None
        if request.not_found_when is not None and is_true(request.not_found_when, data):
            raise ServiceError("not_found", f"{self._name}: {sent.what}: there is no such thing")
        for fails in request.fails_when:
            if is_true(fails.when, data) and fails.code != "ok":
                raise self._failure(fails, f"{sent.what}: {fails.when!r} is true", data, context)
        return data

    def _fail(
        self,
        failure: FailureSpec | ServiceError,
        sent: OutgoingRequest,
        answer: HttpResponse,
        context: Mapping[str, Any],
    ) -> None:
        if isinstance(failure, ServiceError):
            raise failure
        try:
            data = parse_json(answer)
        except UnreadableResponse:
            data = None
        raise self._failure(failure, f"{sent.what}: answers {answer.status}", data, context)

    def _failure(
        self, failure: FailureSpec | FailsWhen, message: str, data: Any, context: Mapping[str, Any]
    ) -> ServiceError:
        if failure.code != "not_allowed":
            return ServiceError(failure.code, f"{self._name}: {message}")
        reason = ""
        if failure.reason is not None:
            try:
                found = self._reader.read(failure.reason, data, context, "reason")
                reason = found if isinstance(found, str) else ""
            except (FieldError, ServiceError):
                reason = ""
        # a reason is a word flows branch on; a sentence of theirs is none and may hold private data
        word = re.sub(r"[-.]", "_", reason.lower()) if _WORD.fullmatch(reason) else "refused"
        return Refusal(word, f"{self._name}: {message}")

    def _usual(self, sent: OutgoingRequest, answer: HttpResponse) -> ServiceError:
        status, where = answer.status, f"{self._name}: {sent.what}: answers {answer.status}"
        if status in (401, 403):
            secrets = [source for source in sources.sources_of(self._system.auth) if source.env or source.file]
            places = " and ".join(sources.where(source) for source in secrets)
            return ServiceError("unavailable", f"{where}: it does not accept us; see {places or 'auth'}")
        if status in (404, 410):
            return ServiceError("unavailable", f"{where}; if that means not found: status: {{{status}: not_found}}")
        if status == 429:
            return ServiceError("unavailable", f"{where}: too many requests", retryable=True)
        if status in (408, 504) or (sent.changes and status in _UNKNOWN):
            return ServiceError("timed_out", where)
        return ServiceError("bad_request" if status in _OURS else "unavailable", where)


def describe(request: Request) -> str:
    """Name a request by its method and template, for logs and messages: no values."""
    return f"{request.method} {request.path}" if request.follow is None else f"GET (follow {request.follow})"


def with_query(url: str, query: Mapping[str, str]) -> str:
    """Set query values of an address; what is empty is left out."""
    given = {name: value for name, value in query.items() if value != ""}
    if not given:
        return url
    address, _, old = url.partition("?")
    names = {quote_plus(name) for name in given}
    kept = [part for part in old.split("&") if part and part.split("=")[0] not in names]
    return f"{address}?{'&'.join([*kept, urlencode(given)])}"


def _parse(request: Request, answer: HttpResponse) -> Any:
    if request.response == "none":
        return {"status": answer.status, "location": answer.headers.get("location")}
    if request.response == "text":
        return parse_text(answer, request.pattern)
    return parse_json(answer)


def _retry_after(answer: HttpResponse) -> float:
    """Seconds to wait; a date, or anything else, is longer than any call."""
    value = answer.headers.get("retry-after", "1").strip()
    return float(value) if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) else float("inf")
