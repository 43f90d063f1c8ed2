"""What a training run was asked for, and what it saw."""

import math
import os
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Recipe:
    """What `train_ch6` does beyond gradient descent at one rate; as it stands, nothing.

    Attributes:
        momentum: the share of its last step that each step keeps, from 0 to less than 1 (Sutskever et al. 2013,
            section 2). PyTorch multiplies the sum of gradients by the rate, TensorFlow and MXNet each gradient by
            the rate of its step: the same while the rate stays.
        warmup: the share of all steps in which the rate climbs from 0 to `lr`; in the others it falls to 0, in
            straight lines both (Smith 2018, section 4). None: the rate is `lr` throughout.
        label_smoothing: the share of every target that is spread over all classes alike (Szegedy et al. 2016,
            section 7). The training loss includes it.
    """

    momentum: float = 0.0
    warmup: float | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Turns the shares into Python's own numbers; raises ValueError for one that is none."""
        for name, value in asdict(self).items():
            if name == "warmup" and value is None:
                continue
            if not (isinstance(value, int | float | np.number) and 0 <= value < 1):
                raise ValueError(f"{name} must be a number from 0 to less than 1, got {value!r}")
            object.__setattr__(self, name, float(value))

    def rate(self, lr: float, progress: float) -> float:
        """The learning rate when that share of all steps is done, `progress` from 0 to 1."""
        if self.warmup is None:
            return lr
        if progress < self.warmup:
            return lr * progress / self.warmup
        return lr * (1 - progress) / (1 - self.warmup)


PLAIN = Recipe()


@dataclass(frozen=True)
class Plan:
    """What was asked of `train_ch6`, in Python's own numbers; ValueError or TypeError for what cannot be done."""

    num_epochs: int
    lr: float
    seed: int = 0
    checkpoint: str | os.PathLike[str] | None = None
    accelerator: bool = False
    precision: str = "auto"
    recipe: Recipe = PLAIN
    quiet: bool = False

    def __post_init__(self) -> None:
        """Checks the numbers before anything is built or reset."""
        for name, least in (("num_epochs", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
            object.__setattr__(self, name, int(value))
        if self.seed >= 2**31:
            raise ValueError(f"seed must be less than 2**31, which is as far as MXNet counts, got {self.seed}")
        if not (isinstance(self.lr, int | float | np.number) and 0 < self.lr < math.inf):
            raise ValueError(f"lr must be a finite number above 0, got {self.lr!r}")
        object.__setattr__(self, "lr", float(self.lr))
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")
        if not isinstance(self.recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe, such as Recipe(momentum=0.9), got {self.recipe!r}")

    def choose(self, bf16_is_faster: bool) -> str:
        """The precision to train in, "fp32" or "bf16"."""
        return {"auto": "bf16" if bf16_is_faster else "fp32"}.get(self.precision, self.precision)


@dataclass
class History:
    """What training saw: one entry an epoch in each list.

    Attributes:
        train_loss: mean cross-entropy over the epoch, while the weights were changing.
        train_acc: share of right answers over the epoch, from 0 to 1.
        test_acc: share of right answers on the images of `test_iter` after the epoch, from 0 to 1.
        seconds: time spent on training, its plot included, evaluation not.
        images: training images in an epoch.
        size: their height and width in pixels; 0 where `train_iter` does not tell.
        seed, profile: what they followed from.
        precision: what the products were computed in, "fp32" or "bf16".
        tested: the number of images in `test_iter`; 0 where it does not tell.
        tested_on: "test", or "validation" if `test_iter` holds images held out of the training images.
        net: the trained network.
    """

    train_loss: list[float] = field(default_factory=list)
    train_acc: list[float] = field(default_factory=list)
    test_acc: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    images: int = 0
    size: int = 0
    seed: int = 0
    profile: str = "full"
    precision: str = "fp32"
    tested: int = 0
    tested_on: str = "test"
    net: Any = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        """The number of complete epochs."""
        return len(self.test_acc)

    def report(self, device: str) -> None:
        """Prints d2l's two last lines."""
        loss, train_acc, test_acc = (values[-1] for values in (self.train_loss, self.train_acc, self.test_acc))
        print(f"loss {loss:.3f}, train acc {train_acc:.3f}, {self.tested_on} acc {test_acc:.3f}")
        print(f"{self.images * len(self) / sum(self.seconds):.1f} examples/sec on {device}")


class Tally:
    """Sums of numbers that may still be on the device, fetched seldom: fetching waits for the device."""

    PENDING = 10  # also bounds the batches that a device may be behind, and with them its memory

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.images = 0
        self._pending: list[tuple[Any, ...]] = []
        self._sums: defaultdict[int, float] = defaultdict(float)

    def add(self, images: int, *sums: Any) -> None:
        """Adds the sums of one batch of so many images."""
        self.images += images
        self._pending.append(sums)
        if len(self._pending) == self.PENDING:
            self._fetch()

    def means(self) -> list[float]:
        """The sums divided by the number of images."""
        self._fetch()
        return [total / self.images for total in self._sums.values()]

    def _fetch(self) -> None:
        for column, values in enumerate(zip(*self._pending, strict=True)):
            self._sums[column] += float(sum(values))
        self._pending.clear()
