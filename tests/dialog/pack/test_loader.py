from pathlib import Path

import pytest

from agent.common import yaml_reader
from agent.dialog.errors import FlowError
from agent.dialog.numbers.format import NumberFormat, NumberFormatError
from agent.dialog.pack.loader import FlowPack
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
    source = yaml_reader.read("a.yaml", "a: yes\nb: [no, on, off, 010, 12:30, 1e3, null, 2026-11-23]\nc:\nd: ~\n")
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


@pytest.mark.parametrize("reason", ["Angry", "too hard", "2nd_line", "_angry", "zu-schwer", "x", "a" * 41])
def test_a_reason_that_the_dialplan_would_not_take_is_refused_with_file_line_and_key(
    tmp_path: Path, reason: str
) -> None:
    words = "a reason is 2 to 40 small letters (a-z), digits and _, beginning with a letter"
    bad = GOOD.replace("- hangup: answered", f"- handover: {reason}")
    line = line_of(bad, "- handover:")
    assert f"pack.yaml:{line}: flows.main.steps[3].handover: {words}" in findings(tmp_path, bad)
    bad = GOOD.replace("prompts:\n", f"escalate:\n  {reason}: {{phrases: [this is awful]}}\nprompts:\n")
    line = line_of(bad, "this is awful")
    assert f"pack.yaml:{line}: escalate.{reason}: {words}" in findings(tmp_path, bad)


@pytest.mark.parametrize("reason", ["no", "line_2", "again", "a" * 40])
def test_a_reason_of_small_letters_digits_and_underscores_is_taken(tmp_path: Path, reason: str) -> None:
    load(tmp_path, GOOD.replace("- hangup: answered", f"- handover: {reason}"))


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
        ("- hangup: answered", "- link: man", "there is no flow 'man'; did you mean 'main'?"),
        ("start: main", "start: main\nentries: {queue_failed: mian}", "entries.queue_failed: there is no flow 'mian'"),
        ("tries: tries + 1", "tries: tries | twice", "steps[4].set.tries: 'tries | twice' is not an expression"),
        ("tries: tries + 1", "tries: trise + 1", "there is no slot or variable 'trise'; did you mean 'tries'?"),
        ("tries: tries + 1", "today: 1", "'today' belongs to the conversation and cannot be set"),
        ("with: {number: number}", "with: {number: number, nmber: 1}", "no argument of orders.find 'nmber'; did you"),
        (', nomatch: ["Sorry what."]', "", "has no nomatch prompts"),
        ("prompt: Are you sure", "prompt: Are you sure, dtmf: {1: maybe}", "dtmf.1: there is no value 'maybe'"),
        ("prompt: Are you sure", "prompt: Are you sure, dtmf: {0: yes}", "dtmf.0: is no key for a choice"),
        ("prompt: Are you sure", "prompt: Are you sure, dtmf: {12: yes}", "dtmf.12: is no key for a choice"),
        ("prompt: Are you sure", "prompt: Are you sure, dtmf: {1: yes, 1: no}", "dtmf.1: stands twice"),
        ("prompt: Are you sure", "prompt: Are you sure, give_up: {noinput: prson}", "did you mean 'person'?"),
        ("prompt: Are you sure", "prompt: Are you sure, give_up: {silence: person}", "slots.sure.give_up"),
        ("prompt: Are you sure", "prompt: Are you sure, corrects: sure", "there is no number slot 'sure'"),
        ("prompt: Are you sure", "prompt: Are you sure, resets: [nmber]", "there is no slot or variable 'nmber'"),
        ("type: yes_no", "type: choice, choices: {a: [one, two], b: [two]}", "'two' already stands for 'a'"),
        ("type: yes_no", "type: choice, choices: {a: '{colour}'}", "there is no slot {colour}"),
        ("no: [no, off]", "no: [no, 'yes']", "answers.no: 'yes' already stands for 'yes'"),
        ("- hangup: answered", "- handover: too_hard\n      - say: never said", "steps[4]: no path leads to this step"),
        ("tries: tries + 1}", "tries: tries + 1}\n        id2: x", "there is no key 'id2' here"),
        ("failed: {not_found: again}", "id: ask\n        failed: {not_found: ask}", "leads back to the same call"),
        (
            "    description: all\n",
            "    description: all\n    forgets: [nmber]\n",
            "forgets: there is no slot or variable 'nmber'; did you mean 'number'?",
        ),
        ("prompts:\n", "prompts:\n  extra: {choose: nmber, cases: {}}\n", "extra.choose: there is no slot or variable"),
        ("prompts:\n", "keep: [trise]\nprompts:\n", "keep: there is no variable 'trise'; did you mean 'tries'?"),
        (
            "prompts:\n",
            "knowledge: {promotions: {a: {name: a, says: b, spoken: c, starts: 2026-12-02, ends: 2026-12-01}}}\n"
            "prompts:\n",
            "knowledge.promotions.a.ends: ends on 2026-12-01, before it starts on 2026-12-02",
        ),
        (
            "prompts:\n",
            "commands: {repeat: [say again], wait: ['say again']}\nprompts:\n",
            "commands.wait: 'say again' already belongs to the command 'repeat'",
        ),
        (
            "prompts:\n",
            "commands: {help: [this is awful]}\nescalate: {anger: {phrases: [this is awful]}}\nprompts:\n",
            "escalate.anger.phrases: 'this is awful' already belongs to the command 'help'",
        ),
    ],
)  # fmt: skip
def test_a_planted_mistake_is_caught(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    found = findings(tmp_path, GOOD.replace(old, new))
    assert any(message in text for text in found), found


def in_circles(*steps: str) -> str:
    """Return a pack whose only flow has these steps."""
    return GOOD[: GOOD.index("    steps:")] + "    steps:\n" + "".join(f"      - {step}\n" for step in steps)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            ["{id: a, say: said here}", "{if: tries > 3, then: end, else: a}"],
            "steps[0]: a loop that never asks, calls or links anything",
        ),
        (["{id: a, collect: number}", "{say: said here, next: a}"], "steps[0]: a loop with no exit"),
        (["{id: a, link: main}", "{hangup: x}"], "steps[0].link: a loop with no exit: every way through 'main'"),
        (
            ["{id: a, call: orders.find, with: {number: number}, failed: {otherwise: b}}", "{hangup: x}",
             "{id: b, say: said here}", "{set: {tries: 1}, next: a}"],
            "steps[0].failed.otherwise: leads back to the same call with nothing in between",
        ),
    ],
)  # fmt: skip
def test_a_loop_nobody_gets_out_of_is_caught(tmp_path: Path, steps: list[str], message: str) -> None:
    found = findings(tmp_path, in_circles(*steps))
    assert any(message in text for text in found), found


def test_flows_that_link_each_other_for_ever_are_caught(tmp_path: Path) -> None:
    bad = in_circles("collect: number", "link: second", "hangup: x")
    bad += "  second:\n    description: b\n    steps:\n      - link: main\n      - hangup: y\n"
    found = findings(tmp_path, bad)
    assert any("main.steps[1].link: a loop with no exit: every way through 'second'" in text for text in found), found
    good = bad.replace("- link: main", "- {if: tries > 3, then: end}\n      - link: main")
    load(tmp_path, good)


def test_a_failure_that_leads_back_by_way_of_a_question_or_a_count_is_good(tmp_path: Path) -> None:
    for between in ("{id: b, collect: sure, force: yes, next: a}", "{id: b, if: tries < 3, then: a}"):
        call = "{id: a, call: orders.find, with: {number: number}, failed: {otherwise: b}}"
        load(tmp_path, in_circles(call, "{hangup: x}", between))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("failures: [not_found]", "failures: [not_found, unavailable]", "steps[2].failed: no step for unavailable"),
        ("- hangup: answered", "- {hangup: answered, next: again}", "steps[3].next: is never taken: the call is over"),
        (
            "next: end",
            "next: b\n      - {id: b, if: tries, then: end, else: end, next: b}",
            "steps[5].next: is never taken",
        ),
        ("tries: tries + 1", "tires: tries + 1", "steps[4].set.tires: nothing uses the variable 'tires'"),
        ("variables: {tries: 0}", "variables: {tries: 0, other: 1}", "variables.other: nothing uses the variable"),
        (
            "- hangup: answered",
            "- {handover: no_idea, queue: 'sales, tT'}",
            "steps[3].queue: no queue is named 'sales, tT'",
        ),
        ("- hangup: answered", "- {handover: no_idea, priority: -2}", "steps[3].priority: priorities are 0 (ordinary)"),
        ("flows:\n", "escalate: {anger: {words: [stop], priority: 5000}}\nflows:\n", "escalate.anger.priority: "),
        ("prompts:\n", "prompts:\n  extra: x\n", "prompts.extra: no flow says this prompt"),
        ("      - collect: sure\n", "", "slots.sure: no flow collects this slot"),
        ("flows:\n", "flows:\n  lost: {description: l, steps: [hangup: x]}\n", "flows.lost: nothing starts this flow"),
    ],
)
def test_what_is_suspicious_is_a_warning(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    warnings = [str(finding) for finding in load(tmp_path, GOOD.replace(old, new)).warnings]
    assert any(message in text and ": warning: " not in message for text in warnings), warnings
    assert len(warnings) == 1


def test_a_flow_that_only_a_forgotten_flow_links_is_started_by_nothing(tmp_path: Path) -> None:
    flows = "flows:\n  lost: {description: l, steps: [link: deeper]}\n  deeper: {description: d, steps: [hangup: x]}\n"
    pack = load(tmp_path, GOOD.replace("flows:\n", flows))
    assert [finding.path for finding in pack.warnings] == ["flows.lost", "flows.deeper"]


def test_a_key_of_a_request_slot_starts_a_flow(tmp_path: Path) -> None:
    keyed = "flows:\n  keyed: {description: l, steps: [hangup: x]}\n"
    menu = "slots:\n  menu: {type: request, prompt: What now, dtmf: {1: keyed}}\n"
    content = GOOD.replace("flows:\n", keyed).replace("slots:\n", menu).replace("- collect: sure", "- collect: menu")
    assert [finding.path for finding in load(tmp_path, content).warnings] == ["slots.sure"]


def test_a_question_in_a_loop_that_is_answered_already_is_a_warning(tmp_path: Path) -> None:
    loop = in_circles("{id: a, collect: number}", "{if: number == '10473', then: end, else: a}")
    assert any("asks nothing the second time round" in finding.message for finding in load(tmp_path, loop).warnings)
    for good in (loop.replace("collect: number", "collect: number, force: yes"),
                 loop.replace("else: a}", "else: b}\n      - {id: b, set: {number: none}, next: a}")):  # fmt: skip
        assert not any("second time" in finding.message for finding in load(tmp_path, good).warnings)


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


@pytest.mark.parametrize("reason", ["Gift", "x", "1st", "gift-card", "größe", "a" * 41, "two words"])
def test_a_reason_that_the_dialplan_would_not_take_is_caught(tmp_path: Path, reason: str) -> None:
    found = findings(tmp_path, GOOD.replace("- hangup: answered", f"- handover: '{reason}'"))
    assert any("steps[3].handover" in text for text in found), found


def test_unused_prompts_slots_and_flows_are_warnings(tmp_path: Path) -> None:
    pack = load(tmp_path, GOOD.replace("prompts:\n", "prompts:\n  extra: x\n").replace("      - collect: sure\n", ""))
    assert [finding.message for finding in pack.warnings] == ["no flow collects this slot", "no flow says this prompt"]


def test_the_linter_knows_the_renderers_filters() -> None:
    with pytest.raises(FlowError, match="uses the filter 'groups', which does not exist"):
        FlowPack.load(english_pack(), filters=["day"])


def test_the_shops_number_formats_stand_in_place_of_the_packs_own(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(GOOD, encoding="utf-8")
    pack = FlowPack.load(tmp_path, None, {"number": "AA-999"})
    assert pack.formats["number"].pattern == "AA-999"
    assert pack.format_patterns == {"number": "AA-999"}
    assert "bravo" in pack.grammars["collect:number"].words


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ({"numbr": "999"}, "there is no number slot 'numbr'; did you mean 'number'?"),
        ({"sure": "999"}, "there is no number slot 'sure'"),
        ({"number": "99?"}, "number format '99?' may hold only"),
    ],
)
def test_a_number_format_that_cannot_be_used_is_told(tmp_path: Path, formats: dict[str, str], message: str) -> None:
    (tmp_path / "pack.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(FlowError) as caught:
        FlowPack.load(tmp_path, None, formats)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["Order", "order number", "order&a", "1st"])
def test_slot_names_that_phrases_cannot_name_are_refused(tmp_path: Path, name: str) -> None:
    slot = '{type: number, format: "99999", prompt: "Which?"}'
    flows = f'flows: {{main: {{steps: [{{collect: "{name}"}}, {{hangup: answered}}]}}}}'
    (tmp_path / "pack.yaml").write_text(f'language: en\nstart: main\nslots: {{"{name}": {slot}}}\n{flows}\n')
    with pytest.raises(FlowError, match="small letters"):
        FlowPack.load(tmp_path)


def test_number_formats_that_nobody_could_say_are_refused_at_once() -> None:
    for pattern in ("A" * 5000, "9" + "[9]" * 20):
        with pytest.raises(NumberFormatError, match="nobody could say it"):
            NumberFormat(pattern)
