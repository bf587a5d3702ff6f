"""Only ordinary files are read where somebody names a file or drops one: a pipe or a device is named and refused."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest

from agent.common.files import read_text
from agent.config.base import SettingsError, read_secret
from agent.config.loader import load_settings
from agent.config.queues import QueueSettings
from agent.dialog.errors import FlowError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.tools.text_call_model import read_text_calls
from agent.shop.http.mapping_files import MappingError, load_directory
from tests.fuzz.samples import SMALL_PACK


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


KINDS: dict[str, Callable[[Path], object]] = {
    "a named pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a socket": socket_at,
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_file_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("\ufeffhä".encode())
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_text(tmp_path / "link") == "hä"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x" * 101)
    with pytest.raises(OSError, match="larger than 100"):
        read_text(tmp_path / "a", most_bytes=100)


def test_among_flow_files(kind: str, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(SMALL_PACK, encoding="utf-8")
    KINDS[kind](tmp_path / "more.yaml")
    with pytest.raises(FlowError, match=rf"more\.yaml: cannot be read: is {kind}"):
        FlowPack.load(tmp_path)


def test_among_calls_in_text(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / "calls.yaml")
    with pytest.raises(FlowError, match=f"is {kind}"):
        read_text_calls([tmp_path / "calls.yaml"])


def test_among_settings(kind: str, tmp_path: Path) -> None:
    (tmp_path / "orderline.yaml").write_text("shop: {demo_directory: shop}\n", encoding="utf-8")
    (tmp_path / "conf.d").mkdir()
    KINDS[kind](tmp_path / "conf.d" / "more.yaml")
    with pytest.raises(SettingsError, match=rf"more\.yaml: cannot be read: is {kind}"):
        load_settings(tmp_path)


def test_as_the_settings_themselves(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / "orderline.yaml")
    with pytest.raises(SettingsError, match=rf"orderline\.yaml: cannot be read: is {kind}"):
        load_settings(tmp_path)


def test_among_mappings(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / "orders.yaml")
    with pytest.raises(MappingError, match=rf"orders\.yaml: cannot be read: is {kind}"):
        load_directory(tmp_path)


def test_as_a_secret(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERLINE_TRIAL", raising=False)
    KINDS[kind](tmp_path / "secret")
    with pytest.raises(SettingsError, match=f"is {kind}"):
        read_secret(tmp_path / "secret", "ORDERLINE_TRIAL", "ari.password_file")


def test_as_holidays(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / "holidays")
    with pytest.raises(OSError, match=f"is {kind}"):
        QueueSettings(holidays_file=tmp_path / "holidays").rules(UTC)


def test_an_editor_s_lock_among_flow_files_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(SMALL_PACK, encoding="utf-8")
    (tmp_path / ".#pack.yaml").symlink_to("somebody@somewhere.1234")
    FlowPack.load(tmp_path)
