"""Settings of recognition and synthesis."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agent.config.base import SettingsPart


class SecondOpinionSettings(SettingsPart):
    """A larger recogniser that hears once more what the first one left in doubt."""

    model_directory: Path | None = None
    """The directory of a whisper model converted for CTranslate2; unset for no second opinion."""
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    """What callers speak; only models of several languages are told."""
    wait_ms: int = Field(default=700, ge=0, le=3000)
    """So long a call waits for it after the end of an answer; what comes later is dropped."""


class SpeechSettings(SettingsPart):
    """Which model recognises speech, and which engines speak."""

    model: str = "bundled"
    """``bundled``, the name of an installed model, or a directory."""
    models_directory: Path | None = None
    workers: int = Field(default=0, ge=0)
    """Recogniser threads; 0 for one a core."""
    second_opinion: SecondOpinionSettings = SecondOpinionSettings()
    voices: tuple[str, ...] = ("hibari", "pyttsx3")
    """Engines in the order they are tried."""
    cache_directory: Path | None = None
    """Where synthesised prompts are kept; unset for ``voice`` in the state directory."""
    recordings_directory: Path | None = None
    """Folder of <prompt id>.wav; a recording wins over every engine."""
