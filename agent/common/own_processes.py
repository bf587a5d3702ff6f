"""Starts Python processes of our own code: the code of this process, whatever lies in the current directory."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PATH = f"import sys; sys.path.append({str(_ROOT)!r})"
_MODULE = "import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def program_command(program: str, *arguments: str) -> list[str]:
    """Return the command of a few lines of Python with our packages in reach, and not the current directory's."""
    return [sys.executable, "-P", "-c", f"{_PATH}; {program}", *arguments]


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules, as ``python -m`` would outside any directory of others."""
    return program_command(_MODULE.format(module=module), *arguments)
