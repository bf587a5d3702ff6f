"""Checks what a pack lets the record of a call keep: ``keeps`` of flows and services, ``returns`` of services."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.common.yaml_reader import KeyPath
from agent.dialog.grammar.templates import did_you_mean
from agent.dialog.model.model import PackFile
from agent.dialog.model.services import Service
from agent.dialog.templating.expressions import Expressions

_PLACE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z0-9_]+)*")
_NOT_KEPT = ("list", "mapping")


def problems(contents: PackFile, expressions: Expressions) -> Iterator[tuple[KeyPath, str]]:
    """Yield (place, what is wrong)."""
    secret = {name for name, slot in contents.slots.items() if slot.redact}
    for name, service in contents.services.items():
        yield from _of_service(service, ("services", name), secret)
    for name, flow in contents.flows.items():
        for kept, expression in flow.keeps.items():
            path: KeyPath = ("flows", name, "keeps", kept)
            if _PLACE.fullmatch(kept) is None:
                yield path, f"'{kept}' is no name: small letters, digits and _, with dots between"
            for hidden in sorted(secret & expressions.names(expression)):
                yield path, f"'{hidden}' is redacted: no record keeps what it holds"


def _of_service(service: Service, path: KeyPath, secret: set[str]) -> Iterator[tuple[KeyPath, str]]:
    for place in service.returns:
        if _PLACE.fullmatch(place) is None:
            yield (*path, "returns", place), f"'{place}' is no place in a result; write order.status"
    arguments = (*service.arguments, *service.optional)
    for index, kept in enumerate(service.keeps):
        here: KeyPath = (*path, "keeps", index)
        returned = service.returns.get(kept)
        if kept.rpartition(".")[2] in secret:
            yield here, f"'{kept}' is called like a redacted slot: no record keeps what it holds"
        elif returned is not None and returned.kind in _NOT_KEPT:
            yield here, f"'{kept}' is a {returned.kind}; only single values are kept"
        elif returned is None and kept.partition(".")[0] not in arguments:
            known = sorted({*arguments, *service.returns})
            yield here, f"there is no argument and nothing in 'returns' called '{kept}'{did_you_mean(kept, known)}"
