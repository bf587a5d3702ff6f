"""Creates the conversation of a call: new, sent back by staff, or recovered from an earlier process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.asterisk.channel import AsteriskCallerLine
from agent.call.snapshot import RecoveredCall
from agent.dialog.engine.consent import ConsentAnswer, ConsentDialog, ConsentMode, consent_in_snapshot
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.model.model import RecordingConsent
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.recovery.manager import RecoveryManager


@dataclass(frozen=True)
class CallConversation:
    """What a session talks with."""

    dialog: ConsentDialog
    conversation: Conversation
    """The one behind the question about recording."""
    resumed: RecoveredCall | None
    """What an earlier process left of this call."""


def create_conversation(
    survival: RecoveryManager,
    line: AsteriskCallerLine,
    pack: FlowPack,
    facts: CallFacts,
    render: Renderer,
    mode: ConsentMode,
    on_answer: Callable[[ConsentAnswer], object],
) -> CallConversation:
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
        lambda text: render(text, {"shop": facts.shop_name}, pack.language),
        on_answer,
        answer,
        asking=bool(left.get("asking")) and resumed is not None and not resumed.hand_over,
    )
    return CallConversation(dialog, conversation, resumed)
