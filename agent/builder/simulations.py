"""The simulated calls of a console: bounded, each its own supervisor's, and begun anew where their process died."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent.builder.simulation import SimulationError
from agent.builder.simulation_input import CallerTurn, CallSetup
from agent.builder.worker_process import WorkerProcess

MOST_SIMULATIONS = 20
IDLE_SECONDS = 1800.0
BEGIN_SECONDS = 60.0
"""A cold process loads a pack first."""
TURN_SECONDS = 20.0


@dataclass
class HeldSimulation:
    """One call, as far as its process need not hold it."""

    id: str
    person: int
    source: Mapping[str, Any]
    """What it plays, as it was asked for."""
    files: Mapping[str, str]
    setup: CallSetup
    turns: list[dict[str, Any]] = field(default_factory=list)
    """What was handed in (``given``), and what was ``said`` to it."""
    generation: int = 0
    """Of the process that holds it."""
    used_at: float = 0.0


class Simulations:
    """All simulated calls. Methods raise SimulationError, WorkRefused, WorkerLost."""

    def __init__(self, worker: WorkerProcess, clock: Callable[[], float] = time.monotonic) -> None:
        self._worker = worker
        self._clock = clock
        self._held: dict[str, HeldSimulation] = {}
        self._lock = asyncio.Lock()

    async def begin(
        self, person: int, source: Mapping[str, Any], files: Mapping[str, str], setup: CallSetup
    ) -> dict[str, Any]:
        """Begin a call and return its state."""
        async with self._lock:
            await self._make_room()
            held = HeldSimulation(secrets.token_urlsafe(12), person, source, files, setup, used_at=self._clock())
            state = await self._begin(held)
            self._held[held.id] = held
            return self._told(held, state)

    async def take(self, person: int, id: str, turn: CallerTurn) -> dict[str, Any]:
        """Hand one turn in."""
        async with self._lock:
            held = await self._ready(person, id)
            state = await self._ask(held, "take", turn=turn.to_json())
            said = [one["text"] for one in state["said"]]
            held.turns.append({"given": turn.to_json(), "said": said})
            return self._told(held, state)

    async def back(self, person: int, id: str, turns: int) -> dict[str, Any]:
        """Take turns back."""
        async with self._lock:
            held = await self._ready(person, id)
            state = await self._ask(held, "back", turns=turns)
            del held.turns[-turns:]
            return self._told(held, state)

    async def change(self, person: int, id: str, outcomes: Mapping[str, str], queue: str | None) -> dict[str, Any]:
        """Answer services and the queue otherwise from now on."""
        async with self._lock:
            held = await self._ready(person, id)
            state = await self._ask(held, "change", outcomes=dict(outcomes), queue=queue)
            held.setup = CallSetup.model_validate({**held.setup.model_dump(), "outcomes": outcomes, "queue": queue})
            return self._told(held, state)

    async def again(self, person: int, id: str, source: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
        """Have the same turns on other files; ``differs`` is the place of the first that is answered otherwise."""
        async with self._lock:
            held = self._found(person, id)
            state = await self._begin(replace(held, source=source, files=files))
            held.source, held.files, held.generation = source, files, self._worker.generation
            del held.turns[int(state["turn"]) :]
            return self._told(held, state)

    async def state(self, person: int, id: str) -> dict[str, Any]:
        """Return where a call is, with all its turns."""
        async with self._lock:
            held = await self._ready(person, id)
            state = await self._ask(held, "state")
            return {**self._told(held, state), "turns": await self._ask(held, "turns")}

    async def write_test(self, person: int, id: str, name: str) -> str:
        """Return a call as the YAML of a test."""
        async with self._lock:
            held = await self._ready(person, id)
            return str(await self._ask(held, "write_test", name=name))

    async def end(self, person: int, id: str) -> None:
        """Forget a call."""
        async with self._lock:
            await self._end(self._found(person, id))

    def source(self, person: int, id: str) -> Mapping[str, Any]:
        """Return what a call plays."""
        return self._found(person, id).source

    def _found(self, person: int, id: str) -> HeldSimulation:
        held = self._held.get(id)
        if held is None or held.person != person:
            raise NoSuchSimulation("There is no such simulated call: it has ended, or is somebody else's.")
        held.used_at = self._clock()
        return held

    async def _ready(self, person: int, id: str) -> HeldSimulation:
        """Return a call that its process holds: played again where that is another process by now."""
        held = self._found(person, id)
        if self._worker.pid is None or held.generation != self._worker.generation:
            state = await self._begin(held)
            del held.turns[int(state["turn"]) :]
        return held

    async def _begin(self, held: HeldSimulation) -> dict[str, Any]:
        setup = held.setup.model_dump(mode="json")
        state: dict[str, Any] = await self._worker.ask(
            "begin", BEGIN_SECONDS, id=held.id, files=dict(held.files), setup=setup, turns=held.turns
        )
        held.generation = self._worker.generation
        return state

    async def _ask(self, held: HeldSimulation, do: str, **values: Any) -> Any:
        return await self._worker.ask(do, TURN_SECONDS, id=held.id, **values)

    async def _make_room(self) -> None:
        now = self._clock()
        for held in [held for held in self._held.values() if now - held.used_at > IDLE_SECONDS]:
            await self._end(held)
        while len(self._held) >= MOST_SIMULATIONS:
            await self._end(min(self._held.values(), key=lambda held: held.used_at))

    async def _end(self, held: HeldSimulation) -> None:
        self._held.pop(held.id, None)
        if self._worker.pid is not None and held.generation == self._worker.generation:
            await self._ask(held, "end")

    @staticmethod
    def _told(held: HeldSimulation, state: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": held.id, "source": dict(held.source), "differs": None, **state}


class NoSuchSimulation(SimulationError):
    """A simulated call that there is not."""

    code = "no_simulation"
