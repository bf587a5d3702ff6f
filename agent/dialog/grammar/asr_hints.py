"""The phrases and sample sentences that a turn gives to the recogniser. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agent.dialog.grammar import samples
from agent.dialog.grammar.templates import Phrase
from agent.dialog.numbers.format import NumberFormat
from agent.languages.number_words import NumberWords


def spoken_phrases(phrases: Iterable[Phrase]) -> dict[str, None]:
    """Return whole phrases and the fixed words around numbers, each once, as they are written."""
    found: dict[str, None] = {}
    for phrase in phrases:
        for part in _parts(phrase):
            if part:
                found[part] = None
    return found


def sample_sentences(
    phrases: Iterable[tuple[Phrase, str]], formats: Mapping[str, NumberFormat], vocabulary: NumberWords
) -> Iterator[str]:
    """Yield sentences with made-up numbers for every phrase that holds one; each comes with its meaning's kind."""
    for phrase, kind in phrases:
        slots, parts = phrase.number_slots, _parts(phrase)
        if len(slots) == 1:
            lead, tail = parts
            count = samples.FRAMED_SAMPLES
            if not lead and not tail:
                count = samples.ASKED_SAMPLES if kind == "number" else samples.UNASKED_SAMPLES
            for spoken in samples.spoken_samples(formats[slots[0]], count, f"{lead}|{tail}", vocabulary):
                yield f"{lead} {spoken} {tail}".strip()
        elif len(slots) == 2:
            seed = "|".join(parts)
            first = samples.spoken_samples(formats[slots[0]], samples.FRAMED_SAMPLES, f"{seed}|1", vocabulary)
            second = samples.spoken_samples(formats[slots[1]], samples.FRAMED_SAMPLES, f"{seed}|2", vocabulary)
            for one, other in zip(first, second, strict=True):
                yield " ".join(f"{parts[0]} {one} {parts[1]} {other} {parts[2]}".split())


def _parts(phrase: Phrase) -> list[str]:
    """Return the words before, between and after the numbers."""
    text = phrase.text
    if "{" not in text:
        return [text]
    parts: list[list[str]] = [[]]
    for token in phrase.tokens:
        if token.startswith("{"):
            parts.append([])
        else:
            parts[-1].append(token)
    return [" ".join(part) for part in parts]
