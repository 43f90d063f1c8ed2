"""The three AlexNets are one function: the same weights and images give the same logits, gradients and next weights."""

import itertools
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


def network(backend, file, *edits):
    """The network of the chapter, its source edited, each time (old, new), with the weights of a file."""
    source = {cell.metadata["title"]: cell.source for cell in jupytext.read(CELLS / f"{backend.name}.py").cells}
    names, model = {}, source["model"]
    for old, new in edits:
        assert old in model
        model = model.replace(old, new)
    exec(source["imports"], names)
    exec(model, names)
    net = names["net"]() if backend.name == "tensorflow" else names["net"]
    if backend.name == "mxnet":
        net.initialize()
    net(batch(backend, 0)[0])
    weights.load(net, file)
    return net


def batch(backend, *seeds):
    """A picture of noise for each seed, and labels."""
    images = [np.random.default_rng(seed).random((224, 224), np.float32) for seed in seeds]
    ((X, y),) = backend.batches(np.stack(images), np.array(seeds) % 10, len(seeds))
    return X, y


def logits(backend, file, *edits):
    """What a network answers; no dropout."""
    net = network(backend, file, *edits)
    if backend.name == "pytorch":
        net.eval()
    return backend.numpy(net(batch(backend, 1, 2, 3, 4)[0]))


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
    "one padding": ([("stride=4", "stride=4, padding=1")], lambda arrays: {}),
    "one axis": ([], lambda arrays: {"conv2.weight": arrays["conv2.weight"].swapaxes(2, 3).copy()}),
    "one bias": ([], lambda arrays: {"conv1.bias": arrays["conv1.bias"] + np.eye(96, dtype=np.float32)[0]}),
}


@pytest.fixture(params=BREAKS)
def broken(request, file, tmp_path):
    """The edits and the file of weights of a network that has something wrong."""
    edits, alter = BREAKS[request.param]
    arrays = load_file(file)
    save_file(arrays | alter(arrays), tmp_path / "altered")
    return edits, tmp_path / "altered"


def test_what_shapes_do_not_show_the_logits_do(expected, broken):
    edits, altered = broken
    found = logits(present()["pytorch"], altered, *edits)
    assert found.shape == expected.shape
    assert difference(expected, found) > 10 * TOLERANCE


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


LR = 0.004


class MXNetStep:
    """Gradient descent in MXNet, by its own trainer."""

    def __init__(self, backend, net):
        gluon, self._record = backend.d2l.gluon, backend.d2l.autograd.record
        self._net, self._loss = net, gluon.loss.SoftmaxCrossEntropyLoss()
        self._trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": LR})

    def gradients(self, X, y):
        with self._record():
            loss = self._loss(self._net(X), y)
        loss.backward()
        return {parameter: parameter.grad() / len(y) for parameter in self._net.collect_params().values()}

    def descend(self, X, y):
        self._trainer.step(len(y))

    def put(self, parameter, array):
        parameter.set_data(array)


class PyTorchStep:
    """Gradient descent in PyTorch, by its own optimizer."""

    def __init__(self, backend, net):
        torch = backend.d2l.torch
        self._net, self._loss = net, torch.nn.functional.cross_entropy
        self._optimizer = torch.optim.SGD(net.parameters(), lr=LR)

    def gradients(self, X, y):
        self._optimizer.zero_grad()
        self._loss(self._net(X), y).backward()
        return {parameter: parameter.grad for parameter in self._net.parameters()}

    def descend(self, X, y):
        self._optimizer.step()

    def put(self, parameter, array):
        parameter.data = array


class TensorFlowStep:
    """Gradient descent in TensorFlow, by Keras's optimizer."""

    def __init__(self, backend, net):
        self._tf, self._net = backend.d2l.tf, net
        self._optimizer = self._tf.keras.optimizers.SGD(LR)

    def gradients(self, X, y):
        with self._tf.GradientTape() as tape:
            losses = self._tf.nn.sparse_softmax_cross_entropy_with_logits(y, self._net(X, training=True))
            loss = self._tf.reduce_mean(losses)
        variables = self._net.trainable_variables
        self._gradients = tape.gradient(loss, variables)
        return dict(enumerate(self._gradients))

    def descend(self, X, y):
        self._optimizer.apply(self._gradients, self._net.trainable_variables)

    def put(self, number, array):
        self._net.trainable_variables[number].assign(array)


STEPS = {"mxnet": MXNetStep, "pytorch": PyTorchStep, "tensorflow": TensorFlowStep}
NO_DROPOUT = ("Dropout(0.5)", "Dropout(0)")


def learn(backend, file, folder, seeds, *edits):
    """The gradients of the first of three steps, and what the three add to the weights; both as a file has them."""
    net = network(backend, file, NO_DROPOUT, *edits)
    step, gradients = STEPS[backend.name](backend, net), []
    for each in seeds(net):
        gradients.append(step.gradients(*batch(backend, *each)))
        step.descend(*batch(backend, *each))
    weights.save(net, folder / "after")
    before, after = load_file(file), load_file(folder / "after")
    for parameter, gradient in gradients[0].items():
        step.put(parameter, gradient)
    weights.save(net, folder / "gradients")
    return load_file(folder / "gradients"), {name: after[name] - before[name] for name in before}


def clear(net, seed):
    """Whether no rounding can send a gradient another way: no sum near the kink of ReLU, no near tie for a maximum."""
    nn, X, margins = present()["pytorch"].d2l.nn, batch(present()["pytorch"], seed)[0], []
    for layer in net:
        if isinstance(layer, nn.ReLU):
            margins.append(X.abs().min() / X.std())
        if isinstance(layer, nn.MaxPool2d):
            windows = nn.functional.unfold(X.detach().transpose(0, 1), 3, stride=2)
            first, second = windows.topk(2, dim=1).values.unbind(1)
            margins.append((first - second)[first > 0].min() / X.std())
        X = layer(X)
    return min(margins) > 4e-6  # ten times what float32 rounds


@pytest.fixture(scope="module")
def lesson(file, tmp_path_factory):
    """Three batches of clear pictures, and what PyTorch learns from them."""
    chosen, fresh = [], iter(range(1000))

    def choose(net):
        for _ in range(3):  # the weights have changed in between
            chosen.append(tuple(itertools.islice((seed for seed in fresh if clear(net, seed)), 2)))
            assert len(chosen[-1]) == 2
            yield chosen[-1]

    return chosen, learn(present()["pytorch"], file, tmp_path_factory.mktemp("pytorch"), choose)


def distances(one, other):
    return {name: np.linalg.norm(one[name] - other[name]) / np.linalg.norm(one[name]) for name in one}


def test_the_same_gradients_and_the_same_next_weights(backend, file, lesson, tmp_path):
    batches, expected = lesson
    found = learn(backend, file, tmp_path, lambda net: batches)
    for ours, theirs in zip(expected, found, strict=True):
        assert all(np.linalg.norm(array) > 1e-4 for array in ours.values())
        assert max(distances(ours, theirs).values()) < TOLERANCE


def test_what_shapes_do_not_show_the_gradients_do(lesson, broken, tmp_path):
    (edits, altered), (batches, expected) = broken, lesson
    found = learn(present()["pytorch"], altered, tmp_path, lambda net: batches, *edits)
    for ours, theirs in zip(expected, found, strict=True):
        assert max(distances(ours, theirs).values()) > 10 * TOLERANCE
