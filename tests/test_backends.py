"""The three backends: d2l with its names, the same pixels in the same order, the same network from the same start."""

import importlib
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import backend_fixtures
import data_fixtures
import jupytext
import numpy as np
import pytest
from backend_fixtures import Interrupted, present

from alexbook import _idx, _probe, _sources, data

alone, backend = data_fixtures.alone, backend_fixtures.backend

MODULES = {"mxnet": "mxnet", "pytorch": "torch", "tensorflow": "tensorflow"}
OURS = {"load_data_fashion_mnist", "train_ch6"}


@pytest.fixture(autouse=True)
def full(monkeypatch):
    """All of the sample's images, on a CPU too."""
    monkeypatch.setenv("ALEXBOOK_PROFILE", "full")


def test_what_is_not_ours_is_d2ls(backend):
    d2l = importlib.import_module(f"d2l.{MODULES[backend.name]}")
    names = {name for name in dir(d2l) if not name.startswith("__")}
    assert {"Animator", "try_gpu", "Timer", "plt", "show_images"} < names
    assert {name for name in names if getattr(backend.d2l, name) is not getattr(d2l, name)} == OURS
    assert names | {"train_ch6", "_Loader"} <= set(dir(backend.d2l))


def test_a_name_that_nobody_has(backend):
    module = MODULES[backend.name]
    message = f"module 'alexbook.{module}' has no attribute 'Animatr', and neither has 'd2l.{module}'"
    with pytest.raises(AttributeError, match=message) as raised:
        backend.d2l.Animatr  # noqa: B018  # to look it up is the test
    assert raised.value.name == "Animatr"


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("name", ["pytorch", "tensorflow"])
def test_a_cpu_has_bfloat16_if_the_processor_multiplies_it(name, native, monkeypatch):
    monkeypatch.setattr("alexbook._cpu.has_bf16", lambda: native)
    backend = present()[name]
    assert backend.d2l.has_bf16(backend.cpu) is native


ALONE = """
import json, sys, numpy
sys.modules["safetensors"] = None  # which only alexbook.weights needs, and Colab need not have
before = "product" in vars(numpy)
from alexbook import {module} as d2l
loaded = [name for name in ("mxnet", "torch", "tensorflow") if name in sys.modules]
print(json.dumps([loaded, before, "product" in vars(numpy)]))
"""


def test_a_backend_comes_alone_and_leaves_numpy_as_it_was(backend):
    module = MODULES[backend.name]
    command = [sys.executable, "-W", "error", "-c", ALONE.format(module=module)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout) == [[module], False, module == "mxnet"]


@pytest.mark.parametrize(
    ("name", "missing", "install"),
    [
        ("mxnet", "mxnet", "--no-deps mxnet==1.9.1"),
        ("pytorch", "torch", "torch torchvision"),
        ("pytorch", "d2l", "--no-deps d2l==1.0.3"),
        ("tensorflow", "tensorflow", "tensorflow"),
        ("tensorflow", "d2l", "--no-deps d2l==1.0.3"),
    ],
)
def test_what_is_missing_is_named_with_the_line_that_installs_it(monkeypatch, name, missing, install):
    present()  # while the machine is still itself
    monkeypatch.setattr(_probe.platform, "system", lambda: "Linux")
    monkeypatch.setattr(_probe.platform, "machine", lambda: "x86_64")
    message = f"alexbook.{MODULES[name]} needs {missing}, which is not installed: {re.escape(_probe.install(install))}"
    with pytest.raises(ImportError, match=f"^{message}$"):
        import_without(monkeypatch, missing, name)


def test_where_mxnet_has_no_wheel_no_line_would_install_it(monkeypatch):
    present()  # while the machine is still itself
    monkeypatch.setattr(_probe.platform, "machine", lambda: "aarch64")
    with pytest.raises(ImportError, match=r"has no wheel for .* on aarch64, only for Linux on x86_64 and Intel Macs: "):
        import_without(monkeypatch, "mxnet", "mxnet")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tensorflow", "from tensorflow.keras import layers"),
        ("torch", "from torch import nn"),
        ("d2l", "from d2l import torch"),
    ],
)
def test_a_file_of_the_reader_with_the_name_of_a_framework_is_told(tmp_path, name, source):
    (tmp_path / f"{name}.py").write_text(source)
    module = "torch" if name == "d2l" else name
    run = subprocess.run(
        [sys.executable, "-c", f"import alexbook.{module}"], cwd=tmp_path, capture_output=True, text=True
    )
    said = run.stderr.splitlines()[-1]
    assert said.startswith(f"ImportError: alexbook.{module} needs {name}, but got {tmp_path / name}.py: rename that")


def import_without(monkeypatch, missing, name):
    """Imports a backend anew, as if a package were not installed."""
    present()  # all frameworks, in the order that they bear: what is not missing is imported
    monkeypatch.delitem(sys.modules, f"alexbook.{MODULES[name]}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    importlib.import_module(f"alexbook.{MODULES[name]}")


@pytest.mark.parametrize("size", [224, 28, 100])
def test_the_same_batch_is_the_same_pixels(size):
    batches = {each.name: each.pixels(load(each, 64, size)[0]) for each in present().values()}
    matrix = data.resize_matrix(size).astype(float)
    images = data.load("train")[0][next(data.Batches("train", 64).indices())]
    exact = matrix @ (images / 255) @ matrix.T
    for pixels in batches.values():
        assert (pixels.shape, pixels.dtype) == ((64, size, size), np.float32)
        assert pixels.min() >= 0 and pixels.max() <= 1
        assert all(np.abs(pixels - others).max() <= 1e-6 for others in (exact, *batches.values()))


@pytest.mark.parametrize("size", [224, 28])
def test_the_same_augmented_batches_are_the_same_pixels(size):
    """The last batch has 8 images."""
    batches = data.Batches("train", 64, size, mirror=True, shift=2, held_out=0.1, limit=200)
    drawn = [
        (batches.views[rows] @ (batches.images[index] / 255) @ batches.views[columns].mT, batches.labels[index])
        for index, rows, columns in batches.draws()
    ]
    for backend in present().values():
        loader = backend.d2l._Loader("train", 64, size, mirror=True, shift=2, held_out=0.1, limit=200)
        for (X, y), (pixels, labels) in zip(loader, drawn, strict=True):
            assert np.abs(backend.pixels(X) - pixels).max() <= 1e-6
            assert (backend.numpy(y) == labels).all()


def load(backend, batch_size, resize):
    """The first training batch."""
    return next(iter(backend.d2l.load_data_fashion_mnist(batch_size, resize)[0]))


@pytest.mark.parametrize("split", [0, 1])
def test_without_resize_the_images_come_as_they_are(backend, split):
    loader = backend.d2l.load_data_fashion_mnist(300)[split]
    order = np.concatenate(list(data.Batches(data.SPLITS[split], 300).indices()))
    images, labels = (half[order] for half in data.load(data.SPLITS[split]))
    assert len(loader) == math.ceil(len(labels) / 300)
    pixels, targets = zip(*((backend.pixels(X), backend.numpy(y)) for X, y in loader), strict=True)
    assert (np.concatenate(pixels) == np.float32(images) / np.float32(255)).all()
    assert (np.concatenate(targets) == labels).all()


def test_the_order_follows_from_the_seed_and_is_anew_in_each_epoch(backend):
    loader, _ = backend.d2l.load_data_fashion_mnist(500)
    loader.seed = 7
    for epoch in range(3):
        order = np.random.default_rng([7, epoch]).permutation(2_000)
        labels = np.concatenate([backend.numpy(y) for _, y in loader])
        assert (labels == data.load("train")[1][order]).all()


@pytest.mark.parametrize(
    "sizes", [(0, 224), (-1, None), (2.5, 28), ("128", 28), (128, 0), (128, -224), (128, (224, 224))]
)
def test_a_size_that_cannot_be(backend, sizes):
    name, value = ("batch_size", sizes[0]) if sizes[0] != 128 else ("resize", sizes[1])
    with pytest.raises(ValueError, match=re.escape(f"{name} must be a whole number of at least 1, got {value!r}")):
        backend.d2l.load_data_fashion_mnist(*sizes)


def test_the_profile_limits_the_images_and_says_so(backend, monkeypatch, capsys):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    train_iter, test_iter = backend.d2l.load_data_fashion_mnist(100)
    assert [len(y) for _, y in train_iter] == [len(y) for _, y in test_iter] == [100, 100, 56]
    said = "Profile smoke: 256 of 2,000 training images, 256 of 1,000 test images (ALEXBOOK_PROFILE=full for all)\n"
    assert capsys.readouterr().out.endswith(said)
    backend.d2l.load_data_fashion_mnist(100, held_out=0.5)
    said = said.replace("2,000 training", "1,000 training").replace("test images", "validation images")
    assert capsys.readouterr().out == said


def test_fewer_images_may_be_asked_for_than_the_profile_allows(backend, monkeypatch, capsys):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    loaders = backend.d2l.load_data_fashion_mnist(100, images=(120, 5_000))
    assert [[len(y) for _, y in loader] for loader in loaders] == [[100, 20], [100, 100, 56]]
    said = "Profile smoke: 256 of 1,000 test images (ALEXBOOK_PROFILE=full for all)\n"
    assert capsys.readouterr().out.endswith(said)


@pytest.mark.parametrize("images", [100, (100,), (100, 0), (100, 1.5), ("100", 100), (1, 2, 3)])
def test_amounts_that_cannot_be(backend, images):
    with pytest.raises(ValueError, match=re.escape(f"of test images, got {images!r}")):
        backend.d2l.load_data_fashion_mnist(100, images=images)


def test_the_enlarged_images_are_never_all_there(backend, monkeypatch):
    arrays = [np.zeros(shape, np.uint8) for n in (60_000, 10_000) for shape in ((n, 28, 28), (n,))]
    found = _sources.Found("as many images as the real data", dict(zip(_idx.NAMES, arrays, strict=True)))
    monkeypatch.setattr(_sources, "find", lambda: found)
    loaders = backend.d2l.load_data_fashion_mnist(128, resize=224)
    assert [len(loader) for loader in loaders] == [469, 79]
    for loader in loaders:
        assert next(iter(loader))[0].shape[:3] == (128, *((1, 224) if backend.channels == 1 else (224, 224)))
    assert sum(own_bytes(backend, loader) for loader in loaders) < 70e6  # enlarged, they are 14 GB


def own_bytes(backend, loader):
    """What a loader holds, but for its view of the images that all loaders share."""
    arrays = [
        value for value in vars(loader).values() if hasattr(value, "dtype") and getattr(value, "base", None) is None
    ]
    return sum((each if isinstance(each, np.ndarray) else backend.numpy(each)).nbytes for each in arrays)


@pytest.fixture
def chapter(backend):
    """Runs cells of the chapter on the network, and gives the names that they define."""
    path = Path(__file__).parents[1] / "book" / "cells" / "alexnet" / f"{backend.name}.py"
    source = {cell.metadata["title"]: cell.source for cell in jupytext.read(path).cells}

    def run(*cells):
        names = {}
        for cell in cells:
            exec(compile(source[cell], f"{path}, cell {cell}", "exec"), names)
        return names

    return run


# channels, height and width, or units
SHAPES = {
    "conv1": (96, 54, 54),
    "pool1": (96, 26, 26),
    "conv2": (256, 26, 26),
    "pool2": (256, 12, 12),
    "conv3": (384, 12, 12),
    "conv4": (384, 12, 12),
    "conv5": (256, 12, 12),
    "pool5": (256, 5, 5),
    "fc6": (4096,),
    "fc7": (4096,),
    "fc8": (10,),
}


def test_the_shapes_of_the_chapters_network(backend, chapter, capsys):
    shapes = chapter("imports", "model", "shapes")["shapes"]
    kinds = [line.split("(")[0].strip() for line in capsys.readouterr().out.splitlines()]
    with_weights_or_pooling = [
        shape[1:] if backend.channels == 1 or len(shape) == 2 else (shape[3], *shape[1:3])
        for kind, shape in zip(kinds, shapes, strict=True)
        if kind.startswith(("Conv", "Max", "Linear", "Dense"))
    ]
    assert with_weights_or_pooling == list(SHAPES.values())
    assert {shape[0] for shape in shapes} == {1}


def test_the_chapters_network_starts_alike_in_all_three(backend, chapter):
    batches = backend.batches(np.zeros((1, 224, 224), np.float32), np.zeros(1, np.int64), 1)
    history = backend.d2l.train_ch6(
        chapter("imports", "model")["net"], Interrupted(batches, 0), batches, 1, 0.01, backend.cpu
    )
    kernels = backend.kernels(history.net)
    assert sum(array.size for array in backend.state(history.net)) == 46_764_746
    assert [bias.shape[0] for _, bias in kernels] == [shape[0] for name, shape in SHAPES.items() if "pool" not in name]
    for weight, bias in kernels:
        window = math.prod(weight.shape[:-2])
        bound = math.sqrt(6 / (window * sum(weight.shape[-2:])))
        assert 0.99 * bound < np.abs(weight).max() <= bound
        assert np.std(weight) == pytest.approx(bound / math.sqrt(3), rel=0.02)  # as wide as uniform numbers are
        assert abs(weight.mean()) < 0.02 * bound
        assert not bias.any()


def test_keras_fits_on_the_loader():
    tensorflow = present()["tensorflow"]
    keras = tensorflow.d2l.tf.keras
    assert keras.__version__.startswith("3.")
    train_iter, test_iter = tensorflow.d2l.load_data_fashion_mnist(100)
    model = tensorflow.network("flatten", "dense 10")()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    fitted = model.fit(train_iter, epochs=3, validation_data=test_iter, verbose=0)
    assert fitted.history["loss"][-1] < fitted.history["loss"][0]
    assert fitted.history["val_accuracy"][-1] > 0.5


def test_an_epoch_of_keras_has_every_image_once_in_an_order_of_its_own():
    loader, _ = present()["tensorflow"].d2l.load_data_fashion_mnist(500)
    orders = []
    for _ in range(2):
        orders.append(np.concatenate([loader[position][1].numpy() for position in range(len(loader))]))
        loader.on_epoch_end()
    assert [np.bincount(order).tolist() for order in orders] == [[200] * 10] * 2
    assert (orders[0] != orders[1]).any()
