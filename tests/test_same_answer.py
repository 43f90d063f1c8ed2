"""The three AlexNets are one function: the same weights and images give the same logits."""

from pathlib import Path

import backend_fixtures
import jupytext
import numpy as np
import pytest
from backend_fixtures import present
from safetensors.numpy import load_file, save_file

from alexbook import weights

backend = backend_fixtures.backend

CELLS = Path(__file__).parents[1] / "book" / "cells" / "alexnet"
SHAPES = {
    **{"conv1": (96, 1, 11, 11), "conv2": (256, 96, 5, 5), "conv3": (384, 256, 3, 3), "conv4": (384, 384, 3, 3)},
    **{"conv5": (256, 384, 3, 3), "fc6": (4096, 6400), "fc7": (4096, 4096), "fc8": (10, 4096)},
}
TOLERANCE = 1e-4  # of the largest logit; float32 sums in another order differ by about 1e-6


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Weights that let signals through, and biases that are not zero."""
    random, arrays = np.random.default_rng(0), {}
    for name, shape in SHAPES.items():
        bound = np.sqrt(6 / np.prod(shape[1:]))
        arrays[f"{name}.weight"] = random.uniform(-bound, bound, shape).astype(np.float32)
        arrays[f"{name}.bias"] = random.uniform(-0.1, 0.1, shape[0]).astype(np.float32)
    path = tmp_path_factory.mktemp("weights") / "alexnet.safetensors"
    save_file(arrays, path)
    return path


def logits(backend, file, old="", new=""):
    """What the network of the chapter, its source changed or not, answers with the weights of a file; no dropout."""
    source = {cell.metadata["title"]: cell.source for cell in jupytext.read(CELLS / f"{backend.name}.py").cells}
    assert old in source["model"]
    names = {}
    exec(source["imports"], names)
    exec(source["model"].replace(old, new), names)
    net = names["net"]() if backend.name == "tensorflow" else names["net"]
    ((X, _),) = backend.batches(np.random.default_rng(1).random((4, 224, 224), np.float32), np.arange(4), 4)
    if backend.name == "mxnet":
        net.initialize()
    if backend.name == "pytorch":
        net.eval()
    net(X)
    weights.load(net, file)
    return backend.numpy(net(X))


@pytest.fixture(scope="module")
def expected(file):
    return logits(present()["pytorch"], file)


def difference(one, other):
    return np.abs(one - other).max() / np.abs(one).max()


def test_the_same_logits(backend, file, expected):
    assert expected.shape == (4, 10)
    assert expected.std() > 0.1  # something came through
    assert difference(expected, logits(backend, file)) < TOLERANCE


BREAKS = {
    "one padding": (("stride=4", "stride=4, padding=1"), lambda arrays: {}),
    "one axis": ((), lambda arrays: {"conv2.weight": arrays["conv2.weight"].swapaxes(2, 3).copy()}),
    "one bias": ((), lambda arrays: {"conv1.bias": arrays["conv1.bias"] + np.eye(96, dtype=np.float32)[0]}),
}


@pytest.mark.parametrize("break_", BREAKS)
def test_what_shapes_do_not_show_the_logits_do(file, expected, tmp_path, break_):
    edit, alter = BREAKS[break_]
    arrays = load_file(file)
    save_file(arrays | alter(arrays), tmp_path / "altered")
    broken = logits(present()["pytorch"], tmp_path / "altered", *edit)
    assert broken.shape == expected.shape
    assert difference(expected, broken) > 10 * TOLERANCE


def dropped(backend, values):
    """What dropout makes of values while training."""
    layer, X = backend.layers["dropout"](0.5), backend.tensor(values)
    match backend.name:
        case "mxnet":
            with backend.d2l.autograd.record():
                return backend.numpy(layer(X))
        case "pytorch":
            return backend.numpy(layer.train()(X))
        case "tensorflow":
            return backend.numpy(layer(X, training=True))


def test_dropout_drops_half_and_doubles_the_rest(backend):
    count = 100_000
    left = dropped(backend, np.ones(count, np.float32))
    assert set(np.unique(left)) == {0, 2}
    assert abs((left > 0).mean() - 0.5) < 5 * 0.5 / np.sqrt(count)  # five standard deviations
