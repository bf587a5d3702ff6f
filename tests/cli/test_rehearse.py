"""Options of the rehearsal commands that are refused before anything is started."""

from __future__ import annotations

import pytest

from agent.cli.main import main


@pytest.mark.parametrize("share", ["1.5", "-0.1", "most", "nan"])
def test_a_share_that_is_none_is_refused_with_an_example(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rehearse", "--least-share", share, "a.yaml"])
    assert "a number from 0 to 1" in capsys.readouterr().err
