"""Number capture as the English packs use it."""

from __future__ import annotations

import functools

from agent.dialog.numbers import capture
from agent.languages.en.numbers import NUMBERS

understand = functools.partial(capture.understand, vocabulary=NUMBERS)
correct = functools.partial(capture.correct, vocabulary=NUMBERS)
completeness = functools.partial(capture.completeness, vocabulary=NUMBERS)
