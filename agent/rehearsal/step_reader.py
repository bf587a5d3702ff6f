"""Reads the steps of a caller script: one key names the step, the others are its options."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from agent.rehearsal.patterns import check_patterns
from agent.rehearsal.script import (
    Action,
    ExpectSays,
    Keys,
    Noise,
    ScriptedBargeIn,
    ScriptedHangUp,
    ScriptedSilence,
    ScriptedStaffPhone,
    ScriptedTurn,
    SpeakerphoneEcho,
    Speech,
    Step,
    WaitForHangUp,
    WaitForPromptEnd,
)
from agent.rehearsal.script_yaml import Node, ScriptFields, ScriptMapping, ScriptProblems, ScriptScalar, nearest
from agent.rehearsal.spoken_numbers import digit_words, spelling_words

_NOISE_KINDS = ("white", "babble", "hum", "cough", "file")
_COUGH_SECONDS = 0.45
_BURST_SECONDS = 1.0
_HUMAN_SAYS = "hello, this is the service desk, how can I help"
_CALLER_TALKS = "hello, I have a question about my order"
_ACTIONS = ("say", "play", "digits", "spell", "keys", "cough", "noise")
_STEPS = (*_ACTIONS, "barge_in", "silence", "wait", "hang_up", "expect", "human")


class StepReader:
    """Turns step nodes of one call into steps; mistakes go to ``problems``."""

    def __init__(self, file: Path, problems: ScriptProblems, voice: str, level_dbfs: float) -> None:
        self._file = file
        self._problems = problems
        self._voice = voice
        self._level_dbfs = level_dbfs

    def step(self, node: Node) -> Step | None:
        """Read one step; None when it is beyond understanding (and noted as a mistake)."""
        found = self._named(node, _STEPS, "a step")
        if found is None:
            return None
        name, mapping = found
        fields = ScriptFields(mapping, f"the step {name!r}", self._problems)
        readers: dict[str, Callable[[ScriptFields], Step | None]] = {
            "barge_in": self._barge_in,
            "silence": self._silence,
            "wait": self._wait,
            "hang_up": lambda f: ScriptedHangUp(f.line, f.optional_number("after_ms", 0, 600_000)),
            "expect": self._expect,
            "human": self._human,
        }
        step: Step | None
        if name in readers:
            step = readers[name](fields)
        else:
            action = self._action(name, fields)
            step = ScriptedTurn(action, mapping.line, _waits(fields)) if action is not None else None
        fields.done()
        return step

    def _named(self, node: Node, names: tuple[str, ...], what: str) -> tuple[str, ScriptMapping] | None:
        """Return (name, options) of ``- name``, ``- name: value`` (+ options beside it) or ``- name: {options}``."""
        if isinstance(node, ScriptScalar):
            if node.text in names:
                return node.text, ScriptMapping((), node.line)
            self._problems.add(node.line, f"{what} cannot be {node.text!r}{nearest(node.text, names)}")
            return None
        if not isinstance(node, ScriptMapping):
            self._problems.add(node.line, f"{what} must be one of: {', '.join(names)}")
            return None
        present = [key for key, _, _ in node.entries if key in names]
        # "wait" is a step of its own and also an option beside another.
        name = next((key for key in present if key != "wait"), present[0] if present else "")
        if not name:
            first = node.entries[0] if node.entries else ("", node.line, node)
            self._problems.add(first[1], f"there is no step {first[0]!r}{nearest(first[0], names)}")
            return None
        value = node.get(name)
        beside = tuple(entry for entry in node.entries if entry[0] != name)
        if isinstance(value, ScriptMapping):
            for key, line, _ in beside:
                self._problems.add(line, f"{key!r} must stand inside the braces of {name!r}, or the braces must go")
            return name, ScriptMapping(value.entries, node.line)
        if value is None or (isinstance(value, ScriptScalar) and not value.text):
            return name, ScriptMapping(beside, node.line)
        return name, ScriptMapping((("value", value.line, value), *beside), node.line)

    def _action(self, name: str, fields: ScriptFields) -> Action | None:
        value = fields.text("value", required=name not in ("cough", "noise"))
        if name == "keys":
            return self._keys(value, fields)
        if name in ("cough", "noise"):
            return self._burst(name, value, fields)
        speed = fields.number("speed", 1.0, 0.3, 3.0)
        voice = fields.text("voice", "allison" if name in ("digits", "spell") else self._voice)
        if name == "play":
            file = self._wav(value, fields.line)
            return Speech(said=f"[{value}]", text="", voice="", file=file) if file else None
        text = value
        try:
            if name == "digits":
                text = digit_words(value, fields.choice("zero", ("zero", "oh"), "zero"))
            elif name == "spell":
                text = spelling_words(value)
        except ValueError as error:
            self._problems.add(fields.line, f"{name!r}: {error}")
        return Speech(said=value, text=text, voice=voice, speed=speed)

    def _keys(self, value: str, fields: ScriptFields) -> Keys | None:
        keys = re.sub(r"[\s-]", "", value)
        if value and not re.fullmatch(r"[0-9*#]+", keys):
            self._problems.add(fields.line, f"{value!r} are not keys of a telephone (0-9 * #); quote them")
            return None
        return Keys(keys, int(fields.number("tone_ms", 100, 40, 2000)), int(fields.number("gap_ms", 100, 40, 10_000)))

    def _burst(self, name: str, value: str, fields: ScriptFields) -> Noise | None:
        if name == "cough":
            fields_level = fields.number("level_dbfs", self._level_dbfs + 3, -60, 0)
            return Noise("cough", fields_level, seconds=_COUGH_SECONDS)
        if value:
            fields_kind = value
            fields.text("kind")
        else:
            fields_kind = fields.text("kind", required=True)
        return _noise(fields_kind, fields, self._file, self._problems, self._level_dbfs, _BURST_SECONDS)

    def _wav(self, name: str, line: int) -> Path | None:
        return _wav_file(name, line, self._file, self._problems)

    def _barge_in(self, fields: ScriptFields) -> Step | None:
        after_ms = fields.number("after_ms", 500, 0, 60_000)
        inner = [(key, fields.node(key)) for key in _ACTIONS]
        given = [(key, node) for key, node in inner if node is not None]
        options = [(key, fields.node(key)) for key in ("voice", "speed", "zero", "level_dbfs", "tone_ms", "gap_ms")]
        if len(given) != 1:
            self._problems.add(fields.line, f"a barge_in needs exactly one of: {', '.join(_ACTIONS)}")
            return None
        entries = [(key, node.line, node) for key, node in [*given, *options] if node is not None]
        found = self._named(ScriptMapping(tuple(entries), fields.line), _ACTIONS, "a barge_in")
        if found is None:
            return None
        action_fields = ScriptFields(found[1], f"{found[0]!r} in a barge_in", self._problems)
        action = self._action(found[0], action_fields)
        action_fields.done()
        return ScriptedBargeIn(action, after_ms, fields.line) if action is not None else None

    def _silence(self, fields: ScriptFields) -> Step:
        return ScriptedSilence(fields.number("value", 1.0, 0, 600), fields.line, _waits(fields))

    def _wait(self, fields: ScriptFields) -> Step:
        what = fields.choice("value", ("prompt_end", "hang_up"), "prompt_end")
        within_seconds = fields.number("within_seconds", 30.0, 0, 3600)
        return WaitForHangUp(fields.line, within_seconds) if what == "hang_up" else WaitForPromptEnd(fields.line)

    def _expect(self, fields: ScriptFields) -> Step | None:
        says = (*fields.texts("value"), *fields.texts("says"))
        never = fields.texts("never_says")
        within_ms = fields.optional_number("within_ms", 0)
        if not says and not never and within_ms is None:
            self._problems.add(fields.line, "an expect step needs 'says', 'never_says' or 'within_ms'")
            return None
        check_patterns((*says, *never), fields.line, self._problems)
        return ExpectSays(says, fields.line, within_ms, never)

    def _human(self, fields: ScriptFields) -> Step:
        voice = fields.text("voice", "hibari:0.95")
        says, talks = fields.text("says", _HUMAN_SAYS), fields.text("talks", _CALLER_TALKS)
        patterns = (fields.text("ticket_matches"), *fields.texts("summary_contains"))
        check_patterns(tuple(pattern for pattern in patterns if pattern), fields.line, self._problems)
        return ScriptedStaffPhone(
            line=fields.line,
            phone=fields.text("phone", "601"),
            rings_within_seconds=fields.number("rings_within_seconds", 30.0, 0.1, 600),
            answers_after_ms=fields.number("answers_after_ms", 1000.0, 0, 60_000),
            says=Speech(says, says, voice) if says else None,
            talks=Speech(talks, talks, self._voice) if talks else None,
            hears_caller=fields.flag("hears_caller", True),
            ticket_matches=patterns[0],
            reason=fields.text("reason"),
            summary_contains=patterns[1:],
            order=fields.text("order"),
            verified=fields.text("verified"),
            hangs_up=fields.choice("hangs_up", ("human", "caller"), "human"),
        )


def _waits(fields: ScriptFields) -> bool:
    return fields.choice("wait", ("prompt_end", "none"), "prompt_end") == "prompt_end"


def read_noise(node: Node, file: Path, problems: ScriptProblems, speech_dbfs: float) -> Noise | None:
    """Read a call's background noise: ``white`` or ``{kind: babble, snr_db: 15}``."""
    if isinstance(node, ScriptScalar):
        node = ScriptMapping((("kind", node.line, node),), node.line)
    if not isinstance(node, ScriptMapping):
        problems.add(node.line, "'noise' must be a kind or a mapping (kind, snr_db, ...)")
        return None
    fields = ScriptFields(node, "noise", problems)
    noise = _noise(fields.text("kind", required=True), fields, file, problems, speech_dbfs, 0.0)
    fields.done()
    return noise


def read_echo(node: Node, problems: ScriptProblems) -> SpeakerphoneEcho | None:
    """Read a speakerphone's echo: ``{delay_ms: 150, loss_db: 24}``."""
    if not isinstance(node, ScriptMapping):
        problems.add(node.line, "'echo' must be a mapping (delay_ms, loss_db)")
        return None
    fields = ScriptFields(node, "echo", problems)
    echo = SpeakerphoneEcho(fields.number("delay_ms", 150.0, 0, 2000), fields.number("loss_db", 24.0, 0, 90))
    fields.done()
    return echo


def _noise(
    kind: str, fields: ScriptFields, file: Path, problems: ScriptProblems, speech_dbfs: float, seconds: float
) -> Noise | None:
    wav = fields.text("file")
    snr_db = fields.number("snr_db", 15.0, -20, 60)
    level_dbfs = fields.number("level_dbfs", speech_dbfs - snr_db, -90, 0)
    if seconds:
        seconds = fields.number("seconds", seconds, 0.02, 60)
    if kind not in _NOISE_KINDS:
        problems.add(fields.line, f"there is no noise {kind!r}{nearest(kind, _NOISE_KINDS)}")
        return None
    if kind == "file" and not wav:
        problems.add(fields.line, "a noise from a file needs 'file: name.wav'")
        return None
    return Noise(kind, level_dbfs, _wav_file(wav, fields.line, file, problems) if wav else None, seconds)


def _wav_file(name: str, line: int, script: Path, problems: ScriptProblems) -> Path | None:
    path = script.parent / name
    if not path.is_file():
        problems.add(line, f"there is no file {name!r} beside the script")
        return None
    return path
