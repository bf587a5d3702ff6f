"""What counts as right when somebody answers, and that there is enough to measure."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agent.rehearsal.voices import parse_voice
from benchmarks.outbound_greetings.__main__ import GREETINGS, VOICES, GreetedCall, measure, planned, problem_of, table
from benchmarks.outbound_greetings.opening_call import OpeningOutcome

OPENING = (
    "Hello, this is the automated assistant of Maple and Finch, calling about a delivery. Am I speaking with James?"
)


def outcome(reached: str, *said: str, words: str = OPENING) -> OpeningOutcome:
    return OpeningOutcome(reached, list(said), words)


def test_there_are_sixty_greetings_and_six_voices_none_of_them_the_agents() -> None:
    greetings = yaml.safe_load(GREETINGS.read_text(encoding="utf-8"))
    assert sum(map(len, greetings.values())) >= 60
    assert set(greetings) == {"person", "voicemail", "screener", "menu"}
    engines = {parse_voice(voice)[0] for voice in VOICES}
    assert len(set(VOICES)) >= 6
    assert "hibari" not in engines


def test_every_greeting_is_spoken_by_as_many_voices_as_wanted() -> None:
    plan = list(planned(3, ()))
    by_greeting: dict[str, set[str]] = {}
    for _, greeting, voice, _ in plan:
        by_greeting.setdefault(str(greeting), set()).add(voice)
    assert {len(voices) for voices in by_greeting.values()} == {3}
    assert {voice for _, _, voice, _ in plan} == set(VOICES)


@pytest.mark.parametrize(
    ("kind", "found", "right"),
    [
        ("person", outcome("right_person", "outbound_opening"), True),
        ("person", outcome("silent", "outbound_opening"), False),
        ("person", outcome("voicemail"), False),
        ("voicemail", outcome("voicemail"), True),
        ("voicemail", outcome("voicemail", "outbound_opening", "outbound_message"), True),
        ("voicemail", outcome("voicemail", "outbound_opening", "is_it_you"), False),
        ("voicemail", outcome("voicemail", "outbound_opening", "outbound_opening"), False),
        ("voicemail", outcome("person", "outbound_opening"), False),
        ("voicemail", outcome("voicemail", "outbound_opening", words="about your order"), False),
        ("screener", outcome("screener", "outbound_screener"), True),
        ("menu", outcome("ivr", "outbound_message"), False),
    ],
)
def test_what_is_right(kind: str, found: OpeningOutcome, *, right: bool) -> None:
    assert (problem_of(kind, found) == "") is right


def test_the_table_names_what_is_wrong() -> None:
    good = GreetedCall("person", "Hello?", "joe", False, outcome("right_person"), "")
    bad = GreetedCall("menu", "Press one", "joe", False, outcome("person"), "a machine, recorded as person")
    text = table([good, bad])
    assert "recorded as person" in text
    assert "Hello?" not in text


@pytest.mark.slow
async def test_a_screener_is_told_who_calls_by_the_real_recogniser(tmp_path: Path) -> None:
    [*found] = await measure(tmp_path, 1, ["screener"])
    assert sum(bool(one.problem) for one in found) <= 1, table(found)
