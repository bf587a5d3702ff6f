"""What all turns of a pack have in common is compiled once, and what an edit leaves as it was is not read again."""

import pytest

from agent.common.yaml_reader import YamlSource, read
from agent.dialog.grammar import grammar_builder, templates
from agent.dialog.grammar.choices import Option
from agent.dialog.grammar.entry_table import EntryTable
from agent.dialog.pack import reader
from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from tests.shipped_pack import shipped_pack

ITEMS = (Option("A", "Brass Desk Lamp"), Option("B", "Oak Bedside Table"))


def test_what_may_be_said_at_any_moment_is_compiled_once_and_not_again_for_a_callers_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[EntryTable] = []

    def table(*arguments: object) -> EntryTable:
        compiled.append(EntryTable(*arguments))  # type: ignore[arg-type]
        return compiled[-1]

    monkeypatch.setattr(grammar_builder, "EntryTable", table)
    pack = FlowPack.load(english_pack())
    assert len(compiled) == 2  # with requests that begin with a number, and without
    grammar = pack.grammar_with("return_item", ITEMS)
    assert len(compiled) == 2
    assert grammar.samples
    assert set(compiled[0].phrases) <= set(grammar.phrases)


def test_questions_for_yes_and_no_share_one_grammar() -> None:
    pack = shipped_pack()
    asked = [f"collect:{name}" for name, slot in pack.contents.slots.items() if slot.type == "yes_no"]
    assert len(asked) > 2
    assert {id(pack.grammars[key]) for key in asked} == {id(pack.grammars[grammar_builder.CONFIRM_REQUEST])}


def test_a_pack_loaded_again_reads_no_file_and_no_template_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = FlowPack.load(english_pack())
    opened: list[str] = []

    def reading(name: str, content: str) -> YamlSource:
        opened.append(name)
        return read(name, content)

    monkeypatch.setattr(reader.yaml_reader, "read", reading)
    misses = templates.parse.cache_info().misses
    again = FlowPack.load(english_pack())
    assert opened == []
    assert templates.parse.cache_info().misses == misses
    assert again.fingerprint == before.fingerprint
    assert {key: grammar.phrases for key, grammar in again.grammars.items()} == {
        key: grammar.phrases for key, grammar in before.grammars.items()
    }
