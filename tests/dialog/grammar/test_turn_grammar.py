import pytest

from agent.dialog.contract import Completeness, TurnInput, Word
from agent.dialog.grammar.templates import Expander
from agent.dialog.grammar.turn_grammar import Intent, TurnGrammar
from agent.dialog.numbers.format import NumberFormat
from agent.languages.en.numbers import NUMBERS

FORMATS = {"number": NumberFormat("99999")}


def grammar() -> TurnGrammar:
    expander = Expander({}, {}, ("number",))
    entries = [
        (phrase, Intent(kind, name))
        for template, kind, name in [
            ("where is my order", "request", "status"),
            ("where is order {number} [please tell me]", "request", "status"),
            ("{number}", "number", "number"),
            ("no (it's|i said) {number}", "correct", "number"),
            ("no", "value", "no"),
            ("(yes|yes please)", "value", "yes"),
            ("hold on [a second]", "command", "wait"),
            ("wait", "command", "wait"),
        ]
        for phrase in expander.expand(template)
    ]
    fillers = [("um",), ("please",), ("yeah", "so")]
    return TurnGrammar(entries, FORMATS, NUMBERS, fillers, {"lawyer": Intent("escalate", "legal")})


def meaning(text: str) -> str:
    match = grammar().match(TurnInput(text=text))
    return "" if match is None else f"{match.meaning.kind}:{match.meaning.name}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where is my order", "request:status"),
        ("um where is my order please", "request:status"),
        ("yeah so where is my order", "request:status"),
        ("no no no", "value:no"),
        ("where is order one oh four seven three", "request:status"),
        ("um one oh four seven three please", "number:number"),
        ("no it's one oh four seven three", "correct:number"),
        ("no it's fifteen", "correct:number"),
        ("i will call my lawyer", "escalate:legal"),
        ("hold on my i'm looking for it", "command:wait"),
        ("um hold on a second honey where is that", "command:wait"),
    ],
)
def test_a_whole_entry_is_understood_with_fillers_and_repetition(text: str, expected: str) -> None:
    assert meaning(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[unk]",
        "where is my",
        "where is my order no",
        "yes no",
        "where is my order [unk]",
        "wait what",
        "no hold on",
        "one two three four five six",
        "one [unk] four seven three two",
        "um",
    ],
)
def test_anything_but_a_whole_entry_is_refused(text: str) -> None:
    assert meaning(text) == ""


def test_a_strong_word_heard_badly_does_not_count() -> None:
    unsure = TurnInput("see my lawyer", (Word("see", 0.9), Word("my", 0.9), Word("lawyer", 0.4)))
    assert grammar().match(unsure) is None


def test_noise_at_the_edges_of_a_number_makes_it_doubtful() -> None:
    match = grammar().match(TurnInput(text="[unk] one oh four seven three [unk]"))
    assert match is not None
    assert match.reading is not None
    assert (match.reading.value, match.reading.must_confirm) == ("10473", True)


def test_the_recogniser_gets_whole_phrases_the_words_around_numbers_and_loose_number_words() -> None:
    made = grammar()
    assert {"where is my order", "where is order", "please tell me", "no it's", "um", "lawyer"} <= set(made.phrases)
    assert not any("{" in phrase for phrase in made.phrases)
    assert "seventy" in made.words


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("yes", Completeness.COMPLETE),
        ("no", Completeness.LIKELY),
        ("no it's", Completeness.INCOMPLETE),
        ("where is my order", Completeness.COMPLETE),
        ("where is order one oh four seven three", Completeness.OPEN),
        ("where is order one oh four seven three please tell me", Completeness.COMPLETE),
        ("where is order one oh", Completeness.INCOMPLETE),
        ("something else", Completeness.UNEXPECTED),
    ],
)
def test_completeness_looks_at_what_could_still_follow(text: str, verdict: Completeness) -> None:
    assert grammar().completeness(text) is verdict


def test_every_sample_sentence_is_understood_by_its_own_grammar() -> None:
    made = grammar()
    assert made.samples
    for sample in made.samples[::7]:
        match = made.match(TurnInput(text=sample))
        assert match is not None, sample
        assert match.reading is not None, sample
        assert match.reading.value is not None, sample


def test_sample_sentences_are_the_same_every_time() -> None:
    assert grammar().samples == grammar().samples


class TestTheSameSoundAsDigitsAlone:
    """What a second decoding with nothing but digits adds to the text of the turn."""

    @staticmethod
    def read(text: str, *spelled: str, so_far: str = "") -> tuple[str, str | None, bool] | None:
        match = grammar().match(TurnInput(text=text, spelled=spelled), so_far=so_far, so_far_slot="number")
        if match is None or match.reading is None:
            return None
        return match.meaning.kind, match.reading.value, match.reading.must_confirm

    def test_puts_a_number_right_of_which_words_were_made(self) -> None:
        assert self.read("where is five oh four four", "one five oh four four") == ("number", "15044", True)
        assert self.read("where is five oh four four") == ("number", None, False)  # by itself a part at best

    def test_changes_nothing_where_the_text_means_something_else(self) -> None:
        assert meaning("where is my order") == "request:status"
        match = grammar().match(TurnInput(text="where is my order", spelled=("one five oh four four",)))
        assert match is not None
        assert match.meaning == Intent("request", "status")
        assert self.read("no it's one five oh four four", "nine five oh four four") == ("correct", "15044", False)

    def test_continues_what_was_said_before(self) -> None:
        assert self.read("where four four", "oh four four", so_far="one five") == ("number", "15044", True)

    def test_is_asked_for_only_where_a_number_is(self) -> None:
        assert set(grammar().symbols) == {*NUMBERS.saying.units, "oh"}
        unasked = TurnGrammar([], FORMATS, NUMBERS)
        assert unasked.symbols == ()
