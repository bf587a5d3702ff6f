"""For a django-oscar shop with django-oscar-api: orders by number or phone, for the phone agent. Copy it to your shop.

django-oscar-api can list all orders but cannot look for one, and gives neither an item's name nor its tracking number.
This adds one address that can, read-only, built on the API's own serializers. In the shop's ``urls.py``::

    from orderline_oscar import PhoneOrderList

    urlpatterns = [path("api/phone-orders/", PhoneOrderList.as_view()), ...]

and in its settings ``"rest_framework.authtoken"`` among ``INSTALLED_APPS`` (then ``manage.py migrate``). The agent's
user needs one permission, ``order | order | Can view order``, neither staff status nor a password, and a token:
``manage.py drf_create_token orderline``. What the shop's staff enters as the reference of a shipping event in Oscar's
dashboard is told as the tracking number of a parcel.
"""

from __future__ import annotations

from oscar.core.loading import get_model
from oscarapi.serializers.checkout import OrderLineSerializer, OrderSerializer
from oscarapi.utils.loading import get_api_class
from rest_framework import authentication, exceptions, generics, permissions, serializers

Order = get_model("order", "Order")
OrderLine = get_model("order", "Line")
InlineShippingAddressSerializer = get_api_class("serializers.checkout", "InlineShippingAddressSerializer")

MOST_ORDERS = 20


class BearerToken(authentication.TokenAuthentication):
    """``Authorization: Bearer <token>``. A password would be hashed anew for every request, while a caller waits."""

    keyword = "Bearer"


class MayViewOrders(permissions.DjangoModelPermissions):
    """Reading alone, for users with the permission to view orders."""

    perms_map = {"GET": ["order.view_order"]}  # noqa: RUF012 - as Django REST framework has it


class PhoneLineSerializer(OrderLineSerializer):
    """One line of an order: what was bought."""

    sku = serializers.CharField(source="partner_sku")
    unit_price_incl_tax = serializers.DecimalField(decimal_places=2, max_digits=12)

    class Meta:
        """What Django REST framework reads."""

        model = OrderLine
        fields = ("id", "sku", "upc", "title", "quantity", "unit_price_incl_tax", "status")


class PhoneOrderSerializer(OrderSerializer):
    """One order: what a caller asks about, and the two facts that a caller is verified with."""

    shipping_address = InlineShippingAddressSerializer(fields=("line4", "state", "postcode", "phone_number"))
    lines = PhoneLineSerializer(many=True)
    shipping_status = serializers.CharField()
    parcels = serializers.SerializerMethodField()
    delivered_on = serializers.SerializerMethodField()

    class Meta:
        """What Django REST framework reads."""

        model = Order
        fields = (
            *("number", "status", "shipping_status", "date_placed", "currency", "total_incl_tax", "shipping_method"),
            *("shipping_address", "lines", "parcels", "delivered_on"),
        )

    def get_parcels(self, order: Order) -> list[dict[str, object]]:
        """Return each reference of the shipping events once, with the latest event under it."""
        latest = {}
        for event in order.shipping_events.select_related("event_type").order_by("date_created", "pk"):
            if event.notes.strip():
                latest[event.notes.strip()] = event
        return [
            {
                "number": reference,
                "status": event.event_type.name,
                "carrier": order.shipping_method,
                "delivered_on": event.date_created if event.event_type.name == "Delivered" else None,
            }
            for reference, event in latest.items()
        ]

    def get_delivered_on(self, order: Order) -> object:
        """Return when the last part arrived, once the order as a whole is delivered."""
        if order.shipping_status != "Delivered":
            return None
        return order.shipping_events.filter(event_type__name="Delivered").latest("date_created").date_created


class PhoneOrderList(generics.ListAPIView):
    """``?number=`` or ``?phone=`` (of the shipping address, E.164): the orders, newest first."""

    serializer_class = PhoneOrderSerializer
    authentication_classes = (BearerToken,)
    permission_classes = (MayViewOrders,)
    pagination_class = None
    queryset = Order.objects.select_related("shipping_address").prefetch_related("lines")

    def get_queryset(self) -> object:
        """Return the orders looked for; everything at once is not to be had."""
        number, phone = (self.request.query_params.get(name, "") for name in ("number", "phone"))
        if bool(number) == bool(phone):
            raise exceptions.ParseError("give either number or phone")
        wanted = {"number": number} if number else {"shipping_address__phone_number": phone}
        return super().get_queryset().filter(**wanted).order_by("-date_placed", "-pk")[:MOST_ORDERS]
