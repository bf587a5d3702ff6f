"""The impact page's figures say what its findings say."""

from __future__ import annotations

import re

from agent.console.views.impact import impact_view, read_answers
from agent.impact.model import estimate


def test_the_figures_are_those_of_the_first_finding() -> None:
    query = {"calls_per_week": "5000"}
    inputs, problems = read_answers(query)
    view = impact_view(estimate(inputs), query, problems)
    said = re.search(r"need (\d+) hours.* with it (\d+): (\d+) hours \((\d+) %\) fewer", view.findings[0])
    assert said is not None
    before, after, fewer, share = said.groups()
    assert dict(view.figures)["Hours of staff a week"] == f"{before} → {after}"
    assert dict(view.figures)["Fewer hours"] == f"{fewer} ({share} %)"
