"""Reads caller scripts from YAML and says, with file and line, what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agent.rehearsal.errors import ScriptError
from agent.rehearsal.patterns import check_patterns
from agent.rehearsal.script import DEFAULT_VOICE, CallScript, Expectation, Step, hang_up_sweep
from agent.rehearsal.script_yaml import (
    Node,
    ScriptFields,
    ScriptList,
    ScriptMapping,
    ScriptProblems,
    ScriptScalar,
    parse,
    plain_value,
)
from agent.rehearsal.step_reader import StepReader, read_echo, read_noise

_OUTCOMES = ("answered", "handed_over", "caller_hung_up", "abandoned", "nobody_free", "failed", "unknown")
_ENDED_BY = ("agent", "caller", "handover", "fault")
_CALLER = re.compile(r"^\s*(?:(?P<name>[^<>]*?)\s*<(?P<bracketed>[^<>]+)>|(?P<bare>[0-9+()\-. ]+))\s*$")


def load_scripts(files: Sequence[Path], voices: Sequence[str] = ()) -> tuple[CallScript, ...]:
    """Read several script files; with ``voices`` every call once for each, where the script names none itself.

    Raises ScriptError with every mistake of every file.
    """
    calls: list[CallScript] = []
    problems: list[str] = []
    for file in files:
        for voice in voices or (DEFAULT_VOICE,):
            try:
                read = load_script(file, voice)
            except ScriptError as error:
                problems.extend(problem for problem in error.problems if problem not in problems)
                continue
            several = len(voices) > 1
            calls.extend(replace(call, name=f"{call.name} ({voice})", cast=voice) if several else call for call in read)
    if problems:
        raise ScriptError(problems)
    return tuple(calls)


def load_script(file: Path, voice: str = DEFAULT_VOICE) -> tuple[CallScript, ...]:
    """Read one script file: its calls in order. Raises ScriptError (``file:line: problem``, one a line)."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError([f"{file}:1: cannot be read: {error}"]) from error
    return parse_script(text, file, voice)


def parse_script(text: str, file: Path, voice: str = DEFAULT_VOICE) -> tuple[CallScript, ...]:
    """Read the text of a script; ``file`` names it in errors and is where relative wav paths start.

    ``voice`` speaks where the script names no other.
    """
    problems = ScriptProblems(str(file))
    root = parse(text, problems)
    calls = _Reader(file, problems, voice).document(root)
    problems.raise_if_any()
    return calls


class _Reader:
    def __init__(self, file: Path, problems: ScriptProblems, voice: str) -> None:
        self._file = file
        self._start = CallScript(name="", steps=(), voice=voice)
        self._problems = problems

    def document(self, root: Node) -> tuple[CallScript, ...]:
        if not isinstance(root, ScriptMapping):
            self._problems.add(root.line, "a script is a mapping with 'calls:', or with the keys of one call")
            return ()
        if root.get("calls") is None and (root.get("name") or root.get("steps")):
            return self._unique(self._call(root, self._start))
        fields = ScriptFields(root, "a script", self._problems)
        settings = fields.node("settings")
        if settings is not None:
            if isinstance(settings, ScriptMapping):
                self._start = replace(self._start, settings=json.dumps(plain_value(settings), sort_keys=True))
            else:
                self._problems.add(settings.line, "'settings' must be a mapping, as in orderline.yaml")
        defaults = self._defaults(fields.node("defaults"))
        listed = fields.node("calls", required=True)
        fields.done()
        if not isinstance(listed, ScriptList):
            if listed is not None:
                self._problems.add(listed.line, "'calls' must be a list")
            return ()
        calls: list[CallScript] = []
        for node in listed.nodes:
            if isinstance(node, ScriptMapping):
                calls.extend(self._call(node, defaults))
            else:
                self._problems.add(node.line, "a call must be a mapping (name, steps, expect, ...)")
        return self._unique(calls)

    def _unique(self, calls: Sequence[CallScript]) -> tuple[CallScript, ...]:
        lines: dict[str, int] = {}
        for call in calls:
            if call.name in lines:
                self._problems.add(call.line, f"two calls are named {call.name!r} (first in line {lines[call.name]})")
            lines.setdefault(call.name, call.line)
        return tuple(calls)

    def _defaults(self, node: Node | None) -> CallScript:
        if node is None:
            return self._start
        if not isinstance(node, ScriptMapping):
            self._problems.add(node.line, "'defaults' must be a mapping")
            return self._start
        fields = ScriptFields(node, "defaults", self._problems)
        found = self._common(fields, self._start)
        fields.done()
        return found

    def _common(self, fields: ScriptFields, start: CallScript) -> CallScript:
        """Read what may stand in ``defaults`` as well as in a call."""
        level_dbfs = fields.number("level_dbfs", start.level_dbfs, -60, -3)
        noise = fields.node("noise")
        echo = fields.node("echo")
        return replace(
            start,
            dial=fields.text("dial", start.dial),
            cooperates=fields.flag("cooperates", start.cooperates),
            scenario=fields.text("scenario", start.scenario),
            voice=fields.text("voice", start.voice or DEFAULT_VOICE),
            level_dbfs=level_dbfs,
            noise=start.noise if noise is None else read_noise(noise, self._file, self._problems, level_dbfs),
            echo=start.echo if echo is None else read_echo(echo, self._problems),
            prompt_gap_ms=fields.number("prompt_gap_ms", start.prompt_gap_ms, 100, 10_000),
            limit_seconds=fields.number("limit_seconds", start.limit_seconds, 1, 3600),
        )

    def _call(self, node: ScriptMapping, defaults: CallScript) -> tuple[CallScript, ...]:
        fields = ScriptFields(node, "a call", self._problems)
        name = fields.text("name", required=True)
        common = self._common(fields, defaults)
        number, caller_name = self._caller(fields.node("caller"))
        moments_ms = fields.numbers("hang_up_at_ms", 0, 600_000)
        steps = self._steps(fields.node("steps", required=True), common)
        expect = self._expectation(fields.node("expect"))
        fields.done()
        call = replace(
            common,
            name=name,
            number=number,
            caller_name=caller_name,
            steps=steps,
            expect=expect,
            file=str(self._file),
            line=node.line,
        )
        return hang_up_sweep(call, moments_ms) if moments_ms else (call,)

    def _caller(self, node: Node | None) -> tuple[str, str]:
        """Read ``202-555-0143``, ``Maria Lopez <202-555-0143>`` or ``{number, name}`` -> (digits, name)."""
        if node is None:
            return "", ""
        if isinstance(node, ScriptMapping):
            fields = ScriptFields(node, "a caller", self._problems)
            number, name = fields.text("number"), fields.text("name")
            fields.done()
        elif isinstance(node, ScriptScalar) and (match := _CALLER.match(node.text)):
            number, name = match["bracketed"] or match["bare"], match["name"] or ""
        else:
            self._problems.add(node.line, "'caller' must be a number, 'Name <number>', or {number: ..., name: ...}")
            return "", ""
        digits = re.sub(r"[^0-9]", "", number)
        if number.strip() and (not digits or re.search(r"[^0-9+()\-. ]", number)):
            self._problems.add(node.line, f"{number!r} is not a telephone number")
        if re.search(r'["<>\\]', name):
            self._problems.add(node.line, f"the caller's name {name!r} may not hold quotes, brackets or backslashes")
        return digits, name

    def _steps(self, node: Node | None, call: CallScript) -> tuple[Step, ...]:
        if node is None:
            return ()
        if not isinstance(node, ScriptList):
            self._problems.add(node.line, "'steps' must be a list")
            return ()
        reader = StepReader(self._file, self._problems, call.voice, call.level_dbfs)
        steps = [reader.step(item) for item in node.nodes]
        return tuple(step for step in steps if step is not None)

    def _expectation(self, node: Node | None) -> Expectation:
        if node is None:
            return Expectation()
        if not isinstance(node, ScriptMapping):
            self._problems.add(node.line, "'expect' must be a mapping")
            return Expectation()
        fields = ScriptFields(node, "expect", self._problems)
        expectation = Expectation(
            outcome=fields.choice("outcome", ("", *_OUTCOMES), ""),
            ended_by=fields.choice("ended_by", ("", *_ENDED_BY), ""),
            says_sometime=check_patterns(fields.texts("says_sometime"), node.line, self._problems),
            never_says=check_patterns(fields.texts("never_says"), node.line, self._problems),
            heard=check_patterns(fields.texts("heard"), node.line, self._problems),
            effects=fields.texts("effects"),
            reason=fields.text("reason"),
            max_duration_seconds=fields.optional_number("max_duration_seconds", 0),
            greeting_ms_max=fields.optional_number("greeting_ms_max", 0),
            response_ms_max=fields.optional_number("response_ms_max", 0),
            barge_in_stop_ms_max=fields.optional_number("barge_in_stop_ms_max", 0),
            longest_silence_seconds_max=fields.optional_number("longest_silence_seconds_max", 0),
            line=node.line,
        )
        fields.done()
        return expectation
