"""The acceptance table of number capture: what callers say, what must be understood, and what is missed and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from agent.dialog.number_format import NumberFormat, symbols_of
from agent.dialog.spoken_numbers import NumberReading, correct, understand

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "number-capture.md"


@dataclass(frozen=True)
class Form:
    """One line of a table: what a caller says and what must come out of it."""

    table: str
    category: str
    pattern: str
    said: str
    expected: str
    known: tuple[str, ...]
    so_far: str
    before: str

    @property
    def values(self) -> tuple[str, ...]:
        """The numbers that are right; empty where no number is."""
        if self.expected in ("ask", "reject") or self.expected.startswith("part "):
            return ()
        return tuple(self.expected.removeprefix("confirm ").split(" or "))

    def read(self) -> NumberReading:
        number_format = NumberFormat(self.pattern)
        if self.before:
            return correct(self.before, self.said, number_format)
        return understand(self.said, number_format, self.known, so_far=self.so_far)


class _Text(yaml.BaseLoader):
    """Everything is text, and a form that stands twice in a section is refused."""


def _mapping(loader: _Text, node: yaml.MappingNode) -> dict[str, object]:
    pairs = [(loader.construct_object(key), loader.construct_object(value, deep=True)) for key, value in node.value]
    assert len(pairs) == len(dict(pairs)), f"a key stands twice near {node.start_mark}"
    return dict(pairs)


_Text.add_constructor("tag:yaml.org,2002:map", _mapping)


def forms_of(name: str) -> list[Form]:
    sections = yaml.load((HERE / name).read_text(encoding="utf-8"), Loader=_Text)  # noqa: S506 - text only
    return [
        Form(
            name,
            section["category"],
            section["format"],
            said,
            expected,
            tuple(section.get("known", ())),
            section.get("so_far", ""),
            section.get("before", ""),
        )
        for section in sections
        for said, expected in section["forms"].items()
    ]


def is_right(form: Form, reading: NumberReading) -> bool:
    if form.expected == "ask":
        return reading.value is None or reading.must_confirm
    if form.expected == "reject":
        return reading.value is None
    if form.expected.startswith("part "):
        return reading.value is None and symbols_of(reading.partial) == symbols_of(form.expected[5:])
    asked_as_expected = bool(form.before) or reading.must_confirm == form.expected.startswith("confirm ")
    return reading.value in form.values and (asked_as_expected or (reading.must_confirm and bool(form.before)))


def is_wrong_without_asking(form: Form, reading: NumberReading) -> bool:
    """A number taken silently that is not the caller's, or that the caller's words left open."""
    if reading.value is None or reading.must_confirm:
        return False
    return reading.value not in form.values or form.expected.startswith("confirm ")


def outcome(reading: NumberReading) -> str:
    if reading.value is None:
        return f"part {reading.partial}" if reading.partial else "no number"
    return f"asks for {reading.value}" if reading.must_confirm else f"takes {reading.value}"


FORMS = forms_of("spoken_forms.yaml")
CORRECTIONS = forms_of("spoken_corrections.yaml")
