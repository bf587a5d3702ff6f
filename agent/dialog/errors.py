"""What can go wrong in the rules, before and during a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.errors import OrderlineError


@dataclass(frozen=True, order=True)
class Finding:
    """One mistake in a flow pack, at the place where it can be put right."""

    file: str
    """File name relative to the pack's directory."""
    line: int
    """1-based; 0 when the whole file is meant."""
    path: str
    """Keys from the top of the file: ``flows.order_status.steps[2].next``."""
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.path}: {self.message}" if self.path else self.message
        return f"{place}: {what}" if self.severity == "error" else f"{place}: warning: {what}"


class FlowError(OrderlineError):
    """A flow pack that cannot be used; carries every mistake found, not only the first."""

    code = "flow_pack"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        head = "1 mistake" if count == 1 else f"{count} mistakes"
        super().__init__("\n".join([f"{head} in the flow files:", *map(str, self.findings)]))


class TemplateError(OrderlineError):
    """A phrase template that cannot be read or grows out of bounds."""

    code = "phrase_template"


class DialogError(OrderlineError):
    """A conversation that cannot go on: an unusable snapshot, or an expression that fails."""

    code = "dialog"
