"""A convolution of few channels and long steps, as one of more channels and of steps of one.

The matrix units of GPUs and processors take eight channels or more at a time; the first layer of a network has one, or
three.
"""

from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

CHANNELS = 8  # from which on there is nothing to gain


class Fold(TorchFunctionMode):
    """Within it, every such convolution is computed folded; all other functions are PyTorch's own."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Stands for `function` wherever PyTorch would call it."""
        if function is torch.conv2d and len(args) == 7:  # as torch.nn.Conv2d calls it
            X, weight, bias, stride, padding, dilation, groups = args
            plain = (groups, dilation, X.ndim) == (1, (1, 1), 4) and padding != "valid"
            if plain and weight.shape[1] < CHANNELS and 1 < stride[0] == stride[1]:
                return conv2d(X, weight, bias, stride[0], padding)
        return function(*args, **(kwargs or {}))


def conv2d(
    X: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, step: int, padding: tuple[int, int]
) -> torch.Tensor:
    """What `torch.conv2d` returns, but for rounding.

    A window that moves by `step` pixels moves by one block of step by step pixels, and each pixel of a block may as
    well be a channel. Where the window ends within a block, zeros fill it up.

    Args:
        X: of shape (batch, channels, height, width).
        weight: of shape (channels out, channels, height and width of the window).
        bias: of shape (channels out,), or None.
        step: how many pixels the window moves, down as well as across.
        padding: how many zeros stand around X, above and below, left and right.
    """
    X_margins, weight_margins = [], []  # from the last axis on, as `pad` wants them
    for axis in (3, 2):
        height, window, before = X.shape[axis], weight.shape[axis], padding[axis - 2]
        blocks = -(-window // step)  # of the window, rounded up
        needed = (height + 2 * before - window) // step + blocks  # blocks of X
        X_margins += [before, needed * step - height - before]  # below 0: never looked at, and cut off
        weight_margins += [0, blocks * step - window]
    return torch.conv2d(_blocks(X, X_margins, step), _blocks(weight, weight_margins, step), bias)


def _blocks(array: torch.Tensor, margins: list[int], step: int) -> torch.Tensor:
    folded = functional.pixel_unshuffle(functional.pad(array, margins), step)
    return folded.contiguous(memory_format=torch.channels_last)
