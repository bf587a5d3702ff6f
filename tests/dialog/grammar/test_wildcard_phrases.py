import pytest

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.keyword_match import compile_keyword_pattern
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.wildcard_phrases import EdgeMatcher, WildcardCompiler, WildcardPhrase

SAME = Synonyms({"i am": ["i'm"], "package": ["parcel"], "it is": ["it's", "it has been"]})
LISTS = {"offer": {"autumn": ("the autumn sale", "~ [the] (autumn | fall) (sale | offer)"), "other": ("~~ else",)}}
COMPILER = WildcardCompiler({"thing": ("(order | package)",)}, LISTS, SAME)


def said(text: str) -> tuple[str, ...]:
    return SAME.rewrite(tuple(text.split()))


def whole(phrase: WildcardPhrase, text: str) -> bool:
    tokens = said(text)
    return any(reach.end == len(tokens) for reach in phrase.ends(tokens, 0))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("where is my order", True),
        ("where on earth is my parcel", True),
        ("where is the package now please", False),
        ("where is", False),
        ("order", False),
    ],
)
def test_a_wide_phrase_explains_every_word_or_nothing(text: str, fits: bool) -> None:
    assert whole(COMPILER.compile("~ where [on earth] is (my | the) <thing> [now]"), text) is fits


def test_a_star_is_any_one_word_and_counts_as_guessed() -> None:
    phrase = COMPILER.compile("~ my name is * [*]")
    assert {(reach.end, reach.guessed) for reach in phrase.ends(said("my name is anna smith"), 0)} == {(4, 1), (5, 2)}


def test_a_choice_in_a_wide_phrase_names_its_value_and_leaves_its_gists_out() -> None:
    phrase = COMPILER.compile("tell me about {offer}")
    assert [reach.values for reach in phrase.ends(said("tell me about the fall offer"), 0)] == [(("offer", "autumn"),)]
    assert not whole(phrase, "tell me about else")


@pytest.mark.parametrize("template", ["~ [please]", "~ sale[s]", "~ <nothing>", "~ {nobody}", "~ (open"])
def test_a_template_that_cannot_be_matched_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        COMPILER.compile(template)


def test_what_stands_at_the_edges_may_come_in_any_number_and_order() -> None:
    edges = EdgeMatcher([COMPILER.compile("~ (hi | well | i am * here)")], [COMPILER.compile("~ (please | thank you)")])
    tokens = said("hi i'm anna here well go please thank you")
    assert list(edges.starts(tokens)) == [0, 1, 5, 6]
    assert edges.ends(tokens) == [10, 8, 7]
    assert tokens[max(edges.starts(tokens)) : min(edges.ends(tokens))] == ("go",)


def test_words_that_mean_the_same_are_written_alike_longest_first() -> None:
    assert SAME.rewrite(("it", "has", "been", "a", "parcel")) == ("it", "is", "a", "package")
    assert SAME.rewrite(("nothing", "here")) == ("nothing", "here")


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        ("my parcel where might it be", True),
        ("no idea where that order went", True),
        ("where is my mind", False),
        ("where can i return my order", False),
        ("where", False),
    ],
)
def test_a_gist_needs_every_part_in_any_order_and_none_that_is_barred(text: str, explained: bool) -> None:
    gist = compile_keyword_pattern("~~ (where | when) + <thing> - (return | refund)", COMPILER)
    assert (gist.explains(said(text)) is not None) is explained


def test_a_gist_that_names_nothing_is_refused() -> None:
    with pytest.raises(TemplateError):
        compile_keyword_pattern("~~ ", COMPILER)
