import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from agent.common import yaml_reader
from agent.dialog.tools.schema import FILES, schema_text
from agent.flows import english_pack

SCHEMAS = {what: Draft7Validator(json.loads(schema_text(what))) for what in FILES}
PACK_FILES = sorted(english_pack().rglob("*.yaml"))
CALL_FILES = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
ALL = [*(("pack", file) for file in PACK_FILES), *(("calls", file) for file in CALL_FILES)]


class EditorLoader(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does, and with it the editors: yes, on, 12:30 and dates are text, 010 is a number."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


EditorLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), None)
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), None)
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), None)
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+\.[0-9]+$"), None)


def as_editors_read(content: str) -> Any:
    return json.loads(json.dumps(yaml.load(content, EditorLoader)))  # noqa: S506 (only adds resolvers to SafeLoader)


def mistakes(what: str, data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in SCHEMAS[what].iter_errors(data)]


@pytest.mark.parametrize("what", FILES)
def test_the_published_schema_is_the_one_the_models_make(what: str) -> None:
    published = english_pack().parent / FILES[what]
    remedy = f"write it again: orderline flows schema {what} > agent/flows/{FILES[what]}"
    assert published.read_text(encoding="utf-8") == schema_text(what), remedy


@pytest.mark.parametrize("what", FILES)
def test_the_schema_is_a_schema_and_explains_every_key(what: str) -> None:
    schema = json.loads(schema_text(what))
    Draft7Validator.check_schema(schema)
    for name, definition in (*schema["definitions"].items(), ("file", schema)):
        assert definition["description"], name
        for key, value in definition["properties"].items():
            assert value.get("description") or name in ("CommandPhrases",), f"{name}.{key}"


@pytest.mark.parametrize(("what", "file"), ALL, ids=lambda value: getattr(value, "stem", value))
def test_every_shipped_file_fits_however_it_is_read(what: str, file: Path) -> None:
    content = file.read_text(encoding="utf-8")
    assert mistakes(what, as_editors_read(content)) == []
    assert mistakes(what, yaml_reader.read(file.name, content).data) == []


@pytest.mark.parametrize(("what", "file"), ALL, ids=lambda value: getattr(value, "stem", value))
def test_every_shipped_file_names_its_schema(what: str, file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    head, _, named = first.partition("$schema=")
    assert head == "# yaml-language-server: "
    assert (file.parent / named).resolve() == english_pack().parent / FILES[what]


@pytest.mark.parametrize(
    "content",
    [
        "variables: {tries: 0, verified: false, price: 9.5}",
        "slots: {a: {type: yes_no, prompt: 42, redact: yes, timeout: '6'}}",
        "slots: {a: {type: choice, choices_from: answers, dtmf: {1: 2}}}",
        "flows: {a: {description: b, triggers: where is it, steps: [next: end]}}",
        "flows: {a: {description: b, triggers: [c, {phrases: d, set: {e: none}}], steps: [say: 010]}}",
        "prompts: {a: 12:30, b: {choose: c, cases: {1: one}, otherwise: other}}",
        "rules: {a: one, b: [one, 2]}",
        "wait_seconds: 60",
    ],
)
def test_short_forms_fit(content: str) -> None:
    assert mistakes("pack", as_editors_read(content)) == []


@pytest.mark.parametrize(
    "content",
    [
        "flws: {}",
        "- a list",
        "slots: {a: {typ: yes_no}}",
        "slots: {a: {type: yesno}}",
        "slots: {a: {prompt: no type}}",
        "slots: {a: {type: number, format: [1]}}",
        "slots: {a: {type: number, bargein: of}}",
        "slots: {a: {type: number, timeout: soon}}",
        "slots: {a: {type: number, timeout: 500}}",
        "slots: {a: {type: number, redact: maybe}}",
        "slots: {a: {type: number, give_up: {silence: person}}}",
        "slots: {a: {type: choice, choices: [b]}}",
        "slots: {a: {type: choice, choices_from: {value: sku}}}",
        "flows: {a: {steps: [say: b]}}",
        "flows: {a: {description: b, steps: []}}",
        "flows: {a: {description: b, steps: {say: c}}}",
        "flows: {a: {description: b, steps: [{id: c}]}}",
        "flows: {a: {description: b, steps: [{collect: c, say: d}]}}",
        "flows: {a: {description: b, steps: [{if: c}]}}",
        "flows: {a: {description: b, steps: [{call: c, with: [d]}]}}",
        "flows: {a: {description: b, steps: [{call: c, deadline: 99}]}}",
        "flows: {a: {description: b, triggers: [{phrase: c}], steps: [say: d]}}",
        "flows: {a: {description: b, forgets: c, steps: [say: d]}}",
        "services: {a: {arguments: b}}",
        "prompts: {a: [b]}",
        "prompts: {a: {choose: b}}",
        "prompts: {a: }",
        "answers: {maybe: [perhaps]}",
        "commands: {repat: again}",
        "wait_seconds: -1",
        "knowledge: {answers: {a: {ask: b}}}",
        "knowledge: {promotions: {a: {name: b, says: c, spoken: d, ends: tomorrow}}}",
    ],
)
def test_a_planted_shape_mistake_in_a_pack_does_not_fit(content: str) -> None:
    assert mistakes("pack", as_editors_read(content))


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "{usr: hello}",
        "{user: {text: hello}}",
        "{user: {say: hello, confidence: 7}}",
        "{silence: long}",
        "{given: {number: 1}}",
        "{agent: {say: b}}",
        "{priority: high}",
        "{hangup: perhaps}",
    ],
)
def test_a_planted_shape_mistake_in_a_call_does_not_fit(line: str) -> None:
    assert mistakes("calls", as_editors_read(f"calls: [{{call: a, lines: [{line}]}}]"))
    assert mistakes("calls", as_editors_read("calls: [{call: a, lines: [user: hello]}]")) == []
