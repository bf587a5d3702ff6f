"""What a pack teaches: its examples, draws from its phrases, numbers as one sign; and the key of all that."""

from pathlib import Path

from agent.dialog.pack.loader import FlowPack
from agent.dialog.understanding.source import Teaching
from tests.dialog.understanding.test_examples import PACK, load


def teaching_of(pack: FlowPack) -> Teaching:
    assert pack.teaching is not None
    return pack.teaching


def test_examples_and_draws_from_phrases_are_taught_each_with_its_meaning(tmp_path: Path) -> None:
    content = PACK.replace(
        "triggers: [where is my order]", 'triggers: ["~ [still] (no sign | nothing) of my <thing>", "~~ where + order"]'
    )
    sentences = teaching_of(load(tmp_path, content)).sentences()
    examples = {(one.text, one.meaning) for one in sentences if one.example}
    assert {("where has my parcel got to", "track"), ("at what time do you close today", "topic:hours")} <= examples
    assert {("are you hiring", "not_for_us:jobs"), ("is there a sale on", "promotion:sale")} <= examples
    drawn = {one.text for one in sentences if not one.example and one.meaning == "track"}
    possible = {f"{lead}{what} of my {thing}" for lead in ("", "still ") for what in ("no sign", "nothing")
                for thing in ("parcel", "package")}  # fmt: skip
    assert drawn
    assert drawn <= possible


def test_the_same_pack_teaches_the_same_sentences_in_the_same_order(tmp_path: Path) -> None:
    one, other = (teaching_of(load(tmp_path, PACK)) for _ in range(2))
    assert one.sentences() == other.sentences()
    assert one.key == other.key


def test_an_edited_example_changes_the_key_and_an_edited_prompt_does_not(tmp_path: Path) -> None:
    key = teaching_of(load(tmp_path, PACK)).key
    assert teaching_of(load(tmp_path, PACK.replace("say: On its way.", "say: It is coming."))).key == key
    assert teaching_of(load(tmp_path, PACK.replace("are you hiring", "do you have a job for me"))).key != key
    assert teaching_of(load(tmp_path, PACK.replace("[where is my order]", "[where is it]"))).key != key
    assert teaching_of(load(tmp_path, PACK.replace("topic: a job with us", "topic: work with us"))).key == key


def test_numbers_are_one_sign_and_what_the_recogniser_did_not_hear_is_dropped(tmp_path: Path) -> None:
    plain = teaching_of(load(tmp_path, PACK)).plain
    assert plain("where is order one oh four seven three") == "where is order #"
    assert plain("order 10473 [unk] is late") == "order # is late"
    assert plain("i need two of them") == "i need two of them"
    assert plain("[unk]") == ""


def test_a_pack_without_examples_teaches_nothing(tmp_path: Path) -> None:
    content = PACK.split("not_for_us:")[0]
    for examples in (
        '    examples:\n      - where has my <thing> got to\n      - "[hello] i wonder where it is"\n',
        "      examples: [at what time do you close today]\n",
        ", examples: [is there a sale on]",
    ):
        assert examples in content
        content = content.replace(examples, "")
    assert load(tmp_path, content).teaching is None
