"""How pages write what is for people."""

from __future__ import annotations

import pytest

from agent.console.views import formats


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
         "Chrome 150 on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36 Edg/150.0.1.2",
         "Edge 150 on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_1) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
         "Safari 18 on Mac OS X"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox 140 on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_short(agent: str, told: str) -> None:
    assert formats.browser(agent) == told


def test_counts_have_commas_as_in_reports() -> None:
    assert formats.number(1_234_567) == "1,234,567"
