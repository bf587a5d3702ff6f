from __future__ import annotations

from agent.builder.change_words import change_sentences, unified_diffs
from tests.builder.fruit_pack import edited, fruit_files

OLD = fruit_files()


def words(new: dict[str, str]) -> list[str]:
    return [sentence.words for sentence in change_sentences(OLD, new)]


def test_nothing_changed_is_nothing_told() -> None:
    assert change_sentences(OLD, dict(OLD)) == []
    assert unified_diffs(OLD, dict(OLD)) == []


def test_other_words_of_a_step_are_told_with_what_they_were() -> None:
    (told,) = words(edited(OLD, "We have none left.", "All sold."))
    assert told == "Procedure 'buy', step 'gone', it says: \"All sold.\". Was: \"We have none left.\"."


def test_another_way_on_is_told_at_its_step() -> None:
    new = edited(OLD, "sold_out: gone", "sold_out: person")
    (sentence,) = change_sentences(OLD, new)
    assert sentence.procedure == "buy"
    assert sentence.path == ("flows", "buy", "steps", 1, "failed", "sold_out")
    assert "when it fails" in sentence.words
    assert 'Was: "gone"' in sentence.words


def test_a_new_step_is_told_with_the_step_before_it() -> None:
    new = edited(OLD, "      - say: There you are.", "      - say: One moment please.\n      - say: There you are.")
    (told,) = words(new)
    assert told.startswith("Procedure 'buy', step 3 (say")
    assert "is new, behind step 'buying'" in told


def test_a_step_that_is_gone_is_told_with_what_it_was() -> None:
    new = edited(OLD, "      - id: gone\n        say: We have none left.\n        next: end\n", "")
    told = words(new)
    assert any("step 'gone' is gone" in one and "none left" in one for one in told)


def test_a_phrase_more_and_a_prompt_more_are_told() -> None:
    new = edited(OLD, "[i want fruit, buy fruit]", "[i want fruit, buy fruit, sell me fruit]")
    new = edited(new, "prompts:\n", "prompts:\n  thanks: Thank you.\n", "pack.yaml")
    told = words(new)
    assert any('"sell me fruit"' in one and "is new" in one for one in told)
    assert "Prompt 'thanks' is new: \"Thank you.\"." in told


def test_only_a_comment_is_told_as_such() -> None:
    assert words({**OLD, "flows.yaml": "# fruit\n" + OLD["flows.yaml"]}) == ["Only comments, or how it is written."]


def test_the_diff_is_one_that_patch_takes() -> None:
    new = edited(OLD, "We have none left.", "All sold.")
    ((diff),) = unified_diffs(OLD, new)
    assert diff["file"] == "flows.yaml"
    lines = diff["diff"].splitlines()
    assert lines[:2] == ["--- a/flows.yaml", "+++ b/flows.yaml"]
    assert "-        say: We have none left." in lines
    assert "+        say: All sold." in lines
