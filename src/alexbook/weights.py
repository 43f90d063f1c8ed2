"""Weights that travel: one safetensors file for the same network in any of the three frameworks.

A file has `conv1.weight`, `conv1.bias`, …, `fc6.weight`, `fc6.bias`, …, numbered in the order in which the network
lists its layers, in one layout whichever framework wrote it. A convolution's weight has the shape (outputs, inputs of a
group, height, width), a fully connected one (outputs, inputs); where maps were flattened before it, channels come
first, then height, then width.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from alexbook._files import replaced
from alexbook._layers import keras_leaves

Array = NDArray[Any]
Net = Any


@dataclass(frozen=True)
class _Parameter:
    """One array of a network: how to read it and write it in the file's layout, which changes nothing but axes."""

    get: Callable[[], Array]
    put: Callable[[Array], Any]


def save(net: Net, path: str | os.PathLike[str]) -> None:
    """Writes the weights of a Gluon block, a `torch.nn.Module` or a Keras model; the whole file, or none.

    Raises:
        TypeError: `net` is a network of none of the three frameworks, or has layers of other kinds.
        ValueError: a layer of `net` has no weights yet.
    """
    arrays = {name: np.ascontiguousarray(parameter.get()) for name, parameter in _parameters(net).items()}
    with replaced(Path(path).expanduser()) as temporary:
        save_file(arrays, temporary)


def load(net: Net, path: str | os.PathLike[str]) -> None:
    """Reads what `save` has written, whichever framework it came from; all arrays, or none.

    Raises:
        TypeError: `net` is a network of none of the three frameworks, or has layers of other kinds.
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or does not fit, or a layer of `net` has no weights yet; `net` is as it was.
    """
    parameters, arrays = _parameters(net), _read(Path(path).expanduser())
    present = {name: parameter.get() for name, parameter in parameters.items()}
    for name in present | arrays:
        expected, found = (_described(each.get(name)) for each in (present, arrays))
        if expected != found:
            raise ValueError(f"{path}: expected {name} {expected}, found {found}; nothing was loaded")
    for name, parameter in parameters.items():
        parameter.put(arrays[name])


def _read(path: Path) -> dict[str, Array]:
    try:
        return load_file(path)
    except (SafetensorError, TypeError, AttributeError) as error:  # NumPy lacks bfloat16 and its like
        expected = "a whole safetensors file in NumPy's types"
        raise ValueError(f"{path}: expected {expected}, found {error}; nothing was loaded") from None


def _described(array: Array | None) -> str:
    return "absent" if array is None else f"of shape {array.shape} in {array.dtype}"


def _parameters(net: Net) -> dict[str, _Parameter]:
    """All weights and biases by their names in the file, in the order of the layers."""
    roots = {base.__module__.partition(".")[0] for base in type(net).__mro__}
    layers = next((layers for root, layers in _LAYERS.items() if root in roots), None)
    if layers is None:
        raise TypeError(f"expected a Gluon block, a torch.nn.Module or a Keras model, got {net!r}")
    named = {}
    for number, (kind, weight, bias) in enumerate(layers(net), 1):
        named[f"{kind}{number}.weight"] = weight
        if bias is not None:
            named[f"{kind}{number}.bias"] = bias
    return named


_Layer = tuple[str, _Parameter, _Parameter | None]  # conv or fc, its weight, its bias if it has one


def _kind(layer: Any, weight: Any, own: Iterable[str]) -> str:
    """The kind of a layer whose arrays have these names."""
    kind = {2: "fc", 4: "conv"}.get(len(weight.shape) if weight is not None else 0)
    # The same shapes, with other axes or another use.
    other = any(part in type(layer).__name__ for part in ("Transpose", "Depthwise", "Embedding"))
    if kind is None or other or not set(own) <= {"weight", "kernel", "bias"}:
        raise TypeError(f"expected convolutions and fully connected layers, got {layer} with {', '.join(own)}")
    return kind


def _torch_layers(net: Net) -> Iterator[_Layer]:
    def parameter(tensor: Any) -> _Parameter:
        return _Parameter(
            lambda: tensor.detach().cpu().numpy(), lambda array: tensor.data.copy_(tensor.new_tensor(array))
        )

    for layer in net.modules():
        own = dict([*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)])
        if any("Uninitialized" in type(tensor).__name__ for tensor in own.values()):
            raise ValueError(_UNKNOWN.format(layer))
        if own:
            bias = parameter(own["bias"]) if "bias" in own else None
            yield _kind(layer, weight := own.get("weight"), own), parameter(weight), bias


def _gluon_layers(net: Net) -> Iterator[_Layer]:
    from mxnet import np as mxnet_np  # who has such a network has imported MXNet

    def parameter(own: Any) -> _Parameter:
        return _Parameter(lambda: own.data().asnumpy(), lambda array: own.set_data(mxnet_np.array(array)))

    if own := net._reg_params:
        if any(each._data is None for each in own.values()):
            raise ValueError(_UNKNOWN.format(net))
        bias = parameter(own["bias"]) if "bias" in own else None
        yield _kind(net, weight := own.get("weight"), own), parameter(weight), bias
    for child in net._children.values():
        yield from _gluon_layers(child)


def _keras_layers(net: Net) -> Iterator[_Layer]:
    maps: tuple[int, ...] = ()  # height, width and channels of the maps that were flattened, until a layer takes them
    fed = False  # whether a layer with weights has come
    for layer in keras_leaves(net):
        if not layer.built:
            raise ValueError(_UNKNOWN.format(layer))
        kind, form = type(layer).__name__, getattr(layer, "data_format", None)
        turns = kind in ("Reshape", "Permute") or (kind, form) == ("Flatten", "channels_first")
        if turns and fed:  # the layer after it would see another order
            raise TypeError(f"expected Flatten, height and width before the channels, got {layer}")
        if kind == "Flatten":
            try:
                flattened = tuple(layer.input.shape[1:])
            except AttributeError as error:  # as in a model of the reader's own class
                raise TypeError(
                    f"expected a Sequential or functional model, got {net}: Keras does not know what its {layer} takes"
                ) from error
            maps = flattened if len(flattened) == 3 else maps  # what is flat already stays as it is
        elif own := {weight.name: weight for weight in layer.weights}:
            bias = _Parameter(own["bias"].numpy, own["bias"].assign) if "bias" in own else None
            yield _kind(layer, kernel := own.get("kernel"), own), _keras_weight(kernel, maps), bias
            maps, fed = (), True


def _keras_weight(kernel: Any, maps: tuple[int, ...]) -> _Parameter:
    """Keras has (height, width, inputs, outputs): of maps that were flattened too, as (height · width · inputs)."""
    inputs, outputs = kernel.shape[-2:]
    four = kernel.shape if len(kernel.shape) == 4 else (*(maps or (1, 1, inputs)), outputs)
    turned = tuple(four[axis] for axis in (3, 2, 0, 1))
    ours = turned if len(kernel.shape) == 4 else (outputs, inputs)
    return _Parameter(
        lambda: kernel.numpy().reshape(four).transpose(3, 2, 0, 1).reshape(ours),
        lambda array: kernel.assign(array.reshape(turned).transpose(2, 3, 1, 0).reshape(kernel.shape)),
    )


_UNKNOWN = "{} has no weights yet: call the network on a batch first"
_LAYERS = {"torch": _torch_layers, "mxnet": _gluon_layers, "keras": _keras_layers}
