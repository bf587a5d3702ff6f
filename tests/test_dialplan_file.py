"""The shipped dialplan as text: every context catches what it does not know, none is bypassed on the way to staff."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from agent.common.resources import resource_directory

SUBROUTINES = {
    "orderline-choose", "orderline-heartbeat", "orderline-takes-calls", "orderline-deadman", "orderline-deadline",
    "orderline-handover-phone",
    "orderline-may-supervise", "orderline-spy",
}  # fmt: skip
"""Only Gosub() leads there, at a fixed place."""
WITHOUT = {
    "orderline-supervisor": "it is included into contexts of the administrator's, where an i would catch their calls",
    "orderline-spy-exit": "ChanSpy() takes any key that an extension matches",
    "orderline-not-done": "only this file leads there",
    "orderline-edition": "nothing calls it",
    "orderline-sound": "no caller comes there: the agent's own side of a call goes through it once",
}


def contexts() -> dict[str, str]:
    text = (resource_directory("dialplan") / "orderline.conf").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^;.*\n", "", text)
    parts = re.split(r"(?m)^\[([^\]]+)\]", text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("name", sorted(set(contexts()) - SUBROUTINES - set(WITHOUT)))
def test_a_context_that_calls_are_sent_to_catches_what_it_does_not_know(name: str) -> None:
    assert re.search(r"(?m)^exten => i,1,", contexts()[name])


def test_no_pattern_matches_the_extensions_that_asterisk_itself_looks_for() -> None:
    for name, body in contexts().items():
        for pattern in re.findall(r"(?m)^exten => _([^,]+),", body):
            for special in "hstiTeoa":
                assert not _matches(pattern, special), f"[{name}] _{pattern} is taken at a hang-up as {special}"


def _matches(pattern: str, extension: str) -> bool:
    form = re.sub(r"\.$", ".+", pattern) if pattern.endswith(".") else re.sub(r"!$", ".*", pattern)
    form = form.replace("X", "[0-9]").replace("Z", "[1-9]").replace("N", "[2-9]")
    return re.fullmatch(re.sub(r"(?<![\w\]])\*", r"\\*", form), extension) is not None


def test_wherever_a_call_enters_stasis_the_timer_is_set_before_and_runs_out_in_the_same_context() -> None:
    entering = defaultdict(list)
    for name, body in contexts().items():
        for extension in re.split(r"(?m)^(?=exten =>)", body):
            if "Stasis(" in extension:
                before = extension.split("Stasis(")[0]
                entering[name].append("orderline-deadman" in before or "TIMEOUT(absolute)=10" in before)
    assert set(entering) == {
        "orderline-sound",
        "orderline", "orderline-queue-failed", "orderline-queue-escape", "orderline-transfer-back", "orderline-control",
        "orderline-outbound", "orderline-stranded",
    }  # fmt: skip
    del entering["orderline-sound"]  # the agent's own side of a call
    for name, set_before in entering.items():
        assert all(set_before), name
        assert "exten => T,1," in contexts()[name], name


def test_supervisors_can_pick_the_agents_side_of_a_call_alone() -> None:
    values = {value for body in contexts().values() for value in re.findall(r"Set\(SPYGROUP=([^)]*)\)", body)}
    assert values == {""}, "a caller's channel in a group would be listened to on its way to staff"
