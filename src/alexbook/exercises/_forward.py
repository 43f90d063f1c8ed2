"""Small networks in NumPy: what exercises 6 and 7 give, and what right and mistaken copies of them answer."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alexbook.exercises._layers import IMAGE, NARROW, STRANGER, STRANGER_IMAGE, Layer, Plan, Shape, shapes

Array = NDArray[np.float32]
Arrays = Mapping[str, Array]
BATCH = 4


def draw(plan: Plan, image: Shape, seed: int) -> dict[str, Array]:
    """Weights that let signals through, and biases that are not zero; outputs first, as PyTorch has them."""
    random, given, arrays = np.random.default_rng(seed), image, {}
    for layer in plan:
        if shape := layer.weights(given):
            bound = np.sqrt(6 / np.prod(shape[1:]))
            arrays[f"{layer.name}.weight"] = random.uniform(-bound, bound, shape).astype(np.float32)
            arrays[f"{layer.name}.bias"] = random.uniform(-0.2, 0.2, shape[0]).astype(np.float32)
        given = layer.shape(given)
    return arrays


def forward(plan: Plan, arrays: Arrays, images: Array, relu: bool = True) -> dict[str, Array]:
    """The outputs of all layers, after ReLU except in the last one, for images (batch, channels, height, width)."""
    found, X = {}, images
    for layer in plan:
        X = _apply(layer, arrays, X)
        if relu and layer.outputs and layer is not plan[-1]:
            X = np.maximum(X, 0)
        found[layer.name] = X
    return found


def _apply(layer: Layer, arrays: Arrays, X: Array) -> Array:
    if layer.kind == "fc":
        return X.reshape(len(X), -1) @ arrays[f"{layer.name}.weight"].T + arrays[f"{layer.name}.bias"]
    edge = (layer.padding, layer.padding)
    padded = np.pad(X, ((0, 0), (0, 0), edge, edge))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.window, layer.window), (2, 3))
    windows = windows[:, :, :: layer.stride, :: layer.stride]  # (batch, channels, height, width, window, window)
    if layer.kind == "pool":
        return np.asarray(windows.max((4, 5)))
    sums = np.tensordot(windows, arrays[f"{layer.name}.weight"], axes=((1, 4, 5), (1, 2, 3)))
    return np.asarray((sums + arrays[f"{layer.name}.bias"]).transpose(0, 3, 1, 2))


@functools.cache
def stranger() -> tuple[str, dict[str, Any]]:
    """Exercise 6: the layer with another padding, and what the reader gets to find it."""
    random = np.random.default_rng(6)
    image = random.random((1, *STRANGER_IMAGE), np.float32)
    place = int(random.choice([number for number, layer in enumerate(STRANGER) if layer.stride > 1][1:]))
    secret = list(STRANGER)
    secret[place] = secret[place]._replace(padding=1 - secret[place].padding)
    assert shapes(secret, STRANGER_IMAGE) == shapes(STRANGER, STRANGER_IMAGE)
    arrays = draw(STRANGER, STRANGER_IMAGE, seed=1)
    rows = [layer._asdict() for layer in STRANGER]
    return secret[place].name, {
        "layers": rows, "image": image, "weights": arrays, "outputs": forward(secret, arrays, image)
    }  # fmt: skip


@functools.cache
def narrow() -> dict[str, Array]:
    """Exercise 7: the weights of the narrow AlexNet, as PyTorch has them."""
    return draw(NARROW, IMAGE, seed=7)


def keras(arrays: Arrays) -> dict[str, Array]:
    """The same weights as Keras has them: outputs last, and fc6 sees the channels of one pixel after the other."""
    maps = shapes(NARROW, IMAGE)["pool5"]
    turned = {}
    for name, array in arrays.items():
        if name == "fc6.weight":
            array = array.reshape(-1, *maps).transpose(0, 2, 3, 1).reshape(len(array), -1)
        axes = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[array.ndim]
        turned[name] = np.ascontiguousarray(array.transpose(axes))
    return turned


def questions() -> Array:
    """The images that exercise 7 is judged by: (batch, 1, 224, 224)."""
    return np.random.default_rng(70).random((BATCH, *IMAGE), np.float32)


def logits(arrays: Arrays, plan: Plan = NARROW, relu: bool = True) -> Array:
    """What a network answers to the questions: (batch, 10)."""
    return forward(plan, arrays, questions(), relu)[plan[-1].name]


@functools.cache
def mistaken() -> list[tuple[str, Array]]:
    """The answers of copies with a mistake each, behind the key of its message."""
    arrays = narrow()
    maps = shapes(NARROW, IMAGE)["pool5"]
    order = np.arange(np.prod(maps)).reshape(maps).transpose(1, 2, 0).ravel()
    fc6 = arrays["fc6.weight"]
    convs = [name for name, array in arrays.items() if array.ndim == 4]
    turned = {name: arrays[name].swapaxes(2, 3) for name in convs}
    shuffled = [{"fc6.weight": fc6[:, order]}, {"fc6.weight": fc6[:, np.argsort(order)]}]
    right, padded = logits(arrays), [NARROW[0]._replace(padding=1), *NARROW[1:]]
    shares = np.exp(right - right.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return [
        ("7.turned", logits({**arrays, **turned})),
        ("7.biases", logits({name: array * (array.ndim > 1) for name, array in arrays.items()})),
        ("7.padding", logits(arrays, padded)),
        ("7.no-relu", logits(arrays, relu=False)),
        ("7.softmax", shares),
        ("7.softmax", np.log(shares)),
        ("7.images-turned", forward(NARROW, arrays, questions().swapaxes(2, 3))[NARROW[-1].name]),
        *(("7.fc6-order", logits({**arrays, **fault})) for fault in shuffled),
        *(("7.fc6-order-turned", logits({**arrays, **turned, **fault})) for fault in shuffled),
    ]
