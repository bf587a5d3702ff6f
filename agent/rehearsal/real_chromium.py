"""A real Chromium for tests: the one that is named, the machine's own, or Debian's package unpacked below the home."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from agent.rehearsal.apt_fetch import PackageRequest
from agent.rehearsal.unpacked_tree import ensure_tree

CHROMIUM = PackageRequest(
    "Chromium",
    "Chromium >= 120",
    # without fonts of its own a picture would show what the machine happens to have
    ("chromium-headless-shell", "fonts-inter", "fonts-jetbrains-mono"),
    # packages about 120 MB, package lists about 60 MB, the tree about 400 MB
    800 * 1024 * 1024,
    "or set CHROMIUM= to a Chromium of your own",
)
_PROGRAM = "usr/lib/chromium/chromium-headless-shell"
_PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Chromium:
    """A browser that can be started."""

    program: Path
    environment: dict[str, str] = field(default_factory=dict)
    """What it needs beyond the environment of this process."""


def chromium_in(home: Path) -> Chromium:
    """Return a browser: ``$CHROMIUM``, else an installed one, else one below the home, fetched on first use.

    Raises a ``FetchError`` where none can be had.
    """
    if named := os.environ.get("CHROMIUM"):
        return Chromium(Path(named))
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return Chromium(Path(found))
    tree = home.resolve() / "chromium"
    # its own libraries, by the machine's loader: it starts itself anew, and would not find itself behind another loader
    asyncio.run(ensure_tree(tree, CHROMIUM, (_PROGRAM,), lambda version: version >= (120, 0, 0), print))
    return Chromium(
        tree / _PROGRAM,
        {"LD_LIBRARY_PATH": str(_libraries(tree)), "FONTCONFIG_FILE": str(_font_settings(tree))},
    )


def _libraries(tree: Path) -> Path:
    """Return a directory with links to the tree's libraries, the C library's own excepted: the loader brings those."""
    links = tree / "libraries"
    links.mkdir(exist_ok=True)
    for directory in sorted([*tree.glob("usr/lib/*-linux-gnu*"), *tree.glob("lib/*-linux-gnu*")]):
        of_loader = _c_library(directory)
        for library in (*directory.glob("*.so*"), *directory.glob("pulseaudio/*.so*")):
            link = links / library.name
            if library.name not in of_loader and not link.is_symlink():
                link.symlink_to(library.resolve())
    return links


def _c_library(directory: Path) -> frozenset[str]:
    names = ("libc", "libm", "libdl", "librt", "libpthread", "libresolv", "libutil", "libanl", "libmvec", "libnsl")
    loaders = {one.name for one in directory.glob("ld-linux*")}
    found = {one.name for name in names for one in directory.glob(f"{name}.so.*")}
    return frozenset(found | loaders | {one.name for one in directory.glob("libnss_[cfdh]*.so.2")})


def _font_settings(tree: Path) -> Path:
    """Write which fonts there are: the tree's alone, so that pictures are the same everywhere."""
    settings = tree / "fonts.conf"
    if not settings.is_file():
        families = "".join(
            f"<alias><family>{name}</family><prefer><family>{font}</family></prefer></alias>"
            for name, font in (("system-ui", "Inter"), ("sans-serif", "Inter"), ("monospace", "JetBrains Mono"))
        )
        settings.write_text(
            '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>'
            f"<dir>{escape(str(tree / 'usr/share/fonts'))}</dir>"
            f"<cachedir>{escape(str(tree / 'font-cache'))}</cachedir>{families}</fontconfig>\n",
            encoding="utf-8",
        )
    return settings
