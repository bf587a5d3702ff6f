"""``orderline shop check``: every mapped operation is asked, and what is wrong is told with its fix."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from agent.app.shop_factory import check_systems
from agent.cli import main
from agent.config.shop import ShopSettings
from agent.shop.http.mapping_files import shipped
from tests.shop.http.mapped import ORDER_MAPPING, PHONE, TICKET_MAPPING, order
from tests.shop.http.odd_orders import MAKERS
from tests.shop.http.spoken_calls import SECRETS

NOTHING = {"order": "", "phone": "", "postcode": "", "write": False}


class MappingDirectory:
    """A directory of mapping files that is checked."""

    def __init__(self, directory: Path, httpserver: HTTPServer) -> None:
        self.directory = directory
        self.base = httpserver.url_for("").rstrip("/")

    def check(self, *mappings: str, **options: object) -> tuple[int, str]:
        """Return exit code and what was printed."""
        for index, text in enumerate(mappings):
            (self.directory / f"{index}.yaml").write_text(text.replace("BASE", self.base), encoding="utf-8")
        out = io.StringIO()
        code = check_systems(ShopSettings(systems_directory=self.directory), {**NOTHING, **options}, out)
        return code, out.getvalue()


@pytest.fixture
def place(tmp_path: Path, httpserver: HTTPServer) -> MappingDirectory:
    return MappingDirectory(tmp_path, httpserver)


def test_all_is_well(place: MappingDirectory, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/orders/10473").respond_with_json(order())
    httpserver.expect_request("/api/orders").respond_with_json({"orders": [order()]})
    httpserver.expect_request("/desk/me").respond_with_json({"id": 1})
    code, text = place.check(ORDER_MAPPING, TICKET_MAPPING + "check: {get: /me}\n", order="10473", phone="202 555 0143")
    assert code == 0, text
    lines = text.splitlines()
    assert lines[0].split() == ["ok", "orders.find", "shop", "GET", "/orders/{{", "number", "}}"]
    assert lines[1].strip() == "an order with 1 lines and 0 parcels, shipped"
    assert lines[3].strip() == "1 orders"
    assert lines[4].split()[:4] == ["ok", "tickets.create", "desk", "GET"]
    assert lines[-1] == "The mapped systems answer as they should."
    assert not [request for request, _ in httpserver.log if request.method == "POST"]
    for value in ("10473", "60614", "0143", "Mug", "49.90"):
        assert value not in text


def test_what_is_odd_in_the_sample_is_told_and_odd_variants_of_it_are_tried(
    place: MappingDirectory, httpserver: HTTPServer
) -> None:
    odd = order(state="teleported", lines=[{"sku": "MUG", "title": "Mug", "qty": -2, "price": 24.95}])
    httpserver.expect_request("/api/orders/10473").respond_with_json(odd)
    code, text = place.check(ORDER_MAPPING, order="10473")
    assert code == 1, text
    assert "an order with 1 lines and 0 parcels, unknown" in text
    assert "field status: the answer has a word that 'map' does not have, and there is no default" in text
    assert "field items[].quantity: must be a number of zero or more; it counts as not known" in text
    assert "all could be used, but for those with an odd phone (is missing)" in text
    assert "teleported" not in text


@pytest.mark.parametrize("name", ["shopify", "woocommerce", "oscar"])
def test_a_shipped_mapping_can_use_every_odd_variant_of_an_order(
    place: MappingDirectory, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for secret in SECRETS:
        monkeypatch.setenv(secret, "secret")
    made_up = MAKERS[name](7).shop
    httpserver.expect_request(re.compile(".*")).respond_with_handler(getattr(made_up, name))
    text = re.sub(r"(?m)^base_url: https://[^/\s]+", "base_url: BASE", shipped()[name].read_text(encoding="utf-8"))
    number = re.sub(r"\D", "", str(made_up.orders[0].get("number") or made_up.orders[0].get("name")))
    code, told = place.check(text, order=number)
    assert code < 2, told
    assert re.search(r"\d\d variants of the sample, each with one value [a-z, ]+: all could be used\n", told), told


def test_without_samples_an_order_is_looked_for_that_is_not_there(
    place: MappingDirectory, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/orders/99999999").respond_with_json({}, status=404)
    code, text = place.check(ORDER_MAPPING)
    assert (code, "no such order, as it should" in text, "not asked: give --phone" in text) == (0, True, True)


@pytest.mark.parametrize(
    ("status", "body", "detail", "fix"),
    [
        (401, {}, "does not accept us; see the environment variable SHOP_SECRET", "put the right secret there"),
        (500, {}, "unavailable: GET /orders/{{ number }}: answers 500", "see docs/shop-http.md"),
        (
            200,
            {"data": {}},
            "field number: is missing (path 'number'; the keys there: data)",
            "put the field's path right",
        ),
        (302, {}, "answers with a redirect", "put the address that it redirects to into base_url"),
    ],
)
def test_what_is_wrong_is_told_with_its_fix(
    place: MappingDirectory,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: dict[str, object],
    detail: str,
    fix: str,
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    httpserver.expect_request("/api/orders/10473").respond_with_json(body, status=status)
    code, text = place.check(ORDER_MAPPING + "auth: {bearer: {env: SHOP_SECRET}}\n", order="10473")
    assert (code, detail in text, f"fix: {fix}" in text) == (2, True, True), text
    assert "s3cret" not in text


def test_a_missing_secret_and_a_host_that_is_not_there(
    place: MappingDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_SECRET", raising=False)
    _, text = place.check(ORDER_MAPPING + "auth: {bearer: {env: SHOP_SECRET}}\n")
    assert "the environment variable SHOP_SECRET is not set" in text
    code, text = place.check(ORDER_MAPPING.replace("BASE", "http://no-such-host.invalid"))
    assert (code, "is no host" in text or "there is no host" in text) == (2, True), text
    assert "put base_url right, or see that this machine can resolve the host" in text


def test_a_secret_that_others_can_read_and_a_way_that_others_can_read(
    place: MappingDirectory, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/orders/99999999").respond_with_json({}, status=404)
    (place.directory / "token").write_text("s3cret")
    (place.directory / "token").chmod(0o644)
    code, text = place.check(ORDER_MAPPING + "auth: {bearer: {file: token}}\n")
    assert (code, f"fix: chmod 600 {place.directory / 'token'}" in text) == (1, True), text


def test_changes_are_only_made_when_asked_for(place: MappingDirectory, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/desk/tickets", method="POST").respond_with_json({"ticket": {"id": 9}}, status=201)
    code, text = place.check(TICKET_MAPPING)
    assert (code, "filled in, not sent" in text, len(httpserver.log)) == (0, True, 0)
    code, text = place.check(TICKET_MAPPING, write=True)
    assert (code, "made ticket 9" in text, len(httpserver.log)) == (0, True, 1)


def test_an_order_without_what_verifies_its_owner_is_warned_of(place: MappingDirectory, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/orders/10473").respond_with_json(order(ship_to={"phone": PHONE}))
    code, text = place.check(ORDER_MAPPING, order="10473")
    assert (code, "but without postcode: an order with 1 lines" in text) == (1, True)


class TestTheCommand:
    def test_it_names_the_mistakes_of_mapping_files(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "orderline.yaml").write_text("shop: {systems_directory: systems}\n")
        (tmp_path / "systems").mkdir()
        (tmp_path / "systems" / "a.yaml").write_text("system: shop\nbase_url: nowhere\noperations: {}\n")
        assert main.main(["shop", "check", "--config", str(tmp_path)]) == 2
        assert f"{tmp_path}/systems/a.yaml:2: base_url: " in capsys.readouterr().err

    def test_without_mapping_files_there_is_nothing_to_check(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "orderline.yaml").write_text("")
        assert main.main(["shop", "check", "--config", str(tmp_path)]) == 2
        assert "shop.systems_directory is not set" in capsys.readouterr().err

    def test_shipped_mappings_are_listed_and_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["shop", "mappings"]) == 0
        names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
        assert {"shopify", "woocommerce", "zendesk", "oscar", "roundup", "kannel"} <= set(names)
        assert main.main(["shop", "mapping", "zendesk"]) == 0
        assert "\nsystem: zendesk\n" in capsys.readouterr().out
        assert main.main(["shop", "mapping", "zendeks"]) == 2
