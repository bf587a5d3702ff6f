"""Errors of the dialog: in the flow pack, in a template, or during a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from agent.common.yaml_reader import YamlFinding
from agent.errors import OrderlineError

__all__ = ["DialogError", "FlowError", "TemplateError", "YamlFinding"]


class FlowError(OrderlineError):
    """A flow pack that cannot be used; carries every mistake found, not only the first."""

    code = "flow_pack"

    def __init__(self, findings: Sequence[YamlFinding], warnings: Sequence[YamlFinding] = ()) -> None:
        self.findings = tuple(findings)
        self.warnings = tuple(warnings)
        count = len(self.findings)
        head = "1 mistake" if count == 1 else f"{count} mistakes"
        super().__init__("\n".join([f"{head} in the flow files:", *map(str, self.findings)]))


class TemplateError(OrderlineError):
    """A phrase template that cannot be read or grows out of bounds."""

    code = "phrase_template"


class DialogError(OrderlineError):
    """A conversation that cannot go on: an unusable snapshot, or an expression that fails."""

    code = "dialog"
