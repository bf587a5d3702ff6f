"""A supervisor's edit of an example: fitted anew beside the calls, in force from the next call on."""

from datetime import UTC, datetime
from pathlib import Path

from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reloader import FlowPackReloader
from agent.understanding.score_files import ScoreFiles
from tests.understanding.small_pack import PACK, small_pack


async def nothing(pack: FlowPack) -> None:
    """Prepare nothing."""


def best(pack: FlowPack, text: str) -> str:
    assert pack.score is not None
    found = pack.score.candidates(text, pack.opening_evidence(text))
    return found[0][0] if found else ""


async def test_a_sentence_that_is_taught_is_understood_from_the_next_call_on(tmp_path: Path) -> None:
    small_pack(tmp_path / "pack")
    procedures = FlowPackReloader(
        tmp_path / "pack", (), nothing, lambda: datetime.now(UTC), None, ScoreFiles(tmp_path / "kept", None)
    )
    await procedures.load()
    before = procedures.current
    said = "the gizmo wobbles like a jelly"
    assert best(before, said) != "track"

    taught = "      - my package is late\n"
    more = "".join(
        f"      - {text}\n" for text in ("my gizmo wobbles", "the gizmo is like jelly", "it wobbles like jelly")
    )
    (tmp_path / "pack" / "pack.yaml").write_text(PACK.replace(taught, taught + more), encoding="utf-8")
    assert [await procedures.look() for _ in range(2)].count(True) == 1
    assert best(procedures.current, said) == "track"
    assert procedures.status()["understanding"] not in ("", before.score.fingerprint if before.score else "")


async def test_an_edit_of_a_prompt_is_taken_up_without_a_fit(tmp_path: Path) -> None:
    small_pack(tmp_path / "pack")
    files = ScoreFiles(tmp_path / "kept", None)
    procedures = FlowPackReloader(tmp_path / "pack", (), nothing, lambda: datetime.now(UTC), None, files)
    await procedures.load()
    (tmp_path / "pack" / "pack.yaml").write_text(PACK.replace("On its way.", "It is coming."), encoding="utf-8")
    assert [await procedures.look() for _ in range(2)].count(True) == 1
    assert len(list((tmp_path / "kept").iterdir())) == 1
