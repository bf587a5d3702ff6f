"""A small whole pack about fruit, for tests that bring their own flows."""

from __future__ import annotations

from pathlib import Path

from agent.dialog.pack.lint import SYSTEM_PROMPTS
from agent.dialog.pack.loader import FlowPack

_SYSTEM = "\n".join(f"  {name}: Words of {name.replace('_', ' ')}." for name in SYSTEM_PROMPTS)
_REST = f"""
start: main
defaults: {{noinput: [Hello there., Still there.], nomatch: [Sorry what., Sorry once more.]}}
answers: {{yes: [yes], no: [no]}}
variables: {{basket: none}}
commands: {{cancel: [cancel], goodbye: [goodbye], agent: [agent], start_over: [start over], repeat: [repeat]}}
services:
  shop.buy: {{arguments: [name], failures: [sold_out, unavailable], keeps: [name]}}
slots:
  what: {{type: request, prompt: What would you like}}
  fruit: {{type: choice, prompt: Which fruit, choices: {{apple: [an apple], pear: [a pear]}}}}
  sure: {{type: yes_no, prompt: Are you sure}}
prompts:
{_SYSTEM}
"""


def write_small_pack(directory: Path, flows: str) -> None:
    """Write the pack with these ``flows``; they use the slots ``what``, ``fruit`` and ``sure``."""
    for name, text in small_pack_files(flows).items():
        (directory / name).write_text(text, encoding="utf-8")


def load_small_pack(directory: Path, flows: str) -> FlowPack:
    """Write the pack so and load it."""
    write_small_pack(directory, flows)
    return FlowPack.load(directory, None)


def small_pack_files(flows: str) -> dict[str, str]:
    """Return the same pack as texts by file name."""
    return {"pack.yaml": _REST, "flows.yaml": flows}
