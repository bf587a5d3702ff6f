"""A mapped shop in front of a real server on loopback."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from agent.shop.http.mapping_files import load_directory
from agent.shop.http.shop import HttpShop, open_http_shop
from tests.shop.http.mapped import NOW, OpenShop


@pytest.fixture
async def open_shop(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[OpenShop]:
    """Write mapping files and open them: ``BASE`` in a mapping is the server's address."""
    opened: list[HttpShop] = []
    count = 0

    def make(*mappings: str, **options: object) -> HttpShop:
        nonlocal count
        count += 1
        directory = tmp_path / f"systems{count}"
        directory.mkdir()
        for index, mapping in enumerate(mappings):
            text = textwrap.dedent(mapping).replace("BASE", httpserver.url_for("").rstrip("/"))
            (directory / f"{index}.yaml").write_text(text, encoding="utf-8")
        files = load_directory(directory)
        shop = open_http_shop([file.system for file in files], now=lambda: NOW, **options)  # type: ignore[arg-type]
        opened.append(shop)
        return shop

    yield make
    for shop in opened:
        await shop.close()
