"""``orderline chat --config``: whole calls in text over a made-up REST system on loopback."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.cli.main import main
from agent.flows import english_pack
from agent.shop.answers import complete_answer
from tests.shipped_pack import fitted_score_file

pytestmark = pytest.mark.slow

SECRET = "s3cret-token"
MAPPING = """
system: webshop
base_url: BASE
auth: {bearer: {file: token}}
timeout_seconds: 2
operations:
  orders.find:
    get: /orders/{{ number }}
    status: {404: not_found}
    fields:
      number: number
      status: {path: state, map: {sent: shipped, arrived: delivered}}
      placed_on: created
      delivered_on: arrived_on
      expected_on: due
      carrier: carrier
      currency: currency
      total: total
      postcode: zip
      phone: phone
      items: {list: lines, fields: {sku: sku, name: title, quantity: qty, price: price}}
  returns.of_order:
    get: /orders/{{ number }}/returns
    list: returns
    fields: {number: id}
  returns.create:
    post: /returns
    json: {order: "{{ number }}", sku: "{{ sku }}", why: "{{ reason }}"}
    idempotency: {header: Idempotency-Key}
    fields: {number: id}
"""
SETTINGS = """
shop:
  name: Northwind Supply
  timezone: America/Chicago
  systems_directory: systems
state_directory: state
"""
ORDERS = {
    "10473": {
        "number": "10473",
        "state": "sent",
        "created": "2026-11-20",
        "due": "2026-11-24",
        "carrier": "UPS",
        "arrived_on": None,
        "currency": "USD",
        "total": "49.90",
        "zip": "60614",
        "phone": "(202) 555-0143",
        "lines": [{"sku": "MUG", "title": "Stoneware Mug", "qty": 2, "price": "24.95"}],
    },
    "10437": {
        "number": "10437",
        "state": "arrived",
        "created": "2026-11-12",
        "due": None,
        "carrier": "UPS",
        "arrived_on": "2026-11-18",
        "currency": "USD",
        "total": "49.50",
        "zip": "60614",
        "phone": "(202) 555-0143",
        "lines": [{"sku": "BTS", "title": "Leather Boots", "qty": 1, "price": "49.50"}],
    },
}
ORDER_STATUS = ("where is my order", "#10473", "#60614")
RETURN = ("i want to return something", "#10437", "#60614", *("i changed my mind", "it's unopened"))
RETURN += ("by mail", "back to my card", "yes")


@dataclass
class MadeUpSystem:
    """A web shop's API."""

    url: str
    requests: list[Request]

    def posted(self) -> list[Request]:
        """Whatever was asked to change something."""
        return [request for request in self.requests if request.method != "GET"]


@pytest.fixture
def webshop(httpserver: HTTPServer) -> MadeUpSystem:
    made_up = MadeUpSystem(httpserver.url_for("").rstrip("/"), [])

    def answer(request: Request) -> Response:
        made_up.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return Response("{}", 401)
        if request.method == "POST":
            return _json({"id": "R-77"})
        parts = request.path.strip("/").split("/")
        if parts[-1] == "returns":
            return _json({"returns": []})
        return _json(ORDERS[parts[-1]]) if parts[-1] in ORDERS else Response("{}", 404)

    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    return made_up


def _json(data: Any) -> Response:
    return Response(json.dumps(data), mimetype="application/json")


Configure = Callable[..., Path]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write the settings and one mapping file; returns the directory of orderline.yaml."""

    def write(url: str, mapping: str = MAPPING, settings: str = SETTINGS) -> Path:
        systems = tmp_path / "systems"
        systems.mkdir()
        (tmp_path / "state" / "understanding").mkdir(parents=True)
        shutil.copy(fitted_score_file(), tmp_path / "state" / "understanding")
        (tmp_path / "orderline.yaml").write_text(settings)
        (systems / "webshop.yaml").write_text(mapping.replace("BASE", url).lstrip())
        (systems / "token").write_text(SECRET + "\n")
        return tmp_path

    return write


@dataclass
class Talk:
    """Holds a chat with typed lines; returns what was printed."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, directory: Path, lines: tuple[str, ...], *arguments: str) -> str:
        typed = "".join(f"{line}\n" for line in lines).encode()
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
        code = main(["chat", "--config", str(directory), "--now", "2026-11-23T10:00", *arguments])
        assert code == 0
        return self.capsys.readouterr().out


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Talk:
    return Talk(monkeypatch, capsys)


def test_an_order_of_the_configured_system_is_told_in_the_shops_own_name(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    directory = configure(webshop.url)
    told = talk(directory, ORDER_STATUS)
    assert "Northwind Supply" in told
    assert "Your order has been shipped with UPS, and should arrive tomorrow." in told
    assert {request.path for request in webshop.requests} == {"/orders/10473"}
    assert SECRET not in told
    assert {path.name for path in (directory / "state").iterdir()} <= {"understanding"}, "scores can be fitted anew"


def test_a_return_is_not_sent_unless_it_is_really_wanted_and_the_transcript_says_so(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    told = talk(configure(webshop.url), RETURN)
    line = next(line for line in told.splitlines() if "not done" in line)
    assert line.startswith('  [not done (would be: returns.create {"number": "10437"')
    assert '"reason": "changed_mind"' in line
    assert "returns.create(" not in told
    assert "Your return number is N O T, D O N E." in told
    assert webshop.posted() == []


def test_a_return_that_is_really_wanted_is_sent_once_with_a_key_of_this_call(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    directory = configure(webshop.url)
    told = talk(directory, RETURN, "--really")
    assert "not done (would be: returns.create" not in told
    assert "[returns.create(number=10437" in told
    assert "Your return number is R, seven seven." in told
    (posted,) = webshop.posted()
    assert posted.json == {"order": "10437", "sku": "BTS", "why": "changed_mind"}
    talk(directory, RETURN, "--really")
    keys = [request.headers["Idempotency-Key"] for request in webshop.posted()]
    assert len(keys) == 2
    assert all(key.startswith("chat-") for key in keys)
    assert keys[0] != keys[1]


def test_with_json_a_change_that_was_not_sent_is_marked_and_answers_what_the_service_could(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    lines = tuple(json.dumps({"keys": line[1:]} if line.startswith("#") else {"say": line}) for line in RETURN)
    exchanges = [json.loads(line) for line in talk(configure(webshop.url), lines, "--json").splitlines()]
    effects = [effect for exchange in exchanges for effect in exchange["effects"]]
    made = next(effect for effect in effects if effect["name"] == "returns.create")
    assert made["not_done"] is True
    assert made["result"]["return"]["number"] == "NOT-DONE"
    assert complete_answer("returns.create", made["result"]) == made["result"]
    assert {"name", "arguments", "result", "failed", "reason"} <= made.keys()
    assert all("not_done" not in effect for effect in effects if effect["name"].startswith("orders."))
    assert webshop.posted() == []


def test_a_change_that_no_system_serves_fails_in_a_chat_as_in_a_call(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    without = MAPPING[: MAPPING.index("  returns.create:")]
    told = talk(configure(webshop.url, without), RETURN)
    assert "unavailable: no system maps returns.create]" in told
    assert "NOT-DONE" not in told
    assert "not done (would be: returns.create" not in told


def test_a_broken_mapping_is_told_by_file_and_line(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    broken = MAPPING.replace("    get: /orders/{{ number }}\n", "    gte: /orders/{{ number }}\n", 1)
    directory = configure("http://127.0.0.1:9", broken)
    assert main(["chat", "--config", str(directory)]) == 2
    line = broken.lstrip().splitlines().index("    gte: /orders/{{ number }}") + 1
    assert f"{directory}/systems/webshop.yaml:{line}:" in capsys.readouterr().err


def test_a_system_that_cannot_be_reached_is_named_with_its_failure(configure: Configure, talk: Talk) -> None:
    told = talk(configure("http://127.0.0.1:9"), ORDER_STATUS)
    line = next(line for line in told.splitlines() if line.startswith("  [orders.verify("))
    assert "unavailable: webshop:" in line


def test_a_secret_that_is_missing_is_named_by_its_place(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    directory = configure(webshop.url)
    (directory / "systems" / "token").unlink()
    told = talk(directory, ORDER_STATUS)
    assert f"{directory}/systems/token" in told
    assert webshop.requests == []


def test_outside_the_hours_of_the_queue_nobody_is_put_through(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    hours = SETTINGS + 'queues:\n  support:\n    hours: {tuesday: "09:00-17:00"}\n'
    told = talk(configure(webshop.url, settings=hours), ("i want to speak to a person",))
    assert "[the queue is closed, opens 2026-11-24T09:00-06:00]" in told
    assert "[to a person" not in told


def test_the_number_formats_are_those_of_the_settings(webshop: MadeUpSystem, configure: Configure, talk: Talk) -> None:
    settings = SETTINGS.replace("shop:\n", "shop:\n  number_formats: {order_number: '999999'}\n")
    told = talk(configure(webshop.url, settings=settings), ("where is my order", "#10473"))
    assert "(order_number=10473...)" in told  # five digits of six: the caller goes on


def test_the_procedures_are_those_of_the_settings_unless_others_are_named(
    webshop: MadeUpSystem, configure: Configure, talk: Talk
) -> None:
    directory = configure(webshop.url, settings=SETTINGS + "flows_directory: flows\n")
    shutil.copytree(english_pack(), directory / "flows")
    prompts = directory / "flows" / "prompts.yaml"
    prompts.write_text(prompts.read_text().replace("Thanks for calling {{ shop }}", "Welcome to {{ shop }}"))
    assert "agent: Welcome to Northwind Supply." in talk(directory, ())
    assert "agent: Thanks for calling Northwind Supply." in talk(directory, (), "--flows", str(english_pack()))


def test_really_needs_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as usage:
        main(["chat", "--really"])
    assert usage.value.code == 2
    assert "--really needs --config" in capsys.readouterr().err


def test_the_example_in_the_docs_is_what_is_printed(webshop: MadeUpSystem, configure: Configure, talk: Talk) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "shop-http.md").read_text(encoding="utf-8")
    section = docs[docs.index("## A whole call before the first ring") :]
    example = section[section.index("```text\n") + len("```text\n") :]
    lines = example[: example.index("```")].splitlines()
    typed = tuple(line.removeprefix("caller: ") for line in lines if line.startswith("caller: "))
    printed = [line for line in lines if not line.startswith("caller: ")]
    assert typed == (*RETURN, "no thank you")
    assert talk(configure(webshop.url), typed).splitlines() == printed
