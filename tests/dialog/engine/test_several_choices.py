"""Several things named in one answer."""

from __future__ import annotations

import pytest

from agent.dialog.engine.several_choices import named
from agent.dialog.grammar.choices import Option
from agent.languages.en.choices import CHANGES, CHOICES

OPTIONS = (
    Option("J", "Rain Jacket"),
    Option("S", "Wool Scarf"),
    Option("R", "Red Desk Lamp"),
    Option("B", "Brass Desk Lamp"),
)


@pytest.mark.parametrize(
    ("sentence", "values"),
    [
        ("both the jacket and the scarf", ["J", "S"]),
        ("the scarf plus the rain jacket please", ["S", "J"]),
        ("the jacket and the candle", ["J"]),
        ("the scarf not the jacket", ["S"]),
        ("everything", []),
        ("the lamp", []),
        ("the brass desk lamp and the wool scarf", ["B", "S"]),
        ("the scarf and the scarf", ["S"]),
    ],
)
def test_each_thing_that_is_named_and_not_denied_counts_once(sentence: str, values: list[str]) -> None:
    assert named(sentence.split(), OPTIONS, CHOICES, CHANGES.denials) == values
