"""The layers of a network that have no layers of their own, in order, without importing the framework."""

from collections.abc import Iterator
from typing import Any


def keras_leaves(net: Any) -> Iterator[Any]:
    """Those of a Keras model."""
    for child in net.layers:
        yield from keras_leaves(child) if hasattr(child, "layers") else [child]


def gluon_leaves(net: Any) -> Iterator[Any]:
    """Those of a Gluon block, which may be one itself."""
    for child in net._children.values():
        yield from gluon_leaves(child)
    if not net._children:
        yield net
