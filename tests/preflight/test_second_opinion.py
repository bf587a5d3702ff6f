"""The preflight says whether the second recogniser is there; without it calls work, so nothing fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.speech import SecondOpinionSettings
from agent.preflight import second_opinion
from agent.preflight.second_opinion import second_opinion_finding


async def test_none_is_set_is_all_right() -> None:
    assert (await second_opinion_finding(SecondOpinionSettings())).verdict == "ok"


async def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(second_opinion, "has_library", lambda: False)
    finding = await second_opinion_finding(SecondOpinionSettings(model_directory=tmp_path))
    assert finding.verdict == "warning"
    assert "orderline[second-opinion]" in finding.fix


async def test_a_directory_without_a_model_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(second_opinion, "has_library", lambda: True)
    finding = await second_opinion_finding(SecondOpinionSettings(model_directory=tmp_path))
    assert (finding.verdict, str(tmp_path) in finding.detail) == ("warning", True)


@pytest.mark.parametrize(("wait_ms", "verdict"), [(3000, "ok"), (0, "warning")])
async def test_a_model_slower_than_calls_wait_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wait_ms: int, verdict: str
) -> None:
    class Model:
        def __init__(self, directory: Path, language: str) -> None:
            pass

        def transcribe(self, pcm: bytes) -> None:
            assert len(pcm) == 3 * 8000 * 2

    ticks = iter((0.0, 0.2))
    monkeypatch.setattr(second_opinion, "has_library", lambda: True)
    monkeypatch.setattr(second_opinion, "check_directory", lambda directory: None)
    monkeypatch.setattr(second_opinion, "WhisperModel", Model)
    monkeypatch.setattr(second_opinion.time, "perf_counter", lambda: next(ticks))
    finding = await second_opinion_finding(SecondOpinionSettings(model_directory=tmp_path, wait_ms=wait_ms))
    assert (finding.verdict, "takes 200 ms" in finding.detail) == (verdict, True)
