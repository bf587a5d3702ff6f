"""Starts the pair of private Asterisks on loopback: the PBX, and the carrier with all phones."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from agent.rehearsal.apt_fetch import ReportProgress
from agent.rehearsal.asterisk_process import Pbx, PbxDied, PbxError, PortTaken, SipAccount
from agent.rehearsal.helper_programs import run
from agent.rehearsal.pbx_config import pbx_templates, phones_templates
from agent.rehearsal.port_block import LOOPBACK, reserve_ports
from agent.rehearsal.private_asterisk import Asterisk

__all__ = [
    "Pbx",
    "PbxDied",
    "PbxError",
    "PortTaken",
    "SipAccount",
    "host_name_warning",
    "running_pair",
    "start_pair",
]

_REGISTER_SECONDS = 10.0
_POLL_SECONDS = 0.02


async def start_pair(asterisk: Asterisk, run_dir: Path, report: ReportProgress) -> tuple[Pbx, Pbx]:
    """Start the PBX and the second Asterisk (carrier and phones, registered); both on loopback alone.

    Returns (PBX, phones); the caller stops both. Files go below ``run_dir``. Raises :class:`PbxError`.
    """
    warning = await host_name_warning()
    if warning:
        report(warning)
    try:
        return await _pair(asterisk, run_dir)
    except PortTaken as problem:
        report(f"{problem.message} Trying once more with other ports.")
        return await _pair(asterisk, run_dir)


@contextlib.asynccontextmanager
async def running_pair(asterisk: Asterisk, run_dir: Path, report: ReportProgress) -> AsyncIterator[tuple[Pbx, Pbx]]:
    """Hold a pair for the length of a ``with`` block."""
    pbx, phones = await start_pair(asterisk, run_dir, report)
    try:
        yield pbx, phones
    finally:
        await asyncio.gather(phones.stop(), pbx.stop())


async def _pair(asterisk: Asterisk, run_dir: Path) -> tuple[Pbx, Pbx]:
    here, there = reserve_ports(), reserve_ports()
    phone_password, softphone_password = secrets.token_hex(12), secrets.token_hex(8)
    pbx_values = {
        "CARRIER_HOST": LOOPBACK,
        "MEDIA_ADDRESS": LOOPBACK,
        "CARRIER_PORT": str(there.sip),
        "PHONE_PASSWORD": phone_password,
        "SOFTPHONE_PASSWORD": softphone_password,
    }
    phones_values = {"PEER_SIP_PORT": str(here.sip), "PHONE_PASSWORD": phone_password}
    pbx = Pbx("a", asterisk, run_dir, pbx_templates(), here, user="orderline", values=pbx_values)
    phones = Pbx("b", asterisk, run_dir, phones_templates(), there, user="rehearse", values=phones_values)
    pbx.softphone = SipAccount("softphone", softphone_password, LOOPBACK, here.sip)
    try:
        await pbx.start()
        await phones.start()
        await _registered(pbx, ("601", "602"))
    except BaseException:
        await asyncio.gather(phones.stop(), pbx.stop())
        raise
    return pbx, phones


async def _registered(pbx: Pbx, users: Sequence[str]) -> None:
    """Wait until the phones have registered. Raises :class:`PbxError`."""
    deadline = time.monotonic() + _REGISTER_SECONDS
    while time.monotonic() < deadline:
        contacts = await pbx.cli("pjsip show contacts")
        if all(f"{user}/sip:" in contacts for user in users):
            return
        await asyncio.sleep(_POLL_SECONDS)  # the command line has no way to wait for this
    raise PbxError(f"the phones {', '.join(users)} did not register at Asterisk {pbx.name}; see {pbx.log_dir}.")


async def host_name_warning() -> str | None:
    """Return what to do when this machine's own name does not resolve, else None.

    Asterisk looks its host's name up when it starts and, unless audio is bound to one address (``media_address`` and
    ``bind_rtp_to_media_address`` in pjsip.conf, as in ours), for each leg of a call: seconds where no answer comes.
    """
    name = socket.gethostname()
    try:
        answer = await run(["getent", "ahosts", name], timeout_seconds=2)
        if answer.code == 0:
            return None
    except (OSError, TimeoutError):
        pass
    return (
        f"Warning: this machine's own name ({name}) does not resolve: Asterisk starts slowly, and on a live PBX calls "
        f"can stall for seconds. "
        f"Add it to /etc/hosts:   echo '127.0.0.1 {name}' | sudo tee -a /etc/hosts"
    )
