"""Models on disk: naming one, installing one, refusing what is none."""

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from agent.speech.model import (
    BUNDLED_NAME,
    ModelError,
    bundled_model,
    check_model,
    install_model,
    installed_models,
    resolve_model,
)
from agent.speech.recognizer import VoskRecognizer
from agent.speech.tuning import tuned_model_dir, tuned_settings


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "models"


def archive_of(directory: Path, kind: str, target: Path) -> Path:
    return Path(shutil.make_archive(str(target), kind, root_dir=directory.parent, base_dir=directory.name))


def test_the_bundled_model_is_complete():
    check_model(bundled_model())
    assert resolve_model("bundled", Path("nowhere")) == resolve_model("", Path("nowhere")) == bundled_model()


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_is_installed_under_the_name_of_its_directory_and_works(kind: str, tmp_path: Path, models_dir: Path):
    archive = archive_of(bundled_model(), kind, tmp_path / "downloaded")
    installed = install_model(archive, models_dir)
    assert installed == models_dir / BUNDLED_NAME
    assert installed_models(models_dir) == [BUNDLED_NAME]
    recognizer = VoskRecognizer(installed, workers=1)
    assert recognizer.knows("order")
    recognizer.close()


def test_a_directory_is_installed_under_its_own_name(tmp_path: Path, models_dir: Path):
    source = tmp_path / "my-model"
    shutil.copytree(bundled_model(), source)
    assert install_model(source, models_dir) == models_dir / "my-model"
    assert resolve_model("my-model", models_dir) == models_dir / "my-model"
    assert resolve_model(str(source), models_dir) == source


def test_an_archive_with_the_model_at_its_top_takes_the_archives_name(tmp_path: Path, models_dir: Path):
    archive = Path(shutil.make_archive(str(tmp_path / "flat-model"), "zip", root_dir=bundled_model()))
    assert install_model(archive, models_dir).name == "flat-model"


def test_what_is_no_model_is_refused_and_leaves_nothing_behind(tmp_path: Path, models_dir: Path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "readme").write_text("no model here")
    archive = archive_of(tmp_path / "photos", "zip", tmp_path / "photos-archive")
    with pytest.raises(ModelError, match=r"not a Vosk model: it has no am/final\.mdl"):
        install_model(archive, models_dir)
    assert list(models_dir.iterdir()) == []


def test_a_model_already_there_is_not_replaced(models_dir: Path):
    install_model(bundled_model(), models_dir)
    with pytest.raises(ModelError, match="already there"):
        install_model(bundled_model(), models_dir)


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside", "..\\outside"])
def test_a_zip_that_reaches_outside_is_refused(name: str, tmp_path: Path, models_dir: Path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(name, "gotcha")
    with pytest.raises(ModelError, match="reaches outside"):
        install_model(tmp_path / "evil.zip", models_dir)
    assert not (tmp_path / "outside").exists()


def test_a_tar_that_reaches_outside_or_holds_links_is_refused(tmp_path: Path, models_dir: Path):
    for index, member in enumerate((tarfile.TarInfo("../outside"), tarfile.TarInfo("link"))):
        if member.name == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        path = tmp_path / f"evil{index}.tar"
        with tarfile.open(path, "w") as archive:
            archive.addfile(member, io.BytesIO())
        with pytest.raises(ModelError, match="refused"):
            install_model(path, models_dir)
    assert list(models_dir.iterdir()) == []


def test_a_download_that_was_cut_short_is_named_as_damaged(tmp_path: Path, models_dir: Path):
    archive = archive_of(bundled_model(), "gztar", tmp_path / "cut")
    archive.write_bytes(archive.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="Download it again"):
        install_model(archive, models_dir)
    assert list(models_dir.iterdir()) == []


def test_an_unknown_name_says_what_is_installed(models_dir: Path):
    install_model(bundled_model(), models_dir)
    with pytest.raises(ModelError, match=f"Installed: {BUNDLED_NAME}"):
        resolve_model("vosk-model-en-xl", models_dir)


def test_a_model_with_a_fixed_graph_is_refused_because_it_takes_no_grammar(tmp_path: Path):
    fixed = tmp_path / "fixed"
    shutil.copytree(bundled_model(), fixed)
    (fixed / "graph" / "HCLr.fst").rename(fixed / "graph" / "HCLG.fst")
    with pytest.raises(ModelError, match="fixed graph"):
        check_model(fixed)


def test_the_view_a_model_is_loaded_from_changes_two_settings_and_nothing_of_the_model():
    before = (bundled_model() / "conf" / "model.conf").read_text()
    with tuned_model_dir(bundled_model()) as view:
        settings = (view / "conf" / "model.conf").read_text().splitlines()
        assert "--frames-per-chunk=9" in settings
        assert [line for line in settings if "rule2" in line] == ["--endpoint.rule2.min-trailing-silence=8.0"]
        assert "--beam=11.0" in settings
        check_model(view)
    assert not view.exists()
    assert (bundled_model() / "conf" / "model.conf").read_text() == before


def test_settings_that_are_already_there_are_replaced():
    assert tuned_settings("--frames-per-chunk=51\n--beam=10\n").count("--frames-per-chunk") == 1
