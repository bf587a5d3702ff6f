"""The acceptance tables of number capture: what callers say, what must be understood, and what is missed and why.

``python -m tests.dialog.numbers.spoken_forms`` prints what is missed; with ``--write`` it renews the tables in
docs/number-capture.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from agent.dialog.numbers.capture import NumberReading
from agent.dialog.numbers.format import NumberFormat, symbols_of
from tests.dialog.numbers.english import correct, understand

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "number-capture.md"
BEGIN, END = "<!-- tables: python -m tests.dialog.numbers.spoken_forms --write -->", "<!-- end of the tables -->"


@dataclass(frozen=True)
class SpokenForm:
    """One line of a table: what a caller says and what must come out of it."""

    table: str
    category: str
    pattern: str
    said: str
    expected: str
    known: tuple[str, ...]
    so_far: str
    before: str
    check: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The numbers that are right; empty where no number is."""
        if self.expected in ("ask", "reject") or self.expected.startswith("part "):
            return ()
        return tuple(self.expected.removeprefix("confirm ").split(" or "))

    def read(self) -> NumberReading:
        return _reading(self)


@cache
def _reading(form: SpokenForm) -> NumberReading:
    number_format = NumberFormat(form.pattern, check=form.check)
    if form.before:
        return correct(form.before, form.said, number_format)
    return understand(form.said, number_format, form.known, so_far=form.so_far)


class _Text(yaml.BaseLoader):
    """Everything is text, and a form that stands twice in a section is refused."""


def _mapping(loader: _Text, node: yaml.MappingNode) -> dict[str, object]:
    pairs = [(loader.construct_object(key), loader.construct_object(value, deep=True)) for key, value in node.value]
    assert len(pairs) == len(dict(pairs)), f"a key stands twice near {node.start_mark}"
    return dict(pairs)


_Text.add_constructor("tag:yaml.org,2002:map", _mapping)


def forms_of(name: str) -> list[SpokenForm]:
    sections = yaml.load((HERE / name).read_text(encoding="utf-8"), Loader=_Text)  # noqa: S506 - text only
    return [
        SpokenForm(
            name,
            section["category"],
            section["format"],
            said,
            expected,
            tuple(section.get("known", ())),
            section.get("so_far", ""),
            section.get("before", ""),
            section.get("check", ""),
        )
        for section in sections
        for said, expected in section["forms"].items()
    ]


def is_right(form: SpokenForm, reading: NumberReading) -> bool:
    if form.expected == "ask":
        return reading.value is None or reading.must_confirm
    if form.expected == "reject":
        return reading.value is None
    if form.expected.startswith("part "):
        return reading.value is None and symbols_of(reading.partial) == symbols_of(form.expected[5:])
    asked_as_expected = bool(form.before) or reading.must_confirm == form.expected.startswith("confirm ")
    return reading.value in form.values and (asked_as_expected or (reading.must_confirm and bool(form.before)))


def is_wrong_without_asking(form: SpokenForm, reading: NumberReading) -> bool:
    """A number taken silently that is not the caller's, or that the caller's words left open."""
    if reading.value is None or reading.must_confirm:
        return False
    return reading.value not in form.values or form.expected.startswith("confirm ")


def outcome(reading: NumberReading) -> str:
    if reading.value is None:
        return f"part {reading.partial}" if reading.partial else "no number"
    return f"asks for {reading.value}" if reading.must_confirm else f"takes {reading.value}"


def misses(forms: Iterable[SpokenForm]) -> Iterator[tuple[SpokenForm, NumberReading]]:
    for form in forms:
        reading = form.read()
        if not is_right(form, reading):
            yield form, reading


def reasons() -> dict[str, str]:
    """Return why a form is missed, by what is said."""
    found = yaml.load((HERE / "spoken_misses.yaml").read_text(encoding="utf-8"), Loader=_Text)  # noqa: S506 - text only
    return dict(found)


def tables() -> str:
    """Return what stands between the marks of the page: a line for each category, and every miss."""
    lines = ["| category | forms | right | right and asked about first |", "|---|---|---|---|"]
    everything = [*FORMS, *CORRECTIONS]
    total = [0, 0, 0]
    for category in dict.fromkeys((form.table, form.category) for form in everything):
        read = [(form, form.read()) for form in everything if (form.table, form.category) == category]
        right = [reading for form, reading in read if is_right(form, reading)]
        asked = sum(reading.must_confirm for reading in right)
        counts = (len(read), len(right), asked)
        total = [before + more for before, more in zip(total, counts, strict=True)]
        name = f"{category[1]} (corrections)" if category[0] == CORRECTIONS[0].table else category[1]
        lines.append(f"| {name} | {counts[0]} | {counts[1]} | {counts[2]} |")
    lines.append(f"| **all** | **{total[0]}** | **{total[1]}** | **{total[2]}** |")
    why = reasons()
    lines += ["", "Missed:", "", "| said | format | expected | got | why |", "|---|---|---|---|---|"]
    for form, reading in misses(everything):
        pattern = form.pattern.replace("|", " or ")
        reason = why.get(form.said, "")
        lines.append(f"| {form.said} | `{pattern}` | {form.expected} | {outcome(reading)} | {reason} |")
    return "\n".join(lines)


def page_with(text: str, renewed: str) -> str:
    """Return the page with the tables between its marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{renewed}\n\n{END}{after}"


def main() -> None:
    if "--write" in sys.argv:
        PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
        return
    for form, reading in misses([*FORMS, *CORRECTIONS]):
        silent = "TAKEN WITHOUT ASKING  " if is_wrong_without_asking(form, reading) else ""
        print(f"{silent}{form.category}: {form.said!r} ({form.pattern}): {form.expected}; {outcome(reading)}")


FORMS = forms_of("spoken_forms.yaml")
CORRECTIONS = forms_of("spoken_corrections.yaml")


if __name__ == "__main__":
    main()
