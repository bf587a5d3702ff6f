from pathlib import Path

import pytest

from agent import yaml_source
from agent.dialog.errors import FlowError
from agent.dialog.loader import FlowPack
from agent.flows import english_pack

SYSTEM = "\n".join(
    f"  {name}: said"
    for name in [
        "ask_again",
        "back_to",
        "cancelled",
        "confirm_number",
        "confirm_request",
        "corrected",
        "go_on",
        "goodbye",
        "handover",
        "handover_summary",
        "help",
        "not_that",
        "start_over",
        "still_there",
        "wait",
    ]
)
GOOD = f"""\
start: main
defaults: {{noinput: ["Hello there."], nomatch: ["Sorry what."]}}
answers: {{yes: [yes, on], no: [no, off]}}
services: {{orders.find: {{arguments: [number], failures: [not_found]}}}}
variables: {{tries: 0}}
slots:
  number: {{type: number, format: "99999", prompt: Which number is it}}
  sure: {{type: yes_no, prompt: Are you sure}}
prompts:
{SYSTEM}
flows:
  main:
    description: all
    steps:
      - collect: number
      - collect: sure
      - call: orders.find
        with: {{number: number}}
        failed: {{not_found: again}}
      - hangup: answered
      - id: again
        set: {{tries: tries + 1}}
        next: end
"""


def load(directory: Path, content: str, name: str = "pack.yaml") -> FlowPack:
    (directory / name).write_text(content, encoding="utf-8")
    return FlowPack.load(directory)


def findings(directory: Path, content: str) -> list[str]:
    with pytest.raises(FlowError) as caught:
        load(directory, content)
    return [str(finding) for finding in caught.value.findings]


def line_of(content: str, text: str) -> int:
    return next(number for number, line in enumerate(content.splitlines(), 1) if text in line)


def test_a_small_pack_loads(tmp_path: Path) -> None:
    pack = load(tmp_path, GOOD)
    assert pack.steps() == ["main.1", "main.2", "main.3", "main.4", "main.again"]


def test_yes_no_on_and_numbers_stay_the_text_they_are(tmp_path: Path) -> None:
    source = yaml_source.read("a.yaml", "a: yes\nb: [no, on, off, 010, 12:30, 1e3, null, 2026-11-23]\nc:\nd: ~\n")
    assert source.data == {
        "a": "yes", "b": ["no", "on", "off", "010", "12:30", "1e3", "null", "2026-11-23"], "c": None, "d": None,
    }  # fmt: skip
    assert {"on", "off"} <= set(load(tmp_path, GOOD).grammars["collect:sure"].phrases)


def test_every_mistake_is_reported_with_file_line_and_key(tmp_path: Path) -> None:
    bad = (
        GOOD.replace("prompt: Which number is it", "promt: Which number is it")
        .replace("- collect: sure", "- colect: sure")
        .replace("start: main", "start: mian")
    )
    found = findings(tmp_path, bad)
    slot, step = line_of(bad, "promt"), line_of(bad, "colect")
    assert f"pack.yaml:{slot}: slots.number.promt: there is no key 'promt' here; did you mean 'prompt'?" in found
    assert any(
        text.startswith(f"pack.yaml:{step}: flows.main.steps[1]: a step needs one of the keys") for text in found
    )
    assert any("start: there is no flow 'mian'" in text for text in found)


def test_a_key_that_stands_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    bad = GOOD + "  main:\n    description: again\n    steps: [{hangup: x}]\n"
    found = findings(tmp_path, bad)
    assert (
        f"pack.yaml:{line_of(bad, 'description: again') - 1}: flows.main: stands twice; the first one is on line"
        in found[0]
    )


def test_a_name_used_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("slots:\n  number: {type: yes_no, prompt: What is it}\n", encoding="utf-8")
    found = findings(tmp_path, GOOD)
    assert any(text.startswith("pack.yaml:") and "slots.number: this name is already used" in text for text in found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- collect: number", "- collect: numbr", "steps[0].collect: there is no slot 'numbr'; did you mean 'number'?"),
        ("call: orders.find", "call: orders.fnd", "there is no service 'orders.fnd'; did you mean 'orders.find'?"),
        ("{not_found: again}", "{not_fund: again}", "there is no failure of orders.find 'not_fund'"),
        ("{not_found: again}", "{not_found: agian}", "there is no step 'agian' in this flow; did you mean 'again'?"),
        ("with: {number: number}", "with: {numbr: number}", "orders.find needs the argument 'number'"),
        ("with: {number: number}", "with: {number: nmber}", "there is no slot or variable 'nmber'"),
        ("tries: tries + 1", "tries: tries +", "is not an expression"),
        ("prompt: Which number is it", "prompt: which_number", "there is no prompt 'which_number'"),
        ("prompt: Which number is it", "prompt: 'Which {{ nmber }}'", "uses 'nmber', which is no slot or variable"),
        ("prompt: Which number is it", "prompt: 'Which {{ number'", "cannot be read as a prompt"),
        (", prompt: Which number is it", "", "nothing is said to ask for 'number'"),
        ('format: "99999"', 'format: "999Q9"', "number format '999Q9' may hold only"),
        ("        failed: {not_found: again}\n", "", "steps[4]: no path leads to this step"),
        ("next: end", "next: again", "a loop with no exit"),
        ('noinput: ["Hello there."], ', "", "has no noinput prompts"),
        ("  wait: said\n", "", "prompts.wait: this prompt is missing"),
        ("yes: [yes, on]", "yes: ['(yes']", "cannot be read as a phrase template"),
        ("yes: [yes, on]", "yes: ['<yep>']", "there is no rule <yep>"),
        ("yes: [yes, on]", "yes: ['(a|b|c|d|e|f)(a|b|c|d|e|f)(a|b|c|d|e|f)(a|b|c|d|e|f)']", "stands for 1296 phrases"),
        ("type: yes_no", "type: yesno", "slots.sure.type"),
        ("- hangup: answered", "- hangup: answered\n        id: again", "'again' is already taken in this flow"),
    ],
)  # fmt: skip
def test_a_planted_mistake_is_caught(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    found = findings(tmp_path, GOOD.replace(old, new))
    assert any(message in text for text in found), found


def test_two_flows_cannot_share_a_phrase(tmp_path: Path) -> None:
    bad = GOOD.replace(
        "    steps:\n      - collect: number", "    triggers: [help me now]\n    steps:\n      - collect: number"
    )
    bad += "  second:\n    description: b\n    triggers: ['help (me | us) now']\n    steps: [{hangup: x}]\n"
    assert any("'help me now' already belongs to the flow 'main'" in text for text in findings(tmp_path, bad))


@pytest.mark.parametrize(
    "content", ["a: [1\nb: 2", "- a\n- b", "a: &x [*x]", "&a [*a]", "? [x]\n: y", "\x00", "a: !!python/object:os.x {}"]
)
def test_broken_yaml_is_a_finding_and_not_a_crash(tmp_path: Path, content: str) -> None:
    assert findings(tmp_path, content)


def test_an_empty_directory_and_a_missing_one_are_findings(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FlowError, match=r"holds no \.yaml files"):
            FlowPack.load(directory)


def test_the_fingerprint_changes_with_any_edit(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).fingerprint != load(tmp_path, GOOD + "# edited\n").fingerprint


def test_unused_prompts_slots_and_flows_are_warnings(tmp_path: Path) -> None:
    pack = load(tmp_path, GOOD.replace("prompts:\n", "prompts:\n  extra: x\n").replace("      - collect: sure\n", ""))
    assert [finding.message for finding in pack.warnings] == ["no flow collects this slot", "no flow says this prompt"]


def test_the_linter_knows_the_renderers_filters() -> None:
    with pytest.raises(FlowError, match="uses the filter 'groups', which does not exist"):
        FlowPack.load(english_pack(), filters=["day"])
