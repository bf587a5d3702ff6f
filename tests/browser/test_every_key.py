"""The page of all keys in a real browser: a field for everything a pack holds, and every key it may have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.builder.trees import Tree, value_at
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath
from agent.dialog.pack.pack_files import read_pack_files
from agent.flows import english_pack
from tests.browser.conftest import AXE
from tests.browser.console_site import ConsoleSite, console_site
from tests.browser.test_accessible import axe_findings
from tests.builder.schema_walk import SchemaModel, models, places

Open = Callable[..., Any]
MODELS = models()
SECTIONS = tuple(MODELS[0].keys)
_OPEN_ALL = """() => {
  const shut = [...document.querySelectorAll('.entry-form details:not([open])')];
  for (const one of shut) one.open = true;
  const empty = [...document.querySelectorAll('.entry-form details[open]')].filter(
    (one) => !one.lastElementChild.childElementCount);
  return shut.length + empty.length;
}"""
_FIELDS = "() => [...document.querySelectorAll('.entry-form [data-key]')].map((one) => one.dataset.key)"
_ADDERS = """() => [...document.querySelectorAll('.entry-form select[data-key^="key:"]')].map(
  (one) => [one.dataset.key.slice(4), [...one.options].map((option) => option.value)])"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    """A console over a copy of the English procedures."""
    procedures = tmp_path_factory.mktemp("procedures") / "en"
    shutil.copytree(english_pack(), procedures)
    with console_site(tmp_path_factory.mktemp("keys") / "state", calls=40, flows_directory=str(procedures)) as running:
        yield running


@pytest.fixture(scope="module")
def pack() -> dict[str, Tree]:
    """What all files of the shipped pack hold together."""
    tree: dict[str, Tree] = {}
    for file, text in read_pack_files(english_pack())[0].items():
        for name, value in document(file, text).data.items():
            tree[name] = {**tree[name], **value} if isinstance(value, dict) and name in tree else value
    return tree


def _opened(page: Any, section: str) -> Any:
    page.goto(f"/builder/pack?name={section}")
    page.wait_for_selector(".draft-bar:not([hidden])")
    while page.evaluate(_OPEN_ALL):
        page.wait_for_timeout(50)  # what is inside is made when the browser tells that they are open
    return page


def _leaves(tree: Tree, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(tree, str):
        yield path
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _leaves(value, (*path, name))


def test_every_text_of_the_shipped_pack_has_a_field_and_every_key_is_offered(
    open_page: Open, pack: dict[str, Tree]
) -> None:
    page = open_page("/builder/pack", who="ana")
    checked = 0
    for section in SECTIONS:
        _opened(page, section)
        fields = {tuple(json.loads(one)) for one in page.evaluate(_FIELDS) if one[:1] + one[-1:] == "[]"}
        missing = [path for path in _leaves(pack[section], (section,)) if path not in fields]
        assert not missing, (section, len(missing), missing[:5])
        offered = {tuple(json.loads(place)): set(keys) for place, keys in page.evaluate(_ADDERS)}
        for model in MODELS[1:]:
            for path in _instances(pack, model) if model.pattern[0] == section else ():
                there = set(value_at(pack, path))
                assert there | offered.get(path, set()) == set(model.keys), (model.name, path)
                checked += 1
    assert checked > 700


def _instances(pack: dict[str, Tree], model: SchemaModel) -> list[KeyPath]:
    return [path for path in places(pack, model.pattern) if model.is_at(value_at(pack, path))]


def test_a_service_gets_a_key_it_had_not_by_keyboard_and_undo_takes_it_away(open_page: Open, site: ConsoleSite) -> None:
    page = _opened(open_page("/builder/pack", who="ana"), "services")
    place = '["services","messages.send"]'
    page.locator(f"select[data-key='key:{place}']").select_option("optional")
    page.locator(f"[data-key='add-key:{place}']").focus()
    page.keyboard.press("Enter")
    field = page.locator('input[data-key=\'["services","messages.send","optional"]+\']')
    field.focus()
    page.keyboard.type("language")
    page.keyboard.press("Enter")
    page.wait_for_selector(".saved.good:has-text('Saved ')")
    assert "language" in _service(site)["optional"]
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    page.locator(f"select[data-key='key:{place}'] option[value='optional']").wait_for(state="attached")
    assert "optional" not in _service(site)


def _service(site: ConsoleSite) -> dict[str, Tree]:
    drafts = site.run(site.context.drafts.list())
    files = site.run(site.context.drafts.get(drafts[0].id)).files()
    held = [document(file, text).data for file, text in files.items() if "messages.send:" in text]
    found: dict[str, Tree] = next(one["services"]["messages.send"] for one in held if "services" in one)
    return found


@pytest.mark.skipif(not AXE.is_file(), reason="make console fetches axe-core")
@pytest.mark.parametrize("section", ["services", "slots", "outbound"])
def test_axe_finds_nothing_on_the_page_of_all_keys(open_page: Open, section: str) -> None:
    page = _opened(open_page("/builder/pack", who="ana", bypass_csp=True), section)
    assert not axe_findings(page)
