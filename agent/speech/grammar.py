"""Builds the list of entries of one turn's Vosk grammar."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.errors import OrderlineError

UNKNOWN = "[unk]"
"""The entry that absorbs speech the grammar does not expect."""

MAX_ENTRIES = 4000
"""Entries one grammar may have. Compiling costs about 10 microseconds an entry; beyond this a turn would start late."""

_REMEMBERED = 32768
_SAMPLES_REMEMBERED = 64


YES_AND_NO = ("yes", "no")
ENTRIES_PER_ANSWER: Mapping[str, int] = {"yes": 12, "no": 12, "yes please": 60, "no thanks": 60, "no thank you": 60}
"""A turn that expects yes or no holds each of these answers once more for so many entries. Vosk weighs a word by how
often it stands in the list; among 7,000 entries a bare "no" was "now" or "oh" for 7 of 8 voices, and with "yes" alone
made so frequent, "yes please" became "yes three" (`make bench PARTS=answers`)."""


class GrammarError(OrderlineError):
    """A grammar that the recogniser cannot be given."""

    code = "grammar"


@dataclass(frozen=True)
class VoskGrammar:
    """The entries for one turn, and what had to be left out."""

    entries: tuple[str, ...]
    """Whole phrases and single words, lower-case, without duplicates, in the order given; ``[unk]`` last."""
    dropped: dict[str, list[str]]
    """Phrase or word left out -> its words that the model does not know."""
    loose: frozenset[str] = frozenset()
    """Those of the entries that may be strung together freely."""
    samples: tuple[str, ...] = ()
    """Typical answers with strings of loose words in them; repeated ones weigh more."""

    @property
    def has_phrases(self) -> bool:
        """True when there is more in it than loose words."""
        return any(entry != UNKNOWN and entry not in self.loose for entry in self.entries)

    def allows(self, text: str) -> bool:
        """True when the text is exactly one entry, or loose words alone or with an entry around them.

        Vosk holds a grammar for a model of word pairs, not for a list: it also returns entries run together and parts
        of them ("an i speak to an agent").
        """
        if not text or text == UNKNOWN:
            return False
        if text in self._entry_set:
            return True
        words = text.split()
        is_loose = [word in self.loose for word in words]
        if not any(is_loose):
            return False
        first, last = is_loose.index(True), len(words) - is_loose[::-1].index(True)
        if not all(is_loose[first:last]):
            return False
        around = [part for part in (" ".join(words[:first]), " ".join(words[last:])) if part]
        return all(part in self._phrases for part in around)

    @functools.cached_property
    def _entry_set(self) -> frozenset[str]:
        return frozenset(self.entries)

    @functools.cached_property
    def _phrases(self) -> frozenset[str]:
        return self._entry_set - self.loose - {UNKNOWN}

    @functools.cached_property
    def json(self) -> str:
        """The JSON array Vosk takes. Words beyond ASCII stay as they are: escaped ones never match."""
        return json.dumps((*self.weights, *self.samples, *self.entries), ensure_ascii=False)

    @property
    def weights(self) -> tuple[str, ...]:
        """Answers to a yes-or-no question, as often as it takes for them to be expected among thousands of requests."""
        if not self._phrases.issuperset(YES_AND_NO):
            return ()
        entries = len(self.samples) + len(self.entries)
        often = {answer: entries // every for answer, every in ENTRIES_PER_ANSWER.items() if answer in self._phrases}
        return tuple(answer for answer, times in often.items() for _ in range(times))


@functools.lru_cache(maxsize=_REMEMBERED)  # the same phrases stand in the grammar of nearly every turn
def normalise(phrase: str) -> str:
    """Return a phrase as it stands in a grammar: lower-case, single spaces."""
    return " ".join(phrase.lower().split())


def missing_words(phrases: Iterable[str], knows: Callable[[str], bool]) -> dict[str, list[str]]:
    """Return, for each phrase that cannot be recognised, its words that ``knows`` does not know."""
    asked = {phrase: normalise(phrase) for phrase in phrases}
    strange = {word for word in _words_of(asked.values()) if word != UNKNOWN and not knows(word)}
    missing: dict[str, list[str]] = {}
    for phrase, text in asked.items() if strange else ():
        words = text.split()
        if not strange.isdisjoint(words):
            missing[phrase] = [word for word in dict.fromkeys(words) if word in strange]
    return missing


@functools.lru_cache(maxsize=_SAMPLES_REMEMBERED)  # a turn has the same samples whatever its choices
def _typical(samples: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    typical = tuple(map(normalise, samples))
    return typical, frozenset(_words_of(typical))


def _words_of(phrases: Iterable[str]) -> set[str]:
    return set(" ".join(phrases).split())


def build_grammar(
    phrases: Sequence[str],
    words: Sequence[str],
    knows: Callable[[str], bool],
    samples: Sequence[str] = (),
    *,
    max_entries: int = MAX_ENTRIES,
) -> VoskGrammar:
    """Build the grammar of one turn.

    ``phrases`` are whole answers, ``words`` may be strung together freely, as in the ``samples``; ``knows`` says
    whether the model has a word in its vocabulary. A phrase with an unknown word is left out whole: half a phrase
    would match what nobody said. ``[unk]`` goes in last when the model has it.

    Raises :class:`GrammarError` when nothing is left to listen for (Vosk crashes on an empty list) or when there
    are more than ``max_entries`` entries.
    """
    entries = dict.fromkeys(entry for entry in map(normalise, (*phrases, *words)) if entry and entry != UNKNOWN)
    dropped = missing_words(entries, knows)
    kept = [entry for entry in entries if entry not in dropped]
    if len(kept) > max_entries:
        raise GrammarError(
            f"This step listens for {len(kept)} phrases; the limit is {max_entries}. "
            "Use fewer optional parts in its phrases, or split the step in two."
        )
    if knows(UNKNOWN):
        kept.append(UNKNOWN)
    if not kept:
        raise GrammarError(
            "Nothing to listen for: the recognition model knows no phrase of this step. "
            "`orderline check` lists the missing words."
        )
    loose = frozenset(map(normalise, words)).intersection(kept)
    typical, spoken = _typical(tuple(samples))
    unknown = {word for word in spoken if not knows(word)}
    heard = typical if not unknown else tuple(one for one in typical if unknown.isdisjoint(one.split()))
    return VoskGrammar(tuple(kept), dropped, loose, heard)


__all__ = ["MAX_ENTRIES", "UNKNOWN", "GrammarError", "VoskGrammar", "build_grammar", "missing_words", "normalise"]
