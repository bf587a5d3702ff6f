"""Loads a Vosk model with the two configuration settings changed that telephone conversations need changed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FRAMES_PER_CHUNK = 9
"""10 ms frames the acoustic network takes at a time. Kaldi's default of 21 lets the partial text lag up to 210 ms
more; 9 costs 2 % more time in the bundled model, 3 costs 60 % and brings nothing (docs/speech.md)."""

TRAILING_SILENCE_SECONDS = 8.0
"""Silence after which Vosk may end a segment by itself. The call ends its turns; Vosk's own rules (0.5 s to 1.5 s)
cut digit strings in the middle and lose a word at the cut (docs/speech.md)."""

_OWN_ENDING_RULES = ("endpoint.rule2", "endpoint.rule3", "endpoint.rule4")


@contextmanager
def tuned_model_dir(model_dir: Path) -> Iterator[Path]:
    """Give a directory to load the model from, like ``model_dir`` but with our settings in ``conf/model.conf``.

    The model itself stays untouched; the view holds links and is removed afterwards (Vosk reads everything while
    loading). A model in the old layout, without ``conf/model.conf``, is given as it is: it has no such settings.
    """
    settings = model_dir / "conf" / "model.conf"
    if not settings.is_file():
        yield model_dir
        return
    with tempfile.TemporaryDirectory(prefix="orderline-model-") as scratch:
        view = Path(scratch)
        for entry in model_dir.iterdir():
            if entry.name != "conf":
                (view / entry.name).symlink_to(entry.resolve())
        shutil.copytree(model_dir / "conf", view / "conf", copy_function=shutil.copyfile)
        (view / "conf" / "model.conf").write_text(tuned_settings(settings.read_text(encoding="utf-8")), "utf-8")
        yield view


def tuned_settings(text: str) -> str:
    """Return the lines of a ``model.conf`` with ours in place of those that set the same things."""
    ours = {f"--{rule}.min-trailing-silence": f"{TRAILING_SILENCE_SECONDS}" for rule in _OWN_ENDING_RULES}
    ours["--frames-per-chunk"] = str(FRAMES_PER_CHUNK)
    kept = [line for line in text.splitlines() if line.split("=", 1)[0].strip() not in ours]
    return "\n".join([*kept, *(f"{name}={value}" for name, value in ours.items())]) + "\n"


__all__ = ["FRAMES_PER_CHUNK", "TRAILING_SILENCE_SECONDS", "tuned_model_dir", "tuned_settings"]
