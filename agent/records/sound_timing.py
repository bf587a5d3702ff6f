"""Puts back the moments that Asterisk left out of a recording, by the times at which the agent is known to have spoken.

Where the agent's audio stops for a tenth of a second (at the end of a prompt, on a busy machine) Asterisk throws away
what it has collected of both sides to keep them together (``ast_audiohook_write_frame``), and the rest of the recording
comes so much too early: 60 to 80 ms each time were measured. The record says when each prompt was handed over; the
prompt's first sound shows how much is missing by then, and it is missing where the agent had fallen silent before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agent.common.audio import SAMPLE_RATE

Samples = npt.NDArray[np.int16]

_LOUD = 40
"""Louder than this is the agent's voice: behind it there is digital silence."""
_QUIET_SECONDS = 0.15
"""A prompt's first sound comes after so much silence at least."""
_LEAST_SECONDS = 0.02
"""Less than a frame is no gap."""
LONGEST_GAP_SECONDS = 0.6
"""A sound that is further from where it should be is another one."""


def completed(caller: Samples, agent: Samples, spoken: Sequence[float]) -> tuple[Samples, Samples]:
    """Return both sides of one part with silence where something is missing.

    ``spoken`` are the times at which prompts were handed over, in seconds from the part's beginning.
    """
    loud = np.flatnonzero(np.abs(agent.astype(np.int32)) > _LOUD)
    if not len(loud) or not spoken:
        return caller, agent
    begins = np.flatnonzero(np.diff(loud) > _QUIET_SECONDS * SAMPLE_RATE) + 1
    onsets = [(int(loud[0]), 0), *((int(loud[place]), int(loud[place - 1]) + 1) for place in begins)]
    missing, gaps = 0, list[tuple[int, int]]()
    for at in sorted(spoken):
        wanted = round(at * SAMPLE_RATE)
        found = _nearest(onsets, wanted - missing)
        if found is None:
            continue
        lost = wanted - missing - found[0]
        if _LEAST_SECONDS * SAMPLE_RATE <= lost <= LONGEST_GAP_SECONDS * SAMPLE_RATE:
            gaps.append((found[1], lost))
            missing += lost
    return _with_gaps(caller, gaps), _with_gaps(agent, gaps)


def _nearest(onsets: Sequence[tuple[int, int]], wanted: int) -> tuple[int, int] | None:
    """Return the (first sound, end of the sound before) that is nearest to a place, None when none is near."""
    near = min(onsets, key=lambda onset: abs(onset[0] - wanted))
    return near if abs(near[0] - wanted) <= LONGEST_GAP_SECONDS * SAMPLE_RATE else None


def _with_gaps(side: Samples, gaps: Sequence[tuple[int, int]]) -> Samples:
    pieces, last = list[Samples](), 0
    for place, length in gaps:
        place = min(max(place, last), len(side))
        pieces += (side[last:place], np.zeros(length, dtype=np.int16))
        last = place
    return np.concatenate((*pieces, side[last:]))
