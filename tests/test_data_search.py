"""Where Fashion-MNIST is looked for, and what happens to a damaged file on the way."""

import data_fixtures
import pytest
from data_fixtures import LABELS, NAMES, contents, fill, label_bytes

from alexbook import _idx, data

alone, small, damage = data_fixtures.alone, data_fixtures.small, data_fixtures.damage


KNOWN = {
    "debian": "Debian package dataset-fashion-mnist",
    "book/data/FashionMNIST/raw": "torchvision's folder",
    "data/FashionMNIST/raw": "torchvision's folder",  # ../data, as in d2l
    "home/data/FashionMNIST/raw": "torchvision's folder",
    "home/.keras/datasets/fashion-mnist": "Keras's cache",
    "home/.mxnet/datasets/fashion-mnist": "MXNet's cache",
    "cache/alexbook": "download from the official source or its mirror",
}


@pytest.mark.parametrize(("folder", "source"), KNOWN.items())
def test_known_folders_are_found(small, tmp_path, folder, source):
    before = contents(fill(tmp_path / folder))
    assert data.source() == source
    assert contents(tmp_path / folder) == before


@pytest.mark.parametrize("variable", ["KERAS_HOME", "MXNET_HOME"])
def test_other_programs_variables_are_respected(small, monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    fill(tmp_path / "elsewhere" / "datasets" / "fashion-mnist")
    assert data.source() in ("Keras's cache", "MXNet's cache")


def test_the_named_folder_comes_first_and_may_be_uncompressed(small, monkeypatch, tmp_path):
    fill(tmp_path / "debian")
    fill(tmp_path / "home" / "mine", uncompressed=True)
    monkeypatch.setenv("ALEXBOOK_DATA", "~/mine")
    assert data.source() == "folder named by ALEXBOOK_DATA"
    assert data.load("train")[0].shape == (2_000, 28, 28)


def test_sources_come_in_order(small, tmp_path):
    for folder in reversed(KNOWN):
        fill(tmp_path / folder)
        data._everything.cache_clear()
        assert data.source() == KNOWN[folder]


@pytest.mark.parametrize(("make", "got"), [("nothing", "no such folder"), ("empty", "none of them in it")])
def test_a_named_folder_without_data_is_an_error(small, monkeypatch, tmp_path, make, got):
    fill(tmp_path / "debian")  # which would do, but was not asked for
    if make == "empty":
        (tmp_path / "mine").mkdir()
    monkeypatch.setenv("ALEXBOOK_DATA", str(tmp_path / "mine"))
    with pytest.raises(data.DataError) as error:
        data.load("test")
    for part in (f"ALEXBOOK_DATA names {tmp_path / 'mine'}", *NAMES, f"got {got}", "or unset it"):
        assert part in str(error.value)


def test_a_damaged_named_folder_is_an_error_and_untouched(small, monkeypatch, tmp_path, damage):
    folder = fill(tmp_path / "mine")
    (folder / f"{LABELS}.gz").write_bytes(damage[0])
    before = contents(folder)
    monkeypatch.setenv("ALEXBOOK_DATA", str(folder))
    with pytest.raises(data.DataError, match=f"{LABELS}.gz: {damage[1]}"):
        data.load("test")
    assert contents(folder) == before


def test_a_damaged_known_folder_is_reported_left_and_passed_over(small, tmp_path, damage):
    folder = fill(tmp_path / "debian")
    fill(tmp_path / "home/.keras/datasets/fashion-mnist")
    (folder / f"{LABELS}.gz").write_bytes(damage[0])
    before = contents(folder)
    with pytest.warns(UserWarning, match=f"{LABELS}.gz: {damage[1]}.* It is left as it is, and the search goes on"):
        assert data.source() == "Keras's cache"
    assert contents(folder) == before


def test_an_incomplete_folder_names_what_is_missing(small, tmp_path):
    (fill(tmp_path / "debian") / f"{LABELS}.gz").unlink()
    with pytest.warns(UserWarning, match=f"debian: expected four files, got no {LABELS} .with .gz or without."):
        assert data.source().startswith("sample")


def test_a_failed_unpacking_is_passed_over_for_the_gz_beside_it(small, tmp_path):
    folder = fill(tmp_path / "debian")
    (folder / LABELS).write_bytes(label_bytes()[:500])
    with pytest.warns(UserWarning, match=f"{LABELS}: expected uncompressed size.*{LABELS}.gz is read instead"):
        assert data.source() == KNOWN["debian"]


def test_a_folder_in_the_place_of_a_file(small, tmp_path):
    folder = fill(tmp_path / "debian")
    (folder / f"{LABELS}.gz").unlink()
    (folder / f"{LABELS}.gz").mkdir()
    with pytest.warns(UserWarning, match=f"{LABELS}.gz: expected a readable, whole file, got: .*[Dd]irectory"):
        assert data.source().startswith("sample")


def test_an_unreadable_folder(small, monkeypatch, tmp_path):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setenv("ALEXBOOK_DATA", str(fill(tmp_path / "mine")))
    monkeypatch.setattr(_idx.os, "listdir", refuse)  # file modes do not bind the superuser who may run this
    with pytest.raises(data.DataError, match=r"mine: expected a readable folder, got: .*Permission denied"):
        data.load("test")


def test_a_file_in_the_place_of_a_folder_holds_no_data(small, tmp_path):
    (tmp_path / "debian").write_text("")
    assert data.source().startswith("sample")
