"""Orders as Shopify, WooCommerce and Oscar really give them, made from a seed: each is odd in several ways at once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.shop.http.spoken_calls import MadeUpShop, days_ago

POSTCODE = "60614"
NUMBER = "10011"
NAMES = ("Blue mug", "Red scarf", "Oak desk", "Green lamp", "Gift card")
SHOPIFY_FINANCIAL = (
    *("PAID", "PAID", "PAID", "PENDING", "PARTIALLY_PAID", "AUTHORIZED", "EXPIRED", "VOIDED", "REFUNDED"),
    *("PARTIALLY_REFUNDED", None, "WRITTEN_OFF"),
)
SHOPIFY_FULFILLMENT = (
    *("FULFILLED", "FULFILLED", "FULFILLED", "UNFULFILLED", "PARTIALLY_FULFILLED", "IN_PROGRESS", "ON_HOLD"),
    *("SCHEDULED", "RESTOCKED", "REQUEST_DECLINED", "PENDING_FULFILLMENT", "OPEN", "TELEPORTED"),
)
SHOPIFY_PARCEL = (
    *("ATTEMPTED_DELIVERY", "CANCELED", "CARRIER_PICKED_UP", "CONFIRMED", "DELAYED", "DELIVERED", "FAILURE"),
    *("FULFILLED", "IN_TRANSIT", "LABEL_PRINTED", "LABEL_PURCHASED", "LABEL_VOIDED", "MARKED_AS_FULFILLED"),
    *("NOT_DELIVERED", "OUT_FOR_DELIVERY", "PICKED_UP", "READY_FOR_PICKUP", "SUBMITTED", None, "EATEN_BY_A_DOG"),
)
WOO_STATUSES = (
    *("pending", "processing", "on-hold", "completed", "completed", "cancelled", "refunded", "failed"),
    *("awaiting-shipment", "checkout-draft", "partial-shipped", "in-production", "delivered", "ready-for-pickup", ""),
)
OSCAR_STATUSES = (None, "", "Pending", "Being processed", "Complete", "Cancelled", "On the moon")
OSCAR_SHIPPING = (None, "", "Shipped", "Delivered", "In progress", "Returned", "Ready for pickup", "Beamed up")


@dataclass
class OddOrder:
    """A made-up shop with one odd order, and what is true of it."""

    shop: MadeUpShop
    currency: str
    """The one the buyer paid in."""
    names: tuple[str, ...]
    """Of what is still in the order."""
    gone: tuple[str, ...] = ()
    """Names of what has been taken out of it."""
    refunded: str | None = None
    """What has gone back; None when the system does not tell."""
    parcels: int = 0
    """Those that count."""
    can_be: dict[str, bool] = field(default_factory=dict)
    """Words -> whether they may be said of its status."""


def shopify(seed: int) -> OddOrder:
    """Make an order as the GraphQL Admin API gives it."""
    chance = random.Random(f"shopify {seed}")
    buyer = chance.choice(("USD", "USD", "EUR", "GBP"))
    told_twice = buyer != "USD" or chance.random() < 0.5

    def money(amount: str, *, whole: bool = True) -> dict[str, Any]:
        """The shop's money, which is another amount, and the buyer's."""
        ours = {"amount": amount if buyer == "USD" else f"{float(amount) * 1.25:.2f}", "currencyCode": "USD"}
        both = {"shopMoney": ours, "presentmentMoney": {"amount": amount, "currencyCode": buyer}}
        return both if whole and told_twice else {"shopMoney": ours}

    names = chance.sample(NAMES, chance.randint(1, 4))
    lines = [
        {
            "id": chance.choice((None, f"gid://shopify/LineItem/{at}")),
            "sku": chance.choice((None, "", f"SKU-{at}", "SAME")),
            "name": name,
            "quantity": chance.randint(1, 3),
            "currentQuantity": chance.choice((None, 1, 1, 0)) if len(names) > 1 and at else 1,
            "requiresShipping": chance.choice((None, True, True)),
            "originalUnitPriceSet": chance.choice((None, money("20.00"), money("0.00"), money("20.00", whole=False))),
        }
        for at, name in enumerate(names)
    ]
    if chance.random() < 0.15:
        for line in lines:
            line["requiresShipping"] = False
    parcels = [
        {
            "status": chance.choice((None, "SUCCESS")),
            "displayStatus": chance.choice(SHOPIFY_PARCEL),
            "estimatedDeliveryAt": chance.choice((None, days_ago(-2), days_ago(3))),
            "deliveredAt": None,
            "trackingInfo": chance.choice(
                ([], [{"number": None, "company": None}], [{"number": "1Z", "company": "UPS"}])
            ),
        }
        for _ in range(chance.choice((0, 1, 1, 2, 3)))
    ]
    for parcel in parcels:
        if parcel["displayStatus"] == "DELIVERED":
            parcel["deliveredAt"] = chance.choice((None, days_ago(3)))
    financial, fulfilled = chance.choice(SHOPIFY_FINANCIAL), chance.choice(SHOPIFY_FULFILLMENT)
    refunded = {"REFUNDED": "42.00", "PARTIALLY_REFUNDED": "20.00"}.get(str(financial), "0.0")
    order = {
        "name": chance.choice(("#10011", "10011", "EN-10011")),
        "createdAt": days_ago(9),
        "cancelledAt": days_ago(1) if chance.random() < 0.1 else None,
        "phone": None,
        "displayFinancialStatus": financial,
        "displayFulfillmentStatus": fulfilled,
        "totalPriceSet": money("42.00"),
        "totalRefundedSet": money(refunded),
        "shippingAddress": {"zip": POSTCODE, "city": None, "phone": None} if chance.random() < 0.7 else None,
        "billingAddress": {"zip": POSTCODE, "phone": None},
        "customer": chance.choice((None, {"defaultPhoneNumber": None})),
        "lineItems": {"nodes": lines},
        "fulfillments": parcels,
    }
    whole = order["cancelledAt"] is not None or financial == "REFUNDED"
    live = [parcel for parcel in parcels if parcel["displayStatus"] != "CANCELED"]
    kept = [line for line in lines if line["currentQuantity"] != 0]
    words = {parcel["displayStatus"] for parcel in live}
    return OddOrder(
        MadeUpShop([order]),
        buyer,
        tuple(str(line["name"]) for line in kept),
        tuple(str(line["name"]) for line in lines if line["currentQuantity"] == 0 and not whole),
        refunded,
        len(live),
        {
            "was delivered": "DELIVERED" in words,
            "has been shipped": fulfilled == "FULFILLED"
            and any(line["requiresShipping"] is not False for line in kept),
            "was cancelled": order["cancelledAt"] is not None,
            "has been refunded": financial == "REFUNDED",
            "ready to be picked up": "READY_FOR_PICKUP" in words,
            "was picked up": "PICKED_UP" in words,
            "getting it ready": fulfilled not in ("PARTIALLY_FULFILLED", "ON_HOLD", "TELEPORTED"),
            "had to be shipped": all(line["requiresShipping"] is False for line in kept),
            "delayed": "DELAYED" in words,
        },
    )


def woocommerce(seed: int) -> OddOrder:
    """Make an order as the REST API v3 gives it."""
    chance = random.Random(f"woocommerce {seed}")
    names = chance.sample(NAMES, chance.randint(1, 4))
    status = chance.choice(WOO_STATUSES)
    back = chance.choice((None, None, "5.00", "12.50"))
    order_id = chance.choice((10011, 4711))
    shipping_lines = chance.choice((None, [], [{"method_id": "flat_rate"}], [{"method_id": "local_pickup"}]))
    lines = [
        {
            "id": at + 1,
            "name": name,
            "product_id": 0,
            "quantity": chance.choice((1, 2, 1.52, "3", None)),
            "sku": chance.choice((None, "", "S", f"S{at}")),
            "price": chance.choice((10, 10.5, "7.25", None, 3.3333333333)),
        }
        for at, name in enumerate(names)
    ]
    tracking = [
        {"tracking_provider": "", "custom_tracking_provider": chance.choice(("DHL", "")), "tracking_number": "J"}
    ]
    shipping = chance.choice(({"postcode": POSTCODE}, {"postcode": ""}, {}, None))
    order = {
        "id": order_id,
        "number": chance.choice((NUMBER, 10011, "WEB-10011")),
        "status": status,
        "currency": chance.choice(("USD", "EUR")),
        "date_created_gmt": chance.choice(("2026-11-15T03:30:00", "2026-11-15T03:30:00", None)),
        "date_completed_gmt": None,
        "total": chance.choice(("42.35", "0.00", "")),
        "customer_id": 0,
        "billing": {"postcode": POSTCODE, "phone": chance.choice(("", "(202) 555-0143", None))},
        "shipping": shipping,
        "shipping_lines": shipping_lines,
        "meta_data": chance.choice(([], None, [{"key": "_wc_shipment_tracking_items", "value": tracking}])),
        "refunds": [{"id": 9, "reason": "", "total": f"-{back}"}] if back else [],
        "line_items": lines,
    }
    if shipping_lines is None:
        del order["shipping_lines"]
    refund = {"id": 9, "date_created_gmt": chance.choice(("2026-11-19T10:00:00", None)), "amount": back, "reason": ""}
    refund["line_items"] = chance.choice(([], None, [{"name": names[0], "quantity": -1, "sku": "", "meta_data": []}]))
    shipped = status == "completed" and shipping_lines not in ([], [{"method_id": "local_pickup"}])
    return OddOrder(
        MadeUpShop([order], [refund] if back else []),
        str(order["currency"]),
        tuple(names),
        refunded=back or "0",
        parcels=1 if order["meta_data"] else 0,
        can_be={
            "was delivered": status == "delivered",
            "has been shipped": shipped,
            "was cancelled": status == "cancelled",
            "has been refunded": status == "refunded",
            "ready to be picked up": status == "ready-for-pickup",
            "getting it ready": status in ("processing", "awaiting-shipment"),
            "had to be shipped": status == "completed" and not shipped,
        },
    )


def oscar(seed: int) -> OddOrder:
    """Make an order as the view that is added to a django-oscar shop gives it."""
    chance = random.Random(f"oscar {seed}")
    names = chance.sample(NAMES, chance.randint(1, 4))
    status, shipping = chance.choice(OSCAR_STATUSES), chance.choice(OSCAR_SHIPPING)
    lines = [
        {
            "id": at + 1,
            "sku": chance.choice((None, "", "S", f"S{at}")),
            "title": name,
            "quantity": chance.choice((1, 2, None)),
            "unit_price_incl_tax": chance.choice(("9.00", None)),
            "status": "Cancelled" if at and chance.random() < 0.3 else chance.choice((None, "", "Sent")),
        }
        for at, name in enumerate(names)
    ]
    boxes = [
        {"number": f"J{at}", "status": chance.choice(OSCAR_SHIPPING), "carrier": None, "delivered_on": None}
        for at in range(chance.choice((0, 0, 1, 2)))
    ]
    order = {
        "number": NUMBER,
        "status": status,
        "shipping_status": shipping,
        "date_placed": days_ago(8),
        "currency": "EUR",
        "total_incl_tax": chance.choice(("42.00", None)),
        "shipping_method": chance.choice((None, "DHL")),
        "shipping_address": {"line4": chance.choice((None, "LEIPZIG, DE")), "postcode": POSTCODE, "phone_number": None},
        "lines": lines,
        "parcels": boxes,
        "delivered_on": None,
    }
    words = {shipping, *(box["status"] for box in boxes)}
    return OddOrder(
        MadeUpShop([order]),
        "EUR",
        tuple(str(line["title"]) for line in lines if line["status"] != "Cancelled"),
        tuple(str(line["title"]) for line in lines if line["status"] == "Cancelled"),
        None,
        len(boxes),
        {
            "was delivered": "Delivered" in words,
            "has been shipped": "Shipped" in words or status == "Complete",
            "was cancelled": status == "Cancelled",
            "has been refunded": False,
            "getting it ready": not shipping and status == "Pending",
        },
    )


MAKERS = {"shopify": shopify, "woocommerce": woocommerce, "oscar": oscar}
