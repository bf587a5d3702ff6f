"""What every page of the console works with, made once at its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import jinja2
from aiohttp import web

from agent.builder.desk import BuilderDesk
from agent.builder.draft_store import DraftStore
from agent.common.sqlite import SqliteFile
from agent.config.settings import Settings
from agent.console.audit import AuditLog
from agent.console.control_client import AgentClient
from agent.console.customer_calls import CustomerCalls
from agent.console.finished_calls import FinishedCalls
from agent.console.guessing import GuessingLimits
from agent.console.hosts import AllowedHosts
from agent.console.live import LiveHub
from agent.console.notes import Notes
from agent.console.passwords import PasswordChecker
from agent.console.people import Accounts
from agent.console.procedures import ProcedureFiles
from agent.console.sessions import Sessions
from agent.console.sound import CallRecordings, Listenings
from agent.history.opening import History


@dataclass
class ConsoleContext:
    """The parts of the console."""

    settings: Settings
    database: SqliteFile
    """``console.sqlite``."""
    audit: AuditLog
    accounts: Accounts
    sessions: Sessions
    passwords: PasswordChecker
    limits: GuessingLimits
    hosts: AllowedHosts
    history: History
    """The index of finished calls itself, for reports; its methods block."""
    calls: FinishedCalls
    clients: Sequence[AgentClient]
    """The agents, this node's first."""
    live: LiveHub
    sound: CallRecordings
    listenings: Listenings
    notes: Notes
    procedures: ProcedureFiles
    customer_calls: CustomerCalls
    desk: BuilderDesk
    """Checks, tries out and publishes procedures."""
    drafts: DraftStore
    """Changes of the procedures that are not published."""
    now: Callable[[], datetime]
    """The shop's time."""
    templates: jinja2.Environment

    @property
    def calls_path(self) -> Path:
        """This node's ``calls.sqlite``: finished calls and the outbox."""
        return self.settings.state_directory / "calls.sqlite"


CONTEXT = web.AppKey("context", ConsoleContext)


def context_of(request: web.Request) -> ConsoleContext:
    """Return the parts of the console that serves a request."""
    return request.app[CONTEXT]
