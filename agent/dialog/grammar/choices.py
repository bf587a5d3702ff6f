"""Choices that come from data (items of an order, streets of a postcode) and how callers name them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.dialog.errors import DialogError
from agent.dialog.model.model import ChoicesFrom
from agent.languages.language import ChoiceWords

MAX_OPTIONS = 20
"""Longer lists are cut: nobody chooses among more by voice."""
MAX_KEYS = 9
_MAX_WORDS = 8


@dataclass(frozen=True)
class Option:
    """One thing to choose."""

    value: str
    """What the slot holds afterwards."""
    name: str
    """The words for it, as the data has them."""
    phrases: tuple[tuple[str, ...], ...] = ()
    """Ways of saying it, as lower-case words; made from the name when empty."""


def options_from(source: ChoicesFrom, listed: object) -> tuple[Option, ...]:
    """Read the options from evaluated data; entries without a value are left out, a value counts once.

    Raises :class:`DialogError` when the data is no list.
    """
    if listed is None:
        return ()
    if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Iterable):
        raise DialogError(f"choices_from: {source.list!r} is no list")
    options: dict[str, Option] = {}
    for entry in listed:
        value = _field(entry, source.value)
        if value and len(options) < MAX_OPTIONS:
            options.setdefault(value, Option(value, _field(entry, source.name) or value))
    return tuple(options.values())


def unique_namings(options: Sequence[Option], words: ChoiceWords) -> Iterator[tuple[Option, list[tuple[str, ...]]]]:
    """Yield every option with the ways of naming it that it shares with no other one."""
    names = [option.phrases or tuple(dict.fromkeys(_ways(option.name, words))) for option in options]
    shared = Counter(way for own in names for way in own)
    for option, own in zip(options, names, strict=True):
        yield option, [way for way in own if shared[way] == 1]


def spoken_choices(options: Sequence[Option], words: ChoiceWords) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield value and words for every way an option can be said: by name, and by its place ("the first one")."""
    named = list(unique_namings(options, words))
    taken = {(*lead, *way) for _, own in named for way in own for lead in words.leads}
    for index, (option, own) in enumerate(named):
        for way in own:
            if option.phrases:
                yield option.value, way
                continue
            for lead in words.leads:
                yield option.value, (*lead, *way)
        if not option.phrases:
            # a thing that is called "First" is not the first one
            yield from ((option.value, way) for way in words.by_place(index, len(options)) if way not in taken)


def keypad_choices(keys: Mapping[str, str], words: ChoiceWords) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield value and words for choices named by their place: keys stand in the order in which a prompt names them."""
    for index in range(len(keys)):
        value = keys.get(str(index + 1))
        if value is not None:
            yield from ((value, way) for way in words.by_place(index, len(keys)))


def _ways(name: str, choice_words: ChoiceWords) -> Iterator[tuple[str, ...]]:
    """Yield the ways of naming a thing: the whole name, its end ("lamp"), its beginning ("oak" for "Oak Street")."""
    words = tuple(choice_words.word.findall(name.lower()))[:_MAX_WORDS]
    head = words
    for at, word in enumerate(words[1:], 1):
        if word in choice_words.joints:
            head = words[:at]
            yield words
            break
    for start in range(len(head)):
        yield head[start:]
    if len(head) > 1:
        yield head[:-1]
        if choice_words.stands_for_noun:
            yield (*head[:-1], choice_words.stands_for_noun)


def _field(entry: object, key: str) -> str:
    found = entry.get(key) if key and isinstance(entry, Mapping) else None if key else entry
    return str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else ""
