"""On a FreePBX the check names what FreePBX itself writes, and where it can be changed so that it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.preflight.asterisk_files import AsteriskFiles, file_findings
from agent.preflight.finding import Finding

FILES = {
    "ari.conf": "[general]\n#include ari_general_additional.conf\n#include ari_additional_custom.conf\n",
    "ari_general_additional.conf": "enabled=yes\npretty=no\nwebsocket_write_timeout=100\nallowed_origins=*\n",
    "ari_additional_custom.conf": "",
    "http.conf": "#include http_additional.conf\n#include http_custom.conf\n",
    "http_additional.conf": "[general]\nenabled=yes\nbindaddr=::\nbindport=8088\nsessionlimit=100\n",
    "queues.conf": "[general]\n#include queues_additional.conf\n#include queues_post_custom.conf\n",
    "queues_additional.conf": "[400]\njoinempty=strict\nleavewhenempty=strict\ncontext=\n",
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=20000\n",
}
"""Like the files that FreePBX 17 writes, as far as the check reads them."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def told(directory: Path) -> dict[str, Finding]:
    findings = file_findings(AsteriskFiles.read(directory), ("400",))
    return {finding.what: finding for finding in findings if finding.verdict != "ok"}


@pytest.mark.parametrize(
    ("what", "detail", "fix"),
    [
        ("ARI write timeout", "FreePBX writes this value", "'Web Socket Write Timeout' 1000"),
        ("ARI origins", "allowed_origins=*", "'Allowed Origins'"),
        ("HTTP address", "listens on ::", "'HTTP Bind Address' 127.0.0.1"),
        ("HTTP sessions", "sessionlimit=100", "'Session Limit' 1000"),
        ("queue file", "no context", "queues_post_custom.conf"),
    ],
)
def test_what_freepbx_writes_is_told_with_the_place_where_it_can_be_changed(
    directory: Path, what: str, detail: str, fix: str
) -> None:
    finding = told(directory)[what]
    assert finding.verdict == "warning"
    assert detail in finding.detail
    assert fix in finding.fix
    assert "of ari.conf" not in finding.fix
    assert "of http.conf" not in finding.fix


def test_what_the_administrators_own_files_say_later_counts(directory: Path) -> None:
    (directory / "ari_additional_custom.conf").write_text(
        "[general](+)\nwebsocket_write_timeout=1000\nallowed_origins=localhost:8088\n", encoding="utf-8"
    )
    (directory / "http_custom.conf").write_text(
        "[general](+)\nbindaddr=127.0.0.1\nsessionlimit=1000\n", encoding="utf-8"
    )
    (directory / "queues_post_custom.conf").write_text("[400](+)\ncontext=orderline-queue-escape\n", encoding="utf-8")
    assert told(directory) == {}
