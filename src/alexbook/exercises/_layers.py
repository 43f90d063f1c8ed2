"""The networks of the exercises as lists of layers, and all that follows from their sizes by arithmetic."""

import math
from collections.abc import Sequence
from typing import NamedTuple

Shape = tuple[int, ...]


class Layer(NamedTuple):
    """One row of a network: kind is "conv", "pool" (no weights) or "fc" (flattens what it gets)."""

    name: str
    kind: str
    outputs: int = 0
    window: int = 1
    stride: int = 1
    padding: int = 0

    def side(self, n: int) -> int:
        """Height or width of the output for that of the input."""
        return (n + 2 * self.padding - self.window) // self.stride + 1

    def shape(self, given: Shape) -> Shape:
        """The shape of the output, (channels, height, width) or (numbers,), for that of the input."""
        if self.kind == "fc":
            return (self.outputs,)
        channels, height, width = given
        return (self.outputs or channels, self.side(height), self.side(width))

    def weights(self, given: Shape) -> Shape:
        """The shape of the weights, outputs first, for that of the input; () for a pooling layer."""
        if self.kind == "fc":
            return (self.outputs, math.prod(given))
        return (self.outputs, given[0], self.window, self.window) if self.kind == "conv" else ()


Plan = Sequence[Layer]


def alexnet(conv: Sequence[int], fc: Sequence[int]) -> Plan:
    """The book's network with so many channels in its convolutions and so many numbers in its last layers."""
    one, two, three, four, five = conv
    return (
        Layer("conv1", "conv", one, 11, 4),
        Layer("pool1", "pool", 0, 3, 2),
        Layer("conv2", "conv", two, 5, 1, 2),
        Layer("pool2", "pool", 0, 3, 2),
        Layer("conv3", "conv", three, 3, 1, 1),
        Layer("conv4", "conv", four, 3, 1, 1),
        Layer("conv5", "conv", five, 3, 1, 1),
        Layer("pool5", "pool", 0, 3, 2),
        *(Layer(f"fc{number}", "fc", outputs) for number, outputs in enumerate(fc, 6)),
    )


IMAGE = (1, 224, 224)
ALEXNET = alexnet((96, 256, 384, 384, 256), (4096, 4096, 10))
NARROW = alexnet((6, 16, 24, 24, 16), (256, 256, 10))  # exercise 7: seconds instead of minutes, the same traps

STRANGER_IMAGE = (1, 245, 245)
STRANGER = (  # exercise 6: with a stride of 3, a padding more or less need not show in the shapes
    Layer("conv1", "conv", 6, 5, 3, 0),
    Layer("conv2", "conv", 12, 3, 3, 1),
    Layer("conv3", "conv", 16, 3, 3, 0),
    Layer("conv4", "conv", 16, 3, 3, 1),
    Layer("fc5", "fc", 10),
)

OBLONG_IMAGE = (1, 100, 140)
OBLONG = (  # exercise 8: height and width differ, and the floor matters in three places
    Layer("conv1", "conv", 32, 7, 3, 2),
    Layer("pool1", "pool", 0, 3, 2),
    Layer("conv2", "conv", 64, 5, 1, 1),
    Layer("pool2", "pool", 0, 2, 2),
    Layer("conv3", "conv", 48, 3, 2, 1),
    Layer("fc4", "fc", 100),
)


class Counts(NamedTuple):
    """What a layer has and does for one image, in numbers, not bytes."""

    layer: Layer
    weights: int
    biases: int
    read: int
    written: int
    positions: int

    @property
    def macs(self) -> int:
        """Multiply-adds: each weight once at every position."""
        return self.weights * self.positions

    def intensity(self, batch: int, biases: bool = False) -> float:
        """Operations a byte in float32, every number moved once."""
        numbers = self.weights + biases * self.biases + batch * (self.read + self.written)
        return 2 * batch * self.macs / (4 * numbers)


def count(plan: Plan, image: Shape) -> dict[str, Counts]:
    """The counts of every layer by its name."""
    counts, shape = {}, image
    for layer in plan:
        weights, given, shape = math.prod(layer.weights(shape)) if layer.outputs else 0, shape, layer.shape(shape)
        positions = math.prod(shape[1:])
        counts[layer.name] = Counts(layer, weights, layer.outputs, math.prod(given), math.prod(shape), positions)
    return counts


def shapes(plan: Plan, image: Shape) -> dict[str, Shape]:
    """The shape that every layer gives, by its name."""
    found, shape = {}, image
    for layer in plan:
        found[layer.name] = shape = layer.shape(shape)
    return found


COUNTS = count(ALEXNET, IMAGE)
WEIGHTED = tuple(name for name, counts in COUNTS.items() if counts.weights)
