"""Settings of recognition and synthesis."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agent.config.base import SettingsPart


class SpeechSettings(SettingsPart):
    """Which model recognises speech, and which engines speak."""

    model: str = "bundled"
    """``bundled``, the name of an installed model, or a directory."""
    models_directory: Path | None = None
    workers: int = Field(default=0, ge=0)
    """Recogniser threads; 0 for one a core."""
    voices: tuple[str, ...] = ("hibari", "pyttsx3")
    """Engines in the order they are tried."""
    cache_directory: Path | None = None
    """Where synthesised prompts are kept; unset for ``voice`` in the state directory."""
    recordings_directory: Path | None = None
    """Folder of <prompt id>.wav; a recording wins over every engine."""
