"""Mapping files: every mistake is told by file, line and key before anything is asked."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.shop.http.mapping_files import MappingError, MappingFile, load_directory, read_file, shipped

GOOD = """
system: shop
base_url: https://shop.example.com/api
operations:
  tickets.create:
    post: /tickets
    json: {reason: "{{ reason }}", api: 2, flag: true, word: yes}
    fields: {id: id}
"""
ORDER = """
system: shop
base_url: https://shop.example.com
operations:
  orders.find:
    get: /orders/{{ number }}
    fields:
      number: number
      status: {path: state, map: {new: placed}}
      placed_on: created
      currency: currency
      total: total
      postcode: zip
      phone: phone
"""


def problems(directory: Path, *texts: str) -> list[str]:
    """Return the lines of the error that the files cause, without their directory."""
    for index, text in enumerate(texts):
        (directory / f"{index}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        load_directory(directory)
    return caught.value.message.replace(f"{directory}/", "").splitlines()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("base_url: https", "base_urll: https", "0.yaml:3: base_urll: there is no such key; did you mean base_url?"),
        (
            "post: /tickets",
            "pots: /tickets",
            "0.yaml:6: operations.tickets.create.pots: there is no such key; did you mean post?",
        ),
        (
            "tickets.create",
            "tickets.creat",
            "0.yaml:5: operations.tickets.creat: there is no such operation; did you mean tickets.create?",
        ),
        (
            "{{ reason }}",
            "{{ raeson }}",
            "0.yaml:7: operations.tickets.create.json.reason: uses 'raeson', which there is not",
        ),
        ("post: /tickets", "post: tickets", "0.yaml:6: operations.tickets.create.post: must begin with /"),
        ("{id: id}", "{}", "0.yaml:8: operations.tickets.create.fields: id is missing"),
        (
            "{id: id}",
            "{id: 'a[', ide: x}",
            "0.yaml:8: operations.tickets.create.fields.ide: there is no such field; did you mean id?",
        ),
        ("{id: id}", "{id: 'a['}", "0.yaml:8: operations.tickets.create.fields.id.path: is not a JMESPath"),
        (
            "{id: id}",
            "{id: {path: a, match: '('}}",
            "0.yaml:8: operations.tickets.create.fields.id.match: is not a regular expression",
        ),
        ("system: shop", "system: shop\nauth: {bearer: {env: A, file: b}}", "0.yaml:3: auth.bearer: give either env"),
        (
            "system: shop",
            "system: shop\nauth: {headers: {X-Api-Key: hunter2}}",
            "0.yaml:3: auth: X-Api-Key is a secret",
        ),
        ("system: shop", "system: shop\nauth: {bearer: hunter2}", "0.yaml:3: auth.bearer: "),
        (
            "system: shop",
            "system: shop\ntimezone: Mars/Olympus",
            "0.yaml:3: timezone: there is no time zone 'Mars/Olympus'",
        ),
        (
            "post: /tickets",
            "post: /tickets\n    get: /x",
            "0.yaml:5: operations.tickets.create: give exactly one of get, post",
        ),
        ("system: shop", "system: shop\nsystem: shop", "0.yaml:3: system: stands twice"),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert any(line.startswith(said) for line in found), found
    assert "hunter2" not in "".join(found)


def test_a_status_that_is_none_of_ours_is_told(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, ORDER.replace("placed}", "plcaed}"))
    assert line.startswith("0.yaml:9: operations.orders.find.fields.status.map.new: 'plcaed' is none of ours: placed,")


def test_a_list_must_say_where_it_is(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, ORDER.replace("orders.find:", "orders.find_by_phone:").replace("{{ number }}", "x"))
    assert line.startswith("0.yaml:5: operations.orders.find_by_phone: answers with a list: 'list' must say where")


def test_one_operation_has_one_system(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD, GOOD.replace("system: shop", "system: desk")) == [
        "1.yaml:5: operations.tickets.create: is served by 0.yaml:5 already; an operation has one system"
    ]
    assert problems(tmp_path, GOOD, ORDER) == ["1.yaml:2: system: 0.yaml has this name already"]


def test_every_file_and_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD.replace("{id: id}", "{idd: id}"), ORDER.replace("total: total", ""))
    assert [line.split(": ")[0] for line in found] == ["0.yaml:8", "0.yaml:8", "1.yaml:7"]


def test_a_body_keeps_the_types_of_json_and_words_stay_words(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    file = read_file(tmp_path / "a.yaml")
    assert isinstance(file, MappingFile)
    body = file.system.operations["tickets.create"].json_body
    assert body == {"reason": "{{ reason }}", "api": 2, "flag": True, "word": "yes"}


def test_secrets_lie_beside_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD + "auth: {bearer: {file: secrets/token}}\ntls: {ca_file: ca.pem}\n")
    (file,) = load_directory(tmp_path)
    assert file.system.auth.bearer is not None
    assert (file.system.auth.bearer.file, file.system.tls.ca_file) == (tmp_path / "secrets/token", tmp_path / "ca.pem")


def test_a_directory_without_mappings_says_where_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="orderline shop mappings"):
        load_directory(tmp_path)
    with pytest.raises(MappingError, match=r"shop\.systems_directory"):
        load_directory(tmp_path / "none")


@pytest.mark.parametrize("name", list(shipped()))
def test_shipped_mappings_have_no_mistakes(name: str) -> None:
    found = read_file(shipped()[name])
    assert isinstance(found, MappingFile), found


def test_the_whole_file_of_the_documentation_has_none_either(tmp_path: Path) -> None:
    document = (Path(__file__).resolve().parents[3] / "docs" / "shop-http.md").read_text(encoding="utf-8")
    example = document.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "a.yaml").write_text(example, encoding="utf-8")
    assert isinstance(read_file(tmp_path / "a.yaml"), MappingFile), read_file(tmp_path / "a.yaml")


WORDS = st.sampled_from(
    ["", "a[", "{{ x", "{{ number }}", "/orders", "GET", "200", "yes", "https://a.example", "not_found", "@", "~"]
)
KEYS = st.sampled_from(
    [
        *("system", "base_url", "auth", "basic", "user", "password", "env", "file", "operations", "orders.find"),
        *(
            "get",
            "post",
            "json",
            "form",
            "query",
            "steps",
            "name",
            "for_each",
            "follow",
            "fields",
            "list",
            "path",
            "map",
        ),
        *("items", "status", "404", "pages", "next", "idempotency", "find_first", "found", "check", "tls", "breaker"),
    ]
)
TREES = st.recursive(
    WORDS, lambda inner: st.dictionaries(KEYS, inner, max_size=5) | st.lists(inner, max_size=3), max_leaves=25
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(top=st.dictionaries(KEYS, TREES), operation=TREES)
def test_whatever_a_file_holds_is_a_mapping_or_mistakes_with_their_line(
    tmp_path: Path, top: dict[str, object], operation: object
) -> None:
    data = {"system": "shop", "base_url": "https://a.example", "operations": {"orders.find": operation}, **top}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    found = read_file(tmp_path / "a.yaml")
    assert isinstance(found, MappingFile) or (found and all(finding.line for finding in found))
