"""The ``orderline shop`` commands: the shop's own systems, mapped, checked, and tried with faults."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from agent.cli.fault_matrices import shop_faults
from agent.common.paths import CONFIG_DIRECTORY

AddCommand = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_shop_command(add: AddCommand, add_home: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add ``orderline shop``; ``add_home`` gives a command the option ``--home``."""
    command = add("shop", _shop, "the shop's own systems: check them, their mappings, calls over faulty ones")
    what = command.add_subparsers(required=True, metavar="WHAT", dest="what")
    check = what.add_parser("check", help="ask every mapped operation and say what is wrong (docs/shop-http.md)")
    check.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    check.add_argument("--order", default="", metavar="NUMBER", help="number of an order there is")
    check.add_argument("--phone", default="", help="phone number of a customer there is")
    check.add_argument("--postcode", default="", help="a postcode there is")
    check.add_argument(
        "--write",
        action="store_true",
        help="also make a ticket, send a message to --phone, change and return --order: really, so give a test order",
    )
    what.add_parser("mappings", help="the mappings that come with Orderline")
    one = what.add_parser("mapping", help="print one of them, to copy and change")
    one.add_argument("name")
    faults = what.add_parser(
        "faults", help="real calls over made-up systems with every fault there is, as a table (docs/shop.md)"
    )
    add_home(faults)
    faults.add_argument(
        "--only",
        default="",
        metavar="CELLS",
        help="orders:500,tickets:late; or all of a system or a fault: returns,429",
    )
    faults.add_argument("--at-once", type=int, default=3, metavar="N", help="hold N calls at the same time (3)")
    faults.add_argument("--keep", type=Path, metavar="DIR", help="keep recordings, records, logs and JSON here")
    faults.add_argument("--json", action="store_true", help="print the result as JSON instead of the table")


def _shop(options: argparse.Namespace) -> int:
    from agent.shop.http import commands

    if options.what == "mappings":
        commands.list_mappings(sys.stdout)
        return 0
    if options.what == "mapping":
        commands.print_mapping(options.name, sys.stdout)
        return 0
    if options.what == "faults":
        return shop_faults(options)
    from agent.app.shop_factory import check_systems
    from agent.config.loader import load_settings

    logging.getLogger("agent.shop").addHandler(logging.NullHandler())  # what is wrong stands in the findings
    return check_systems(load_settings(options.config).shop, vars(options), sys.stdout)
