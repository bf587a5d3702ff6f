"""The child process of :class:`agent.builder.worker_process.WorkerProcess`: one request a line, one answer a line.

First ``{"ready": PID}``. In: ``{"number": 1, "do": "check", "with": {...}}``. Out: any number of
``{"number": 1, "stage", "done", "of"}``, then ``{"number": 1, "result": ...}`` or
``{"number": 1, "problem": {"code", "message", "findings"?}}``.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from agent.builder.workbench import Workbench
from agent.builder.workbench_settings import WorkbenchSettings
from agent.dialog.errors import FlowError
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

QUICK = ("check", "begin", "take", "back", "change", "state", "turns", "write_test", "record_test", "end")
LONG = ("tests", "teach")
"""What tells how far it is."""
_MOST_BYTES = 3_000_000_000
_TELL_SECONDS = 0.1


def main() -> int:
    """Answer requests until the parent closes the pipe."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    # whatever a library prints goes to the log, not among the answers
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    workbench = Workbench(WorkbenchSettings.from_json(json.loads(sys.argv[1])))
    _write(answers, {"ready": os.getpid()})
    for line in sys.stdin:
        request = json.loads(line)
        _write(answers, {"number": request["number"], **_answer(workbench, request, answers)})
    return 0


def _answer(workbench: Workbench, request: Mapping[str, Any], answers: TextIO) -> dict[str, Any]:
    name, values = str(request["do"]), dict(request["with"])
    if name not in QUICK and name not in LONG:
        return {"problem": {"code": "builder_worker", "message": f"There is no work named {name}."}}
    do: Callable[..., Any] = getattr(workbench, name)
    if name in LONG:
        do = functools.partial(do, told=_teller(request["number"], answers))
    try:
        return {"result": do(**values)}
    except FlowError as error:
        findings = [str(finding) for finding in error.findings]
        return {"problem": {"code": error.code, "message": error.message, "findings": findings}}
    except OrderlineError as error:
        return {"problem": {"code": error.code, "message": error.message}}
    except Exception as error:  # whatever one request does wrong, the calls of all others are held here
        log.exception("%s has failed", name)
        message = f"Something went wrong that nobody foresaw ({type(error).__name__}); the console's log has more."
        return {"problem": {"code": "builder_unforeseen", "message": message}}


def _teller(number: int, answers: TextIO) -> Callable[[str, int, int], None]:
    """Return what writes how far a work is, not more often than people read."""
    last_stage, last_at = "", 0.0

    def told(stage: str, done: int, of: int) -> None:
        nonlocal last_stage, last_at
        now = time.monotonic()
        if stage != last_stage or done == of or now - last_at >= _TELL_SECONDS:
            last_stage, last_at = stage, now
            _write(answers, {"number": number, "stage": stage, "done": done, "of": of})

    return told


def _write(answers: TextIO, told: Mapping[str, Any]) -> None:
    print(json.dumps(told, default=str), file=answers, flush=True)


if __name__ == "__main__":
    sys.exit(main())
