"""The operations a mapping can serve: arguments, response model, whether something changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.shop.http import response_models
from agent.shop.http.response_models import ResponseModel

ALWAYS = frozenset({"settings", "now", "item"})
"""Names every template may use: the system's own values, the time as ISO 8601 in UTC, one of a list."""


@dataclass(frozen=True)
class OperationKind:
    """One operation of the shop's Protocols."""

    noun: type[ResponseModel]
    arguments: frozenset[str]
    """What templates may use besides :data:`ALWAYS` and the answers of earlier steps."""
    many: bool = False
    """True when it answers with a list."""
    changes: bool = False
    """True when it changes something; ``key`` is then among the arguments."""


def _kind(noun: type[ResponseModel], arguments: str, *, many: bool = False, changes: bool = False) -> OperationKind:
    names = frozenset(arguments.split()) | ({"key"} if changes else set())
    return OperationKind(noun, names, many, changes)


OPERATIONS: Mapping[str, OperationKind] = {
    "orders.find": _kind(response_models.OrderFields, "number"),
    "orders.find_by_phone": _kind(response_models.OrderFields, "phone number", many=True),
    "orders.delivered_since": _kind(response_models.DeliveredFields, "since", many=True),
    "customers.by_phone": _kind(response_models.CustomerFields, "phone"),
    "tickets.create": _kind(
        response_models.TicketFields,
        "reason summary caller order_number verified priority transcript facts page",
        changes=True,
    ),
    "shipments.streets": _kind(response_models.StreetsFields, "postcode"),
    "shipments.change_address": _kind(
        response_models.ChangeFields, "number order house street city postcode", changes=True
    ),
    "shipments.reschedule": _kind(response_models.ChangeFields, "number order day window", changes=True),
    "shipments.leave_note": _kind(response_models.ChangeFields, "number order note", changes=True),
    "orders.cancel": _kind(response_models.OrderChangeFields, "number id order", changes=True),
    "orders.remove_line": _kind(response_models.OrderChangeFields, "number id order line sku item", changes=True),
    "orders.set_quantity": _kind(
        response_models.OrderChangeFields, "number id order line sku item quantity price", changes=True
    ),
    "orders.set_option": _kind(response_models.OrderChangeFields, "number id order line sku item option", changes=True),
    "shipments.investigate": _kind(response_models.InvestigationFields, "number order note answer_by", changes=True),
    "returns.of_order": _kind(response_models.ReturnFields, "number id", many=True),
    "returns.create": _kind(
        response_models.ReturnFields,
        "number order item sku line reason condition route refund note day amount",
        changes=True,
    ),
    "loyalty.used_promotions": _kind(response_models.PromotionsFields, "customer_id"),
    "messages.send": _kind(response_models.MessageFields, "template number phone text", changes=True),
}
