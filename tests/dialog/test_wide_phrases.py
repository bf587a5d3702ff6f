import pytest

from agent.dialog.edges import Edges
from agent.dialog.errors import TemplateError
from agent.dialog.gists import compile_gist
from agent.dialog.heard_list import sample_sentences, spoken_phrases
from agent.dialog.number_format import NumberFormat
from agent.dialog.same_words import SameWords
from agent.dialog.templates import Phrase
from agent.dialog.wide_phrases import WideCompiler, WideIndex, fixed

SAME = SameWords({"i am": ["i'm"], "package": ["parcel"], "thanks": ["thank you", "thank you very much"]})
COMPILER = WideCompiler({"thing": ("(package | box)",)}, {"color": {"red": ("red | crimson",)}}, SAME)


def ends(template: str, text: str) -> set[int]:
    tokens = SAME.rewrite(tuple(text.split()))
    return {reach.end for reach in COMPILER.compile(template).ends(tokens, 0)}


def test_a_wide_phrase_explains_word_by_word_with_rules_options_and_other_spellings() -> None:
    assert ends("~ where is [my] <thing>", "where is my parcel") == {4}
    assert ends("~ where is [my] <thing>", "where is her parcel") == set()
    assert ends("~ i'm here", "i am here") == {3}


def test_a_star_is_any_one_word_and_counts_as_guessed() -> None:
    (reach,) = COMPILER.compile("~ my name is *").ends(("my", "name", "is", "ann"), 0)
    assert (reach.end, reach.guessed) == (4, 1)


def test_a_choice_named_in_a_wide_phrase_gives_the_slot_its_value() -> None:
    (reach,) = COMPILER.compile("~ the {color} one").ends(("the", "crimson", "one"), 0)
    assert reach.values == (("color", "red"),)


def test_words_in_any_order_are_taken_in_any_order() -> None:
    assert ends("~ (now;please)", "please now") == {2}


@pytest.mark.parametrize("template", ["~ [maybe]", "~ <nothing>", "~ {nothing}", "~ sale[s]", "~ (open"])
def test_a_template_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        COMPILER.compile(template)


def test_an_index_finds_phrases_by_their_first_word_and_those_that_take_any() -> None:
    index = WideIndex([(COMPILER.compile("~ go"), "go"), (COMPILER.compile("~ * on"), "any")])
    assert [told for _, told in index.reaches(("go", "on"), 0)] == ["go", "any"]
    assert [told for _, told in index.reaches(("hang", "on"), 0)] == ["any"]


def test_edges_are_cut_off_in_any_number_and_order() -> None:
    edges = Edges([fixed(("um",)), fixed(("hi", "there"))], [fixed(("please",))])
    assert set(edges.windows(("um", "hi", "there", "go", "please"))) >= {(0, 5), (3, 4)}


def test_a_gist_needs_its_parts_in_any_order_and_none_of_the_barred() -> None:
    gist = compile_gist("~~ (where | when) + <thing> - not", COMPILER)
    assert gist.explains(("my", "package", "is", "where")) == (2, ())
    assert gist.explains(("where", "is", "it")) is None
    assert gist.explains(("where", "not", "the", "package")) is None


def test_a_gist_that_needs_nothing_is_refused() -> None:
    with pytest.raises(TemplateError):
        compile_gist("~~ ", COMPILER)


def test_the_longest_of_the_same_words_is_replaced_first() -> None:
    assert SAME.rewrite(("i'm", "fine", "thank", "you", "very", "much")) == ("i", "am", "fine", "thanks")
    assert SAME.rewrite(("nothing", "here")) == ("nothing", "here")


def test_the_recogniser_hears_the_words_around_a_number_and_sentences_with_made_up_ones() -> None:
    phrase = Phrase(("order", "{number}", "please"))
    assert list(spoken_phrases([phrase, Phrase(("stop",))])) == ["order", "please", "stop"]
    samples = list(sample_sentences([(phrase, "request")], {"number": NumberFormat("999")}))
    assert samples
    assert all(sample.startswith("order ") and sample.endswith(" please") for sample in samples)
