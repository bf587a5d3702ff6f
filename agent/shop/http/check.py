"""``orderline shop check``: asks every mapped operation and says what is wrong and how to put it right.

Reads are asked with the samples given; what changes something only with ``write``, otherwise its requests are filled in
and the mapping's ``check`` is asked, which shows that the system answers and knows us. Nothing that is printed holds a
value of an answer: keys, types and counts only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.common.service_error import ServiceError
from agent.shop.http import sources
from agent.shop.http.check_requests import CheckRequests, CheckSamples, odd_sample, sample_arguments
from agent.shop.http.mapping import Probe, Request
from agent.shop.http.mapping_files import MappingFile
from agent.shop.http.operations import OPERATIONS
from agent.shop.http.requester import describe
from agent.shop.http.shop import HttpShop
from agent.shop.http.system import HttpSystem

Verdict = Literal["ok", "warning", "failed", "skipped"]
_FIXES = (
    ("does not accept us", "put the right secret there (ask the system's administrator), and see that it may do this"),
    ("environment variable", "set it in the agent's environment (systemctl edit orderline)"),
    ("cannot be read", "create the file, readable for the agent's user only"),
    (
        "certificate",
        "tls: {ca_file: the authority's PEM file}; base_url must have the certificate's host",
    ),
    ("in the DNS", "put base_url right, or see that this machine can resolve the host"),
    ("no connection", "see that the system runs and that no firewall is in between"),
    ("no answer in time", "the system is too slow; make it faster, or timeout_seconds larger (callers wait that long)"),
    ("is no JSON", "put base_url or the path right: a page came back where an API should be"),
    ("redirect", "put the address that it redirects to into base_url"),
    ("answers 404", "put base_url or the path right; or declare it: status: {404: not_found}"),
    ("field ", "put the field's path right (JMESPath), or give it a default"),
    ("gives no list", "put the path right: it must lead to the list"),
    ("too many requests", "ask less, or have the limit raised"),
)


@dataclass(frozen=True)
class CheckFinding:
    """What came of one operation."""

    operation: str
    system: str
    verdict: Verdict
    asked: str
    """What was asked: method and path template, or ``filled in``."""
    detail: str
    fix: str = ""


async def check_shop(
    files: Sequence[MappingFile], shop: HttpShop, samples: CheckSamples, today: dt.date
) -> AsyncIterator[CheckFinding]:
    """Check every mapped operation, each finding as it is made; then what is odd, or could be, in what was read."""
    answered: list[tuple[str, HttpSystem]] = []
    for file in files:
        system = shop.mapped[file.system.system]
        for finding in _access(file):
            yield finding
        for name in file.system.operations:
            finding = await _operation(name, system, shop, samples, today)
            answered += [(name, system)] if finding.verdict in ("ok", "warning") else []
            yield finding
    for name, system in answered:
        async for odd in _odd(name, system, samples):
            yield odd


def _access(file: MappingFile) -> list[CheckFinding]:
    """What is wrong with how the system is reached, before it is asked."""
    spec, found = file.system, []
    reads = sources.sources_of(spec.auth)
    for source in reads:
        if sources.readable_by_others(source):
            fix = f"chmod 600 {source.file}"
            found.append(CheckFinding("-", spec.system, "warning", "auth", f"{source.file} can be read by others", fix))
    local = spec.base_url.startswith(("http://127.", "http://localhost", "http://[::1]"))
    if spec.base_url.startswith("http://") and not local and reads:
        detail = f"{file.place('base_url')}: secrets and callers' data go unencrypted"
        found.append(CheckFinding("-", spec.system, "warning", "base_url", detail, "use https://"))
    return found


async def _operation(
    name: str, system: HttpSystem, shop: HttpShop, samples: CheckSamples, today: dt.date
) -> CheckFinding:
    spec = system.spec.operations[name]
    probe = spec.check
    if probe is None and OPERATIONS[name].changes and not samples.write:
        probe = system.spec.check
        return await _filled_in(name, system, probe)
    if probe is not None:
        return await _probed(name, system, probe, describe(probe))
    asked = ", ".join(describe(step) for step in spec.steps) or describe(spec)
    calls = CheckRequests(shop, samples, today)
    if missing := calls.missing(name):
        return CheckFinding(name, system.name, "skipped", asked, f"not asked: give {missing}")
    try:
        detail = await calls.ask(name)
    except ServiceError as error:
        return _failure(name, system, asked, error, expected_missing=not samples.order and name == "orders.find")
    return CheckFinding(name, system.name, "warning" if detail.startswith("but ") else "ok", asked, detail)


async def _odd(name: str, system: HttpSystem, samples: CheckSamples) -> AsyncIterator[CheckFinding]:
    """Say which fields of the sample are odd, and which the sample could not be read without."""
    for (operation, field), message in system.runner.nouns.odd_fields.items():
        if operation == name:
            fix = "if that is not how it should be, put the field's path or its map right"
            detail = f"field {field}: {message}; it counts as not known"
            yield CheckFinding(name, system.name, "warning", "odd fields", detail, fix)
    sample = odd_sample(name, samples, system.region)
    if sample is None:
        return
    try:
        tried = await system.runner.try_odd_variants(name, *sample)
    except ServiceError:
        return  # the operation itself was asked before: what is wrong with it has been said
    if tried.count == 0:
        return
    needed = {field: message for field, message in tried.unreadable.items() if field != "number"}
    detail = f"{tried.count} variants of the sample, each with one value missing, empty or unknown: all could be used"
    fix = ""
    if needed:
        reasons = ", ".join(f"{field} ({message})" for field, message in sorted(needed.items()))
        detail += f", but for those with an odd {reasons}"
        fix = 'give these a default ("" if your system may really have none), or such an order is not told to anybody'
    yield CheckFinding(name, system.name, "ok", "odd variants", detail, fix)


async def _filled_in(name: str, system: HttpSystem, probe: Probe | None) -> CheckFinding:
    """Fill a change's requests in without sending them, then ask the harmless probe."""
    spec = system.spec.operations[name]
    requests: list[Request] = [spec] if not spec.steps else list(spec.steps)
    for request in requests:
        if spec.steps and request is not requests[0]:
            break  # later steps need the answers of earlier ones
        try:
            system.requester.fill(request, system.runner.context(sample_arguments(name)))
        except ServiceError as error:
            return _failure(name, system, f"{describe(request)} filled in", error)
    if probe is None:
        detail = "filled in, not sent: there is no 'check', and --write was not given"
        return CheckFinding(name, system.name, "skipped", describe(requests[0]), detail)
    return await _probed(name, system, probe, f"{describe(probe)}; {describe(requests[0])} filled in")


async def _probed(name: str, system: HttpSystem, probe: Probe, asked: str) -> CheckFinding:
    deadline = system.runner.deadline(name)
    try:
        await system.requester.ask(probe, system.runner.context({}), None, deadline)
    except ServiceError as error:
        return _failure(name, system, asked, error)
    return CheckFinding(name, system.name, "ok", asked, "the system answers and knows us")


def _failure(
    name: str, system: HttpSystem, asked: str, error: ServiceError, *, expected_missing: bool = False
) -> CheckFinding:
    if error.code == "not_found" and expected_missing:
        detail = "answers that there is no such order, as it should; give --order to read one"
        return CheckFinding(name, system.name, "ok", asked, detail)
    if error.code == "not_found":
        detail = "answers that there is no such thing; is the sample right?"
        return CheckFinding(name, system.name, "warning", asked, detail, "give an order or a phone that exists")
    message = error.message.removeprefix(f"{system.name}: ")
    fix = next((fix for words, fix in _FIXES if words in error.message), "see docs/shop-http.md")
    return CheckFinding(name, system.name, "failed", asked, f"{error.code}: {message}", fix)
