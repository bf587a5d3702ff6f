"""Finds the files that live outside the package: the dialplan and the sample Asterisk configuration."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from agent.errors import OrderlineError


class ResourceMissing(OrderlineError):
    """A directory of files that belongs to the product was not installed with it."""

    code = "resource_missing"


def resource_directory(name: str) -> Path:
    """Return the directory ``dialplan`` or ``asterisk-conf``.

    In a checkout it stands at the repository's root; an installation has it below ``share/orderline``.
    Raises :class:`ResourceMissing`.
    """
    checkout = Path(__file__).resolve().parents[2]
    bases = (
        checkout,
        Path(sysconfig.get_path("data")) / "share" / "orderline",
        Path(sys.prefix) / "share" / "orderline",
        Path(sysconfig.get_path("data", sysconfig.get_preferred_scheme("user"))) / "share" / "orderline",
    )
    for base in bases:
        if (base / name).is_dir() and (base is not checkout or (base / "setup.cfg").is_file()):
            return base / name
    looked = ", ".join(str(base) for base in dict.fromkeys(bases))
    raise ResourceMissing(f"the directory {name} of Orderline was not found in {looked}; install Orderline again.")
