"""Places the boxes of a graph in rows and routes the lines between them. Pure.

The layered way of drawing (Sugiyama, Tagawa, Toda 1981): ranks by longest path, stand-ins where a line passes a row,
rows ordered by the means of their neighbours to avoid crossings, then places as near to the neighbours as the order and
the widths allow (weighted isotonic regression, exact for each row). Lines that go back up get a lane beside the boxes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.dialog.tools.graph_ranks import ranks_of

_GAP_X, _LANE_GAP = 26.0, 9.0
_GAP_Y, _MAX_GAP_Y, _SLANT = 16.0, 54.0, 0.1
_ROUNDS = 12
_PORT_GAP = 20.0
_STRAIGHT, _HALF_STRAIGHT = 8.0, 2.0
_LABEL_AWAY = 44.0
_FAR, _SLACK = 1e9, 1e-6

Point = tuple[float, float]
Segment = tuple[Point, Point]


@dataclass(frozen=True)
class LayoutBox:
    """Something to place."""

    id: str
    width: float
    height: float


@dataclass(frozen=True)
class LayoutLine:
    """Something to lead from one box to another; with the size of its label."""

    source: str
    target: str
    label_width: float = 0.0
    label_height: float = 0.0


@dataclass(frozen=True)
class LineRoute:
    """How a line runs: straight verticals, with curves from each to the next.

    Where a line that goes back turns round, second and last but one, the vertical is a point that it passes level.
    """

    stretches: tuple[Segment, ...]
    label: Point
    """The centre of the label."""
    back: bool
    """True when it goes up, to an earlier box."""


@dataclass(frozen=True)
class GraphLayout:
    """Where everything is; the top left corner is (0, 0)."""

    width: float
    height: float
    centres: Mapping[str, Point]
    routes: tuple[LineRoute, ...]
    """In the order of the lines."""


@dataclass
class _Item:
    """A box, or the stand-in for a line in one row."""

    row: int
    width: float
    height: float
    box: str = ""
    x: float = 0.0
    up: list[tuple[int, float]] = field(default_factory=list)
    down: list[tuple[int, float]] = field(default_factory=list)
    """Neighbours in the row above and below, with the weight of the line between."""


def lay_out(boxes: Sequence[LayoutBox], lines: Sequence[LayoutLine]) -> GraphLayout:
    """Place boxes and lines. The first box comes first; every line must name boxes that are there."""
    return _Drawing(boxes, lines).layout()


class _Drawing:
    def __init__(self, boxes: Sequence[LayoutBox], lines: Sequence[LayoutLine]) -> None:
        self._lines = lines
        ranks = ranks_of([box.id for box in boxes], [(line.source, line.target) for line in lines])
        self._items = [_Item(2 * ranks[box.id], box.width, box.height, box.id) for box in boxes]
        self._at = {box.id: index for index, box in enumerate(boxes)}
        self._chains = [self._chain(line) for line in lines]
        count = max(item.row for item in self._items) + 1 if self._items else 0
        self._rows: list[list[int]] = [[] for _ in range(count)]
        for index in self._in_reading_order():
            self._rows[self._items[index].row].append(index)

    def layout(self) -> GraphLayout:
        self._order()
        self._place()
        tops, bottoms = self._heights()
        left = min((item.x - item.width / 2 for item in self._items), default=0.0)
        for item in self._items:
            item.x -= left
        width = max((item.x + item.width / 2 for item in self._items), default=0.0)
        middles = [(top + bottom) / 2 for top, bottom in zip(tops, bottoms, strict=True)]
        centres = {item.box: (item.x, middles[item.row]) for item in self._items if item.box}
        routes = self._routes(tops, bottoms)
        return GraphLayout(width, bottoms[-1] if bottoms else 0.0, centres, routes)

    def _chain(self, line: LayoutLine) -> list[int]:
        """Make the stand-ins of a line, from its source on, and join the neighbours."""
        source, target = self._at[line.source], self._at[line.target]
        first, last = self._items[source].row, self._items[target].row
        back = last <= first
        rows = range(first + 1, last - 2, -1) if back else range(first + 1, last)
        chain: list[int] = []
        for row in rows:
            label = not chain
            chain.append(len(self._items))
            self._items.append(_Item(row, line.label_width if label else 0.0, line.label_height if label else 0.0))
        whole = [source, *chain, target]
        for one, other in itertools.pairwise(whole):
            upper, lower = (one, other) if self._items[one].row < self._items[other].row else (other, one)
            ends = bool(self._items[one].box) + bool(self._items[other].box)
            weight = (_STRAIGHT, _HALF_STRAIGHT, 1.0)[ends]
            self._items[upper].down.append((lower, weight))
            self._items[lower].up.append((upper, weight))
        return chain

    def _in_reading_order(self) -> list[int]:
        """Return all items as a walk along the lines meets them, the first way first."""
        seen: dict[int, None] = {}
        for start in range(len(self._items)):
            waiting = [start]
            while waiting:
                here = waiting.pop()
                if here not in seen:
                    seen[here] = None
                    waiting += [lower for lower, _ in reversed(self._items[here].down)]
        return list(seen)

    # --- order ------------------------------------------------------------------------------------

    def _order(self) -> None:
        best, fewest = [list(row) for row in self._rows], self._crossings()
        for turn in range(2 * _ROUNDS):
            downwards = turn % 2 == 0
            rows = range(1, len(self._rows)) if downwards else range(len(self._rows) - 2, -1, -1)
            for row in rows:
                self._sort(row, downwards=downwards)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self._rows], crossings
        self._rows = best

    def _sort(self, row: int, *, downwards: bool) -> None:
        beside = {index: place for place, index in enumerate(self._rows[row - 1 if downwards else row + 1])}
        wanted = {}
        for place, index in enumerate(self._rows[row]):
            item = self._items[index]
            near = [beside[other] for other, _ in (item.up if downwards else item.down)]
            wanted[index] = sum(near) / len(near) if near else place
        self._rows[row].sort(key=lambda index: wanted[index])

    def _crossings(self) -> int:
        total = 0
        for upper, lower in itertools.pairwise(self._rows):
            place = {index: number for number, index in enumerate(lower)}
            ends = [place[other] for index in upper for other in sorted(
                (other for other, _ in self._items[index].down), key=lambda other: place[other])]  # fmt: skip
            total += sum(1 for at, end in enumerate(ends) for later in ends[at + 1 :] if later < end)
        return total

    # --- places -----------------------------------------------------------------------------------

    def _place(self) -> None:
        for row in self._rows:
            x = 0.0
            for before, index in zip([None, *row], row, strict=False):
                x += self._apart(before, index) if before is not None else 0.0
                self._items[index].x = x
        for turn in range(4 * _ROUNDS):
            downwards = turn % 2 == 0
            both = turn >= 2 * _ROUNDS
            rows = self._rows if downwards else self._rows[::-1]
            for row in rows:
                self._settle(row, up=downwards or both, down=not downwards or both)
        for chain in sorted(self._chains, key=len, reverse=True):
            self._straighten(chain)

    def _straighten(self, chain: Sequence[int]) -> None:
        """Let a line run straight down as far as the room between its neighbours allows, then bend once."""
        run: list[int] = []
        low, high = -_FAR, _FAR
        for index in chain:
            least, most = self._room(index)
            if run and max(low, least) > min(high, most):
                self._align(run, low, high)
                run, low, high = [], -_FAR, _FAR
            run.append(index)
            low, high = max(low, least), min(high, most)
        self._align(run, low, high)

    def _align(self, run: Sequence[int], low: float, high: float) -> None:
        if run and low <= high:
            x = min(max(sum(self._items[index].x for index in run) / len(run), low), high)
            for index in run:
                self._items[index].x = x

    def _room(self, index: int) -> tuple[float, float]:
        """Return how far an item can move without touching its neighbours in the row."""
        row = self._rows[self._items[index].row]
        at = row.index(index)
        least = self._items[row[at - 1]].x + self._apart(row[at - 1], index) if at else -_FAR
        most = self._items[row[at + 1]].x - self._apart(index, row[at + 1]) if at + 1 < len(row) else _FAR
        return least - _SLACK, most + _SLACK

    def _settle(self, row: Sequence[int], *, up: bool, down: bool) -> None:
        """Move one row's items as near to their neighbours as their order and widths allow."""
        offsets: list[float] = []
        blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
        for before, index in zip([None, *row], row, strict=False):
            item = self._items[index]
            offsets.append(offsets[-1] + self._apart(before, index) if before is not None else 0.0)
            near = [*(item.up if up else ()), *(item.down if down else ())]
            weight = sum(share for _, share in near)
            wanted = sum(self._items[other].x * share for other, share in near) / weight if near else item.x
            block = (wanted - offsets[-1], weight or 0.1, 1)
            while blocks and blocks[-1][0] > block[0]:
                mean, mass, count = blocks.pop()
                whole = mass + block[1]
                block = ((mean * mass + block[0] * block[1]) / whole, whole, count + block[2])
            blocks.append(block)
        means = [mean for mean, _, count in blocks for _ in range(count)]
        for index, mean, offset in zip(row, means, offsets, strict=True):
            self._items[index].x = mean + offset

    def _apart(self, left: int, right: int) -> float:
        one, other = self._items[left], self._items[right]
        gap = _GAP_X if one.box or other.box else _LANE_GAP
        return (one.width + other.width) / 2 + gap

    def _heights(self) -> tuple[list[float], list[float]]:
        """Return the tops and bottoms of the rows; more room where lines go far to the side."""
        tops: list[float] = []
        bottoms: list[float] = []
        y = 0.0
        for row in self._rows:
            tops.append(y)
            y += max((self._items[index].height for index in row), default=0.0)
            bottoms.append(y)
            ways = [
                (self._items[index].x, self._items[other].x) for index in row for other, _ in self._items[index].down
            ]
            widest = max((abs(here - there) for here, there in ways), default=0.0)
            y += min(_GAP_Y + _SLANT * widest, _MAX_GAP_Y)
        return tops, bottoms

    # --- lines ------------------------------------------------------------------------------------

    def _routes(self, tops: Sequence[float], bottoms: Sequence[float]) -> tuple[LineRoute, ...]:
        leaving, arriving = self._ports(outgoing=True), self._ports(outgoing=False)
        middles = [(top + bottom) / 2 for top, bottom in zip(tops, bottoms, strict=True)]
        routes = []
        for number, (line, chain) in enumerate(zip(self._lines, self._chains, strict=True)):
            source, target = self._items[self._at[line.source]], self._items[self._at[line.target]]
            out, into = source.x + leaving[number], target.x + arriving[number]
            back = target.row <= source.row
            stretches: list[Segment] = []
            for place, index in enumerate(chain):
                item = self._items[index]
                if back and place in (0, len(chain) - 1):
                    # the line turns round here, between its box and its lane
                    ends = (out, self._items[chain[1]].x) if place == 0 else (self._items[chain[-2]].x, into)
                    x = min(max(item.x, min(ends)), max(ends))
                    stretches.append(((x, middles[item.row]), (x, middles[item.row])))
                else:
                    run = ((item.x, tops[item.row]), (item.x, bottoms[item.row]))
                    stretches.append(run[::-1] if back else run)
            first = self._items[chain[0]]
            begin = ((out, middles[source.row] + source.height / 2), (out, bottoms[source.row]))
            end = ((into, tops[target.row]), (into, middles[target.row] - target.height / 2))
            label = (first.x, middles[first.row])
            if back:
                label = _near(begin[1], stretches[0][0])
            routes.append(LineRoute((begin, *stretches, end), label, back))
        return tuple(routes)

    def _ports(self, *, outgoing: bool) -> list[float]:
        """Return, for every line, how far beside the middle of its box it begins (or ends): in order."""
        at: dict[str, list[tuple[float, int]]] = {}
        for number, (line, chain) in enumerate(zip(self._lines, self._chains, strict=True)):
            beside = self._items[chain[0 if outgoing else -1]]
            at.setdefault(line.source if outgoing else line.target, []).append((beside.x, number))
        offsets = [0.0] * len(self._lines)
        for box, ends in at.items():
            gap = min(_PORT_GAP, 0.8 * self._items[self._at[box]].width / len(ends))
            for place, (_, number) in enumerate(sorted(ends)):
                offsets[number] = (place - (len(ends) - 1) / 2) * gap
        return offsets


def _near(box: Point, turn: Point) -> Point:
    """Return a point on the quarter of an ellipse from a box to where its line turns, not far from the box."""
    (x, y), (to_x, to_y) = box, turn
    share = min(1.0, _LABEL_AWAY / abs(to_x - x)) if to_x != x else 1.0
    return x + (to_x - x) * share, y + (to_y - y) * (1 - (1 - share) ** 2) ** 0.5
