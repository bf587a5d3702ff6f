"""Real calls to a queue that is closed, empty or slow: an honest word, a call-back ticket, the wait told first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import pytest_asyncio

from agent.asterisk.ami_queues import AmiQueueStatistics, ManagerAddress
from agent.rehearsal.audio import read_wav, voiced_span
from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.caller_measures import correlation_peak
from agent.rehearsal.private_asterisk import Asterisk
from tests.asterisk.fake_manager import FakeManager
from tests.live.conftest import CallCentre, failures, records_of
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL_BACK = """
calls:
  - name: nobody there, call me back
    dial: "7000"
    voice: joe
    steps:
      - say: I want to talk to a person
      - expect: {says: /WORDS/, never_says: /put you through/}
      - say: yes please
      - expect: /call you back on/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: nobody_free, ended_by: agent}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager() -> AsyncIterator[FakeManager]:
    """Tells the agent how the queue stands; the queue itself is the real one."""
    async with FakeManager(queues={"orderline-humans": {"LoggedIn": 1, "Available": 1, "Callers": 0}}) as fake:
        yield fake


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def with_queue(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory, manager: FakeManager
) -> AsyncIterator[CallCentre]:
    run_dir = tmp_path_factory.mktemp("run")
    (run_dir / "config").mkdir()
    (run_dir / "config" / "holidays").write_text("# none yet\n", encoding="utf-8")
    (run_dir / "config" / "told").write_text(manager.secret, encoding="utf-8")
    url = "https://crm.example/t/{ticket}?why={reason}"
    queue = {"holidays_file": "holidays", "screen_pop_url": url, "whisper": "yes"}
    settings: dict[str, object] = {
        "ami": {"port": str(manager.port), "secret_file": "told"},
        "queues": {"orderline-humans": queue},
    }
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


async def call_back(call_centre: CallCentre, words: str) -> None:
    result = await call_centre.play(CALL_BACK.replace("WORDS", words))
    assert result.ok, failures(result)
    (record,) = await records_of(call_centre, result)
    assert [(effect["name"], effect["code"]) for effect in record["effects"]] == [("tickets.create", "ok")]
    assert record["handover"] is None
    assert await call_centre.leftovers() == []


async def test_a_queue_closed_for_the_day_leads_to_a_call_back_ticket(with_queue: CallCentre) -> None:
    holidays = with_queue.stack.run_dir / "config" / "holidays"
    today = datetime.now().astimezone().date().isoformat()
    holidays.write_text(f"{today}  # inventory\n", encoding="utf-8")
    try:
        await call_back(with_queue, "closed for the holiday")
    finally:
        holidays.write_text("", encoding="utf-8")


async def test_an_empty_queue_leads_to_a_call_back_ticket(with_queue: CallCentre, manager: FakeManager) -> None:
    manager.queues["orderline-humans"] = {"LoggedIn": 0, "Available": 0, "Callers": 0}
    await call_back(with_queue, "nobody is free")


async def test_the_wait_is_told_and_the_person_hears_why_and_sees_where(
    with_queue: CallCentre, manager: FakeManager
) -> None:
    manager.queues["orderline-humans"] = {"LoggedIn": 1, "Available": 0, "Callers": 0, "TalkTime": 240}
    whispers, log = with_queue.stack.run_dir / "state" / "whispers", with_queue.stack.pbx.log_dir / "full.log"
    whispers_before, log_before = set(whispers.glob("*.wav")), len(log.read_text(encoding="utf-8"))
    result = await with_queue.play_until_heard(
        """
calls:
  - name: told the wait, put through
    dial: "7000"
    voice: joe
    steps:
      - say: I want to talk to a person
      - expect: /put you through.*wait is about four minutes/
      - human: {reason: caller_asked, hears_caller: no, says: "Hello, this is Alice at the shop."}
    expect: {outcome: handed_over}
"""
    )
    assert result.ok, failures(result)
    whisper = max(set(whispers.glob("*.wav")) - whispers_before, key=lambda file: file.stat().st_mtime)
    first, end = voiced_span(read_wav(whisper)) or (0, 0)
    said = read_wav(whisper)[first:end]
    assert result.calls[0].recording is not None
    recording = result.calls[0].recording
    assert correlation_peak(said, read_wav(recording.with_name(f"{recording.stem}-human.wav"))) > 0.6
    assert correlation_peak(said, read_wav(recording)) < 0.4, "the whisper is not for the caller"
    full_log = log.read_text(encoding="utf-8")[log_before:]
    played = [line for line in full_log.splitlines() if "Playing '" in line and whisper.stem in line]
    assert len(played) == 1
    assert "PJSIP/601" in played[0]
    assert "X-Orderline-URL)=https://crm.example/t/T-" in full_log


async def test_the_real_manager_interface_tells_how_the_real_queue_stands(with_queue: CallCentre) -> None:
    pbx = with_queue.stack.pbx
    figures = AmiQueueStatistics(ManagerAddress("127.0.0.1", pbx.ami_port, pbx.ami_user, pbx.ami_secret))
    figures.start()
    await until(lambda: figures.connected)
    state = await figures.state("orderline-humans")
    assert state is not None
    assert (state.logged_in, state.available, state.callers) == (1, 1, 0)
    assert await figures.state("nosuch") is None
    await figures.close()
