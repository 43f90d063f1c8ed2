"""Weights travel between the frameworks, and a file that does not fit changes nothing."""

import json
import re
import struct

import backend_fixtures
import numpy as np
import pytest
from backend_fixtures import present
from safetensors.numpy import load_file, save_file

from alexbook import weights

backend = backend_fixtures.backend

LENET = (28, 1), "conv 6 5 1 2", "pool 2 2", "conv 16 5", "pool 2 2", "flatten", "dense 120", "dense 84", "dense 10"
GROUPS = (  # the network of the paper, on two devices: every second channel is out of sight where it says conv2
    *((227, 3), "conv 96 11 4", "relu", "pool 3 2", "conv2 256 5 1 2", "relu", "pool 3 2", "conv 384 3 1 1", "relu"),
    *("conv2 384 3 1 1", "relu", "conv2 256 3 1 1", "relu", "pool 3 2", "flatten"),
    *("dense 4096", "relu", "dense 4096", "relu", "dense 1000"),
)
FLAT = (6, 2), "conv 4 3", "flatten", "flatten", "dense 5"
SMALL = (6, 2), "conv 4 3", "relu", "flatten", "dense 5", "relu", "dense 3"
SHAPES = {
    **{"conv1.weight": (4, 2, 3, 3), "conv1.bias": (4,), "fc2.weight": (5, 64), "fc2.bias": (5,)},
    **{"fc3.weight": (3, 5), "fc3.bias": (3,)},
}


def make(backend, network):
    """A network that has seen a batch, that batch, and what the network answers to it."""
    (size, channels), *words = network
    net = backend.network(*words)
    if backend.name == "tensorflow":
        net = net()
    if backend.name == "mxnet":
        net.initialize()
    X = np.random.default_rng(1).random((1, channels, size, size), np.float32)
    batch = backend.tensor(X if backend.channels == 1 else np.ascontiguousarray(X.transpose(0, 2, 3, 1)))
    return net, lambda: backend.numpy(net(batch))


@pytest.mark.parametrize(
    ("network", "count"),
    [(LENET, 61_706), (GROUPS, 60_965_224), (FLAT, 401)],
    ids=["LeNet", "two groups", "flat twice"],
)
def test_a_network_answers_the_same_with_the_weights_of_another(network, count, tmp_path):
    answers, files = [], []
    for backend in present().values():
        net, answer = make(backend, network)
        answer()
        if files:
            weights.load(net, files[0])
        files.append(tmp_path / f"{backend.name}.safetensors")
        weights.save(net, files[-1])
        answers.append(answer())
    assert sum(array.size for array in load_file(files[0]).values()) == count
    assert len({file.read_bytes() for file in files}) == 1
    for other in answers[1:]:
        assert np.abs(other - answers[0]).max() < 1e-4 * np.abs(answers[0]).max()


def test_what_a_file_holds(backend, tmp_path):
    net, answer = make(backend, SMALL)
    answer()
    weights.save(net, tmp_path / "new" / "file")
    arrays = load_file(tmp_path / "new" / "file")
    assert {name: array.shape for name, array in arrays.items()} == SHAPES
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def change(**arrays):
    return lambda before: before | {name.replace("_", "."): array for name, array in arrays.items()}


MISFITS = {
    "absent": (lambda before: {name: before[name] for name in before if name != "fc2.bias"}, "fc2.bias of shape (5,)"),
    "too many": (change(fc4_weight=np.ones((3, 3), np.float32)), "fc4.weight absent, found of shape (3, 3) in float32"),
    "shape": (change(fc3_weight=np.ones((3, 6), np.float32)), "fc3.weight of shape (3, 5) in float32, found"),
    "axes": (change(fc3_weight=np.ones((5, 3), np.float32)), "fc3.weight of shape (3, 5) in float32, found"),
    "type": (change(fc3_bias=np.ones(3)), "fc3.bias of shape (3,) in float32, found of shape (3,) in float64"),
}  # fmt: skip


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_file_that_does_not_fit_loads_nothing(backend, tmp_path, misfit):
    alter, said = MISFITS[misfit]
    net, answer = make(backend, SMALL)
    before = answer()
    save_file(alter({name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}), tmp_path / "file")
    with pytest.raises(ValueError, match=f"{tmp_path / 'file'}: expected {re.escape(said)}.*; nothing was loaded"):
        weights.load(net, tmp_path / "file")
    assert (answer() == before).all()


@pytest.mark.parametrize("content", [b"", b"no weights", b"\x08\0\0\0\0\0\0\0{}"])
def test_a_damaged_file_is_named(backend, tmp_path, content):
    net, answer = make(backend, SMALL)
    before = answer()
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=f"{tmp_path / 'file'}: expected a whole safetensors file"):
        weights.load(net, tmp_path / "file")
    assert (answer() == before).all()


@pytest.mark.parametrize(("type_", "size"), [("BF16", 4), ("F8_E4M3", 2)])
def test_a_file_of_a_type_that_numpy_lacks_is_named(backend, tmp_path, type_, size):
    """Where TensorFlow is imported, NumPy knows bfloat16; then another thing does not fit."""
    net, answer = make(backend, SMALL)
    answer()
    header = json.dumps({"fc1.bias": {"dtype": type_, "shape": [2], "data_offsets": [0, size]}}).encode()
    (tmp_path / "file").write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    with pytest.raises(ValueError, match=f"{tmp_path / 'file'}: expected .*; nothing was loaded"):
        weights.load(net, tmp_path / "file")


def test_a_file_that_is_not_there(backend, tmp_path):
    net, answer = make(backend, SMALL)
    answer()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        weights.load(net, tmp_path / "nowhere")


@pytest.mark.parametrize("network", [SMALL, ((6, 2), "flatten", "dense 3")], ids=["conv first", "flatten first"])
def test_a_network_without_weights_says_what_to_do(backend, tmp_path, network):
    net, _ = make(backend, network)
    with pytest.raises(ValueError, match="has no weights yet: call the network on a batch first"):
        weights.save(net, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("word", "place", "kind"), [("norm", 3, "Norm"), ("transposed 3 3", 1, "Transpose")])
def test_a_layer_of_another_kind_is_named(backend, tmp_path, word, place, kind):
    (size, channels), *words = SMALL
    net, answer = make(backend, ((size, channels), *words[:place], word, *words[place:]))
    if backend.name == "pytorch":
        net.eval()  # one image has no variance
    answer()
    for do in (weights.save, weights.load):
        with pytest.raises(
            TypeError, match=rf"^expected convolutions and fully connected layers, got .*{kind}.* with "
        ):
            do(net, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_an_embedding_is_no_fully_connected_layer(tmp_path):
    nn = present()["pytorch"].d2l.nn
    with pytest.raises(TypeError, match=r"got Embedding\(3, 2\) with weight"):
        weights.save(nn.Sequential(nn.Embedding(3, 2)), tmp_path / "file")


def test_a_file_may_lie_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # where Windows looks
    nn = present()["pytorch"].d2l.nn
    net, other = nn.Linear(3, 2), nn.Linear(3, 2)
    weights.save(net, "~/file")
    weights.load(other, "~/file")
    assert (tmp_path / "file").exists()
    assert (net.weight == other.weight).all()


@pytest.mark.parametrize("layer", ["Reshape", "Permute", "Flatten"])
def test_another_order_of_what_is_flattened_is_refused(layer, tmp_path):
    keras = present()["tensorflow"].d2l.tf.keras
    options = {"Reshape": {"target_shape": (-1,)}, "Permute": {"dims": (3, 1, 2)}}
    flat = getattr(keras.layers, layer)(**options.get(layer, {"data_format": "channels_first"}))
    first = keras.layers.Reshape((6, 6, 2))  # harmless: no layer has turned anything yet
    net = keras.Sequential([keras.Input((72,)), first, keras.layers.Conv2D(3, 3), flat, keras.layers.Dense(4)])
    with pytest.raises(TypeError, match="expected Flatten, height and width before the channels, got"):
        weights.save(net, tmp_path / "file")


def test_a_keras_model_that_does_not_know_what_it_flattens_is_refused(tmp_path):
    keras = present()["tensorflow"].d2l.tf.keras

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.flat, self.dense = keras.layers.Flatten(), keras.layers.Dense(10)

        def call(self, X):
            return self.dense(self.flat(X))

    net = Mine()
    net(np.zeros((1, 4, 4, 2), np.float32))
    with pytest.raises(TypeError, match=r"expected a Sequential or functional model, got <Mine .*Flatten"):
        weights.save(net, tmp_path / "weights.safetensors")


def test_an_interrupted_save_leaves_the_old_file(backend, tmp_path, monkeypatch):
    net, answer = make(backend, SMALL)
    answer()
    (tmp_path / "file").write_bytes(b"old")

    def broken(arrays, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(weights, "save_file", broken)
    with pytest.raises(OSError, match="disk full"):
        weights.save(net, tmp_path / "file")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("net", [None, "net", 3.0, [1, 2]])
def test_what_is_no_network(net, tmp_path):
    for do in (weights.save, weights.load):
        with pytest.raises(TypeError, match=r"expected a Gluon block, a torch\.nn\.Module or a Keras model, got "):
            do(net, tmp_path / "file")
