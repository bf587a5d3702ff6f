"""Inputs of the impact model from a YAML file and from ``NAME=VALUE``, and a file to begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.common import yaml_reader
from agent.common.files import read_text
from agent.impact.assumptions import Assumption, assumptions
from agent.impact.errors import InvalidImpactInput
from agent.impact.inputs import ImpactInputs


def read_inputs(path: Path, base: ImpactInputs) -> ImpactInputs:
    """Return ``base`` with the values of a YAML file, marked as yours. Raises :class:`InvalidImpactInput` by line."""
    try:
        source = yaml_reader.read(path.name, read_text(path), typed=lambda _: True)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidImpactInput(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if source.findings:
        raise InvalidImpactInput("\n".join(map(str, source.findings)))
    if not isinstance(source.data, dict):
        raise InvalidImpactInput(f"{path.name}:1: must hold names and values; orderline impact --example prints one")
    values = dict(_flat(source.data, ""))
    values = {name: _value(value) for name, value in values.items()}
    try:
        return base.with_values(values, "yours")
    except InvalidImpactInput as error:
        lines = []
        for problem in error.message.splitlines():
            place = tuple(int(part) if part.isdigit() else part for part in problem.partition(":")[0].split("."))
            lines.append(f"{path.name}:{source.line(place)}: {problem}")
        raise InvalidImpactInput("\n".join(lines)) from error


def parse_settings(settings: list[str], base: ImpactInputs) -> ImpactInputs:
    """Return ``base`` with ``NAME=VALUE``s, marked as yours; of a kind without ``kinds.``."""
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise InvalidImpactInput(f"{setting!r} is not NAME=VALUE")
        name = name.strip()
        if name.partition(".")[0] in base.kinds:
            name = f"kinds.{name}"
        values[name] = _value(text.strip())
    return base.with_values(values, "yours")


def _flat(data: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _value(value: Any) -> Any:
    """Return ``70 %`` as 0.7 and ``2 4 7`` as a list; anything else as it is."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.endswith("%"):
        try:
            return float(text[:-1].strip()) / 100
        except ValueError:
            return value
    if " " in text:
        try:
            return [float(part) for part in text.split()]
        except ValueError:
            return value
    return value


def example_file(inputs: ImpactInputs) -> str:
    """Return a YAML file with every value of the inputs and what it means."""
    lines = [
        "# Inputs of `orderline impact --inputs FILE`. What you leave out keeps its default. Shares are 0..1 or 70 %."
    ]
    kind = ""
    for one in assumptions(inputs):
        if one.name == "week":
            continue  # comes from files
        parts = one.name.split(".")
        if parts[0] == "kinds":
            if not kind:
                lines.append("kinds:")
            if parts[1] != kind:
                kind = parts[1]
                lines.append(f"  {kind}:")
            lines.append("    " + _example_line(parts[2], one, inputs))
        else:
            lines.append(_example_line(one.name, one, inputs))
    return "\n".join(lines) + "\n"


def _example_line(name: str, one: Assumption, inputs: ImpactInputs) -> str:
    value: Any = inputs
    for part in one.name.split("."):
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    text = f"[{', '.join(f'{item:g}' for item in value)}]" if isinstance(value, tuple) else str(value)
    if isinstance(value, float):
        text = f"{value:.10g}"
    unit = f" ({one.unit})" if one.unit not in ("", "%", "parts") else ""
    return f"{name}: {text}".ljust(34) + f"  # {one.label}{unit}"


__all__ = ["example_file", "parse_settings", "read_inputs"]
