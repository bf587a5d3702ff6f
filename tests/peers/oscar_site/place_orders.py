"""Places orders the way Oscar's checkout does: ``python place_orders.py < orders.json``. Also makes the agent's user.

The JSON: ``{"user": {"name": ..., "token": ...}, "orders": [...]}``; tests/peers/oscar.py has an order's fields.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from decimal import Decimal

import django

django.setup()

from django.contrib.auth.models import Permission, User  # noqa: E402 - Django must be set up first
from django.db import transaction  # noqa: E402
from oscar.core.loading import get_class, get_model  # noqa: E402
from oscar.test.factories import create_product  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

Basket = get_model("basket", "Basket")
Country = get_model("address", "Country")
Partner = get_model("partner", "Partner")
Product = get_model("catalogue", "Product")
ShippingAddress = get_model("order", "ShippingAddress")
ShippingEventType = get_model("order", "ShippingEventType")
EventHandler = get_class("order.processing", "EventHandler")
FixedPrice = get_class("shipping.methods", "FixedPrice")
OrderCreator = get_class("order.utils", "OrderCreator")
OrderTotalCalculator = get_class("checkout.calculators", "OrderTotalCalculator")
Selector = get_class("partner.strategy", "Selector")


def place(data: dict) -> None:
    """Fill a basket, check out, and let happen what has happened to the order since."""
    owner, _ = User.objects.get_or_create(username=data["email"], email=data["email"])
    basket = Basket.objects.create(owner=owner)
    basket.strategy = Selector().strategy()
    for item in data["items"]:
        known = Product.objects.filter(stockrecords__partner_sku=item["sku"]).first()
        basket.add_product(known or new_product(item), item["quantity"])
    shipping = FixedPrice(Decimal("4.95"), Decimal("4.95"))
    shipping.code, shipping.name = "standard", data["carrier"]
    charge = shipping.calculate(basket)
    country, _ = Country.objects.get_or_create(iso_3166_1_a2="US", name="United States", is_shipping_country=True)
    address = ShippingAddress.objects.create(
        first_name="Alex",
        last_name="Doe",
        line1="1 Sample Street",
        line4=data["city"],
        postcode=data["postcode"],
        phone_number=data["phone"],
        country=country,
    )
    order = OrderCreator().place_order(
        basket=basket,
        total=OrderTotalCalculator().calculate(basket, charge),
        shipping_method=shipping,
        shipping_charge=charge,
        user=owner,
        shipping_address=address,
        order_number=data["number"],
        status="Pending",
    )
    basket.submit()
    order.date_placed = datetime.fromisoformat(data["placed_at"])
    order.save()
    handler = EventHandler()
    for status in data["statuses"]:
        handler.handle_order_status_change(order, status)
    for event in data["events"]:
        kind, _ = ShippingEventType.objects.get_or_create(name=event["event"])
        lines = [line for line in order.lines.all() if line.partner_sku in event["skus"] or not event["skus"]]
        quantities = [line.quantity for line in lines]
        made = handler.handle_shipping_event(order, kind, lines, quantities, reference=event["reference"])
        order.shipping_events.filter(pk=made.pk).update(date_created=datetime.fromisoformat(event["at"]))


def new_product(item: dict) -> Product:
    """Put a new article into the catalogue."""
    product = create_product(title=item["title"], partner_name="Maple and Finch", num_in_stock=1000)
    record = product.stockrecords.get()
    record.partner_sku, record.price, record.price_currency = item["sku"], Decimal(item["price"]), "USD"
    record.save()
    return product


def main() -> None:
    """Do all that standard input asks for, or nothing."""
    wanted = json.load(sys.stdin)
    with transaction.atomic():
        if user := wanted.get("user"):
            agent = User.objects.create_user(user["name"], f"{user['name']}@example.com")
            agent.user_permissions.add(Permission.objects.get(codename="view_order", content_type__app_label="order"))
            Token.objects.create(user=agent, key=user["token"])
        for order in wanted["orders"]:
            place(order)


main()
