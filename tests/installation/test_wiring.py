"""``orderline wire``: only what is missing is added, only where it can be taken out again, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.installation import asterisk_files, marked_block, wiring
from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError

STOCK = {
    "extensions.conf": "[general]\nstatic=yes\n\n[from-carrier]\nexten => 100,1,Queue(sales)\n",
    "http.conf": "[general]\nservername=Asterisk\n;enabled=yes\nbindaddr=127.0.0.1\n",
    "ari.conf": "[general]\nenabled = yes       ; When set to no, ARI is off\n",
    "manager.conf": "[general]\nenabled = yes\nport = 5038\n",
    "queues.conf": "[general]\npersistentmembers = yes\n\n[sales]\nstrategy=ringall",  # no line end on purpose
}


@pytest.fixture
def layout(tmp_path: Path) -> InstallationLayout:
    found = InstallationLayout(root=tmp_path)
    asterisk, etc = (found.on_disk(place) for place in (found.asterisk_etc_dir, found.etc_dir))
    for directory in (asterisk, etc):
        directory.mkdir(parents=True)
    for name, text in STOCK.items():
        (asterisk / name).write_text(text)
    (asterisk / "orderline.conf").write_text("[orderline]\nexten => s,1,NoOp()\n")
    for name in ("ari-password", "ami-secret"):
        (etc / name).write_text(f"{name.replace('-', '')}0123456789\n")
    return found


def texts(layout: InstallationLayout) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(layout.on_disk(layout.asterisk_etc_dir).iterdir())}


def test_what_is_added_makes_a_whole_and_is_taken_out_byte_for_byte(layout: InstallationLayout) -> None:
    before = texts(layout)
    changes = wiring.plan(layout)
    assert [change.file.name for change in changes] == list(STOCK)
    assert texts(layout) == before, "planning writes nothing"
    wiring.apply(layout, changes)
    directory = layout.on_disk(layout.asterisk_etc_dir)
    ari, http = asterisk_files.read(directory, "ari.conf"), asterisk_files.read(directory, "http.conf")
    assert ari.get("orderline", "password") == "aripassword0123456789"
    assert (http.get("general", "enabled"), http.get("general", "sessionlimit")) == ("yes", "1000")
    assert "orderline" in asterisk_files.read(directory, "extensions.conf").sections
    assert wiring.plan(layout) == []
    wiring.unwire(layout)
    assert texts(layout) == before
    assert not layout.on_disk(layout.etc_dir / wiring.BACKUPS).exists()


def test_calls_may_go_to_the_queues_of_the_settings_and_no_others(layout: InstallationLayout) -> None:
    directory = layout.on_disk(layout.asterisk_etc_dir)
    wiring.apply(layout, wiring.plan(layout, queues=("sales", "returns")))
    assert asterisk_files.read(directory, "extensions.conf").get("globals", "ORDERLINE_QUEUES") == "sales&returns"
    assert "[globals]\n" in (directory / "extensions.conf").read_text()
    wiring.unwire(layout)
    (directory / "extensions.conf").write_text("[globals]\nORDERLINE_QUEUES=mine\n" + STOCK["extensions.conf"])
    wiring.apply(layout, wiring.plan(layout))
    assert asterisk_files.read(directory, "extensions.conf").get("globals", "ORDERLINE_QUEUES") == "mine"


def test_a_queue_that_comes_into_the_settings_later_is_allowed_by_wiring_again(layout: InstallationLayout) -> None:
    wiring.apply(layout, wiring.plan(layout, queues=("sales",)))
    both = ("sales", "returns")
    changes = wiring.plan(layout, queues=both)
    assert [change.file.name for change in changes] == ["extensions.conf"]
    wiring.apply(layout, wiring.replan_outdated(layout, changes, 8088, both))
    text = (layout.on_disk(layout.asterisk_etc_dir) / "extensions.conf").read_text()
    assert text.count("ORDERLINE_QUEUES=") == 1
    assert "ORDERLINE_QUEUES=sales&returns" in text
    assert wiring.plan(layout, queues=both) == []
    wiring.unwire(layout)
    assert (layout.on_disk(layout.asterisk_etc_dir) / "extensions.conf").read_text() == STOCK["extensions.conf"]


def test_globals_that_are_there_are_gone_on_with(layout: InstallationLayout) -> None:
    file = layout.on_disk(layout.asterisk_etc_dir) / "extensions.conf"
    file.write_text("[globals]\nTRUNK=PJSIP/carrier\n" + STOCK["extensions.conf"])
    wiring.apply(layout, wiring.plan(layout))
    assert "[globals](+)" in file.read_text()
    assert asterisk_files.read(file.parent, "extensions.conf").get("globals", "TRUNK") == "PJSIP/carrier"


def test_wiring_again_after_an_upgrade_leaves_the_people_in_the_queue(layout: InstallationLayout) -> None:
    wiring.apply(layout, wiring.plan(layout))
    directory = layout.on_disk(layout.asterisk_etc_dir)
    queues, dialplan = directory / "queues.conf", directory / "extensions.conf"
    queues.write_text(queues.read_text().replace("[orderline-humans]\n", "[orderline-humans]\nmember => PJSIP/601\n"))
    dialplan.write_text(dialplan.read_text().replace("ORDERLINE_QUEUES=orderline-humans\n", ""))
    changes = wiring.plan(layout)
    assert [change.file.name for change in changes] == ["extensions.conf"]
    wiring.apply(layout, wiring.replan_outdated(layout, changes, 8088))
    assert "member => PJSIP/601" in queues.read_text()
    assert dialplan.read_text().count("ORDERLINE_QUEUES=orderline-humans") == 1
    assert dialplan.read_text().count('#include "orderline.conf"') == 1


def test_edits_made_after_the_wiring_stay(layout: InstallationLayout) -> None:
    wiring.apply(layout, wiring.plan(layout))
    file = layout.on_disk(layout.asterisk_etc_dir) / "extensions.conf"
    file.write_text(file.read_text().replace("Queue(sales)", "Queue(support)") + "[mine]\n")
    wiring.unwire(layout)
    assert file.read_text() == STOCK["extensions.conf"].replace("sales", "support") + "[mine]\n"


def test_people_put_between_the_marks_are_told_when_they_go(layout: InstallationLayout) -> None:
    wiring.apply(layout, wiring.plan(layout))
    file = layout.on_disk(layout.asterisk_etc_dir) / "queues.conf"
    file.write_text(file.read_text().replace("[orderline-humans]\n", "[orderline-humans]\nmember => PJSIP/601\n"))
    assert any("member => PJSIP/601" in line for line in wiring.unwire(layout))


def test_what_the_administrator_has_set_is_not_set_again(layout: InstallationLayout) -> None:
    directory = layout.on_disk(layout.asterisk_etc_dir)
    (directory / "http.conf").write_text("[general]\nenabled=yes\nbindaddr=10.0.0.1\nsessionlimit=2000\n")
    (directory / "queues.conf").write_text('[general]\n#include "mine.conf"\n')
    (directory / "mine.conf").write_text("[orderline-humans]\nstrategy=ringall\n")
    assert {change.file.name for change in wiring.plan(layout)} == {"extensions.conf", "ari.conf", "manager.conf"}


def test_a_file_that_could_not_be_put_back_is_not_touched_and_neither_are_the_others(
    layout: InstallationLayout,
) -> None:
    directory = layout.on_disk(layout.asterisk_etc_dir)
    real = directory / "elsewhere"
    (directory / "queues.conf").rename(real)
    (directory / "queues.conf").symlink_to(real)
    before = texts(layout)
    with pytest.raises(InstallError, match="not an ordinary file"):
        wiring.apply(layout, wiring.plan(layout))
    assert texts(layout) == before


def test_torn_marks_are_left_to_a_person(layout: InstallationLayout) -> None:
    wiring.apply(layout, wiring.plan(layout))
    file = layout.on_disk(layout.asterisk_etc_dir) / "ari.conf"
    file.write_text(file.read_text().replace(marked_block.END, ""))
    with pytest.raises(InstallError, match="by hand"):
        wiring.unwire(layout)


def test_owner_and_mode_of_a_wired_file_stay(layout: InstallationLayout) -> None:
    file = layout.on_disk(layout.asterisk_etc_dir) / "ari.conf"
    file.chmod(0o640)
    before = file.stat()
    wiring.apply(layout, wiring.plan(layout))
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    backup = layout.on_disk(layout.etc_dir / wiring.BACKUPS) / "ari.conf"
    assert backup.stat().st_mode & 0o077 == 0


def test_on_freepbx_only_the_custom_files_are_used_and_go_again(layout: InstallationLayout) -> None:
    layout.on_disk(Path("/etc/freepbx.conf")).write_text("<?php\n")
    directory = layout.on_disk(layout.asterisk_etc_dir)
    (directory / "http.conf").write_text("[general]\nenabled=yes\nsessionlimit=1000\nbindaddr=127.0.0.1\n")
    (directory / "extensions_custom.conf").write_text("[from-internal-custom]\n")
    before = texts(layout)
    changed = {change.file.name for change in wiring.plan(layout)}
    assert changed == {
        "extensions_custom.conf", "ari_additional_custom.conf", "manager_custom.conf", "queues_custom.conf",
    }  # fmt: skip
    wiring.apply(layout, wiring.plan(layout))
    assert {name for name in before if texts(layout)[name] != before[name]} == {"extensions_custom.conf"}
    wiring.unwire(layout)
    assert texts(layout) == before


@pytest.mark.parametrize(("freepbx", "put_right"), [(True, True), (False, False)])
def test_a_write_timeout_that_freepbx_chose_is_put_right_and_one_of_the_administrators_is_not(
    layout: InstallationLayout, freepbx: bool, put_right: bool
) -> None:
    directory = layout.on_disk(layout.asterisk_etc_dir)
    if freepbx:
        layout.on_disk(Path("/etc/freepbx.conf")).write_text("<?php\n")
    (directory / "ari_general_additional.conf").write_text("enabled=yes\nwebsocket_write_timeout=100\n")
    includes = "#include ari_general_additional.conf\n#include ari_additional_custom.conf\n"
    (directory / "ari.conf").write_text(f"[general]\n{includes}")
    wiring.apply(layout, wiring.plan(layout))
    timeout = asterisk_files.read(directory, "ari.conf").get("general", "websocket_write_timeout")
    assert timeout == ("1000" if put_right else "100")


@pytest.mark.parametrize("text", ["", "x", "x\n", "a\n\nb\n", "no line end"])
def test_a_block_put_into_any_text_comes_out_again(text: str) -> None:
    parts = marked_block.split(marked_block.join(text, "one\ntwo"), "f")
    assert (parts.rest, parts.block) == (text, "one\ntwo")


def test_the_dialplan_is_told_all_instances_of_the_agent(layout: InstallationLayout) -> None:
    file = layout.on_disk(layout.asterisk_etc_dir) / "extensions.conf"
    wiring.apply(layout, wiring.plan(layout))
    assert "ORDERLINE_APPS" not in file.read_text()
    for apps in (
        ("orderline", "orderline-2"),
        ("orderline", "orderline-2", "orderline-3"),
        ("orderline", "orderline-2"),
    ):
        changes = wiring.plan(layout, apps=apps)
        wiring.apply(layout, wiring.replan_outdated(layout, changes, 8088, apps=apps))
        assert asterisk_files.read(file.parent, "extensions.conf").get("globals", "ORDERLINE_APPS") == "&".join(apps)
        assert asterisk_files.read(file.parent, "extensions.conf").get("globals", "ORDERLINE_QUEUES")
        assert file.read_text().count("ORDERLINE_APPS=") == 1
        assert wiring.plan(layout, apps=apps) == []
    wiring.unwire(layout)
    assert file.read_text() == STOCK["extensions.conf"]
