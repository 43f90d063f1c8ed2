"""What the tests of the backends share: three frameworks that take the same words, and something to learn."""

import functools

import numpy as np
import pytest

from alexbook._probe import mxnet_absent_reason

NAMES = ("mxnet", "pytorch", "tensorflow")


class Backend:
    """One backend: its module `d2l`, its framework, and what the tests do in every framework.

    Attributes:
        name: the backend's name in the book.
        channels: the axis of a batch's channels.
        cpu: the device, as train_ch6 takes it; what must repeat to the bit runs there.
        layers: makes a layer from the word for it.
    """

    name = ""
    channels = 1

    def network(self, *words):
        """What train_ch6 takes: network("dense 32", "relu", "dense 10")."""
        return self.stack(lambda: [self._layer(*word.split()) for word in words])

    def _layer(self, name, *sizes):
        return self.layers[name](*(float(size) if "." in size else int(size) for size in sizes))

    def batches(self, images, labels, size):
        """A plain list of batches (X, y)."""
        X, starts = np.expand_dims(images, self.channels), range(0, len(labels), size)
        return [(self.tensor(X[at : at + size]), self.tensor(labels[at : at + size])) for at in starts]

    def pixels(self, X):
        """A batch in NumPy, of shape (batch, height, width): the channel is one, and is where it belongs."""
        return self.numpy(X).squeeze(self.channels)

    def kernels(self, net):
        """Weights and biases of the layers that have them, the axis of the outputs last."""
        pairs = [(layer.weight, layer.bias) for layer in net if hasattr(layer, "weight")]
        return [(self.numpy(weight).T, self.numpy(bias)) for weight, bias in pairs]


class MXNet(Backend):
    name = "mxnet"

    def __init__(self):
        from alexbook import mxnet as d2l

        np, npx, nn = d2l.np, d2l.npx, d2l.nn
        npx.set_np()
        self.d2l, self.cpu, self._sequential = d2l, npx.cpu(), nn.Sequential
        self.tensor = lambda array: np.array(array, dtype=array.dtype)
        self.layers = {
            "conv": nn.Conv2D,  # outputs, window, stride, padding
            "conv2": lambda *sizes: nn.Conv2D(*sizes, groups=2),
            "pool": nn.MaxPool2D,
            "dense": nn.Dense,
            "dropout": nn.Dropout,
            "flatten": nn.Flatten,
            "norm": nn.BatchNorm,
            "transposed": nn.Conv2DTranspose,
            "relu": lambda: nn.Activation("relu"),
        }

    def stack(self, make):
        net = self._sequential()
        net.add(*make())
        return net

    def numpy(self, X):
        return (X.data() if hasattr(X, "data") else X).asnumpy()

    def state(self, net):
        return [self.numpy(parameter) for parameter in net.collect_params().values()]


class PyTorch(Backend):
    name = "pytorch"
    cpu = "cpu"

    def __init__(self):
        from alexbook import torch as d2l

        nn = d2l.nn
        self.d2l, self.tensor, self._sequential = d2l, d2l.torch.from_numpy, nn.Sequential
        self.layers = {
            "conv": nn.LazyConv2d,
            "conv2": lambda *sizes: nn.LazyConv2d(*sizes, groups=2),
            "pool": nn.MaxPool2d,
            "dense": nn.LazyLinear,
            "dropout": nn.Dropout,
            "flatten": nn.Flatten,
            "norm": nn.LazyBatchNorm1d,
            "transposed": nn.LazyConvTranspose2d,
            "relu": nn.ReLU,
        }

    def stack(self, make):
        return self._sequential(*make())

    def numpy(self, X):
        return X.detach().cpu().numpy().copy()

    def state(self, net):
        """The weights, the biases, the running means: all that a trained network is."""
        return [self.numpy(value) for value in net.state_dict().values()]


class TensorFlow(Backend):
    name = "tensorflow"
    channels = 3
    cpu = "/CPU:0"

    def __init__(self):
        from alexbook import tensorflow as d2l

        layers = d2l.tf.keras.layers
        self.d2l, self.tensor, self._sequential = d2l, d2l.tf.constant, d2l.tf.keras.Sequential
        self.layers = {
            "conv": lambda n, size, stride=1, pad=0: layers.Conv2D(n, size, stride, "same" if pad else "valid"),
            "conv2": lambda n, size, stride, pad: layers.Conv2D(n, size, stride, "same", groups=2),
            "pool": layers.MaxPool2D,
            "dense": layers.Dense,
            "dropout": layers.Dropout,
            "flatten": layers.Flatten,
            "norm": layers.BatchNormalization,
            "transposed": layers.Conv2DTranspose,
            "relu": layers.ReLU,
        }

    def stack(self, make):
        return lambda: self._sequential(make())

    def numpy(self, X):
        return X.numpy()

    def kernels(self, net):
        return [(layer.kernel.numpy(), layer.bias.numpy()) for layer in net.layers if hasattr(layer, "kernel")]

    def state(self, net):
        return [weight.numpy() for weight in net.weights]


@functools.cache
def present():
    """The backends of this machine by their names, all in one process: PyTorch crashes if TensorFlow came first."""
    kinds = (PyTorch, TensorFlow) if mxnet_absent_reason() else (MXNet, PyTorch, TensorFlow)
    return {kind.name: kind() for kind in kinds}


@pytest.fixture(params=NAMES)
def backend(request):
    """Each backend in turn."""
    if request.param == "mxnet" and (reason := mxnet_absent_reason()):
        pytest.skip(reason)
    return present()[request.param]


def patterns(count=96, size=8, seed=0):
    """Images and labels to learn in a few epochs: each class is a pattern, each image that pattern and some noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    classes = np.random.default_rng(0).random((10, size, size))
    images = 0.7 * classes[labels] + 0.3 * random.random((count, size, size))
    return images.astype(np.float32), labels.astype(np.int64)


class Interrupted(list):
    """Batches, and Ctrl-C after so many of them have been trained on."""

    def __init__(self, batches, after):
        super().__init__(batches)
        self.left = after + 1  # train_ch6 looks at one before it trains

    def __iter__(self):
        for batch in super().__iter__():
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield batch
