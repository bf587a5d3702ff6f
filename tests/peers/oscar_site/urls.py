"""The shop's addresses: Oscar's REST API, and the agent's own view as its mapping asks for it."""

from __future__ import annotations

from django.urls import include, path
from orderline_oscar import PhoneOrderList

urlpatterns = [
    path("api/phone-orders/", PhoneOrderList.as_view()),
    path("api/", include("oscarapi.urls")),
]
