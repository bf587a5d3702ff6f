"""Models of a mapping file: one business system, how to reach it, and the requests of each operation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from agent.shop.http.access import Auth, MappingPart, Tls, short

FailureCode = Literal["ok", "not_found", "not_allowed", "unavailable", "timed_out", "bad_request"]
METHODS = ("get", "post", "put", "patch", "delete")


class BreakerOptions(MappingPart):
    """When a system that fails is left alone for a while."""

    failures: int = Field(default=5, ge=1, le=100)
    """In a row."""
    pause_seconds: float = Field(default=15, ge=0.1, le=600)


class FieldSpec(MappingPart):
    """How one field of the answer is read."""

    path: str | None = None
    """JMESPath."""
    value: str | None = None
    """A template instead of a path."""
    match: str | None = None
    """Regular expression; its first group, or all of it, is the value."""
    words: dict[str, str] | None = Field(default=None, alias="map")
    """Their words -> ours; without regard to case."""
    default: str | None = None
    """When the path gives nothing, or a word that ``map`` does not have."""
    format: str | None = None
    """Of a date: ``%d.%m.%Y`` and the like, ``unix`` or ``unix_ms``."""
    timezone: str | None = None
    """IANA zone of times without an offset."""
    divide: int | None = Field(default=None, ge=1)
    """``100`` for amounts in cents."""
    items: str | None = Field(default=None, alias="list")
    """JMESPath to a list; ``fields`` are read from each."""
    fields: dict[str, FieldRead] | None = None

    @model_validator(mode="after")
    def _one(self) -> FieldSpec:
        if (self.items is None) != (self.fields is None):
            raise ValueError("list and fields belong together")
        if sum(part is not None for part in (self.path, self.value, self.items)) > 1:
            raise ValueError("give one of path, value and list")
        if self.path is None and self.value is None and self.items is None and self.default is None:
            raise ValueError("give path, value or list")
        return self


FieldRead = Annotated[FieldSpec, short("path")]
FieldSpec.model_rebuild()


class FailureSpec(MappingPart):
    """A failure of the operation."""

    code: FailureCode
    """``ok`` takes the answer as a good one."""
    reason: FieldRead | None = None
    """For ``not_allowed``: the machine word for why, read from the answer."""


Failure = Annotated[FailureSpec, short("code")]


class FailsWhen(MappingPart):
    """A failure that comes with a good HTTP status."""

    when: str
    """JMESPath over the answer; true for anything but null, false and empty."""
    code: FailureCode
    reason: FieldRead | None = None


class Pagination(MappingPart):
    """How a long list is asked for piece by piece. The pieces are joined: the answer is then the whole list."""

    items: str
    """JMESPath to the list in one page."""
    next: str | None = None
    """JMESPath to the address of the next page."""
    link_header: bool = False
    """The address of the next page stands in the header ``Link: <...>; rel="next"``."""
    page: str | None = None
    """Name of the query value that counts pages from 1; with ``link_header`` where an answer has no such header."""
    page_size: int | None = Field(default=None, ge=1, le=1000)
    """With ``page``: entries of a full page; a page with fewer is the last."""
    cursor: str | None = None
    """Name of the query value that takes what ``cursor_path`` gave."""
    cursor_path: str | None = None
    more: str | None = None
    """JMESPath that is true while there is more."""
    max_pages: int = Field(default=5, ge=1, le=50)
    max_items: int = Field(default=200, ge=1, le=2000)

    @model_validator(mode="after")
    def _one(self) -> Pagination:
        ways = sum((self.next is not None, self.link_header, self.page is not None, self.cursor is not None))
        if ways != 1 and not (ways == 2 and self.link_header and self.page is not None):
            raise ValueError("give one of next, link_header, page and cursor (or link_header and page)")
        if self.page_size is not None and self.page is None:
            raise ValueError("page_size needs page")
        if (self.cursor is None) != (self.cursor_path is None):
            raise ValueError("cursor and cursor_path belong together")
        return self


class Request(MappingPart):
    """One request and how its answer is judged."""

    get: str | None = None
    post: str | None = None
    put: str | None = None
    patch: str | None = None
    delete: str | None = None
    follow: str | None = None
    """JMESPath to an address in an earlier answer, on the same host; asked with GET."""
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    json_body: Any = Field(default=None, alias="json")
    form: dict[str, str] | None = None
    response: Literal["json", "text", "none"] = "json"
    pattern: str | None = None
    """For ``text``: a regular expression; its named groups are the answer's fields."""
    pages: Pagination | None = None
    status: dict[int, Failure] = Field(default_factory=dict)
    not_found_when: str | None = None
    """JMESPath over the answer."""
    fails_when: list[FailsWhen] = Field(default_factory=list)

    @property
    def method(self) -> str:
        """``GET``, ``POST``, ...; ``""`` when there is no request."""
        found = [name for name in METHODS if getattr(self, name) is not None]
        return found[0].upper() if found else "GET" if self.follow is not None else ""

    @property
    def path(self) -> str:
        """The template of the path, or where the address to follow is."""
        return next((getattr(self, name) for name in METHODS if getattr(self, name) is not None), self.follow or "")

    def problem(self) -> str:
        """Return what is wrong with the request as a whole, or ``""``."""
        asked = [name for name in (*METHODS, "follow") if getattr(self, name) is not None]
        if len(asked) != 1:
            return f"give exactly one of {', '.join(METHODS)} and follow"
        if self.json_body is not None and self.form is not None:
            return "give json or form, not both"
        if (self.json_body is not None or self.form is not None) and self.method == "GET":
            return "a GET has no body"
        if self.pattern is not None and self.response != "text":
            return "pattern needs response: text"
        if self.pages is not None and (self.method != "GET" or self.response != "json"):
            return "pages need a GET with a JSON answer"
        return ""


class Step(Request):
    """One of several requests in a row."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    for_each: str | None = None
    """JMESPath to a list: the request is made for each, called ``item``; the answer is a list of item and answer."""
    max_items: int = Field(default=20, ge=1, le=200)

    @model_validator(mode="after")
    def _sound(self) -> Step:
        if problem := self.problem():
            raise ValueError(problem)
        return self


class Probe(Request):
    """A request that changes nothing, to see whether the system answers and knows us."""

    @model_validator(mode="after")
    def _sound(self) -> Probe:
        if problem := self.problem() or ("" if self.method == "GET" else "a check is a GET"):
            raise ValueError(problem)
        return self


class FindFirst(Request):
    """Looks for what an earlier attempt with the same key has already made."""

    found: str
    """JMESPath; when it gives something, nothing is made and ``fields`` are read from this."""
    fields: dict[str, FieldRead] | None = None
    """Unset: those of the operation."""

    @model_validator(mode="after")
    def _sound(self) -> FindFirst:
        if problem := self.problem() or ("" if self.method == "GET" else "find_first is a GET"):
            raise ValueError(problem)
        return self


class Idempotency(MappingPart):
    """What makes it safe to ask for the same change twice."""

    header: str | None = None
    """Header that carries the key; the system remembers it."""
    find_first: FindFirst | None = None
    declared: bool = False
    """True: the change itself may be repeated (the key is in its body, or it sets a state)."""
    look_after: bool = False
    """With ``find_first``: a confirmation counts only when what it confirms is there to be found."""

    @model_validator(mode="after")
    def _one(self) -> Idempotency:
        if not (self.header or self.find_first or self.declared):
            raise ValueError("give header, find_first or declared: yes")
        if self.look_after and self.find_first is None:
            raise ValueError("look_after needs find_first")
        return self


class Operation(Request):
    """One operation of the shop: one request, or steps, and how the answer becomes a noun."""

    steps: list[Step] = Field(default_factory=list)
    items: str | None = Field(default=None, alias="list")
    """JMESPath to the candidates; ``fields`` are read from each."""
    more: str | None = None
    """JMESPath over the answer: true when the list does not hold everything that was looked for."""
    find_each: str | None = None
    """For ``orders.find_by_phone``: JMESPath to order numbers, each looked up with ``orders.find``."""
    fields: dict[str, FieldRead] = Field(default_factory=dict)
    idempotency: Idempotency | None = None
    timeout_seconds: float | None = Field(default=None, gt=0, le=60)
    check: Probe | None = None
    """Asked by ``orderline shop check`` instead of the operation itself."""

    @model_validator(mode="after")
    def _sound(self) -> Operation:
        if self.steps:
            if self.method:
                raise ValueError("give one request or steps, not both")
            names = [step.name for step in self.steps]
            if len(set(names)) != len(names):
                raise ValueError("two steps have the same name")
        elif problem := self.problem():
            raise ValueError(problem)
        return self


class SystemMapping(MappingPart):
    """One business system."""

    system: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    base_url: str = Field(pattern=r"^https?://[^/?#@]+(/[^?#]*)?$")
    settings: dict[str, str] = Field(default_factory=dict)
    """The shop's own values for templates: ``{{ settings.prefix }}``."""
    auth: Auth = Auth()
    tls: Tls = Tls()
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with every request."""
    timezone: str = ""
    """IANA zone that days are told in and that times without an offset are in; empty for the shop's own."""
    region: str = Field(default="", pattern="^([A-Z]{2})?$")
    """ISO country whose national phone numbers are understood; empty for the shop's own."""
    timeout_seconds: float = Field(default=3.5, gt=0, le=60)
    """For a whole operation, all its requests and repeats together. A call waits 4 s for most of what it asks."""
    connect_seconds: float = Field(default=1.5, gt=0, le=30)
    max_bytes: int = Field(default=2_000_000, ge=1000, le=50_000_000)
    """Of one answer, unpacked."""
    connections: int = Field(default=10, ge=1, le=200)
    breaker: BreakerOptions = BreakerOptions()
    check: Probe | None = None
    """Asked by ``orderline shop check`` for operations that change something."""
    operations: dict[str, Operation]
