"""The shop of the settings: mapped systems, the demo shop, or both; its rules; verification over a mapped shop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from agent.app.shop_factory import MAPPED_VERIFY_FLOOR_SECONDS, open_shop
from agent.common.service_error import ServiceError
from agent.config.base import SettingsError
from agent.config.loader import load_settings
from agent.config.shop import ShopSettings
from agent.shop.services import ShopServices
from tests.shop.http.mapped import NOW, ORDER_MAPPING, PHONE, order


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def systems(tmp_path: Path, httpserver: HTTPServer) -> Path:
    directory = tmp_path / "systems"
    directory.mkdir()
    (directory / "shop.yaml").write_text(ORDER_MAPPING.replace("BASE", httpserver.url_for("").rstrip("/")))
    httpserver.expect_request("/api/orders/10473").respond_with_json(order(state="new"))
    httpserver.expect_request("/api/orders/10474").respond_with_json({}, status=404)
    return directory


async def ask(services: ShopServices, name: str, **arguments: object) -> dict[str, object] | str:
    """Return the result, or ``code.reason`` of the failure."""
    try:
        return dict(await services.perform(name, arguments, "key"))
    except ServiceError as error:
        return f"{error.code}.{error.reason}".rstrip(".")


async def test_a_mapped_shop_verifies_and_tells(stack: contextlib.AsyncExitStack, systems: Path) -> None:
    shop = await open_shop(ShopSettings(systems_directory=systems), lambda: NOW, stack, systems.parent / "c.sqlite")
    services = ShopServices.of(shop.systems, policy=shop.policy, today=lambda: NOW.date())
    found = await ask(services, "orders.verify", number="10473", postcode="60614")
    assert isinstance(found, dict)
    assert found["order"]["goods"] == "Mug"  # type: ignore[index]
    assert await ask(services, "orders.verify", number="10473", postcode="60615") == "not_found"
    assert await ask(services, "orders.verify", number="10474", postcode="60614") == "not_found"
    assert await ask(services, "returns.status", number="10473") == "unavailable"
    assert await ask(services, "tickets.create", reason="x", summary="y") == "unavailable"
    assert await ask(services, "loyalty.points", number="10473") == "not_found"
    tracked = await ask(services, "shipments.track", number="10473")
    assert isinstance(tracked, dict)
    assert tracked["shipment"]["can_change_address"]  # type: ignore[index]
    assert shop.status()["shop"]["breaker"] == "closed"
    assert shop.verify_floor_seconds == MAPPED_VERIFY_FLOOR_SECONDS


async def test_the_demo_shop_serves_what_no_file_maps(
    stack: contextlib.AsyncExitStack, systems: Path, tmp_path: Path
) -> None:
    settings = ShopSettings(systems_directory=systems, demo_directory=tmp_path / "demo")
    shop = await open_shop(settings, lambda: NOW, stack, tmp_path / "c.sqlite")
    services = ShopServices.of(shop.systems, policy=shop.policy, today=lambda: NOW.date())
    assert isinstance(await ask(services, "orders.verify", number="10473", postcode="60614"), dict)
    assert isinstance(await ask(services, "tickets.create", reason="x", summary="y"), dict)
    sent = await ask(services, "messages.send", number="10473", template="tracking")
    assert sent == {"message": {"id": sent["message"]["id"], "to_last_digits": PHONE[-2:]}}  # type: ignore[index]


async def test_no_shop_at_all_says_what_to_set(stack: contextlib.AsyncExitStack, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"shop\.systems_directory"):
        await open_shop(ShopSettings(), lambda: NOW, stack, tmp_path / "c.sqlite")
    directory = tmp_path / "systems"
    directory.mkdir()
    (directory / "desk.yaml").write_text(
        "system: desk\nbase_url: http://127.0.0.1\noperations: {tickets.create: {post: /t, fields: {id: id}}}\n"
    )
    with pytest.raises(SettingsError, match=r"no file maps orders\.find"):
        await open_shop(ShopSettings(systems_directory=directory), lambda: NOW, stack, tmp_path / "c.sqlite")


class TestThePolicy:
    def read(self, directory: Path, policy: str) -> ShopSettings:
        (directory / "orderline.yaml").write_text(f"shop:\n  policy: {{{policy}}}\n  demo_directory: demo\n")
        return load_settings(directory).shop

    async def test_what_is_set_counts_over_the_shops_own(
        self, stack: contextlib.AsyncExitStack, tmp_path: Path
    ) -> None:
        text = (
            "return_days: 14, no_delivery_weekdays: [Saturday, sunday], point_value: 0.05, link: 'https://a.example/s/'"
        )
        policy = (await open_shop(self.read(tmp_path, text), lambda: NOW, stack, tmp_path / "c.sqlite")).policy
        assert (policy.return_days, policy.no_delivery_weekdays) == (14, {5, 6})
        assert (policy.point_value, policy.link) == (Decimal("0.05"), "https://a.example/s")
        assert policy.non_returnable  # the demo shop's own

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "return_day: 3",
                "2: shop.policy.return_day: there is no such setting; did you mean return_days?",
            ),
            ("no_delivery_weekdays: [caturday]", "'caturday' is no weekday; there are: monday"),
            ("windows: [morning]", "shop.policy.windows.0: "),
            ("return_days: -1", "shop.policy.return_days: "),
        ],
    )
    def test_mistakes_are_told_by_line_and_key(self, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(SettingsError) as caught:
            self.read(tmp_path, text)
        assert said in caught.value.message

    def test_the_documented_policy_is_the_one_that_holds_by_default(self, tmp_path: Path) -> None:
        from agent.shop.policy import Policy

        document = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
        (tmp_path / "orderline.yaml").write_text(document.split("```yaml\n")[1].split("```")[0])
        documented = load_settings(tmp_path).shop.policy.over(Policy())
        assert documented == Policy(templates=documented.templates)
