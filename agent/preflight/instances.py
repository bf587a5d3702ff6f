"""Checks what several instances need beyond what one agent needs: the dialplan's list, modules, shared stores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from agent.config.instances import all_instances
from agent.config.settings import Settings
from agent.preflight.finding import Finding

APPS_VARIABLE = "ORDERLINE_APPS"
"""Global of the dialplan: the ARI applications of all instances, ``&`` between them."""
MODULES: Mapping[str, str] = {
    "func_groupcount.so": "counts the calls of each instance",
    "func_lock.so": "lets one call at a time be given to an instance",
    "func_cut.so": "takes the list of instances apart",
}
"""Module -> what the dialplan needs it for where it chooses among instances."""
_WHAT = "instances"


def shared_store_findings(settings: Settings) -> Iterator[Finding]:
    """Whether several instances know what each other must know; nothing for an agent alone."""
    if settings.instances == 1:
        return
    apps = ", ".join(one.ari.app for one in all_instances(settings))
    yield Finding(_WHAT, "ok", f"{settings.instances} on this machine: {apps}")
    if not settings.redis.address():
        detail = "without Redis the calls of an instance that dies go to the staff, and no other goes on with them"
        yield Finding(_WHAT, "warning", detail, "redis.url in orderline.yaml (docs/scale.md)")
    if not settings.records.address():
        detail = "each instance keeps the records of its own calls: searches and reports see those of the first alone"
        yield Finding(_WHAT, "warning", detail, "records.url in orderline.yaml (docs/postgresql.md)")


def unit_findings(settings: Settings, active: Callable[[str], bool | None]) -> Iterator[Finding]:
    """Whether the further instances run where the first one does. ``active(unit)``: None where no systemd is."""
    if not active("orderline"):
        return
    for number in range(2, settings.instances + 1):
        if not active(f"orderline@{number}"):
            detail = f"instance {number} does not run: the others have its calls"
            yield Finding(_WHAT, "warning", detail, f"systemctl enable --now orderline@{number}")


def apps_finding(listed: str, apps: Sequence[str]) -> Finding | None:
    """Judge ORDERLINE_APPS of the dialplan, ``""`` where it is not set; None where there is nothing to tell.

    ``apps`` are the applications of all instances.
    """
    found = [name for name in listed.split("&") if name]
    if not found and len(apps) == 1:
        return None
    wanted = f"{APPS_VARIABLE}={'&'.join(apps)}" if len(apps) > 1 else f"no {APPS_VARIABLE}"
    fix = (
        f"{wanted} in [globals] of extensions.conf (FreePBX: globals_custom.conf); then: asterisk -rx 'dialplan reload'"
    )
    if not found:
        detail = f"{APPS_VARIABLE} is not set: all calls go to {apps[0]}, and none to the other instances"
        return Finding(_WHAT, "failed", detail, fix)
    if missing := [name for name in apps if name not in found]:
        return Finding(_WHAT, "failed", f"{APPS_VARIABLE} lacks {', '.join(missing)}", fix)
    if unknown := [name for name in found if name not in apps]:
        detail = f"{APPS_VARIABLE} names {', '.join(unknown)}, and instances in orderline.yaml is {len(apps)}"
        return Finding(_WHAT, "warning", detail, fix)
    return Finding(_WHAT, "ok", f"{APPS_VARIABLE} names them all")


def module_findings(modules: Collection[str]) -> Iterator[Finding]:
    """Whether Asterisk runs what the choice among several instances needs."""
    for module, use in MODULES.items():
        if module not in modules:
            yield Finding(_WHAT, "failed", f"{module} is not running; it {use}", f"asterisk -rx 'module load {module}'")
