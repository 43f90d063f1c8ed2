"""Fashion-MNIST as the frameworks get it: loaded, sampled, resized, in batches."""

import itertools
import re
import runpy
from pathlib import Path

import data_fixtures
import numpy as np
import pytest
from data_fixtures import DEBIAN, NAMES, contents, needs_real

from alexbook import _idx, _sources, data, provenance

alone = data_fixtures.alone


@needs_real
def test_the_real_data(monkeypatch):
    monkeypatch.setattr(_sources, "DEBIAN", DEBIAN)
    for split, count in (("train", 60_000), ("test", 10_000)):
        images, labels = data.load(split)
        assert (images.shape, images.dtype, labels.dtype) == ((count, 28, 28), np.uint8, np.int64)
        assert np.bincount(labels).tolist() == [count // 10] * 10
        assert data.load(split)[0] is images
    assert data.source() == "Debian package dataset-fashion-mnist"


@needs_real
def test_the_sample_is_real(monkeypatch):
    real = _idx.read_folder(DEBIAN, _idx.REAL)
    sample = _idx.read_folder(_sources.SAMPLE_FOLDER, _idx.SAMPLE)
    for images, labels in zip(NAMES[::2], NAMES[1::2], strict=True):
        known = {(image.tobytes(), label) for image, label in zip(real[images], real[labels].tolist(), strict=True)}
        drawn = zip(sample[images], sample[labels].tolist(), strict=True)
        assert all((image.tobytes(), label) in known for image, label in drawn)


@needs_real
def test_the_sample_is_made_anew_to_the_byte(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(_sources, "DEBIAN", DEBIAN)
    make_sample = runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "make_sample.py"))
    make_sample["main"](tmp_path / "first")
    make_sample["main"](tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert _idx.read_folder(tmp_path / "first", _idx.SAMPLE) is not None  # the hashes: not another zlib's packing


def test_the_sample_is_not_made_from_itself(monkeypatch, tmp_path):
    monkeypatch.setenv("ALEXBOOK_OFFLINE", "1")
    make_sample = runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "make_sample.py"))
    with pytest.raises(SystemExit, match="expected the real Fashion-MNIST, got: sample of 3,000 images"):
        make_sample["main"](tmp_path / "sample")
    assert not (tmp_path / "sample").exists()


def test_the_sample_is_the_last_resort_and_says_so(capsys):
    for split, count in (("train", 2_000), ("test", 1_000)):
        images, labels = data.load(split)
        assert images.shape == (count, 28, 28)
        assert np.bincount(labels).tolist() == [count // 10] * 10
    assert data.source() == "sample of 3,000 images shipped with alexbook"
    assert capsys.readouterr().out.count("using a sample of 3,000 real images") == 1


def test_the_sample_is_small():
    assert sorted(path.name for path in _sources.SAMPLE_FOLDER.iterdir()) == sorted(f"{name}.gz" for name in NAMES)
    assert sum(path.stat().st_size for path in _sources.SAMPLE_FOLDER.iterdir()) <= 1_500_000


def test_a_lost_sample_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(_sources, "SAMPLE_FOLDER", tmp_path / "lost")
    with pytest.raises(data.DataError, match="lost: expected the sample shipped with alexbook, got nothing"):
        data.load("test")


def test_arrays_are_read_only_and_of_ten_classes():
    for array in (*data.load("train"), *data.load("test")):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert len(data.CLASSES) == len(set(data.CLASSES)) == 10


def test_as_many_as_asked_for_from_the_first_on():
    images, labels = data.load("train", images=100)
    everything = data.load("train")
    assert np.array_equal(images, everything[0][:100])
    assert np.array_equal(labels, everything[1][:100])


@pytest.mark.parametrize(
    ("images", "said"), [(70_000, "at most .* got 70,000"), (0, "whole number"), (-5, "whole number"), (1.5, "whole")]
)
def test_more_than_there_are_and_none_at_all_are_refused(images, said):
    with pytest.raises(ValueError, match=said):
        data.load("train", images=images)


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match='split must be "train" or "test", got \'val\''):
        data.load("val")


def test_the_source_is_recorded(monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    data.load("test")
    assert provenance.record()["data"] == data.source()


@pytest.mark.parametrize("size", [224, 64, 28, 14, 1])
def test_resizing_is_that_of_pytorch(size):
    torch = pytest.importorskip("torch")
    image = np.random.default_rng(0).random((28, 28), np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(image)[None, None], size=(size, size), mode="bilinear", align_corners=False
    )
    matrix = data.resize_matrix(size)
    assert np.abs(matrix @ image @ matrix.T - expected[0, 0].numpy()).max() < 1e-6


@pytest.mark.parametrize("size", [224, 64, 29, 28, 5, 1])
def test_the_matrix_averages_neighbours(size):
    matrix = data.resize_matrix(size)
    assert (matrix.shape, matrix.dtype) == ((size, 28), np.float32)
    assert np.allclose(matrix.sum(1), 1, atol=1e-6)
    assert matrix.min() >= 0
    assert (np.count_nonzero(matrix, axis=1) <= 2).all()


def test_the_matrix_by_hand():
    assert data.resize_matrix(28).tolist() == np.eye(28).tolist()
    assert data.resize_matrix(4, 2).tolist() == [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    assert data.resize_matrix(2, 4).tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]
    assert data.resize_matrix(3, 1).tolist() == [[1], [1], [1]]


def test_every_image_comes_once_in_an_epoch():
    batches = data.Batches("train", 128)
    epoch = list(batches.indices())
    assert [len(indices) for indices in epoch] == [128] * 15 + [80]
    assert len(batches) == 16
    assert all(indices.dtype == np.int64 for indices in epoch)
    assert sorted(np.concatenate(epoch)) == list(range(2_000))


def test_the_order_is_anew_each_epoch_and_the_same_from_the_same_seed():
    batches = data.Batches("train", 2_000, seed=3)
    first, second = (next(batches.indices()) for _ in range(2))
    assert batches.epoch == 2
    assert (first != second).any()
    assert (first == np.random.default_rng([3, 0]).permutation(2_000)).all()
    assert (second == np.random.default_rng([3, 1]).permutation(2_000)).all()
    assert (next(data.Batches("train", 2_000, seed=4).indices()) != first).any()


def test_an_epoch_can_be_repeated():
    batches = data.Batches("train", 2_000)
    first = next(batches.indices())
    batches.epoch = 0
    assert (next(batches.indices()) == first).all()


def test_an_abandoned_epoch_counts():
    batches = data.Batches("train", 128)
    batches.indices()  # not one batch taken
    assert batches.epoch == 1


@pytest.mark.parametrize(("split", "ordered"), [("test", True), ("train", False)])
def test_shuffling_is_for_training(split, ordered):
    order = np.concatenate(list(data.Batches(split, 100).indices()))
    assert (order == np.arange(len(order))).all() == ordered


@pytest.mark.parametrize(("limit", "count"), [(None, 2_000), (1, 1), (300, 300), (60_000, 2_000)])
def test_a_limit_takes_the_first(limit, count):
    batches = data.Batches("train", 128, limit=limit)
    assert len(batches.images) == len(batches.labels) == count
    assert len(batches) == -(-count // 128)
    assert (batches.images == data.load("train")[0][:count]).all()
    assert batches.images.base is not None  # a view: no copy of 47 MB


@pytest.mark.parametrize(("resize", "size"), [(None, 28), (224, 224)])
def test_the_size_and_its_matrix(resize, size):
    batches = data.Batches("test", 7, resize=resize)
    assert (batches.batch_size, batches.size) == (7, size)
    assert (batches.matrix == data.resize_matrix(size)).all()


def test_augmentation_draws_anew_for_every_image_and_epoch():
    batches = data.Batches("train", 2_000, seed=3, mirror=True, shift=2)
    (index, rows, columns), (_, rows_after, _) = (next(batches.draws()) for _ in range(2))
    assert batches.epoch == 2
    assert (index == next(data.Batches("train", 2_000, seed=3).indices())).all()  # the order stays
    assert [sorted(set(drawn)) for drawn in (rows, columns)] == [list(range(5)), list(range(10))]
    assert (rows != rows_after).any()
    batches.epoch = 0
    assert all((one == two).all() for one, two in zip(next(batches.draws()), (index, rows, columns), strict=True))


@pytest.mark.parametrize(("mirror", "shift", "views"), [(True, 0, (1, 2)), (False, 1, (3, 3)), (True, 1, (3, 6))])
def test_what_is_drawn_is_what_was_asked_for(mirror, shift, views):
    _, *drawn = next(data.Batches("train", 2_000, mirror=mirror, shift=shift).draws())
    assert tuple(len(set(positions)) for positions in drawn) == views


def test_the_views_move_and_mirror():
    """View number 5·mirrored + shift + 2, on either side of the image; what moves in repeats the edge."""
    image = data.load("train")[0][0] / 255
    views = data.Batches("train", 8, shift=2).views
    assert views.shape == (10, 28, 28)
    for row, column in itertools.product(range(5), range(10)):
        turned = image[:, ::-1] if column >= 5 else image
        down, right = row, column % 5
        moved = np.pad(turned, 2, mode="edge")[down : down + 28, right : right + 28]
        assert np.abs(views[row] @ image @ views[column].T - moved).max() < 1e-6


@pytest.mark.parametrize(("split", "options"), [("test", {"mirror": True, "shift": 2}), ("train", {})])
def test_only_training_images_are_augmented_and_only_if_told(split, options):
    _, rows, columns = next(data.Batches(split, 8, **options).draws())
    assert rows is None
    assert columns is None


@pytest.mark.parametrize("value", [-1, 0.5, "1"])
def test_a_shift_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match=f"^shift must be a whole number of at least 0, got {value!r}$"):
        data.Batches("train", 8, shift=value)


def test_held_out_images_are_the_last_of_the_training_images():
    images, labels = data.load("train")
    train, validation = (data.Batches(split, 8, held_out=0.1) for split in data.SPLITS)
    assert (train.name, validation.name, data.Batches("test", 8).name) == ("train", "validation", "test")
    assert (np.concatenate([train.images, validation.images]) == images).all()
    assert (np.concatenate([train.labels, validation.labels]) == labels).all()
    assert len(validation.labels) == validation.available == 200
    assert (len(data.Batches("test", 8, held_out=0.1, limit=7).labels), validation.shuffle) == (7, False)


@pytest.mark.parametrize("value", [1, 1.5, -0.1, 1e-9, 1 - 1e-9, np.nan, np.inf, "0.1", None])
def test_a_share_that_leaves_nothing_is_refused(value):
    message = f"held_out must be a share of the 2,000 images, such as 0.1, got {value!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        data.Batches("train", 8, held_out=value)


def test_the_half_must_be_one_of_the_two_whatever_is_held_out():
    with pytest.raises(ValueError, match=r'^split must be "train" or "test", got \'validation\'$'):
        data.Batches("validation", 8, held_out=0.1)


def test_a_shift_is_in_pixels_of_the_image_whatever_its_size():
    """Two of 28 pixels are sixteen of 224: the rows move, and the last repeat the edge."""
    assert (data.resize_matrix(224, shift=2)[:-16] == data.resize_matrix(224)[16:]).all()


@pytest.mark.parametrize("name", ["batch_size", "resize", "limit"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "8"])
def test_sizes_below_one_are_refused(name, value):
    arguments = {"batch_size": 8, name: value}
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got {value!r}"):
        data.Batches("train", **arguments)


@pytest.mark.parametrize(("size", "source", "name"), [(0, 28, "size"), (28, 0, "source")])
def test_a_matrix_of_nothing_is_refused(size, source, name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got 0"):
        data.resize_matrix(size, source)
