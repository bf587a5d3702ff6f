"""A filter as text: the options of ``orderline calls find``, which are the parameters of the console's list as well."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlencode

from agent.errors import OrderlineError
from agent.history.filters import VALUE_KINDS, Bounds, CallFilter

_SPANS: Mapping[str, tuple[str, int]] = {
    "length": ("length_ms", 1_000),
    "score": ("score", 1),
    "latency": ("latency_ms", 1),
    "wait": ("wait_ms", 1_000),
    "greeting": ("greeting_ms", 1),
    "again": ("again_ms", 3_600_000),
}
"""Option -> field of the filter, and how many of its units are one of the option's."""
_TEXTS = ("order", "caller", "misheard", "said", "caller_said", "agent_said")
_ALSO_PARTS = re.compile(r"(?:\\.|[^|\\])+")


class InvalidFilter(OrderlineError):
    """Text that is no filter."""

    code = "search"


def filter_options(wanted: CallFilter, zone: dt.tzinfo = dt.UTC) -> list[tuple[str, str]]:
    """Return a filter as options and their values, without the dashes in front; times are of ``zone``."""
    return list(_options(wanted, zone))


def as_query(wanted: CallFilter, zone: dt.tzinfo = dt.UTC) -> str:
    """Return a filter as the query of an address: ``from=...&outcome=handed_over``."""
    return urlencode(filter_options(wanted, zone))


def as_command(wanted: CallFilter, zone: dt.tzinfo = dt.UTC) -> str:
    """Return the command that lists these calls."""
    return shlex.join(["orderline", "calls", "find", *(f"--{name}={value}" for name, value in _options(wanted, zone))])


def filter_of(options: Iterable[tuple[str, str]]) -> CallFilter:
    """Return the filter that options stand for; what :func:`filter_options` returned comes back as it was.

    Names may be written with ``-`` or ``_``; empty values say nothing. Times need an offset. Raises
    :class:`InvalidFilter` for options there are not, and values that cannot be read.
    """
    values: dict[str, tuple[str, ...]] = {}
    also: list[tuple[str, tuple[str, ...]]] = []
    times: dict[str, int | None] = {}
    spans: dict[str, Bounds] = {}
    texts: dict[str, str] = {}
    for name, text in options:
        option = name.replace("-", "_")
        if not text:
            continue
        if option in ("from", "to"):
            times[option] = _ms(text)
        elif option in VALUE_KINDS:
            values[option] = (*values.get(option, ()), text)
        elif option == "also":
            also.append(read_also(text))
        elif option in _SPANS:
            field, factor = _SPANS[option]
            spans[field] = _bounds(text, factor)
        elif option in _TEXTS:
            texts[option] = text
        else:
            raise InvalidFilter(f"Calls are not found by {name!r}.")
    return CallFilter(
        times.get("from"),
        times.get("to"),
        values,
        tuple(also),
        texts.get("order", ""),
        texts.get("caller", ""),
        misheard=texts.get("misheard", ""),
        said=texts.get("said", ""),
        caller_said=texts.get("caller_said", ""),
        agent_said=texts.get("agent_said", ""),
        length_ms=spans.get("length_ms", Bounds()),
        score=spans.get("score", Bounds()),
        latency_ms=spans.get("latency_ms", Bounds()),
        wait_ms=spans.get("wait_ms", Bounds()),
        greeting_ms=spans.get("greeting_ms", Bounds()),
        again_ms=spans.get("again_ms", Bounds()),
    )


def read_also(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Read ``asked=returns|refunds`` (``\|`` is no end of a value). Raises :class:`InvalidFilter`."""
    kind, _, values = text.partition("=")
    kind = kind.replace("-", "_")
    found = tuple(re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in _ALSO_PARTS.findall(values))
    if kind not in VALUE_KINDS or not found:
        raise InvalidFilter(f"{text!r} does not say what else must be true: write asked=returns|refunds.")
    return kind, found


def _options(wanted: CallFilter, zone: dt.tzinfo) -> Iterator[tuple[str, str]]:
    for name, ms in (("from", wanted.since_ms), ("to", wanted.until_ms)):
        if ms is not None:
            yield name, _local(ms, zone)
    for kind, values in wanted.values.items():
        yield from ((kind.replace("_", "-"), value) for value in values)
    for kind, values in wanted.also:
        escaped = (re.sub(r"([\\|])", r"\\\1", value) for value in values)
        yield "also", f"{kind.replace('_', '-')}={'|'.join(escaped)}"
    for name, (field, factor) in _SPANS.items():
        span: Bounds = getattr(wanted, field)
        if span:
            least, most = ("" if edge is None else _number(edge / factor) for edge in (span.least, span.most))
            yield name, f"{least}-{most}"
    yield from ((name.replace("_", "-"), text) for name in _TEXTS if (text := getattr(wanted, name)))


def _number(value: float) -> str:
    return f"{value:.7f}".rstrip("0").rstrip(".")


def _bounds(text: str, factor: int) -> Bounds:
    least, dash, most = text.partition("-")
    try:
        edges = [round(float(edge) * factor) if edge else None for edge in (least, most if dash else least)]
    except ValueError as error:
        raise InvalidFilter(f"{text!r} is not FROM-TO.") from error
    return Bounds(*edges)


def _local(ms: int, zone: dt.tzinfo) -> str:
    moment = dt.datetime.fromtimestamp(ms // 1000, dt.UTC).replace(microsecond=ms % 1000 * 1000).astimezone(zone)
    exact = "milliseconds" if ms % 1000 else "seconds" if ms % 60_000 else "minutes"
    return moment.isoformat(timespec=exact)


def _ms(text: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidFilter(f"{text!r} is no time: write 2026-11-01T14:30+00:00.") from error
    if moment.tzinfo is None:
        raise InvalidFilter(f"{text!r} has no offset from UTC: write {text}+00:00.")
    return round(moment.timestamp() * 1000)
