"""Every candidate: all the ways a run of words can be read as the symbols of a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.languages.number_words import ZERO_OR_O, NumberWords

GUESSED = 2
"""Strain of a symbol that was bent to fit: never a rival of a natural reading, always worth a question alone."""
_MAX_READINGS = 48
_SPELLED_CHARS = 3
_HUNDREDS = 3
_MAX_SOUNDS = 2
"""So many words taken for the digits they sound like, and at least as many digits that are none."""


def readings(
    tokens: Sequence[str], max_length: int, vocabulary: NumberWords, *, letters: bool = True
) -> dict[str, int]:
    """Return every string of symbols the words can mean, with its strain.

    Strain 0 is how people usually mean these words; each stretched interpretation ("seventy three" as 70 3, "for" as 4)
    adds one. Empty when some word cannot belong to a number. Without ``letters`` the format has none.
    """
    return readings_so_far(tokens, max_length, vocabulary, letters=letters)[-1]


def readings_so_far(
    tokens: Sequence[str], max_length: int, vocabulary: NumberWords, *, letters: bool = True
) -> list[dict[str, int]]:
    """Return :func:`readings` of the first 0, 1, 2, ... words."""
    table: list[dict[str, int]] = [{} for _ in range(len(tokens) + 1)]
    table[0][""] = 0
    sounds = _may_hold_sounds(tokens, vocabulary)
    large = not vocabulary.large.isdisjoint(tokens)
    for start in range(len(tokens)):
        if not table[start]:
            continue
        best = sorted(table[start].items(), key=lambda item: item[1])[:_MAX_READINGS]
        for used, symbols, strain in _options(tokens, start, vocabulary, letters=letters, sounds=sounds, large=large):
            later = table[start + used]
            for before, so_far in best:
                whole = before + symbols
                if len(whole) <= max_length + 1:
                    later[whole] = min(later.get(whole, 99), so_far + strain)
    return table


def _may_hold_sounds(tokens: Sequence[str], vocabulary: NumberWords) -> bool:
    """A word or two among more digits may be digits misheard ("one oh for seven three"); more are a sentence."""
    digits, digit_sounds = vocabulary.digits, vocabulary.digit_sounds
    sounds = sum(token in digit_sounds for token in tokens[1:])
    return (
        0
        < sounds + (bool(tokens) and tokens[0] in digit_sounds)
        <= min(_MAX_SOUNDS, sum(token in digits or token.isdigit() for token in tokens) - 1)
    )


def _options(
    tokens: Sequence[str], start: int, vocabulary: NumberWords, *, letters: bool, sounds: bool, large: bool
) -> Iterator[tuple[int, str, int]]:
    """Yield (words used, symbols, strain) for each way the words from ``start`` on can begin."""
    word = tokens[start]
    following = tokens[start + 1] if start + 1 < len(tokens) else ""
    digits, small, fillers = vocabulary.digits, vocabulary.small, vocabulary.fillers
    if word.isdigit() and word.isascii():
        yield 1, word, 0
    if word in vocabulary.nothing:
        yield 1, "", 0
    if word in vocabulary.perhaps_silent:
        yield 1, "", 1
    if word in digits:
        yield 1, digits[word], 0
    if word in vocabulary.plurals:
        yield 1, vocabulary.plurals[word], 2
    if word in small and 2 <= small[word] <= 5 and following in vocabulary.plurals:
        yield 2, vocabulary.plurals[following] * small[word], 0
    if word in vocabulary.repeats:
        yield from _repeats(word, following, vocabulary)
    compound = _compound(tokens, start, vocabulary) if word in vocabulary.compounds_by_first else None
    if compound:
        yield *compound, 0
    if word in vocabulary.teens:
        yield 1, str(vocabulary.teens[word]), int(bool(compound))
    if word in vocabulary.tens:
        combined = following in small
        if combined:
            yield 2, str(vocabulary.tens[word] + small[following]), 0
        if word in vocabulary.tens_like_two and (combined or following in vocabulary.never_after_tens):
            # "six two three" is often recognised as "sixty three" (17 of 60 such numbers of one voice); where the
            # usual reading does not fit, 62 is likelier than 60 3. And nobody says "sixty zero"
            yield 1, str(vocabulary.tens[word] + 2), 1
            yield 1, str(vocabulary.tens[word]), 2
        else:
            yield 1, str(vocabulary.tens[word]), int(combined or bool(compound))
    if word in vocabulary.digit_sounds:
        first = all(token in fillers for token in tokens[:start])
        if word in vocabulary.edge_words and (first or start == len(tokens) - 1):
            yield 1, "", 0
        if sounds and not (word in vocabulary.edge_words and first):
            yield 1, vocabulary.digit_sounds[word], 1
    if large:
        yield from _hundreds(tokens, start, vocabulary)
        yield from _thousands(tokens, start, vocabulary)
    if letters:
        yield from _letters(tokens, start, vocabulary)
    elif word in vocabulary.articles:
        # "it's a five": an article; between digits it may have been an "eight"
        led = start == 0 or tokens[start - 1] in fillers
        yield 1, "", int(not led)


def _compound(tokens: Sequence[str], start: int, vocabulary: NumberWords) -> tuple[int, str] | None:
    """Return (words used, symbols) of the longest compound that begins here."""
    for phrase, symbols in vocabulary.compounds_by_first[tokens[start]]:
        if tuple(tokens[start : start + len(phrase)]) == phrase:
            return len(phrase), symbols
    return None


def _repeats(word: str, following: str, vocabulary: NumberWords) -> Iterator[tuple[int, str, int]]:
    if not following:
        yield 1, "", 0
    symbol = _one_symbol(following, vocabulary)
    other = vocabulary.repeated_letters.get((word, following))
    if other is not None:
        yield from ((2, symbols, strain) for symbols, strain in other)
    elif symbol:
        yield 2, symbol * vocabulary.repeats[word], 0
    elif following in vocabulary.letter_sounds:
        yield 2, vocabulary.letter_sounds[following] * vocabulary.repeats[word], 1


def _one_symbol(word: str, vocabulary: NumberWords) -> str:
    if len(word) == 1 and word.isascii() and word.isalpha() and word not in vocabulary.digits:
        return word.upper()
    return vocabulary.digits.get(word) or vocabulary.plurals.get(word) or vocabulary.letter_words.get(word) or ""


def _small_numbers(tokens: Sequence[str], start: int, vocabulary: NumberWords) -> Iterator[tuple[int, int]]:
    """Yield (words used, value) for cardinals 1 to 99, the longest first."""
    word = tokens[start] if start < len(tokens) else ""
    following = tokens[start + 1] if start + 1 < len(tokens) else ""
    tens, small = vocabulary.tens, vocabulary.small
    if word in tens and following in small:
        yield 2, tens[word] + small[following]
    if word in tens:
        yield 1, tens[word]
    elif word in vocabulary.teens:
        yield 1, vocabulary.teens[word]
    elif word in small:
        yield 1, small[word]


def _hundreds(tokens: Sequence[str], start: int, vocabulary: NumberWords) -> Iterator[tuple[int, str, int]]:
    """Read "one hundred", "one hundred and four", "twelve hundred twenty"."""
    heads = [(1, 1)] if tokens[start] in vocabulary.articles else list(_small_numbers(tokens, start, vocabulary))
    for used, head in heads:
        at = start + used
        if at >= len(tokens) or tokens[at] not in vocabulary.hundreds:
            continue
        rest = at + 2 if at + 1 < len(tokens) and tokens[at + 1] in vocabulary.joints else at + 1
        tails = list(_small_numbers(tokens, rest, vocabulary))
        for index, (more, tail) in enumerate(tails):
            yield rest + more - start, str(head * 100 + tail), index
        # "eight hundred five" as 800 5: a stretch, the caller may have meant 805 with a digit to come
        yield at + 1 - start, str(head * 100), len(tails[:1])


def _thousands(tokens: Sequence[str], start: int, vocabulary: NumberWords) -> Iterator[tuple[int, str, int]]:
    """Read "ten thousand four hundred and seventy three" and the looser "ten thousand four seventy three"."""
    heads = [(1, 1)] if tokens[start] in vocabulary.articles else list(_small_numbers(tokens, start, vocabulary))
    heads += [
        (used, int(symbols)) for used, symbols, _ in _hundreds(tokens, start, vocabulary) if len(symbols) == _HUNDREDS
    ]
    for used, head in heads:
        at = start + used
        if at >= len(tokens) or tokens[at] not in vocabulary.thousands:
            continue
        rest = at + 2 if at + 1 < len(tokens) and tokens[at + 1] in vocabulary.joints else at + 1
        tails = list(_below_thousand(tokens, rest, vocabulary))
        for more, tail, strain in tails:
            yield rest + more - start, str(head * 1000 + tail), strain
        yield at + 1 - start, str(head * 1000), len(tails[:1])


def _below_thousand(tokens: Sequence[str], start: int, vocabulary: NumberWords) -> Iterator[tuple[int, int, int]]:
    if start >= len(tokens):
        return
    for used, symbols, strain in _hundreds(tokens, start, vocabulary):
        if len(symbols) == 3:
            yield used, int(symbols), strain
    digits = "".join(vocabulary.digits.get(token, " ") for token in tokens[start : start + 3]).replace(ZERO_OR_O, "0")
    if len(digits) == 3 and digits.isdigit() and digits[0] != "0":
        yield 3, int(digits), 0
    for index, (used, value) in enumerate(_small_numbers(tokens, start, vocabulary)):
        if value < 10:
            for more, tail in _small_numbers(tokens, start + used, vocabulary):
                if tail >= 10:
                    yield used + more, value * 100 + tail, 0
        yield used, value, index


def _letters(tokens: Sequence[str], start: int, vocabulary: NumberWords) -> Iterator[tuple[int, str, int]]:
    """Read "b", "bravo", "b bravo", "b as in bravo", "bravo as in b", "b for bravo", and short runs of letters."""
    word = tokens[start]
    following = tokens[start + 1] if start + 1 < len(tokens) else ""
    pair = vocabulary.letter_pairs.get((word, following))
    if pair is not None:
        yield 2, pair, 0
    if not (word.isascii() and word.replace("-", "").isalpha()):
        return
    letter = vocabulary.letter_words.get(word) or (word.upper() if len(word) == 1 else "")
    if letter:
        example = _example(tokens, start + 1, vocabulary)
        if example is not None:
            used, meant, strain = example
            yield 1 + used, meant, strain or int(meant != letter)
            return
        if len(word) == 1 and following and vocabulary.letter_words.get(following) == letter:
            yield 2, letter, 0
        if word not in vocabulary.digits:
            yield 1, letter, 0
        return
    sound = vocabulary.letter_sounds.get(word)
    if sound is not None:
        yield 1, sound, 1
        yield from _confirmed_sound(tokens, start, sound, vocabulary)
    known = word in vocabulary.digits or word in vocabulary.teens or word in vocabulary.fillers
    if len(word) <= _SPELLED_CHARS and not known:
        yield 1, word.upper(), 1


def _confirmed_sound(
    tokens: Sequence[str], start: int, letter: str, vocabulary: NumberWords
) -> Iterator[tuple[int, str, int]]:
    """Read "bee bravo" and "bee as in bravo": the example says that it is the letter and no word."""
    if vocabulary.letter_words.get(tokens[start + 1] if start + 1 < len(tokens) else "") == letter:
        yield 2, letter, 0
    example = _example(tokens, start + 1, vocabulary)
    if example is not None and example[1] == letter:
        yield 1 + example[0], letter, example[2]


def _example(tokens: Sequence[str], start: int, vocabulary: NumberWords) -> tuple[int, str, int] | None:
    """Return (words used, letter meant, strain) for "as in bravo", "like bravo", "for bravo" at this place."""
    for lead in vocabulary.example_leads:
        end = start + len(lead)
        if end < len(tokens) and tuple(tokens[start:end]) == lead and tokens[end].isascii():
            example = tokens[end]
            if example in vocabulary.letter_words or example.isalpha():
                # "s for six" may be the digit as well
                doubtful = example in vocabulary.small or example in vocabulary.teens or example in vocabulary.tens
                return len(lead) + 1, vocabulary.letter_words.get(example, example[0].upper()), int(doubtful)
    return None
