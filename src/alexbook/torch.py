"""`from alexbook import torch as d2l`: d2l.torch, with another data loader and another `train_ch6`.

Every name that is not defined here is d2l's own.
"""

import contextlib
import gc
import itertools
import os
from collections.abc import Iterator
from typing import Any

from alexbook import _cpu, provenance, training
from alexbook._backend import hand_through, loaders, needs
from alexbook._checkpoint import Weights
from alexbook._cpu import cpu_name, is_faster_in_bf16, keep_memory
from alexbook.data import Batches
from alexbook.training import PLAIN, Recipe

with needs("alexbook.torch"):
    import torch as _torch
    from d2l import torch as _d2l
    from torch.nn import functional as _functional

    from alexbook._fold import Fold
    from alexbook._graph import Answer, record

_ACCELERATOR = _torch.cuda.is_available()


def _facts(device: _torch.device | str) -> dict[str, str]:
    name = _torch.cuda.get_device_name(device) if _torch.device(device).type == "cuda" else cpu_name()
    return {"backend": "pytorch", "version": str(_torch.__version__), "device": name}


provenance.log(**_facts(_d2l.try_gpu()))


def __getattr__(name: str) -> Any:
    return hand_through(_d2l, name, __name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_d2l)})


class _Loader(Batches):
    """Batches on the device: uint8 images go there once, and are resized there."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._device = _d2l.try_gpu()
        self._pixels, self._targets = self._put(self.images), self._put(self.labels)
        self._matrix, self._views = self._put(self.matrix), self._put(self.views)

    def _put(self, array: Any) -> _torch.Tensor:
        tensor = _torch.tensor(array, device="cpu")
        if self._device.type == "cuda":  # fetches from pinned memory by itself: nobody has to wait for it
            tensor = tensor.pin_memory()
        return tensor.to(self._device, non_blocking=True)

    def __iter__(self) -> Iterator[tuple[_torch.Tensor, _torch.Tensor]]:
        return itertools.starmap(self._batch, self.draws())

    def _batch(self, index: Any, rows: Any, columns: Any) -> tuple[_torch.Tensor, _torch.Tensor]:
        chosen = self._put(index)
        pixels = self._pixels[chosen].float() / 255
        left, right = (self._matrix if view is None else self._views[self._put(view)] for view in (rows, columns))
        return (left @ (pixels @ right.mT)).unsqueeze(1), self._targets[chosen]


def load_data_fashion_mnist(
    batch_size: int,
    resize: int | None = None,
    *,
    mirror: bool = False,
    shift: int = 0,
    held_out: float = 0,
    images: tuple[int, int] | None = None,
) -> tuple[_Loader, _Loader]:
    """The training and the test batches of Fashion-MNIST, as many images as the profile allows.

    Args:
        batch_size: images in a batch.
        resize: height and width in pixels; None leaves 28.
        mirror: whether each training image is mirrored with probability ½, anew in every epoch.
        shift: how many of its 28 pixels each training image moves at most, along both axes, anew in every epoch.
        held_out: the share of the training images, its end, that is kept for validation and takes the place of
            the test images.
        images: at most so many training images and test images; with fewer than the profile allows, `train_ch6`
            may take more epochs, up to as many images in all.

    Returns:
        Two loaders. Each batch is X, float32 of shape (batch, 1, height, width) in [0, 1], and y, int64 of
        shape (batch,). The training batches are shuffled anew in every epoch.

    Raises:
        DataError: the folder named by ALEXBOOK_DATA has no usable data.
        ValueError: `batch_size` or `resize` is not a whole number of at least 1, `shift` not one of at least 0,
            or `held_out` not such a share; `images` is not two whole numbers of at least 1; or ALEXBOOK_PROFILE names
            no profile.
    """
    options = {"batch_size": batch_size, "resize": resize, "mirror": mirror, "shift": shift, "held_out": held_out}
    return loaders(_Loader, _ACCELERATOR, images, **options)


def has_bf16(device: _torch.device | str | None = None) -> bool:
    """Whether the device, by default the one that `try_gpu` finds, multiplies bfloat16 by itself.

    Where it does not, PyTorch emulates it: slower than float32, up to minutes for a step.
    """
    place = _torch.device(device or _d2l.try_gpu())
    if place.type == "cuda":
        with _torch.cuda.device(place):
            return bool(_torch.cuda.is_bf16_supported(including_emulation=False))
    return place.type == "cpu" and _cpu.has_bf16()


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
    recipe: Recipe = PLAIN,
    quiet: bool = False,
) -> training.History:
    """Trains `net` from fresh weights by gradient descent, and prints d2l's two last lines.

    Args:
        net: the weights of its convolutions and fully connected layers become Xavier-uniform, the biases zero; other
            layers start over by their own `reset_parameters`, and keep their values where they have none.
        train_iter: batches (X, y) to learn from.
        test_iter: batches to measure the accuracy on after each epoch.
        num_epochs: how often to go through `train_iter`; the profile may allow fewer.
        lr: the learning rate; the highest one, if `recipe` has it climb and fall.
        device: where to train, such as `d2l.try_gpu()`.
        seed: decides the weights, the dropout and, with the loaders of this module, the order of the batches and what
            augmentation draws.
        checkpoint: a file to keep after each epoch, and to go on from when it is there.
        precision: "fp32"; "bf16", products in bfloat16 and weights in float32, which takes minutes a step where the
            device only emulates it (see `has_bf16`); "auto", the faster one on `device`.
        recipe: a falling rate, momentum, label smoothing; by default none of them.
        quiet: shows progress while it trains, but leaves no plot and prints no result.

    Returns:
        The history; after Ctrl-C, so far.

    Raises:
        TypeError: `net` is not a network of this framework, `recipe` no Recipe, or batches can be taken only once or
            do not know how many they are.
        ValueError: a number that cannot be, no batch, a checkpoint that is damaged or of another run, or an
            ALEXBOOK_PROFILE that names no profile.
        OSError: the checkpoint cannot be written.
        FloatingPointError: the loss is no longer finite.
    """
    if not isinstance(net, _torch.nn.Module):
        raise TypeError(f"net must be a torch.nn.Module, got {net!r}")
    plan = training.Plan(num_epochs, lr, seed, checkpoint, _ACCELERATOR, precision, recipe, quiet)
    learner = _Learner(net, plan, device)
    try:
        return training.train(learner, train_iter, test_iter, plan)
    finally:
        learner.leave()


class _Learner:
    """A PyTorch network, in the verbs of the training loop."""

    backend = "pytorch"

    def __init__(self, net: _torch.nn.Module, plan: training.Plan, device: _torch.device | str) -> None:
        self.net, self._plan, self.facts = net, plan, _facts(device)
        place = _torch.device(device)
        self.device, self._kind = str(place), place.type
        self._recorded: dict[tuple[_torch.Size, _torch.dtype], Answer] = {}  # by the inputs' shape and type
        self.precision = plan.choose(is_faster_in_bf16() if self._kind == "cpu" else has_bf16(device))
        if self._kind == "cpu":
            keep_memory()

    def is_built(self) -> bool:
        return not any(map(_torch.nn.parameter.is_lazy, (*self.net.parameters(), *self.net.buffers())))

    def initialize(self, X: _torch.Tensor, seed: int) -> None:
        """On the CPU first, so that a seed means the same weights on every device."""
        self.net.to("cpu")
        if not self.is_built():
            with _torch.no_grad():
                self.net.eval()(X[:1].cpu())  # lazy layers learn their shapes, and draw numbers
        _torch.manual_seed(seed)
        self.net.apply(_reset)
        # Channels last is how the convolutions of CPUs and GPUs are fastest; the values stay the same.
        self.net.to(self.device).to(memory_format=_torch.channels_last)
        momentum = self._plan.recipe.momentum
        self._optimizer = _torch.optim.SGD(self.net.parameters(), lr=self._plan.lr, momentum=momentum)
        if momentum:  # the optimizer would make them in the first step, after a checkpoint is read
            for weight in self.net.parameters():
                self._optimizer.state[weight]["momentum_buffer"] = _torch.zeros_like(weight)
        if X.is_cuda:  # batches that come from the processor take longer than Python
            self._record(X.to(self.device))

    def _record(self, X: _torch.Tensor) -> None:
        """Has a GPU that multiplies bfloat16 repeat its work on inputs like X, unless in float32."""
        if self._kind == "cuda" and self.precision == "bf16" and has_bf16(self.device):
            replay = record(self.net.train(), self._answer, X)
            self._recorded = {(X.shape, X.dtype): replay} if replay else {}

    def leave(self) -> None:
        """After a training, whatever ended it, the network answers as in use: the other two always do."""
        if hasattr(self, "_optimizer"):  # it has begun
            self.net.eval()
        if self._recorded:  # its memory on the GPU hangs in a circle of objects
            self._recorded.clear()
            gc.collect()

    def set_seed(self, seed: int) -> None:
        _torch.manual_seed(seed)

    def set_rate(self, lr: float) -> None:
        self._optimizer.param_groups[0]["lr"] = lr

    def step(self, X: _torch.Tensor, y: _torch.Tensor) -> tuple[_torch.Tensor, _torch.Tensor]:
        X, y = X.to(self.device), y.to(self.device)
        self._optimizer.zero_grad()
        replay = self._recorded.get((X.shape, X.dtype))
        outputs = replay(X) if replay else self._answer(self.net.train(), X)
        loss = _functional.cross_entropy(outputs, y, label_smoothing=self._plan.recipe.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch gives this method no types
        self._optimizer.step()
        return loss.detach() * len(y), (outputs.argmax(dim=1) == y).sum()

    @_torch.no_grad()
    def evaluate(self, X: _torch.Tensor, y: _torch.Tensor) -> _torch.Tensor:
        outputs = self._answer(self.net.eval(), X.to(self.device))
        return (outputs.argmax(dim=1) == y.to(self.device)).sum()

    def _answer(self, net: Answer, X: _torch.Tensor) -> _torch.Tensor:
        fast = self.precision == "bf16"
        fold = Fold() if fast else contextlib.nullcontext()
        with _torch.autocast(self._kind, _torch.bfloat16, enabled=fast), fold:
            outputs: _torch.Tensor = net(X)
        return outputs.float()

    def describe(self) -> list[str]:
        return [repr(layer) for layer in self.net.modules() if not [*layer.children()]]

    def get_weights(self) -> Weights:
        return {name: value.cpu().numpy().copy() for name, value in self._tensors().items()}

    @_torch.no_grad()
    def set_weights(self, weights: Weights) -> None:
        for name, value in self._tensors().items():
            value.copy_(_torch.from_numpy(weights[name]))

    def _tensors(self) -> dict[str, _torch.Tensor]:
        steps = (state["momentum_buffer"] for state in self._optimizer.state.values())
        return self.net.state_dict() | {f"momentum {number}": step for number, step in enumerate(steps)}

    def synchronize(self) -> None:
        if self._kind == "cuda":
            _torch.cuda.synchronize(self.device)


def _reset(layer: _torch.nn.Module) -> None:
    reset = getattr(layer, "reset_parameters", None)
    if callable(reset):
        reset()  # batch normalization, for one, starts at ones
    if isinstance(layer, _torch.nn.Linear | _torch.nn.modules.conv._ConvNd):
        _torch.nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            _torch.nn.init.zeros_(layer.bias)
