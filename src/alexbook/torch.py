"""`from alexbook import torch as d2l`: d2l.torch, with another data loader and another `train_ch6`.

Every name that is not defined here is d2l's own.
"""

import os
from collections.abc import Iterator
from typing import Any

from alexbook import provenance, training
from alexbook._backend import hand_through, loaders, needs
from alexbook._checkpoint import Weights
from alexbook._cpu import cpu_name, has_bf16, keep_memory
from alexbook.data import Batches, Split

with needs("alexbook.torch"):
    import torch as _torch
    from d2l import torch as _d2l
    from torch.nn import functional as _functional

_ACCELERATOR = _torch.cuda.is_available()

provenance.log(
    backend="pytorch",
    version=_torch.__version__,
    device=_torch.cuda.get_device_name(0) if _ACCELERATOR else cpu_name(),
)


def __getattr__(name: str) -> Any:
    return hand_through(_d2l, name, __name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_d2l)})


class _Loader(Batches):
    """Batches on the device: uint8 images go there once, and are resized there."""

    def __init__(self, split: Split, batch_size: int, resize: int | None, limit: int) -> None:
        super().__init__(split, batch_size, resize, limit=limit)
        self._device = _d2l.try_gpu()
        self._pixels, self._targets, self._resize = (
            _torch.tensor(array, device=self._device) for array in (self.images, self.labels, self.matrix)
        )

    def __iter__(self) -> Iterator[tuple[_torch.Tensor, _torch.Tensor]]:
        return map(self._batch, self.indices())

    def _batch(self, index: Any) -> tuple[_torch.Tensor, _torch.Tensor]:
        chosen = _torch.from_numpy(index).to(self._device)
        pixels = self._pixels[chosen].float() / 255
        return (self._resize @ (pixels @ self._resize.T)).unsqueeze(1), self._targets[chosen]


def load_data_fashion_mnist(batch_size: int, resize: int | None = None) -> tuple[_Loader, _Loader]:
    """The training and the test batches of Fashion-MNIST, as many images as the profile allows.

    Returns:
        Two loaders. Each batch is X, float32 of shape (batch, 1, height, width) in [0, 1], and y, int64 of
        shape (batch,). The training batches are shuffled anew in every epoch.

    Raises:
        ValueError: `batch_size` or `resize` is not a whole number of at least 1.
    """
    return loaders(lambda split, limit: _Loader(split, batch_size, resize, limit), _ACCELERATOR)


def train_ch6(
    net: _torch.nn.Module,
    train_iter: Any,
    test_iter: Any,
    num_epochs: int,
    lr: float,
    device: _torch.device | str,
    *,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    precision: str = "auto",
) -> training.History:
    """Trains `net` from fresh weights by gradient descent, and prints d2l's two last lines.

    Args:
        net: its weights become Xavier-uniform, its biases zero.
        train_iter: batches (X, y) to learn from.
        test_iter: batches to measure the accuracy on after each epoch.
        num_epochs: how often to go through `train_iter`; the profile may allow fewer.
        lr: the learning rate.
        device: where to train, such as `d2l.try_gpu()`.
        seed: decides the weights, the order of the batches and the dropout.
        checkpoint: a file to keep after each epoch, and to go on from when it is there.
        precision: "fp32"; "bf16", products in bfloat16 and weights in float32; "auto", the faster one on `device`.

    Returns:
        The history; after Ctrl-C, so far.

    Raises:
        TypeError: `net` is not a network of this framework.
        ValueError: a number that cannot be, or a checkpoint that is damaged or of another run.
        FloatingPointError: the loss is no longer finite.
    """
    if not isinstance(net, _torch.nn.Module):
        raise TypeError(f"net must be a torch.nn.Module, got {net!r}")
    plan = training.Plan(num_epochs, lr, seed, checkpoint, _ACCELERATOR, precision)
    return training.train(_Learner(net, plan, device), train_iter, test_iter, plan)


class _Learner:
    """A PyTorch network, in the verbs of the training loop."""

    backend = "pytorch"

    def __init__(self, net: _torch.nn.Module, plan: training.Plan, device: _torch.device | str) -> None:
        self.net, self._lr, self.device = net, plan.lr, str(device)
        self._kind = _torch.device(device).type
        self.precision = plan.choose(_multiplies_bf16(self._kind))
        if self._kind == "cpu":
            keep_memory()

    def initialize(self, X: _torch.Tensor, seed: int) -> None:
        """On the CPU first, so that a seed means the same weights on every device."""
        self.net.to("cpu")
        with _torch.no_grad():
            self.net.eval()(X[:1].cpu())  # lazy layers learn their shapes, and draw numbers
        _torch.manual_seed(seed)
        self.net.apply(_reset)
        # Channels last is how the convolutions of CPUs and GPUs are fastest; the values stay the same.
        self.net.to(self.device).to(memory_format=_torch.channels_last)
        self._optimizer = _torch.optim.SGD(self.net.parameters(), lr=self._lr)

    def set_seed(self, seed: int) -> None:
        _torch.manual_seed(seed)

    def step(self, X: _torch.Tensor, y: _torch.Tensor) -> tuple[_torch.Tensor, _torch.Tensor]:
        X, y = X.to(self.device), y.to(self.device)
        self._optimizer.zero_grad()
        outputs = self._answer(self.net.train(), X)
        loss = _functional.cross_entropy(outputs, y)
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch gives this method no types
        self._optimizer.step()
        return loss.detach() * len(y), (outputs.argmax(dim=1) == y).sum()

    @_torch.no_grad()
    def evaluate(self, X: _torch.Tensor, y: _torch.Tensor) -> _torch.Tensor:
        outputs = self._answer(self.net.eval(), X.to(self.device))
        return (outputs.argmax(dim=1) == y.to(self.device)).sum()

    def _answer(self, net: _torch.nn.Module, X: _torch.Tensor) -> _torch.Tensor:
        with _torch.autocast(self._kind, _torch.bfloat16, enabled=self.precision == "bf16"):
            outputs: _torch.Tensor = net(X)
        return outputs.float()

    def get_weights(self) -> Weights:
        return {name: value.cpu().numpy().copy() for name, value in self.net.state_dict().items()}

    def set_weights(self, weights: Weights) -> None:
        self.net.load_state_dict({name: _torch.from_numpy(value) for name, value in weights.items()})

    def synchronize(self) -> None:
        if self.device.startswith("cuda"):
            _torch.cuda.synchronize(self.device)


def _multiplies_bf16(kind: str) -> bool:
    if kind == "cuda":
        return bool(_torch.cuda.is_bf16_supported(including_emulation=False))
    return kind == "cpu" and has_bf16()


def _reset(layer: _torch.nn.Module) -> None:
    reset = getattr(layer, "reset_parameters", None)
    if callable(reset):
        reset()  # batch normalization, for one, starts at ones
    if isinstance(layer, _torch.nn.Linear | _torch.nn.modules.conv._ConvNd):
        _torch.nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            _torch.nn.init.zeros_(layer.bias)
