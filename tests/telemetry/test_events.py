"""The events: what their messages hold, that the registry is whole, and that docs/events.md tells the same."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.telemetry.event_examples import EXAMPLES
from agent.telemetry.events import ABSENT, AFTER_REFUSAL, CALL_EVENTS, CallEvent
from agent.telemetry.events_page import events_page, field_docstrings
from tests.call_events import agent_said, call_began, caller_said

REPOSITORY = Path(__file__).resolve().parents[2]


def kinds() -> set[type[CallEvent]]:
    """Every class of event that there is."""
    return {kind for kind in CallEvent.__subclasses__() if kind.__module__.startswith("agent.")}


def published_in(directory: Path) -> Iterator[str]:
    """The names of the classes that ``publish(Something(...))`` stands with in these files."""
    for path in directory.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="publish"), args=[ast.Call(func=ast.Name(id=name))]):
                    yield name


class TestMessages:
    def test_a_message_holds_the_fields_of_its_event_as_json(self) -> None:
        assert json.loads(json.dumps(agent_said("Hello.", response_ms=None).data())) == {
            "text": "Hello.",
            "prompts": ["greeting"],
            "flow": "main",
            "step": "hello",
            "understood": "",
            "response_ms": None,
            "spent_ms": {},
        }

    def test_the_caller_is_an_object(self) -> None:
        assert call_began(number="2025550143").data() == {
            "caller": {"number": "2025550143", "name": "Maria", "dialled": "7000"},
            "dialled": "7000",
            "entry": "inbound",
            "direction": "inbound",
            "purpose": "",
            "job": "",
            "edition": "",
            "continues": "",
        }

    def test_what_is_kept_from_readers_is_left_out(self) -> None:
        left = {"via": "speech", "barged_in": False, "second_opinion": "", "heard_by": ""}
        assert caller_said("yes", slot="answer").without_words().data() == left

    @pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.event)
    def test_without_words_nothing_else_goes(self, event: CallEvent) -> None:
        withheld = {one.name for one in fields(event) if one.metadata.get(ABSENT) == AFTER_REFUSAL}
        left = {name: value for name, value in event.data().items() if name not in withheld}
        assert event.without_words().data() == left


class TestRegistry:
    def test_it_holds_every_kind_under_its_own_name(self) -> None:
        assert set(CALL_EVENTS.values()) == kinds()
        assert all(kind.event == name for name, kind in CALL_EVENTS.items())

    def test_every_kind_is_published_by_the_agent_and_nothing_else_is(self) -> None:
        published = {name for room in ("app", "call") for name in published_in(REPOSITORY / "agent" / room)}
        assert published == {kind.__name__ for kind in CALL_EVENTS.values()}


class TestPage:
    def test_it_is_up_to_date(self) -> None:
        page = (REPOSITORY / "docs" / "events.md").read_text(encoding="utf-8")
        assert page == events_page(), "make it anew: orderline events -o docs/events.md"

    def test_the_command_writes_it(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["events", "-o", str(tmp_path / "events.md")]) == 0
        assert (tmp_path / "events.md").read_text(encoding="utf-8") == events_page()
        assert main(["events"]) == 0
        assert capsys.readouterr().out == events_page()

    def test_there_is_one_example_of_every_kind(self) -> None:
        assert [type(event) for event in EXAMPLES] == list(CALL_EVENTS.values())

    @pytest.mark.parametrize("kind", CALL_EVENTS.values(), ids=lambda kind: kind.event)
    def test_every_field_is_explained(self, kind: type[CallEvent]) -> None:
        own = {one.name for one in fields(kind)} - {"call_id"}
        assert set(field_docstrings(kind)) == own
        assert kind.__doc__ is not None
        assert not kind.__doc__.startswith(f"{kind.__name__}("), "this is the text that dataclass makes"
