"""Response times that other vendors publish, with their sources, for the response plot.

Read in August to November 2026. *Vendor* figures are a seller's own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFigure:
    """A figure of somebody else's; seconds, a range."""

    name: str
    low_s: float
    high_s: float
    source: str


ANCHORS = (
    PublishedFigure("people, one to another", 0.2, 0.2, "Stivers et al. 2009, PNAS: mean gap between turns 208 ms"),
    PublishedFigure("voice agents in production, median", 1.4, 1.7, "hamming.ai, 2-4 million calls (vendor)"),
    PublishedFigure(
        "Asterisk + cloud speech and LLM (ICT), one turn", 1.88, 2.65, "ictinnovations release notes v0.1.5"
    ),
    PublishedFigure("voice agents in production, p95", 4.3, 5.4, "hamming.ai (vendor)"),
    PublishedFigure(
        "Asterisk + all-local LLM on a CPU (AVA), one turn", 5.0, 15.0, "AVA README and HARDWARE_REQUIREMENTS.md"
    ),
)
FEELS_SLOW_S = 0.8
"""From here on an answer "starts to feel slow" (soniox.com, voice agent latency budget, vendor)."""
CALLS_A_CORE = 4.2
"""50 live calls on 12 cores before delay: alphacep/vosk-asterisk issue 53."""
