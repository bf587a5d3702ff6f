"""``orderline chat --config DIR``: the dialog in a terminal with the shop's own systems, changes only if wanted."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from agent.app.queue_factory import queues_by_rules
from agent.app.shop_factory import ConfiguredShop, open_shop
from agent.call.queue_status import StaffQueues
from agent.cli.chat import ChatOptions, RunCoroutine, ShopEffects, caller_lines
from agent.config.settings import Settings
from agent.config.timezone import wall_clock
from agent.dialog.contract import QueueReport
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.chat import ChatSurroundings, chat, chat_json
from agent.dialog.tools.text_call import QueueLookup
from agent.flows import english_pack
from agent.shop.dry_changes import without_changes
from agent.shop.services import CHANGES, ShopServices
from agent.speech.wording import filters
from agent.understanding.score_files import usual_scores

T = TypeVar("T")
NEVER_DONE = frozenset({"surveys.answer"})
"""Goes nowhere but into webhooks, and a chat posts none."""


def chat_with_configured_shop(settings: Settings, options: ChatOptions, *, really: bool) -> int:
    """Hold one conversation between standard input and output, with the systems that the settings name.

    What changes something is sent only with ``really``; otherwise it is confirmed as ``NOT-DONE``, and the transcript
    says so. Writes nothing into the state directory: no record, no outbox, no webhook, no count of verifications.
    Raises OrderlineError for settings, mappings and procedures that cannot be used.
    """
    wall = wall_clock(settings.shop.timezone)
    if options.now is not None:
        wall = _clock_from(options.now, wall, named_zone=bool(settings.shop.timezone))
    render = SandboxRenderer(filters)
    directory = options.flows or settings.flows_directory or english_pack()
    pack = FlowPack.load(directory, render.filters, settings.shop.number_formats)
    pack = pack.with_score(usual_scores(settings.state_directory / "understanding"))
    queues = queues_by_rules(settings, wall)
    with event_loop() as run, _opened_shop(settings, wall, run) as shop:
        services = ShopServices.of(
            shop.systems if really else without_changes(shop.systems, shop.serves, wall),
            policy=shop.policy,
            region=settings.shop.country,
            verify_floor_seconds=shop.verify_floor_seconds,
            today=lambda: wall().date(),
        )
        effects = ShopEffects(run, services)
        known = effects.caller_profile(options.caller)
        facts = CallFacts(
            now=wall(),
            shop_name=settings.shop.name,
            caller_number=options.caller,
            entry=options.entry,
            # idempotency keys begin with it: a second chat is another call, its changes are changes of their own
            call_id=f"chat-{secrets.token_hex(6)}",
            known={pack.story.about: known.order_numbers} if pack.story.about else {},
            customer=known.customer if settings.shop.greet_by_name else {},
            survey=settings.shop.survey,
            automated=settings.shop.automated_greeting,
            second_facts=shop.policy.second_facts,
        )
        around = ChatSurroundings(
            queue=None if queues is None else _queue_lookup(queues, run),
            not_done=NEVER_DONE if really else CHANGES,
            explain_failures=True,
        )
        hold = chat_json if options.as_json else chat
        hold(Conversation(pack, facts, render), effects, caller_lines(as_json=options.as_json), sys.stdout, around)
    return 0


@contextlib.contextmanager
def event_loop() -> Iterator[RunCoroutine]:
    """Run an event loop beside the conversation, and yield what runs a coroutine in it.

    It goes on while the terminal waits for the caller: a connection that a system closes meanwhile is seen to be
    closed, where otherwise the next change would be sent into it and nobody would know whether it arrived.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="chat-systems", daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, T], /) -> T:
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    try:
        yield run
    finally:
        run(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def _opened_shop(settings: Settings, wall: Callable[[], datetime], run: RunCoroutine) -> Iterator[ConfiguredShop]:
    """Open the configured systems; changes are remembered by their keys for this conversation only."""
    with tempfile.TemporaryDirectory(prefix="orderline-") as folder:
        stack = contextlib.AsyncExitStack()
        try:
            yield run(open_shop(settings.shop, wall, stack, Path(folder) / "changes.sqlite"))
        finally:
            run(stack.aclose())


def _queue_lookup(queues: StaffQueues, run: RunCoroutine) -> QueueLookup:
    def look_up(name: str) -> QueueReport:
        return run(queues.report(name))

    return look_up


def _clock_from(given: datetime, wall: Callable[[], datetime], *, named_zone: bool) -> Callable[[], datetime]:
    """Return a clock that stands at ``given`` now; without an offset that is the shop's local time."""
    zone = wall().tzinfo if named_zone else None
    local = given.replace(tzinfo=zone) if given.tzinfo is None else given
    start = local.astimezone(zone)
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)
