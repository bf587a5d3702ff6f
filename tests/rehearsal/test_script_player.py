"""The scripted caller against a small agent that speaks, pauses, listens and hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.rehearsal.audio import FRAME_SECONDS, Pcm
from agent.rehearsal.audio_sender import AudioSender
from agent.rehearsal.call_evaluation import evaluate_call
from agent.rehearsal.call_log import CallerInput, CallLog
from agent.rehearsal.caller_measures import Span
from agent.rehearsal.live_feed import CallFeed, FeedDispatcher, FeedEvent
from agent.rehearsal.report import ConsoleReport, summary_lines, write_summary
from agent.rehearsal.result import Check, RehearsalResult, ScriptedCallResult
from agent.rehearsal.ringing_phones import same_number
from agent.rehearsal.runner import file_names, load_calls, with_numbers
from agent.rehearsal.script import CallScript, Noise, ScriptedStaffPhone, Speech
from agent.rehearsal.script_player import CallSounds, ScriptPlayer
from agent.rehearsal.script_reader import parse_script

LOUD = (np.cos(2 * np.pi * 500 * np.arange(160) / 8000) * 8000).astype("<i2").tobytes()
QUIET = bytes(320)
WORDS = np.frombuffer(LOUD * 10, "<i2")
"""200 ms of the caller's voice."""


class SmallAgent:
    """A phone line with an agent at its other end: plays prompts in real time, tells its feed, may hang up."""

    def __init__(self, *, tells: bool = True) -> None:
        self.feed = CallFeed("2025550143", "call-1" if tells else "")
        self.log = CallLog("2025550143", self.feed, answered_at=time.monotonic())
        self.keys: list[tuple[float, str]] = []
        self.hung_up = asyncio.Event()
        self.said_while: list[str] = []
        """What the agent was doing whenever the caller began to speak or key."""
        self.noises = 0
        self.doing = "waiting"
        self.caller_spoke = asyncio.Event()

    def tell(self, name: str, **data: object) -> None:
        if self.feed.started:
            self.feed.add(FeedEvent(name, time.monotonic(), data))

    async def prompt(self, text: str, *parts: float, listens: bool = True) -> None:
        """Speak for the first part, pause for the second, and so on; then listen."""
        self.tell("agent_said", text=text)
        for index, seconds in enumerate(parts):
            self.doing = "pausing" if index % 2 else "speaking"
            for _ in range(round(seconds / FRAME_SECONDS)):
                self.log.heard.add(time.monotonic(), QUIET if index % 2 else LOUD)
                await asyncio.sleep(FRAME_SECONDS)
        self.doing = "listening"
        if listens:
            self.tell("listening", slot="request")

    async def answer(self) -> None:
        """Wait for the caller to say something."""
        await self.caller_spoke.wait()
        self.caller_spoke.clear()

    def ends(self) -> None:
        self.log.ended_at, self.log.hung_up_by = time.monotonic(), "them"
        self.hung_up.set()

    # --- the phone's side ---

    async def say(self, pcm: Pcm) -> Span | None:
        began = time.monotonic()
        self.said_while.append(self.doing)
        await self.ends_within(len(pcm) / 8000)
        self.caller_spoke.set()
        return Span(began, time.monotonic())

    def make_noise(self, pcm: Pcm) -> None:
        self.noises += 1

    async def press(self, keys: str, tone_ms: int = 100, gap_ms: int = 100) -> Span | None:
        began = time.monotonic()
        self.said_while.append(self.doing)
        self.keys += [(began + 0.01 * index, key) for index, key in enumerate(keys, 1)]
        self.caller_spoke.set()
        return Span(began, self.keys[-1][0])

    async def wait_for_sound(self, seconds: float) -> None:
        await self.ends_within(min(seconds, FRAME_SECONDS))

    async def ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self.hung_up.wait()
        return self.hung_up.is_set()

    async def hang_up(self) -> None:
        self.log.ended_at, self.log.hung_up_by = time.monotonic(), "us"
        self.hung_up.set()


class NoStaffSide:
    async def play(self, step: ScriptedStaffPhone) -> bool:
        raise AssertionError("no human in these calls")


def script_of(steps: str, rest: str = "") -> CallScript:
    (call,) = parse_script(f"name: a call\nprompt_gap_ms: 300\nsteps:\n{steps}\n{rest}", Path("calls.yaml"))
    return call


@contextlib.asynccontextmanager
async def playing(agent: SmallAgent, script: CallScript) -> AsyncIterator[asyncio.Task[None]]:
    speeches: dict[Speech, Pcm] = dict.fromkeys(script.speeches, WORDS)
    noises: dict[Noise, Pcm] = dict.fromkeys(script.noises, WORDS)
    player = ScriptPlayer(script, agent, agent.feed, CallSounds(speeches, noises), agent.log, NoStaffSide())
    task = asyncio.create_task(player.run())
    try:
        yield task
        async with asyncio.timeout(10):
            await task
    finally:
        task.cancel()


def checks(agent: SmallAgent) -> dict[str, bool]:
    return {check.what: check.ok for check in agent.log.checks}


class TestWhenTheCallerSpeaks:
    async def test_a_caller_with_a_feed_does_not_take_a_pause_for_the_end(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- say: hello\n- hang_up")):
            await agent.prompt("Thanks for calling. How can I help?", 0.2, 1.0, 0.2)
        assert agent.said_while == ["listening"]
        assert agent.log.spoken[0].span is not None

    async def test_a_caller_without_a_feed_goes_by_the_quiet_after_speech(self) -> None:
        agent = SmallAgent(tells=False)
        async with playing(agent, script_of("- say: hello\n- hang_up")):
            await agent.prompt("not told", 0.2, 0.16, 0.2, 0.1)
        assert agent.said_while == ["listening"]

    async def test_a_second_answer_waits_for_the_next_prompt(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- say: hello\n- keys: 12\n- hang_up")):
            await agent.prompt("How can I help?", 0.2)
            await agent.answer()
            await asyncio.sleep(0.2)
            assert [spoken.said for spoken in agent.log.spoken] == ["hello"]
            await agent.prompt("What's the number?", 0.2)
        assert [spoken.said for spoken in agent.log.spoken] == ["hello", "12"]
        assert agent.said_while == ["listening", "listening"]
        assert len(agent.log.spoken[1].key_ends) == 2

    async def test_the_rest_of_a_number_follows_without_waiting(self) -> None:
        agent = SmallAgent()
        steps = "- say: one zero\n- silence: 0.1\n  wait: none\n- say: four\n  wait: none\n- hang_up"
        async with playing(agent, script_of(steps)):
            await agent.prompt("What's the number?", 0.2)
        assert [spoken.said for spoken in agent.log.spoken] == ["one zero", "four"]

    async def test_a_barge_in_comes_while_the_agent_speaks(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- barge_in: {after_ms: 200, say: agent}\n- hang_up")):
            await agent.prompt("A long greeting", 1.0)
        assert agent.said_while == ["speaking"]
        (spoken,) = agent.log.spoken
        assert spoken.barge_in
        assert spoken.began_at - agent.log.heard.stamps[0] >= 0.2

    async def test_a_cough_is_no_answer(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- barge_in: {after_ms: 100, cough: }\n- say: hello\n- hang_up")):
            await agent.prompt("A greeting", 0.6)
        assert agent.noises == 1
        assert [spoken.said for spoken in agent.log.spoken] == ["hello"]
        assert agent.said_while == ["listening"]


class TestWhatIsExpected:
    async def test_an_expectation_looks_at_the_answer_to_the_last_words(self) -> None:
        agent = SmallAgent()
        steps = "- say: hello\n- expect: /order number/\n- expect: {never_says: greeting}\n- hang_up"
        async with playing(agent, script_of(steps)):
            await agent.prompt("A greeting", 0.2)
            await agent.answer()
            await agent.prompt("What's the order number?", 0.3)
        assert checks(agent) == {
            "line 5: the agent says /order number/": True,
            "line 6: the agent does not say greeting": True,
        }

    async def test_words_that_never_come_fail_with_what_was_said(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- expect: order number\n- hang_up")):
            await agent.prompt("How can I help?", 0.2)
        (check,) = agent.log.checks
        assert (check.ok, check.detail) == (False, "it said: How can I help?")

    async def test_without_a_feed_words_cannot_be_checked_and_that_is_said(self) -> None:
        agent = SmallAgent(tells=False)
        async with playing(agent, script_of("- expect: order number\n- hang_up")):
            await agent.prompt("not told", 0.2, 0.1)
        (check,) = agent.log.checks
        assert not check.ok
        assert "no live feed" in check.detail


class TestHowCallsEnd:
    async def test_an_agent_that_hangs_up_too_early_fails_the_step_that_was_due(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- say: hello\n- say: goodbye")):
            await agent.prompt("How can I help?", 0.2)
            await agent.answer()
            agent.ends()
        assert checks(agent) == {"line 5: the agent's prompt ends": False}

    async def test_a_caller_who_leaves_in_a_prompt_needs_nothing_more(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- hang_up: {after_ms: 100}")):
            await agent.prompt("A long greeting", 0.5)
        assert agent.log.hung_up_by == "us"
        assert agent.log.checks == []

    async def test_waiting_for_the_hang_up_is_a_check(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- wait: hang_up\n  within_seconds: 5")):
            await agent.prompt("Goodbye.", 0.2, listens=False)
            agent.ends()
        assert checks(agent) == {"line 4: the call is ended": True}

    async def test_a_caller_whose_agent_gave_the_call_away_does_not_wait_for_it(self) -> None:
        agent = SmallAgent()
        async with playing(agent, script_of("- say: hello")):
            agent.tell("handed_over", reason="caller_asked", ticket="T-1")
        assert checks(agent) == {"line 4: the agent listens": False}


def told(agent: SmallAgent, event: str, at: float, /, **data: object) -> None:
    agent.feed.events.append(FeedEvent(event, at, data))


def spoken_call() -> SmallAgent:
    """A call as it stands in the log: greeting at 100, two answers, goodbye."""
    agent = SmallAgent()
    agent.log.answered_at, agent.log.ended_at, agent.log.hung_up_by = 100.0, 112.0, "them"
    for start, end in ((100.3, 102.0), (104.5, 106.0), (108.4, 110.0)):
        for index in range(round((end - start) / FRAME_SECONDS)):
            agent.log.heard.add(start + index * FRAME_SECONDS, LOUD)
    agent.log.spoken += [
        CallerInput("where is my order", "speech", 102.9, False, Span(103.0, 104.0)),
        CallerInput("10473", "keypad", 106.9, False, Span(107.0, 108.0), (107.2, 107.4, 107.6, 107.8, 108.0)),
    ]
    told(agent, "agent_said", 100.2, text="How can I help?")
    told(agent, "caller_said", 104.2, heard="where is my order", via="speech")
    told(agent, "agent_said", 104.4, text="What's the number?")
    told(agent, "caller_said", 108.1, heard="10473", via="keypad")
    told(agent, "effect", 108.2, name="orders.verify", code="ok", ms=3)
    told(agent, "agent_said", 108.3, text="It's on its way.")
    told(agent, "call_ended", 112.1, outcome="answered", ended_by="agent", record={"id": "call-1"})
    return agent


class TestTheJudgement:
    def test_words_and_times_are_sorted_into_turns(self) -> None:
        result = evaluate_call(script_of("- hang_up"), spoken_call().log, None, None)
        assert [(turn.agent, turn.said, turn.heard, turn.via) for turn in result.turns] == [
            ("How can I help?", "where is my order", "where is my order", "speech"),
            ("What's the number?", "10473", "10473", "keypad"),
            ("It's on its way.", "", "", ""),
        ]
        assert [turn.response_ms for turn in result.turns] == [pytest.approx(500), pytest.approx(400), None]
        assert result.greeting_ms == pytest.approx(300)
        assert (result.outcome, result.ended_by, result.ok) == ("answered", "agent", True)

    def test_a_turn_holds_what_was_asked_for_and_where_the_agents_time_went(self) -> None:
        agent = spoken_call()
        events = agent.feed.events
        events[3] = FeedEvent("caller_said", 108.1, {"heard": "10473", "slot": "order_number"})
        spent = {"wait": 0.0, "look_up": 3.0}
        events[5] = FeedEvent("agent_said", 108.3, {"text": "On its way.", "response_ms": 3.0, "spent_ms": spent})
        turn = evaluate_call(script_of("- hang_up"), agent.log, None, None).turns[1]
        assert (turn.slot, turn.effects, turn.spent_ms) == ("order_number", ("orders.verify",), spent)

    def test_what_the_script_expects_of_the_whole_call_is_checked(self) -> None:
        expect = (
            "expect: {outcome: answered, says_sometime: on its way, never_says: [sorry, on its way], heard: '10473', "
            "effects: orders.verify, greeting_ms_max: 200, response_ms_max: 450, max_duration_seconds: 30}"
        )
        result = evaluate_call(script_of("- hang_up", expect), spoken_call().log, None, None)
        assert [check.what for check in result.checks if not check.ok] == [
            "the agent never says on its way",
            "greeting at most 200 ms",
            "response at most 450 ms",
        ]
        assert not result.ok

    def test_a_call_the_agent_never_had_is_judged_by_ear(self) -> None:
        agent = spoken_call()
        agent.feed.events.clear()
        agent.feed.call_id = ""
        result = evaluate_call(script_of("- hang_up", "expect: {says_sometime: help}"), agent.log, None, None)
        assert (result.outcome, len(result.turns), result.ok) == ("unknown", 2, False)
        assert [turn.response_ms for turn in result.turns] == [pytest.approx(500), pytest.approx(400)]

    def test_a_key_that_completed_the_entry_early_is_the_one_that_was_answered(self) -> None:
        agent = spoken_call()
        agent.log.spoken[1] = CallerInput(
            "10473#", "keypad", 106.9, False, Span(107.0, 108.6), (107.4, 107.8, 108.2, 108.6)
        )
        result = evaluate_call(script_of("- hang_up"), agent.log, None, None)
        assert result.turns[1].response_ms == pytest.approx(200)

    def test_a_barge_in_when_nobody_spoke_is_no_barge_in(self) -> None:
        agent = spoken_call()
        agent.log.spoken[0].barge_in = True
        result = evaluate_call(script_of("- hang_up"), agent.log, None, None)
        assert [check.what for check in result.checks if not check.ok] == [
            "the agent was speaking when the caller barged in"
        ]

    def test_an_agent_silenced_by_a_noise_fails(self) -> None:
        agent = spoken_call()
        agent.log.noises += [Span(100.5, 101.0), Span(101.5, 102.1)]
        result = evaluate_call(script_of("- hang_up"), agent.log, None, None)
        assert [check.ok for check in result.checks if "noise" in check.what] == [True, False]

    def test_a_noise_that_is_taken_for_an_answer_fails(self) -> None:
        agent = spoken_call()
        agent.log.noises.append(Span(100.5, 101.0))
        agent.feed.events.insert(1, FeedEvent("caller_said", 101.2, {"heard": "back"}))
        result = evaluate_call(script_of("- hang_up"), agent.log, None, None)
        assert Check("the agent takes a noise for no answer", False, "it heard 'back'") in result.checks


class TestTheAudioSender:
    async def test_what_is_said_is_stamped_and_kept_with_silence_around_it(self) -> None:
        sent: list[bytes] = []

        async def send(frame: bytes) -> None:
            sent.append(frame)

        mouth = AudioSender(send)
        running = asyncio.create_task(mouth.run())
        try:
            pcm = np.concatenate([np.zeros(800, "<i2"), WORDS, np.zeros(400, "<i2")])
            span = await asyncio.wait_for(mouth.begin(pcm), 5)
            assert span is not None
            assert span.seconds == pytest.approx(0.2, abs=0.03)
            assert mouth.spoken.stamps == sorted(mouth.spoken.stamps)
            assert pcm.tobytes() in b"".join(sent)
            unfinished = mouth.begin(np.tile(WORDS, 50))
            await asyncio.sleep(0.1)
            mouth.stop()
            cut = await asyncio.wait_for(unfinished, 1)
            assert cut is not None
            assert cut.seconds < 5
        finally:
            running.cancel()

    async def test_noise_lies_under_the_voice_and_fills_its_pauses(self) -> None:
        sent: list[bytes] = []

        async def send(frame: bytes) -> None:
            sent.append(frame)

        mouth = AudioSender(send, np.full(400, 100, "<i2"))
        running = asyncio.create_task(mouth.run())
        await asyncio.wait_for(mouth.begin(np.full(320, 1000, "<i2")), 5)
        await asyncio.wait_for(mouth.begin(np.zeros(320, "<i2")), 5)
        running.cancel()
        samples = np.frombuffer(b"".join(sent), "<i2")
        assert set(samples) == {100, 1100}
        assert np.count_nonzero(samples == 1100) == 320


class TestTheFeed:
    async def test_events_go_to_the_call_of_the_callers_number(self) -> None:
        board = FeedDispatcher()
        async with board.follow("2025550143") as one, board.follow("2025550177") as other:
            board.take({"event": "call_started", "call_id": "x", "data": {"caller": {"number": "+12025550177"}}}, 1.0)
            board.take({"event": "agent_said", "call_id": "x", "data": {"text": "hello"}}, 2.0)
            board.take({"event": "agent_said", "call_id": "somebody else's", "data": {"text": "no"}}, 2.0)
            assert not one.started
            assert [event.name for event in other.events] == ["call_started", "agent_said"]

    async def test_a_second_call_from_one_number_waits_until_the_first_is_known(self) -> None:
        board = FeedDispatcher()
        second_in = asyncio.Event()

        async def second() -> str:
            async with board.follow("2025550143") as call:
                second_in.set()
                await call.wait_for(lambda: call.started, 5)
                return call.call_id

        async with board.follow("2025550143") as first:
            task = asyncio.create_task(second())
            await asyncio.sleep(0)
            assert not second_in.is_set()
            board.take({"event": "call_started", "call_id": "one", "data": {"caller": {"number": "2025550143"}}}, 1.0)
            await asyncio.wait_for(second_in.wait(), 5)
            board.take({"event": "call_started", "call_id": "two", "data": {"caller": {"number": "2025550143"}}}, 2.0)
            assert (first.call_id, await task) == ("one", "two")

    async def test_a_call_back_from_the_queue_is_not_over_when_its_first_visit_is_recorded_late(self) -> None:
        board = FeedDispatcher()
        caller = {"caller": {"number": "2025550143"}}
        async with board.follow("2025550143") as call:
            board.take({"event": "call_started", "call_id": "x", "data": caller}, 1.0)
            board.take({"event": "handed_over", "call_id": "x", "data": {}}, 2.0)
            assert call.is_over(9.0)
            board.take({"event": "call_started", "call_id": "x-1", "data": caller}, 2.1)
            board.take({"event": "call_ended", "call_id": "x", "data": {"outcome": "handed_over"}}, 2.2)
            assert not call.is_over(9.0)
            assert call.last_of_visit("call_ended") is None
            board.take({"event": "call_ended", "call_id": "x-1", "data": {"outcome": "nobody_free"}}, 9.0)
            ended = call.last_of_visit("call_ended")
            assert ended is not None
            assert ended.data == {"outcome": "nobody_free"}
            assert not call.is_over(9.5)
            assert call.is_over(13.0)

    async def test_messages_that_make_no_sense_are_passed_over(self) -> None:
        board = FeedDispatcher()
        async with board.follow("2025550143") as call:
            board.take({"event": "call_started", "call_id": "x", "data": "nothing"}, 1.0)
            board.take({}, 1.0)
            assert call.events == []

    def test_numbers_are_the_same_whatever_the_network_puts_before_them(self) -> None:
        assert same_number("+1 (202) 555-0143", "2025550143")
        assert not same_number("2025550144", "2025550143")


class TestThePlan:
    def test_repeated_calls_have_numbers_and_names_of_their_own(self) -> None:
        calls = (CallScript("a", (), number="2025550143"), CallScript("b", ()))
        placed = with_numbers(calls, 40)
        assert [call.name for call in placed[:3]] == ["a", "b", "a (2)"]
        assert placed[0].number == "2025550143"
        assert len({call.number for call in placed}) == len({call.name for call in placed}) == 80
        assert all("55501" in call.number for call in placed)

    def test_scripts_and_files_keep_their_order(self, tmp_path: Path) -> None:
        (tmp_path / "one.yaml").write_text("name: from a file\nsteps: [hang_up]\n", encoding="utf-8")
        loaded = load_calls([CallScript("first", ()), tmp_path / "one.yaml", CallScript("last", ())])
        assert [call.name for call in loaded] == ["first", "from a file", "last"]

    def test_file_names_are_plain_and_never_the_same(self) -> None:
        assert file_names(["A person, please!", "a person please", "?"]) == (
            "a-person-please",
            "a-person-please-2",
            "call",
        )


class TestTheReport:
    def result(self) -> ScriptedCallResult:
        return evaluate_call(
            script_of("- hang_up", "expect: {outcome: handed_over}"), spoken_call().log, Path("a.wav"), None
        )

    def test_the_terminal_shows_what_failed_and_why(self) -> None:
        lines: list[str] = []
        report = ConsoleReport(lines.append, names=True)
        report.agent_said("a call", "How can I help?", 312.4)
        report.caller_said("a call", "10473", "keypad", barge_in=True)
        report.finished(self.result())
        assert lines[0] == "[a call]   agent  (  312 ms)  How can I help?"
        assert "keys 10473  (interrupting)" in lines[1]
        assert lines[-1] == "[a call]     FAILED outcome handed_over: it was answered"

    def test_the_summary_is_whole_and_says_what_was_measured(self, tmp_path: Path) -> None:
        result = RehearsalResult((self.result(),))
        write_summary(result, tmp_path / "summary.json", {"model": "tiny"})
        written = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
        assert next(iter(written)) == "model"
        assert written["response_ms"] == {"p50": 400.0, "p95": 500.0, "n": 2}
        (call,) = written["calls"]
        assert (call["ok"], call["recording"], call["turns"][1]["said"]) == (False, "a.wav", "10473")
        assert {"what": "outcome handed_over", "ok": False, "detail": "it was answered"} in call["checks"]
        assert summary_lines(result)[0] == "0 of 1 calls did what they should."

    def test_task_success_is_told_by_scenario(self) -> None:
        failed = replace(self.result(), scenario="an angry caller")
        good = replace(failed, ok=True)
        repaired = replace(good, scenario="barge-in", repairs=2)
        result = RehearsalResult((good, repaired, failed, self.result()))
        assert summary_lines(result)[:4] == [
            "Scenario         task success  without being asked back",
            "an angry caller    1 of   2      1",
            "barge-in           1 of   1      0",
            "2 of 4 calls did what they should.",
        ]
        assert result.to_dict()["scenarios"][0] == {
            "name": "an angry caller", "good": 1, "at_once": 1, "calls": 2,
        }  # fmt: skip

    def test_a_rehearsal_without_calls_is_not_a_good_one(self) -> None:
        assert not RehearsalResult(()).ok
        assert RehearsalResult(()).good_share == 0.0

    def test_the_share_of_good_calls_is_of_all_calls(self) -> None:
        bad = self.result()
        assert RehearsalResult((replace(bad, ok=True), bad, bad, bad)).good_share == 0.25
        assert Check("x", ok=True).detail == ""
