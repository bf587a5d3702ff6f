"""``orderline check`` makes a recording on a real Asterisk, as a call does, and says what is in its way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from agent.asterisk.ari.client import AriClient
from agent.preflight.sound import sound_directory_finding, sound_module_findings, sound_trial_finding
from agent.records.sound_files import SoundDirectory
from agent.rehearsal.pbx_pair import Pbx, running_pair
from agent.rehearsal.private_asterisk import Asterisk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ari(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AriClient]:
    async with running_pair(asterisk, tmp_path_factory.mktemp("sound"), print) as (pbx, _):
        async with client(pbx) as connected:
            yield connected
        assert pbx.log_problems() == []


def client(pbx: Pbx) -> AriClient:
    return AriClient(pbx.ari_url, pbx.ari_user, pbx.ari_password, app="trial")


async def test_a_trial_recording_is_made_and_nothing_is_left_of_it(ari: AriClient, tmp_path: Path) -> None:
    sound = SoundDirectory(tmp_path / "sound")
    assert sound_directory_finding(sound).verdict == "ok"
    assert sound_module_findings(await ari.system.modules()) == []
    finding = await sound_trial_finding(ari, "sound-trial-1", "bridge-trial-1", sound)
    assert (finding.verdict, finding.detail) == ("ok", "a trial recording was made and deleted")
    assert list(sound.incoming.iterdir()) == []
    assert await ari.channels.list() == []
    assert await ari.bridges.list() == []


async def test_a_directory_that_asterisk_cannot_write_to_is_told(
    ari: AriClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = SoundDirectory(tmp_path / "sound")
    monkeypatch.setattr(SoundDirectory, "prepare", lambda self, name, part: f"{tmp_path}/nowhere/{name}-{part}")
    finding = await sound_trial_finding(ari, "sound-trial-2", "bridge-trial-2", sound)
    assert finding.verdict == "failed"
    assert "Asterisk could not write into" in finding.detail
    assert "install -d" in finding.fix
