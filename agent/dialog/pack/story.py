"""The pack's ``story``: which slots and which variable tell staff what a call was about. Checks it, fills it in."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from agent.common.yaml_reader import KeyPath
from agent.dialog.grammar.templates import did_you_mean
from agent.dialog.model.model import PackFile, ServiceCallStep, SetStep, Story
from agent.dialog.pack.reader import PackReading

_USUAL = Story(about="order_number", verified="verified")
"""What packs without the section go by: the names of the shipped pack, as far as they have them."""


def use_default(reading: PackReading) -> None:
    """Give a pack without the section the usual one, so that packs written before there was one tell as they did."""
    contents = reading.contents
    if contents.story is not None:
        return
    about = _USUAL.about if _USUAL.about in contents.slots else ""
    verified = _USUAL.verified if _USUAL.verified in variables(contents) else ""
    reading.contents = contents.model_copy(update={"story": Story(about=about, verified=verified)})


def problems(contents: PackFile) -> Iterator[tuple[KeyPath, str]]:
    """Yield (place, what is wrong) for names in the section that stand for nothing."""
    told = contents.story or Story()
    numbers = sorted(name for name, slot in contents.slots.items() if slot.type == "number")
    if told.about:
        yield from _unknown(told.about, numbers, "number slot", ("story", "about"))
    if told.verified:
        yield from _unknown(told.verified, sorted(variables(contents)), "variable", ("story", "verified"))
    for index, name in enumerate(told.slots):
        path: KeyPath = ("story", "slots", index)
        yield from _unknown(name, sorted(contents.slots), "slot", path)
        if name in contents.slots and contents.slots[name].redact:
            yield path, f"'{name}' is redacted: nobody is told what it holds"
    if told.slots and told.about and told.about not in told.slots:
        yield ("story", "slots"), f"'{told.about}' is what the call is about: it belongs to what is told"


def variables(contents: PackFile) -> dict[str, KeyPath]:
    """Return every variable a pack gives a value, with the first place that does."""
    found: dict[str, KeyPath] = {name: ("variables", name) for name in contents.variables}
    for flow_id, flow in contents.flows.items():
        for index, trigger in enumerate(flow.triggers):
            for name in trigger.set:
                found.setdefault(name, ("flows", flow_id, "triggers", index, "set", name))
        for index, step in enumerate(flow.steps):
            key = "save" if isinstance(step, ServiceCallStep) else "set"
            for name in (
                step.save if isinstance(step, ServiceCallStep) else step.set if isinstance(step, SetStep) else ()
            ):
                found.setdefault(name, ("flows", flow_id, "steps", index, key, name))
    return found


def _unknown(name: str, valid: Collection[str], what: str, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if name not in valid:
        yield path, f"there is no {what} '{name}'{did_you_mean(name, list(valid))}"
