"""Adds words to a recognition model without training: the network knows the sounds, the graph gets their order.

Each new word is a path of its own through the graph, from every place where a word may begin to the place where one
that ends in the same sound ends. It is heard in the grammars of turns, which is all the agent listens with; the
model's own language model (for recognition without a grammar) is left as it is.
"""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.speech.lookahead_graph import Arc, Intervals, LookaheadGraph, with_symbols
from agent.speech.model import ModelError, check_model

Pronunciation = tuple[str, ...]
"""Phones as the model names them, without their place in the word: ``("F", "IH", "N", "CH")``."""

WORDS_FILE, PHONES_FILE, GRAPH_FILE, NAMES_FILE, VOCABULARY_FILE = (
    "graph/words.txt", "graph/phones.txt", "graph/HCLr.fst", "graph/Gr.fst", "vocabulary.txt",
)  # fmt: skip
MOST_WORDS = 5000
"""More make the graph several times its size."""
_HALF = math.log(2)
"""Cost of each choice in the graph: to stay in a sound or leave it, silence after a word or none."""
_FEWEST_PHONES = 2
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


@dataclass(frozen=True)
class AddedWords:
    """What was done."""

    added: Mapping[str, tuple[Pronunciation, ...]]
    known: tuple[str, ...]
    """Words the model had before; they stay as they are."""


def read_word_list(text: str) -> dict[str, tuple[Pronunciation, ...]]:
    """Read a list of words: one or several a line, or one, a tab and its phones; ``#`` begins a comment.

    Phones are those of the CMU dictionary, without stress (``finch<TAB>F IH N CH``); a word on several lines has
    several pronunciations. Words without any are to be pronounced by rule. Raises :class:`ModelError` with the line.
    """
    words: dict[str, tuple[Pronunciation, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said, _, phones = line.partition("#")[0].rstrip().partition("\t")
        names = said.lower().split()
        if phones.strip() and len(names) != 1:
            raise ModelError(f"Line {number}: phones belong to one word, and {said!r} is not one.")
        for name in names:
            if not _WORD.fullmatch(name):
                raise ModelError(f"Line {number}: {name!r} is no word: write it as it is said, with letters alone.")
            spoken = re.sub(r"\d", "", phones.upper()).split()
            words[name] = (*words.get(name, ()), *([tuple(spoken)] if spoken else []))
    if not words:
        raise ModelError("There is no word in the list.")
    return words


def add_words(
    model: Path,
    words: Mapping[str, Sequence[Pronunciation]],
    target: Path,
    pronounce: Callable[[str], Iterable[Pronunciation]],
    *,
    replace: bool = False,
) -> AddedWords:
    """Write a copy of ``model`` that knows these words to ``target``, whole or not at all.

    ``pronounce`` is asked for words that come without pronunciations. Raises :class:`ModelError` when the model is of
    another make, a word cannot be added, or ``target`` is there already and is not to be replaced.
    """
    check_model(model)
    if target.exists() and not replace:
        raise ModelError(f"{target} is already there: remove it first, or have it replaced.")
    graph_file = model / GRAPH_FILE
    try:
        graph = LookaheadGraph.from_bytes(graph_file.read_bytes())
        phones = _numbers(model / PHONES_FILE)
        ids = _numbers(model / WORDS_FILE)
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be read: {error.strerror}.") from error
    new = {word: tuple(given) or tuple(pronounce(word)) for word, given in words.items() if word not in ids}
    if len(new) > MOST_WORDS:
        raise ModelError(f"{len(new)} words are too many; the limit is {MOST_WORDS}.")
    first = max(graph.final_label, *ids.values()) + 1
    numbered = {word: first + index for index, word in enumerate(new)}
    _Editor(graph, phones).add([(numbered[word], word, pron) for word, prons in new.items() for pron in prons], first)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".adding-", dir=target.parent) as scratch:
        made = Path(scratch) / "model"
        shutil.copytree(model, made)
        (made / GRAPH_FILE).write_bytes(graph.to_bytes())
        if (made / NAMES_FILE).is_file():
            (made / NAMES_FILE).write_bytes(with_symbols((made / NAMES_FILE).read_bytes(), numbered))
        _append(made / WORDS_FILE, (f"{word} {number}" for word, number in numbered.items()))
        if (made / VOCABULARY_FILE).is_file():
            _append(made / VOCABULARY_FILE, numbered)
        if target.exists():
            target.rename(Path(scratch) / "before")
        made.rename(target)
    return AddedWords(new, tuple(word for word in words if word in ids))


class _Editor:
    """Puts words into a graph whose phones have one state each, whatever stands beside them."""

    def __init__(self, graph: LookaheadGraph, phones: Mapping[str, int]) -> None:
        self._graph = graph
        self._phones = phones
        self._begins = [state for state, cost in enumerate(graph.finals) if math.isfinite(cost)]
        """Where a word may begin is where all may end."""
        loops = ((arc.input, state) for state in self._begins for arc in graph.arcs[state] if arc.to == state)
        self._ends = {(number + 1) // 2: state for number, state in loops if number % 2}
        """Phone -> the state in which it lasts as the last one of a word."""
        if not self._ends or max(self._ends) > max(phones.values()) or "SIL" not in phones:
            raise ModelError(
                "Words cannot be put into this model: its sounds depend on their neighbours. Models made like the "
                "bundled one take them; for others, the maker's own tools build a new graph."
            )

    def add(self, words: Sequence[tuple[int, str, Pronunciation]], first: int) -> None:
        """Add (id, word, pronunciation) with ids from ``first`` on."""
        graph, count = self._graph, len({number for number, _, _ in words})
        if not count:
            return
        costs = {state: min(arc.weight for arc in graph.arcs[state] if arc.to != state) for state in self._begins}
        paths = [(number, self._path(word, phones)) for number, word, phones in words]
        for state, intervals in enumerate(graph.reachable):
            if intervals and intervals[-1][0] <= graph.final_label < intervals[-1][1]:  # where a word may have ended
                graph.reachable[state] = (*intervals[:-1], (intervals[-1][0], first + count))
        for number, path in paths:
            self._add_path(number, path, costs, ((1, first + count),))

    def _add_path(self, number: int, path: Sequence[int], costs: Mapping[int, float], anything: Intervals) -> None:
        """Add a way through the phones of ``path``, from its end to its beginning."""
        graph = self._graph
        following, to, cost = path[-1], self._ends[path[-1]], _HALF
        for phone in reversed(path[:-1]):
            state = len(graph.arcs)
            graph.arcs.append([Arc(_staying(phone), 0, _HALF, state), Arc(_entering(following), 0, _HALF + cost, to)])
            graph.finals.append(math.inf)
            graph.reachable.append(anything)  # the word is told at its first phone; then any may follow
            following, to, cost = phone, state, 0.0
        for begin in self._begins:
            graph.arcs[begin].append(Arc(_entering(following), number, costs[begin] + cost, to))

    def _path(self, word: str, phones: Pronunciation) -> list[int]:
        """Return the phones of a word by number, as they are named at their places in it."""
        if len(phones) < _FEWEST_PHONES:
            raise ModelError(f"{word!r} is too short to be told from others: it needs {_FEWEST_PHONES} phones.")
        places = ("B", *"I" * (len(phones) - 2), "E")
        names = [f"{phone}_{place}" for phone, place in zip(phones, places, strict=True)]
        for phone, name in zip(phones, names, strict=True):
            if name not in self._phones:
                known = sorted({one.rpartition("_")[0] for one in self._phones if "_" in one})
                raise ModelError(f"{word!r}: the model has no phone {phone!r}; it has {' '.join(known)}.")
        path = [self._phones[name] for name in names]
        if path[-1] not in self._ends:
            raise ModelError(f"{word!r}: no word of the model ends in {phones[-1]}.")
        return path


def _staying(phone: int) -> int:
    """Return the transition of the network that stays in a phone; each has two, one after the other."""
    return 2 * phone - 1


def _entering(phone: int) -> int:
    return 2 * phone


def _numbers(path: Path) -> dict[str, int]:
    """Read a table of symbols: a name and its number a line."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    try:
        return {name: int(number) for name, number in rows}
    except ValueError as error:
        raise ModelError(f"{path} is no table of symbols: {error}.") from error


def _append(path: Path, lines: Iterable[str]) -> None:
    text = path.read_text(encoding="utf-8")
    end = "" if not text or text.endswith("\n") else "\n"
    path.write_text(text + end + "".join(f"{line}\n" for line in lines), encoding="utf-8")


__all__ = ["AddedWords", "Pronunciation", "add_words", "read_word_list"]
