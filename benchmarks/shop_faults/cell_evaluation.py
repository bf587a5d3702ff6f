"""Evaluates one cell of the shop fault matrix: what the caller heard against what was really done. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.rehearsal.result import ScriptedCallResult
from benchmarks.shop_faults.cells import FaultCell
from benchmarks.shop_faults.effect_log import EffectLog

MOST_SILENCE_SECONDS = 4.0
CLAIMS = {
    "orders": r"should arrive|on its way",
    "deliveries": r"\bdone\b|confirmation number",
    "returns": r"\bdone\b|return number is",
    "messages": r"I've texted the tracking link",
}
"""The words that tell a caller it has been done (or, of an order, what stands in the books)."""
_HONEST = (
    *(r"can't see orders right now", r"can't (do that here|look that up|see points) right now"),
    *(r"couldn't get a confirmation", r"it'll follow", r"couldn't send"),
)
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class AgentFileFindings:
    """What the agent's own files say when the fault is over."""

    undelivered: tuple[str, ...] = ()
    """Entries still in the outbox."""
    dead: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    """Errors in its log."""
    private: tuple[str, ...] = ()
    """What stands in its log and must not."""


@dataclass(frozen=True)
class CellResult:
    """One row of the table."""

    cell: FaultCell
    heard: str
    """The sentence that told the caller how it stands."""
    longest_silence_s: float | None
    effects: Mapping[str, int]
    events: int
    asked: int
    """Requests that the system with the fault was sent."""
    problems: tuple[str, ...]
    call: ScriptedCallResult

    @property
    def ok(self) -> bool:
        """Whether the cell passed."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-like data."""
        return {
            "system": self.cell.system,
            "fault": self.cell.fault,
            "ok": self.ok,
            "problems": list(self.problems),
            "ending": self.cell.ending,
            "heard": self.heard,
            "longest_silence_s": None if self.longest_silence_s is None else round(self.longest_silence_s, 2),
            "effects": dict(self.effects),
            "expected_effects": self.cell.effects,
            "events": self.events,
            "asked": self.asked,
            "call": self.call.to_dict(),
        }


def evaluate_cell(
    cell: FaultCell, call: ScriptedCallResult, books: EffectLog, aftermath: AgentFileFindings
) -> CellResult:
    """Return what came of a cell."""
    said = agent_words(call)
    problems = [f"the call: {check.what}{f' ({check.detail})' if check.detail else ''}" for check in _failed(call)]
    silence = call.longest_silence_s
    if silence is None or silence > MOST_SILENCE_SECONDS:
        problems.append("no silence measured" if silence is None else f"{silence:.1f} s of silence")
    problems += _honesty(cell, said, books)
    effects = {book: len(made) for book, made in books.effects.items()}
    problems += [
        f"{book}: {effects[book]} made, {wanted} expected"
        for book, wanted in cell.effects.items()
        if effects[book] != wanted
    ]
    problems += [f"made twice: {what}" for what in books.doubled()]
    if dict(books.events) != cell.events:
        problems.append(f"the webhook was told {dict(books.events)}, not {cell.events}")
    if books.forged:
        problems.append(f"{books.forged} event(s) with a wrong signature")
    if books.eavesdropped:
        problems.append(f"{books.eavesdropped} request(s) went to another host")
    for what, found in (
        ("not delivered", aftermath.undelivered),
        ("given up", aftermath.dead),
        ("logged", aftermath.errors),
        ("private in the log", aftermath.private),
    ):
        problems += [f"{what}: {one}" for one in found]
    return CellResult(
        cell=cell,
        heard=outcome_sentence(cell.system, said),
        longest_silence_s=silence,
        effects=effects,
        events=sum(books.events.values()),
        asked=books.asked[cell.system],
        problems=tuple(problems),
        call=call,
    )


def _honesty(cell: FaultCell, said: str, books: EffectLog) -> list[str]:
    """What was said to be done must have been done, under the number that was said."""
    claim = CLAIMS.get(cell.system)
    claimed = claim is not None and re.search(claim, said, re.IGNORECASE) is not None
    if cell.system == "orders":
        return ["a place or a day was told that nobody knows"] if claimed and cell.fault != "none" else []
    if cell.system not in CLAIMS:
        return []
    made = books.effects[cell.system]
    if claimed and not made:
        return ['a false "done"']
    if claimed and cell.system != "messages" and made[0].number not in spoken_digits(said):
        return [f"the number said is not {made[0].number}"]
    return []


def _failed(call: ScriptedCallResult) -> list[Any]:
    return [check for check in call.checks if not check.ok]


def agent_words(call: ScriptedCallResult) -> str:
    """Return everything the agent said."""
    return " ".join(turn.agent for turn in call.turns if turn.agent)


def outcome_sentence(system: str, said: str) -> str:
    """Return the sentence that tells a caller how it stands."""
    sentences = [sentence.strip() for sentence in re.split(r"(?<=[.?!])\s+", said) if sentence.strip()]
    claim = CLAIMS.get(system, CLAIMS["orders"])
    for pattern in (*_HONEST, claim, r"put you through"):
        found = [sentence for sentence in sentences if re.search(pattern, sentence, re.IGNORECASE)]
        if found:
            return found[-1] if pattern == claim else found[0]
    return sentences[-1] if sentences else ""


def spoken_digits(text: str) -> str:
    """Return the digits in a text that says them as words."""
    found = re.findall(r"[a-z]+", text.lower())
    return "".join(str(_DIGITS.index(word)) for word in found if word in _DIGITS)


def scan_log(log_text: str, private: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (errors, private data) of a piece of the agent's log."""
    lines = log_text.splitlines()
    errors = tuple(line for line in lines if " ERROR " in line or line.startswith("Traceback"))
    return errors, tuple(word for word in private if re.search(rf"(?<!\d){re.escape(word)}(?!\d)", log_text))


def read_from(path: Path, offset: int) -> str:
    """Return what has been added to a file since it was ``offset`` bytes long."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read().decode("utf-8", "replace")
