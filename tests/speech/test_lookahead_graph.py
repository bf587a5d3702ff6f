"""The run-time graph of a model, as a file and in memory."""

from __future__ import annotations

import math

import pytest

from agent.speech.lookahead_graph import Arc, LookaheadGraph, with_symbols
from agent.speech.model import ModelError, bundled_model

DATA = (bundled_model() / "graph" / "HCLr.fst").read_bytes()
NAMES = (bundled_model() / "graph" / "Gr.fst").read_bytes()


def test_what_is_read_is_written_to_the_byte() -> None:
    assert LookaheadGraph.from_bytes(DATA).to_bytes() == DATA


def test_arcs_are_written_in_the_order_of_their_words_whatever_the_order_in_memory() -> None:
    graph = LookaheadGraph(
        start=0,
        arcs=[[Arc(2, 7, 0.5, 1), Arc(1, 0, 1.5, 0), Arc(2, 3, 0.25, 1)], []],
        finals=[math.inf, 0.0],
        reachable=[((3, 4), (7, 8)), ((8, 9),)],
        final_label=8,
        properties=0x1,
    )
    read = LookaheadGraph.from_bytes(graph.to_bytes())
    assert [arc.output for arc in read.arcs[0]] == [0, 3, 7]
    assert (read.finals, read.reachable, read.final_label) == (graph.finals, graph.reachable, 8)


@pytest.mark.parametrize("data", [b"", DATA[:1000], b"x" + DATA, DATA + b"x"], ids=["empty", "cut", "moved", "longer"])
def test_another_file_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        LookaheadGraph.from_bytes(data)


def test_names_are_added_behind_those_that_are_there() -> None:
    more = with_symbols(NAMES, {"zorvex": 6857})
    assert len(more) == len(NAMES) + 4 + len("zorvex") + 8
    assert with_symbols(NAMES, {}) == NAMES
    assert with_symbols(more, {"quibblet": 6858}) == with_symbols(NAMES, {"zorvex": 6857, "quibblet": 6858})


def test_another_file_takes_no_names() -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        with_symbols(NAMES[:2000], {"zorvex": 6857})
