"""The jinja sandbox of prompts and expressions: data first, so that ``order.items`` is the order's items. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment


class DataSandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, except that a mapping's key wins over a method of the same name."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return ``obj.attribute``: the key of a mapping when there is one."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)
