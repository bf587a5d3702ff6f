"""Reads and writes the run-time graph of a Vosk model (``HCLr.fst``), so that words can be put into it.

The file is OpenFst's ``olabel_lookahead``: a constant transducer from the network's transitions to words, and for each
state the words that may come next (intervals of word ids), by which Vosk composes it with a turn's grammar on the fly.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.speech.model import ModelError

_FST_MAGIC, _ADDON_MAGIC = 2125659606, 446681434
_SYMBOLS_MAGIC, _HAS_OUTPUT_SYMBOLS = 2125658996, 0x2
_STATE = np.dtype(
    [("final", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("input_epsilons", "<u4"), ("output_epsilons", "<u4")]
)
_ARC = np.dtype([("input", "<i4"), ("output", "<i4"), ("weight", "<f4"), ("to", "<i4")])
_DETERMINISTIC_INPUT, _OTHER_INPUT = 0x40000, 0x80000
"""Properties: no two arcs of a state have the same input, and the reverse."""

Intervals = tuple[tuple[int, int], ...]
"""Word ids, from each first one to before each last one, ascending."""


@dataclass(frozen=True)
class Arc:
    """One arc; ``input`` is a transition of the network, ``output`` a word id or 0."""

    input: int
    output: int
    weight: float
    to: int


@dataclass
class LookaheadGraph:
    """The graph in memory. ``arcs``, ``finals`` and ``reachable`` have an entry for each state."""

    start: int
    arcs: list[list[Arc]]
    finals: list[float]
    """Cost of ending there; infinity where nothing ends."""
    reachable: list[Intervals]
    """What may be the next word; :attr:`final_label` in it: the end may come before any."""
    final_label: int
    properties: int
    flags: int = 0

    def to_bytes(self) -> bytes:
        """Return the file; the arcs of each state sorted by word, as the composition needs them."""
        out = io.BytesIO()
        inputs_differ = all(len({arc.input for arc in arcs}) == len(arcs) for arcs in self.arcs)
        properties = self.properties & ~(_DETERMINISTIC_INPUT | _OTHER_INPUT)
        properties |= _DETERMINISTIC_INPUT if inputs_differ else _OTHER_INPUT
        out.write(_header("olabel_lookahead", 1, 0, properties, -1, 0, 0) + struct.pack("<i", _ADDON_MAGIC))
        total = sum(map(len, self.arcs))
        out.write(_header("const", 2, self.flags, properties, self.start, len(self.arcs), total))
        states, every = np.zeros(len(self.arcs), _STATE), np.zeros(total, _ARC)
        first = 0
        for number, unsorted in enumerate(self.arcs):
            arcs = sorted(unsorted, key=lambda arc: arc.output)
            silent = (sum(arc.input == 0 for arc in arcs), sum(arc.output == 0 for arc in arcs))
            states[number] = (self.finals[number], first, len(arcs), *silent)
            every[first : first + len(arcs)] = [(arc.input, arc.output, arc.weight, arc.to) for arc in arcs]
            first += len(arcs)
        out.write(states.tobytes() + every.tobytes())
        # an addition of two: nothing for the input side; for the output side no relabelling, the end's label, the sets
        out.write(struct.pack("<???", True, False, True) + struct.pack("<??i", False, False, self.final_label))
        out.write(struct.pack("<q", len(self.reachable)))
        for intervals in self.reachable:
            out.write(struct.pack("<q", len(intervals)))
            out.write(b"".join(struct.pack("<ii", *interval) for interval in intervals))
            out.write(struct.pack("<i", sum(end - begin for begin, end in intervals)))
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> LookaheadGraph:
        """Read a file. Raises :class:`ModelError` for one that is not of this kind."""
        try:
            return _read(_Reader(data))
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise ModelError(f"The model's graph cannot be read: {error}.") from error


def with_symbols(data: bytes, symbols: Mapping[str, int]) -> bytes:
    """Return a language model's file (``Gr.fst``) with more names for word ids; Vosk takes its words from there.

    A file without names is returned as it is. Raises :class:`ModelError` for one that is not of this kind.
    """
    file = _Reader(data)
    try:
        flags = file.header("const")[0]
        if flags != _HAS_OUTPUT_SYMBOLS:
            return data
        if file.take("i") != _SYMBOLS_MAGIC:
            raise ValueError("its words are missing")
        file.text()
        counts = file.at
        _, size = file.take("qq")
        names = file.at
        for _ in range(size):
            file.text()
            file.take("q")
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise ModelError(f"The model's language model cannot be read: {error}.") from error
    added = b"".join(
        struct.pack("<i", len(name.encode())) + name.encode() + struct.pack("<q", number)
        for name, number in symbols.items()
    )
    free = max(symbols.values(), default=0) + 1
    count = struct.pack("<qq", max(free, struct.unpack_from("<q", data, counts)[0]), size + len(symbols))
    return data[:counts] + count + data[names : file.at] + added + data[file.at :]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, form: str) -> Any:
        value = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return value[0] if len(value) == 1 else value

    def text(self) -> str:
        length = self.take("i")
        self._at += length
        return self._data[self._at - length : self._at].decode()

    @property
    def at(self) -> int:
        return self._at

    def table(self, form: np.dtype[Any], count: int) -> npt.NDArray[Any]:
        table = np.frombuffer(self._data, form, count, self._at)
        self._at += table.nbytes
        return table

    def header(self, kind: str) -> tuple[int, int, int, int, int]:
        """Return flags, properties, start, states and arcs of an FST of this kind."""
        if self.take("i") != _FST_MAGIC or (self.text(), self.text()) != (kind, "standard"):
            raise ValueError(f"it is no {kind} graph")
        _, flags, properties, start, states, arcs = self.take("iiQqqq")
        return flags, properties, start, states, arcs

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._data)


def _read(file: _Reader) -> LookaheadGraph:
    file.header("olabel_lookahead")
    if file.take("i") != _ADDON_MAGIC:
        raise ValueError("what belongs to its look-ahead is missing")
    flags, properties, start, state_count, arc_count = file.header("const")
    if flags:
        raise ValueError("it holds symbols, or is aligned in a way that is not known")
    states, arcs = file.table(_STATE, state_count), file.table(_ARC, arc_count)
    if file.take("???") != (True, False, True) or file.take("??") != (False, False):
        raise ValueError("its look-ahead is not for output words alone")
    final_label = file.take("i")
    reachable: list[Intervals] = []
    for _ in range(file.take("q")):
        reachable.append(tuple(file.take("ii") for _ in range(file.take("q"))))
        file.take("i")  # how many ids that are
    if not file.is_at_end or len(reachable) != state_count:
        raise ValueError("its length is wrong")
    return LookaheadGraph(
        start=start,
        arcs=[_arcs(arcs[state["first"] : state["first"] + state["arcs"]]) for state in states],
        finals=[float(state["final"]) for state in states],
        reachable=reachable,
        final_label=final_label,
        properties=properties,
    )


def _arcs(table: npt.NDArray[Any]) -> list[Arc]:
    rows: Sequence[tuple[int, int, float, int]] = table.tolist()
    return [Arc(*row) for row in rows]


def _header(kind: str, version: int, flags: int, properties: int, start: int, states: int, arcs: int) -> bytes:
    names = b"".join(struct.pack("<i", len(name)) + name.encode() for name in (kind, "standard"))
    numbers = struct.pack("<iiQqqq", version, flags, properties, start, states, arcs)
    return struct.pack("<i", _FST_MAGIC) + names + numbers


__all__ = ["Arc", "Intervals", "LookaheadGraph", "with_symbols"]
