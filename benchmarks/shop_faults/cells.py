"""Cells of the shop fault matrix: which system fails in which way, and how the call must end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.errors import OrderlineError

Ending = Literal["done", "refused", "unsure", "follows", "person"]
"""How the call ends: ``done`` is said; an honest "I can't" and a person (``refused``); "I couldn't get a
confirmation" and a person (``unsure``); "it'll follow" (``follows``); ``person`` was what the caller wanted."""

SYSTEMS = ("orders", "deliveries", "returns", "messages", "tickets", "webhooks")
FAULTS = {
    "none": "nothing is wrong",
    "down": "nobody answers at its address",
    "500": "it answers 500, nothing is done",
    "429": "it answers 429, try again in a minute",
    "slow": "it does what it is asked, but answers only after 10 s",
    "dripping": "it does it, and the answer comes byte by byte without an end",
    "malformed": "it does it, and the answer is half a JSON",
    "wrong_type": "it does it, and every field of the answer has another type",
    "huge": "it does it, and the answer is 100 MB",
    "redirect": "it answers with a redirect to another host",
    "certificate": "its certificate is one that nobody trusts",
    "late": "it does it at once, and answers only after 10 s",
    "lying": "it answers 200 and does nothing, or gives somebody else's order",
    "untrue": "it answers with a whole confirmation and does nothing",
}
ACTS = frozenset({"none", "slow", "dripping", "malformed", "wrong_type", "huge", "late"})
"""Faults of a system that has done all the same what it was asked."""
LISTENER = frozenset({"down", "certificate"})
"""Faults of the address itself: no request gets as far as being answered."""
_NEVER = frozenset(
    {
        # a whole confirmation is the system's word; only where one can look afterwards is there something against it
        *((system, "untrue") for system in SYSTEMS if system != "returns"),
        ("orders", "late"),  # a look-up does nothing: that is "slow"
        ("webhooks", "lying"),  # 200 is the receiver's word that it has the event; there is nothing to hold against it
    }
)


class NoSuchCell(OrderlineError):
    """``--only`` names something that is not in the matrix."""

    code = "script"


@dataclass(frozen=True)
class FaultCell:
    """One call of the matrix."""

    system: str
    fault: str

    @property
    def name(self) -> str:
        """As ``--only`` takes it."""
        return f"{self.system}:{self.fault}"

    @property
    def ending(self) -> Ending:
        """How its call must end."""
        return _ending(self.system, self.fault)

    @property
    def handed_over(self) -> bool:
        """Whether a person takes the call."""
        return self.ending in ("refused", "unsure", "person")

    @property
    def effects(self) -> dict[str, int]:
        """What must stand in each system's books when the fault is over and everything has been delivered."""
        acted = int(self.ending == "done" or (self.ending == "unsure" and self.fault in ACTS))
        returned = acted if self.system == "returns" else 0
        confirmed = returned if self.ending == "done" else 0
        return {
            "deliveries": acted if self.system == "deliveries" else 0,
            "returns": returned,
            "messages": int(self.system == "messages") + confirmed,  # the label of a return goes out by text message
            "tickets": int(self.handed_over),
        }

    @property
    def events(self) -> dict[str, int]:
        """What the webhook must have been told, each once."""
        done = self.system == "returns" and self.ending == "done"
        told = {
            "call.started": 1,
            "call.ended": 1,
            "call.handed_over": int(self.handed_over),
            "ticket.created": int(self.handed_over),
            "return.created": int(done),
        }
        return {name: count for name, count in told.items() if count}


def all_cells() -> tuple[FaultCell, ...]:
    """Return the whole matrix, fault by fault, so that no system is hit twice in a row."""
    return tuple(FaultCell(system, fault) for fault in FAULTS for system in SYSTEMS if (system, fault) not in _NEVER)


def cells_chosen(only: str) -> tuple[FaultCell, ...]:
    """Return the cells of ``orders:500,tickets`` (a system, a fault, or both); all of them for ``""``.

    Raises NoSuchCell.
    """
    every = all_cells()
    found: list[FaultCell] = []
    for word in (word.strip() for word in only.split(",")):
        if not word:
            continue
        system, colon, fault = word.partition(":")
        matching = [
            cell for cell in every if word in (cell.system, cell.fault) or (colon and cell.name == f"{system}:{fault}")
        ]
        if not matching:
            raise NoSuchCell(
                f"--only {word}: there is no such cell; systems: {', '.join(SYSTEMS)}; faults: {', '.join(FAULTS)}"
            )
        found += [cell for cell in matching if cell not in found]
    return tuple(cell for cell in every if cell in found) if only.strip(" ,") else every


def _ending(system: str, fault: str) -> Ending:
    if system == "webhooks":
        return "done"  # no caller notices
    if system == "tickets":
        return "person"
    if fault == "none":
        return "done"
    if system == "messages":
        return "follows"
    if system == "orders" or fault in (*LISTENER, "429", "redirect"):
        return "refused"
    if system == "returns" and fault in _FOUND_AGAIN:
        return "done"  # the agent looks under its key, and the return is there
    return "unsure"


_FOUND_AGAIN = ("malformed", "wrong_type", "huge")


def by_system(cells: Sequence[FaultCell]) -> dict[str, list[FaultCell]]:
    """Sort cells for a table."""
    return {system: [cell for cell in cells if cell.system == system] for system in SYSTEMS}
