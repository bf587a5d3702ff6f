"""How a call's dialog begins: new, where people gave the caller back, or where an earlier process left it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.asterisk.channel import AsteriskLine
from agent.call.snapshot import Resumed
from agent.dialog.engine.consent import ConsentAnswer, ConsentDialog, ConsentMode, consent_in_snapshot
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.model.model import RecordingConsent
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.recovery.manager import Survival


@dataclass(frozen=True)
class Begun:
    """What a session talks with."""

    dialog: ConsentDialog
    conversation: Conversation
    """The one behind the question about recording."""
    resumed: Resumed | None
    """What an earlier process left of this call."""


def begin(
    survival: Survival,
    line: AsteriskLine,
    pack: FlowPack,
    facts: CallFacts,
    render: Renderer,
    mode: ConsentMode,
    on_answer: Callable[[ConsentAnswer], object],
) -> Begun:
    """Return the dialog of a call. ``mode`` says whether callers are told of, or asked for, a recording.

    Who comes back, or outlived a process, is not asked again: the answer given before holds.
    """
    answer = survival.consent(line)
    conversation, resumed = survival.conversation(line, pack, facts, render)
    left: Mapping[str, Any] = resumed.conversation if resumed is not None else {}
    if left:
        answer = consent_in_snapshot(left)
    dialog = ConsentDialog(
        conversation,
        mode if line.entry == "inbound" else "off",
        pack.contents.recording or RecordingConsent(),
        lambda text: render(text, {"shop": facts.shop_name}),
        on_answer,
        answer,
        asking=bool(left.get("asking")) and resumed is not None and not resumed.hand_over,
    )
    return Begun(dialog, conversation, resumed)
