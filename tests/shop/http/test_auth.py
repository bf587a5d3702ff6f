"""Every way of authenticating to a system, on a real server; secrets from the environment and from files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.shop.http.mapped import ORDER_MAPPING, OpenShop, order, service_error_of

ORDER = "/api/orders/10473"
OAUTH = """
auth:
  oauth2:
    token_url: BASE/token
    client_id: orderline
    client_secret: {env: SHOP_SECRET}
    scope: orders.read
"""


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "s3cret & more")


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ("basic: {user: agent, password: {env: SHOP_SECRET}}", "Authorization", "Basic YWdlbnQ6czNjcmV0ICYgbW9yZQ=="),
        ("bearer: {env: SHOP_SECRET}", "Authorization", "Bearer s3cret & more"),
        ("headers: {X-Api-Key: {env: SHOP_SECRET}, X-User: agent}", "X-Api-Key", "s3cret & more"),
    ],
)
async def test_a_header_carries_the_secret(
    open_shop: OpenShop, httpserver: HTTPServer, auth: str, header: str, value: str
) -> None:
    httpserver.expect_request(ORDER, headers={header: value}).respond_with_json(order())
    assert (await open_shop(f"{ORDER_MAPPING}auth: {{{auth}}}\n").systems.orders.find("10473")).number == "10473"


async def test_a_query_carries_the_secret_beside_the_operations_own(
    open_shop: OpenShop, httpserver: HTTPServer
) -> None:
    query = {"phone": "+12025550143", "username": "agent", "password": "s3cret & more"}
    httpserver.expect_request("/api/orders", query_string=query).respond_with_json({"orders": [order()]})
    shop = open_shop(ORDER_MAPPING + "auth: {query: {username: agent, password: {env: SHOP_SECRET}}}\n")
    assert len(await shop.systems.orders.find_by_phone("+12025550143")) == 1


async def test_a_new_secret_in_a_file_counts_at_once(
    open_shop: OpenShop, httpserver: HTTPServer, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    shop = open_shop(ORDER_MAPPING + f"auth: {{bearer: {{file: {file}}}}}\n")
    httpserver.expect_request(ORDER, headers={"Authorization": "Bearer new"}).respond_with_json(order())
    file.write_text("new\n")
    assert (await shop.systems.orders.find("10473")).number == "10473"


async def test_a_missing_secret_is_named_by_its_place(
    open_shop: OpenShop, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_SECRET")
    error = await service_error_of(
        open_shop(ORDER_MAPPING + "auth: {bearer: {env: SHOP_SECRET}}\n").systems.orders.find("10473")
    )
    assert (error.code, error.message) == ("unavailable", "the environment variable SHOP_SECRET is not set")
    assert not httpserver.log


async def test_a_refusal_names_the_secrets_place(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    httpserver.expect_request(ORDER).respond_with_data("", status=401)
    error = await service_error_of(
        open_shop(ORDER_MAPPING + "auth: {bearer: {env: SHOP_SECRET}}\n").systems.orders.find("10473")
    )
    assert error.code == "unavailable"
    assert error.message.endswith("answers 401: it does not accept us; see the environment variable SHOP_SECRET")


class TestClientCredentials:
    def tokens(self, httpserver: HTTPServer, life_seconds: int = 3600) -> list[Request]:
        """Give out token-1, token-2, ...; returns the requests as they come."""
        asked: list[Request] = []

        def give(request: Request) -> Response:
            asked.append(request)
            data = {"access_token": f"token-{len(asked)}", "token_type": "bearer", "expires_in": life_seconds}
            return Response(json.dumps(data), mimetype="application/json")

        httpserver.expect_request("/token", method="POST").respond_with_handler(give)
        return asked

    async def test_one_token_serves_many_who_ask_at_once(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        asked = self.tokens(httpserver)
        httpserver.expect_request(ORDER, headers={"Authorization": "Bearer token-1"}).respond_with_json(order())
        shop = open_shop(ORDER_MAPPING + OAUTH)
        await asyncio.gather(*(shop.systems.orders.find("10473") for _ in range(5)))
        assert len(asked) == 1
        assert asked[0].form.to_dict() == {"grant_type": "client_credentials", "scope": "orders.read"}
        # RFC 6749 2.3.1: id and secret are form-encoded before they go into the header
        assert asked[0].authorization is not None
        assert asked[0].authorization.parameters == {"username": "orderline", "password": "s3cret+%26+more"}

    async def test_id_and_secret_in_the_form_where_the_endpoint_wants_them_there(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        asked = self.tokens(httpserver)
        httpserver.expect_request(ORDER).respond_with_json(order())
        await open_shop(ORDER_MAPPING + OAUTH + "    send_as: form\n").systems.orders.find("10473")
        assert asked[0].form["client_secret"] == "s3cret & more"
        assert asked[0].authorization is None

    async def test_a_token_is_renewed_before_it_runs_out(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        now = 0.0
        asked = self.tokens(httpserver, life_seconds=100)
        httpserver.expect_request(ORDER).respond_with_json(order())
        shop = open_shop(ORDER_MAPPING + OAUTH, clock=lambda: now)
        await shop.systems.orders.find("10473")
        now = 69.0
        await shop.systems.orders.find("10473")
        assert len(asked) == 1
        now = 71.0
        await shop.systems.orders.find("10473")
        assert len(asked) == 2

    async def test_a_refused_token_is_renewed_once(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        asked = self.tokens(httpserver)
        httpserver.expect_request(ORDER, headers={"Authorization": "Bearer token-1"}).respond_with_data("", status=401)
        httpserver.expect_request(ORDER, headers={"Authorization": "Bearer token-2"}).respond_with_json(order())
        shop = open_shop(ORDER_MAPPING + OAUTH)
        assert (await shop.systems.orders.find("10473")).number == "10473"
        assert len(asked) == 2
        httpserver.clear()
        self.tokens(httpserver)
        httpserver.expect_request(ORDER).respond_with_data("", status=401)
        assert (await service_error_of(shop.systems.orders.find("10473"))).code == "unavailable"
        assert sum(request.path == ORDER for request, _ in httpserver.log) == 2

    @pytest.mark.parametrize("body", ["{}", "[]", "null", "{", '{"access_token": 5}', '{"access_token": "a\\nb"}'])
    async def test_a_token_endpoint_that_talks_nonsense(
        self, open_shop: OpenShop, httpserver: HTTPServer, body: str
    ) -> None:
        httpserver.expect_request("/token").respond_with_data(body, content_type="application/json")
        error = await service_error_of(open_shop(ORDER_MAPPING + OAUTH).systems.orders.find("10473"))
        assert (error.code, "token endpoint" in error.message) == ("unavailable", True)

    async def test_a_refused_client_is_told_where_its_secret_is(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request("/token").respond_with_json({"error": "invalid_client"}, status=401)
        error = await service_error_of(open_shop(ORDER_MAPPING + OAUTH).systems.orders.find("10473"))
        assert "the environment variable SHOP_SECRET" in error.message
