"""Files of an installation: edited ones stay, secrets are made once, everything made is known and goes again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agent.config.loader import load_settings
from agent.installation import program, uninstaller, wiring
from agent.installation.file_installer import FileInstaller, fill_placeholders
from agent.installation.installer import install
from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError, Manifest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_secrets_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ARI_PASSWORD", "CONTROL_TOKEN", "AMI_SECRET"):
        monkeypatch.delenv(f"ORDERLINE_{name}", raising=False)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallationLayout:
    """A DESTDIR; the virtual environment, which takes a network, is a file here (make install-test has a real one)."""

    def build(layout: InstallationLayout, source: Path, report: object) -> None:
        place = layout.on_disk(layout.venv) / "bin" / "orderline"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("#!/bin/sh\n")

    monkeypatch.setattr(program, "build_program", build)
    found = InstallationLayout(root=tmp_path / "root")
    (found.root / "etc/asterisk").mkdir(parents=True)
    (found.root / "etc/fail2ban/filter.d").mkdir(parents=True)
    (found.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    return found


def everything(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Path -> mode, owner, group, content."""
    found = {}
    for path in root.rglob("*"):
        state = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(state.st_mode) else b""
        found[str(path.relative_to(root))] = (state.st_mode, state.st_uid, state.st_gid, content)
    return found


def test_installing_wiring_and_uninstalling_leaves_every_file_as_it_was(layout: InstallationLayout) -> None:
    """The same on a whole Debian, with the real program and a real call: make install-test."""
    asterisk = layout.on_disk(layout.asterisk_etc_dir)
    for name in ("extensions.conf", "http.conf", "ari.conf", "manager.conf", "queues.conf"):
        (asterisk / name).write_text(f"[general]\n; the administrator's own {name}")
        (asterisk / name).chmod(0o640)
    before = everything(layout.root)
    said: list[str] = []
    install(layout, REPOSITORY, said.append)
    wiring.apply(layout, wiring.plan(layout))
    assert "orderline.conf" in (asterisk / "extensions.conf").read_text()
    install(layout, REPOSITORY, said.append)
    after = everything(layout.root)
    for name in (
        "etc/orderline/orderline.yaml",
        "etc/orderline/ari-password",
        "etc/systemd/system/orderline.service",
        "etc/systemd/system/orderline-rescuer.service",
        "etc/systemd/system/orderline-console.service",
        "usr/share/orderline/nginx/orderline-console.conf",
        "etc/asterisk/orderline.conf",
        "etc/fail2ban/filter.d/orderline.conf",
        "usr/share/orderline/dialplan/orderline.conf",
        "usr/local/bin/orderline",
        "var/lib/orderline",
    ):
        assert name in after
    uninstaller.uninstall(layout, said.append)
    assert everything(layout.root) == before


def test_secrets_are_long_random_and_for_root_and_the_agent(layout: InstallationLayout) -> None:
    install(layout, REPOSITORY, lambda line: None)
    files = [layout.on_disk(layout.etc_dir / name) for name in ("ari-password", "ami-secret", "control-token")]
    values = {file.read_text().strip() for file in files}
    assert len(values) == 3
    assert all(len(value) == 48 for value in values)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o640}
    install(layout, REPOSITORY, lambda line: None)
    assert {file.read_text().strip() for file in files} == values, "an upgrade keeps them"


def test_the_settings_that_are_installed_can_be_used_as_they_are(layout: InstallationLayout) -> None:
    install(layout, REPOSITORY, lambda line: None)
    settings = load_settings(layout.on_disk(layout.etc_dir))
    assert (settings.call.consent, list(settings.queues)) == ("off", ["orderline-humans"])
    assert len(settings.ari.password()) == len(settings.ami.secret()) == len(settings.control.token()) == 48
    assert settings.state_directory == layout.state_dir


def test_files_of_others_in_our_directories_stay_and_are_told(layout: InstallationLayout) -> None:
    said: list[str] = []
    install(layout, REPOSITORY, said.append)
    mine = layout.on_disk(layout.etc_dir / "conf.d" / "shop.yaml")
    mine.write_text("shop: {name: Mine}\n")
    uninstaller.uninstall(layout, said.append)
    assert mine.exists()
    assert any("shop.yaml" in line for line in said)


def test_an_edited_file_stays_and_the_new_default_stands_beside_it(layout: InstallationLayout) -> None:
    manifest = Manifest()
    kept: list[Path] = []
    placing = FileInstaller(layout, manifest, kept=kept)
    place = Path("/etc/orderline/orderline.yaml")
    placing.file(place, b"one\n")
    placing.file(place, b"two\n")
    assert layout.on_disk(place).read_bytes() == b"two\n", "an unedited file is brought up to date"
    layout.on_disk(place).write_bytes(b"mine\n")
    placing.file(place, b"three\n")
    assert layout.on_disk(place).read_bytes() == b"mine\n"
    assert layout.on_disk(place.with_name("orderline.yaml.dist")).read_bytes() == b"three\n"
    assert kept == [place]
    layout.on_disk(place).write_bytes(b"three\n")
    placing.file(place, b"three\n")
    assert not layout.on_disk(place.with_name("orderline.yaml.dist")).exists()


def test_a_file_of_the_same_name_that_was_there_before_is_not_overwritten(layout: InstallationLayout) -> None:
    place = Path("/etc/asterisk/orderline.conf")
    layout.on_disk(place).write_bytes(b"; somebody else's\n")
    FileInstaller(layout, Manifest()).file(place, b"ours\n")
    assert layout.on_disk(place).read_bytes() == b"; somebody else's\n"


def test_a_command_of_the_same_name_stops_the_installation(layout: InstallationLayout) -> None:
    place = layout.on_disk(layout.bin_dir / "orderline")
    place.parent.mkdir(parents=True)
    place.write_text("another program\n")
    with pytest.raises(InstallError, match="not ours"):
        install(layout, REPOSITORY, lambda line: None)
    assert place.read_text() == "another program\n"


def test_keep_state_leaves_settings_and_records_and_a_later_uninstall_takes_them(layout: InstallationLayout) -> None:
    before = everything(layout.root)
    install(layout, REPOSITORY, lambda line: None)
    record = layout.on_disk(layout.state_dir / "calls.sqlite")
    record.write_text("records")
    uninstaller.uninstall(layout, lambda line: None, keep_state=True)
    assert record.exists()
    assert layout.on_disk(layout.etc_dir / "ari-password").exists()
    assert not layout.on_disk(layout.prefix).exists()
    install(layout, REPOSITORY, lambda line: None)
    assert record.exists()
    uninstaller.uninstall(layout, lambda line: None)
    assert everything(layout.root) == before


def test_uninstalling_where_nothing_is_says_so(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="nothing is installed"):
        uninstaller.uninstall(InstallationLayout(root=tmp_path), lambda line: None)


def test_placeholders_without_a_value_are_left_for_the_administrator() -> None:
    assert (
        fill_placeholders("a @VENV@ @ARI_PASSWORD@ @PREFIX@", {"VENV": "/v", "PREFIX": "/p"})
        == b"a /v @ARI_PASSWORD@ /p"
    )
