"""What differs from instance to instance: derived from one configuration and the instance's number.

Several instances are processes beside each other on one machine that take calls of one Asterisk. The first one is what
a single agent is, with its application, ports and files; the others stand beside it.
"""

from __future__ import annotations

from pathlib import Path

from agent.config.base import SettingsError
from agent.config.settings import Settings

_PORTS_BEYOND = 10
"""The console's port follows that of the first instance; the other instances' ports begin behind it."""


def instance_settings(settings: Settings, number: int) -> Settings:
    """Return the settings of one instance; ``settings`` are those of the whole set.

    Raises SettingsError for a number that is not one of the set.
    """
    if not 1 <= number <= settings.instances:
        raise SettingsError(f"There is no instance {number}: instances in orderline.yaml is {settings.instances}.")
    if number == 1:
        return settings
    control, fastagi, media, outbound = settings.control, settings.fastagi, settings.media, settings.outbound
    one = settings.model_copy(
        update={
            "ari": settings.ari.model_copy(update={"app": instance_app(settings, number)}),
            "control": control.model_copy(update={"port": _beyond(control.port, _PORTS_BEYOND + number)}),
            "fastagi": fastagi.model_copy(update={"port": _beyond(fastagi.port, number - 1)}),
            "media": media.model_copy(update={"audiosocket_port": _beyond(media.audiosocket_port, number - 1)}),
            "outbound": outbound.model_copy(
                update={
                    "enabled": False,  # one dialler for all
                    "triggers": outbound.triggers.model_copy(update={"enabled": False}),
                    "polling": outbound.polling.model_copy(update={"enabled": False}),
                }
            ),
            "state_directory": settings.state_directory / f"instance-{number}",
        }
    )
    return one.as_instance(number, settings.shared_directory)


def instance_app(settings: Settings, number: int) -> str:
    """Return an instance's ARI application; ``settings`` are those of the whole set."""
    return settings.ari.app if number == 1 else f"{settings.ari.app}-{number}"


def all_instances(settings: Settings) -> list[Settings]:
    """Return the settings of every instance, the first one first."""
    return [instance_settings(settings, number) for number in range(1, settings.instances + 1)]


def instance_files(settings: Settings, name: str) -> list[Path]:
    """Return the files of this name that the instances keep, the first one's first, whether or not that is there.

    Those of an instance that is not in the settings any more count too.
    """
    first = settings.shared_directory
    return [first / name, *sorted(first.glob(f"instance-*/{name}"))]


def _beyond(port: int, by: int) -> int:
    """Return a port of another instance; 0 stays 0: a free one."""
    return min(port + by, 65535) if port else 0
