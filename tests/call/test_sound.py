"""Sound begins with the consent and not before, once a call; what the record says of it is what there is."""

from __future__ import annotations

import pytest

from agent.call.errors import MediaLostError
from agent.call.records import Caller, CallRecord, SoundPart, SoundRecord
from agent.call.sound import CallSound, NoSound

NAME = "0" * 32


class Leg:
    """Records, or does not."""

    def __init__(self, began: float | None = 100.0) -> None:
        self.began = began
        self.paths: list[str] = []
        self.breaks = False

    async def start(self, path: str) -> float | None:
        self.paths.append(path)
        if self.breaks:
            raise MediaLostError("gone")
        return self.began


class Places:
    """Names, and room for them or not."""

    def __init__(self) -> None:
        self.room = True

    def new_name(self) -> str:
        return NAME if self.room else ""

    def prepare(self, name: str, part: int | str) -> str:
        return f"/sound/{name}-{part}" if self.room else ""


class Call:
    """One call that may be recorded."""

    def __init__(self, *, with_staff: bool = False) -> None:
        self.leg, self.places, self.agreed = Leg(), Places(), False
        self.record = CallRecord("call-1", Caller(), "2026-11-30T10:00:00+00:00")
        self.sound = CallSound(self.leg, self.places, lambda: self.agreed, with_staff=with_staff)

    async def turn(self) -> None:
        await self.sound.begin_when_allowed(self.record, lambda at: at - 90.0)


async def test_nothing_is_recorded_before_the_consent() -> None:
    call = Call()
    await call.turn()
    assert (call.leg.paths, call.record.sound) == ([], None)
    call.agreed = True
    await call.turn()
    await call.turn()
    assert call.leg.paths == [f"/sound/{NAME}-1"]
    assert call.record.sound == SoundRecord(NAME, [SoundPart(1, 10.0)])


async def test_a_call_that_goes_on_after_its_agent_died_gets_another_part() -> None:
    call = Call()
    call.agreed = True
    call.record.sound = SoundRecord(NAME, [SoundPart(1, 3.0)])
    await call.turn()
    assert call.leg.paths == [f"/sound/{NAME}-2"]
    assert call.record.sound.parts == [SoundPart(1, 3.0), SoundPart(2, 10.0)]


async def test_a_recording_that_did_not_begin_is_not_in_the_record_and_not_tried_again() -> None:
    call = Call()
    call.agreed, call.leg.began = True, None
    await call.turn()
    await call.turn()
    assert len(call.leg.paths) == 1
    assert call.record.sound is None


async def test_without_room_the_call_goes_on_unrecorded() -> None:
    call = Call()
    call.agreed, call.places.room = True, False
    await call.turn()
    assert (call.leg.paths, call.record.sound) == ([], None)


async def test_a_leg_that_broke_is_for_the_session_to_know() -> None:
    call = Call()
    call.agreed, call.leg.breaks = True, True
    with pytest.raises(MediaLostError):
        await call.turn()


async def test_the_conversation_with_staff_is_recorded_where_the_shop_wants_it_and_the_caller_agreed() -> None:
    for wanted, agreed in ((True, True), (False, True), (True, False)):
        call = Call(with_staff=wanted)
        call.agreed = agreed
        await call.turn()
        variables = await call.sound.handover_variables(call.record)
        if wanted and agreed:
            assert variables == {"ORDERLINE_SOUND_STAFF": f"/sound/{NAME}-staff"}
            assert call.record.sound is not None
            assert call.record.sound.staff
        else:
            assert variables == {}


async def test_a_call_that_was_not_recorded_is_not_recorded_with_staff() -> None:
    call = Call(with_staff=True)
    call.agreed, call.leg.began = True, None
    await call.turn()
    assert await call.sound.handover_variables(call.record) == {}


async def test_where_no_sound_is_kept_nothing_happens() -> None:
    call = Call()
    await NoSound().begin_when_allowed(call.record, lambda at: at)
    assert await NoSound().handover_variables(call.record) == {}
    assert call.record.sound is None
