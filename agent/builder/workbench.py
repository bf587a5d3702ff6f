"""What needs a loaded pack: checks, simulated calls, tests. Runs in a process of its own (``worker.py``)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.builder.answer_choices import AnswerChoices, KnownAnswers, possible_answer
from agent.builder.checking import CheckReport, CheckRules, check_files
from agent.builder.pack_tests import PackTestFiles, play_all, report_json
from agent.builder.recorded_call import play_record
from agent.builder.saved_test import saved_test_yaml
from agent.builder.scores import ReadyScores, ScoredBy
from agent.builder.simulation import SimulatedCall, SimulationError
from agent.builder.simulation_input import CallerTurn, CallSetup
from agent.builder.teaching_effect import TaughtAdditions, TeachingStudy
from agent.builder.workbench_settings import WorkbenchSettings
from agent.dialog.pack.compiled_phrases import RememberedPhrases
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.errors import OrderlineError
from agent.speech.model import bundled_model
from agent.speech.wording import filters
from agent.understanding.score_files import ScoreFiles
from agent.understanding.sentence_vectors import installed_vectors

Files = Mapping[str, str]
Told = Callable[[str, int, int], None]
"""Told a stage, how much of it is done, and of how much."""
_PACKS_KEPT = 3


class UnusablePack(OrderlineError):
    """A pack whose mistakes keep it from being played."""

    code = "unusable_pack"


@dataclass
class _Simulation:
    call: SimulatedCall
    scored_by: ScoredBy


class Workbench:
    """Loaded packs and simulated calls. Methods block, take and return JSON-like data, raise OrderlineError."""

    def __init__(self, settings: WorkbenchSettings) -> None:
        self._render = SandboxRenderer(filters)
        vocabulary = (bundled_model() / "vocabulary.txt").read_text(encoding="utf-8").split()
        self._rules = CheckRules(self._render.filters, settings.number_formats, frozenset(vocabulary))
        self._phrases = RememberedPhrases()
        self._tests = PackTestFiles(settings.tests)
        self._vectors = installed_vectors()
        self._scores = ScoreFiles(settings.scores, self._vectors)
        self._ready = ReadyScores(settings.scores, self._vectors)
        self._checked: OrderedDict[tuple[tuple[str, str], ...], CheckReport] = OrderedDict()
        self._simulations: dict[str, _Simulation] = {}

    # --- checks -----------------------------------------------------------------------------------------

    def check(self, files: Files) -> dict[str, Any]:
        """Return what is wrong with a pack."""
        return self._check(files).to_json()

    def _check(self, files: Files) -> CheckReport:
        key = tuple(sorted(files.items()))
        report = self._checked.pop(key, None) or check_files(files, self._rules, self._phrases)
        self._checked[key] = report
        while len(self._checked) > _PACKS_KEPT:
            self._checked.popitem(last=False)
        return report

    def pack(self, files: Files) -> FlowPack:
        """Return a pack that can be played. Raises :class:`UnusablePack`."""
        report = self._check(files)
        if report.pack is None:
            mistakes = [found.finding for found in report.findings if found.finding.severity == "error"]
            more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
            raise UnusablePack(f"These procedures cannot be played: {mistakes[0]}{more}.")
        return report.pack

    # --- simulated calls --------------------------------------------------------------------------------

    def begin(
        self, id: str, files: Files, setup: Mapping[str, Any], turns: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """Begin a call, hand the ``turns`` in that it has had already, and return where it is.

        A turn that the call does not wait for ends them: ``differs`` is its place, or that of the first turn that is
        answered with other words than ``said`` of it.
        """
        pack, scored_by = self._ready.scored(self.pack(files))
        call = SimulatedCall(pack, CallSetup.model_validate(setup), self._choices(pack), self._render)
        self._simulations[id] = _Simulation(call, scored_by)
        differs: int | None = None
        for place, turn in enumerate(turns):
            try:
                exchange = call.take(CallerTurn.model_validate(turn["given"]))
            except SimulationError:
                differs = place if differs is None else differs
                break
            said = [prompt.text for prompt in exchange.said]
            if differs is None and turn.get("said", said) != said:
                differs = place
        return {**self.state(id), "differs": differs}

    def _choices(self, pack: FlowPack) -> AnswerChoices:
        return AnswerChoices(pack.contents, KnownAnswers.of(self._tests.calls()[0]))

    def take(self, id: str, turn: Mapping[str, Any]) -> dict[str, Any]:
        """Hand one turn in."""
        self._found(id).call.take(CallerTurn.model_validate(turn))
        return self.state(id)

    def back(self, id: str, turns: int) -> dict[str, Any]:
        """Take turns back."""
        self._found(id).call.back(turns)
        return self.state(id)

    def change(self, id: str, outcomes: Mapping[str, str], queue: str | None) -> dict[str, Any]:
        """Answer services and the queue otherwise from now on."""
        call = self._found(id).call
        call.setup = CallSetup.model_validate({**call.setup.model_dump(), "outcomes": outcomes, "queue": queue})
        return self.state(id)

    def state(self, id: str) -> dict[str, Any]:
        """Return where a call is."""
        found = self._found(id)
        call = found.call
        return {
            "edition": call.pack.fingerprint,
            "turn": len(call.inputs),
            "scored_by": found.scored_by,
            "ms": round(call.last_ms, 1),
            **call.last.to_json(),
        }

    def turns(self, id: str) -> list[dict[str, Any]]:
        """Return every turn of a call so far, the greeting first."""
        return [
            {"input": one.given.to_json() if one.given is not None else None, **one.to_json()}
            for one in self._found(id).call.exchanges
        ]

    def write_test(self, id: str, name: str) -> str:
        """Return a call as the YAML of a test."""
        call = self._found(id).call
        return saved_test_yaml(name, call.setup, call.exchanges)

    def record_test(self, files: Files, record: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return a test made of a real call: its YAML, and notes for whoever keeps it."""
        pack, _ = self._ready.scored(self.pack(files))
        played = play_record(record, pack, self._choices(pack), self._render)
        return {"yaml": saved_test_yaml(name, played.call.setup, played.call.exchanges), "notes": played.notes}

    def end(self, id: str) -> None:
        """Forget a call."""
        self._simulations.pop(id, None)

    def _found(self, id: str) -> _Simulation:
        if id not in self._simulations:
            raise SimulationError("There is no such simulated call any more.")
        return self._simulations[id]

    # --- tests and teaching -----------------------------------------------------------------------------

    def tests(self, files: Files, told: Told) -> dict[str, Any]:
        """Play every test of the pack and return how they went."""
        began = time.monotonic()
        told("fitting", 0, 1)
        pack = self.pack(files).with_score(self._scores)
        calls, findings = self._tests.calls()
        report = play_all(pack, calls, self._render, possible_answer, lambda done, of: told("testing", done, of))
        problems = [{"name": "", "file": one.file, "line": one.line, "problems": [str(one)], "transcript": []}
                    for one in findings]  # fmt: skip
        found = report_json(report, pack.fingerprint, began)
        return {**found, "failed": [*problems, *found["failed"]]}

    def teach(
        self, files: Files, additions: Mapping[str, Any], sentences: Mapping[str, int], told: Told
    ) -> dict[str, Any]:
        """Return what phrases and examples added to a pack would change; ``sentences``: not understood -> how often."""
        calls, _ = self._tests.calls()
        study = TeachingStudy(files, self._rules, self._scores, self._render, calls)
        return study.effect(TaughtAdditions.from_json(additions), sentences, told)
