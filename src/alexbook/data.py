"""Fashion-MNIST for every framework: the same verified images, the same batches, the same resizing.

`load` finds the data wherever it is, `Batches` says which images come next, and `resize_matrix` enlarges them
on the device. Nothing here needs a framework, so that all of them start from the same bytes.
"""

import functools
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alexbook import _sources, provenance
from alexbook._idx import NAMES, DataError

__all__ = ["CLASSES", "SPLITS", "Batches", "DataError", "Split", "load", "resize_matrix", "source"]

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Positions = NDArray[np.int64]
Draw = tuple[Positions, Positions | None, Positions | None]

CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def load(split: Split, images: int | None = None) -> tuple[Images, Labels]:
    """Loads one half of Fashion-MNIST from the first place that has it; read once per process.

    Args:
        split: "train" or "test".
        images: how many to take, from the first on; None takes all.

    Returns:
        The images, uint8 of shape (n, 28, 28), 0 is background, and the labels, int64 of shape (n,), indices
        into CLASSES; both read-only. All are 60,000 ("train") or 10,000 ("test"); in the sample 2,000 or 1,000.

    Raises:
        ValueError: `split` is neither "train" nor "test", or `images` is not from 1 to as many as there are.
        DataError: the folder named by ALEXBOOK_DATA has no usable data.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be "train" or "test", got {split!r}')
    pixels, labels = _everything()[1][split]
    if images is None:
        return pixels, labels
    _at_least(1, images=images)
    if images > len(labels):
        raise ValueError(f"images must be at most {len(labels):,}, all of {split!r} in {source()}, got {images:,}")
    return pixels[:images], labels[:images]


def source() -> str:
    """Where the data came from, in words."""
    return _everything()[0]


@functools.cache
def _everything() -> tuple[str, dict[str, tuple[Images, Labels]]]:
    """Both halves, from one source, so that a real half is never tested on half a sample."""
    found = _sources.find()
    arrays = [found.arrays[name] for name in NAMES]
    provenance.log(data=found.source)
    return found.source, {"train": _half(*arrays[:2]), "test": _half(*arrays[2:])}


def _half(images: Images, labels: Images) -> tuple[Images, Labels]:
    wide = labels.astype(np.int64)
    wide.setflags(write=False)
    return images, wide


def resize_matrix(size: int, source: int = 28, shift: float = 0) -> NDArray[np.float32]:
    """The matrix A that resizes an image X of source by source pixels to size by size: A·X·Aᵀ, bilinear.

    Pixel centres lie at half pixels, as in the frameworks' own resizing; beyond an edge, the edge repeats.
    A `shift` in pixels of X moves the picture along A's axis, towards its start if positive.

    Returns:
        float32 of shape (size, source); each row sums to 1 and has at most two entries that are not 0.

    Raises:
        ValueError: `size` or `source` is not a whole number of at least 1.
    """
    _at_least(1, size=size, source=source)
    centre = np.clip((np.arange(size) + 0.5) * source / size - 0.5 + shift, 0, source - 1)
    left = np.floor(centre).astype(np.int64)
    share = centre - left
    matrix = np.zeros((size, source))
    matrix[np.arange(size), left] = 1 - share
    matrix[np.arange(size), np.minimum(left + 1, source - 1)] += share
    return matrix.astype(np.float32)


class Batches:
    """Which images come next: the same for every framework, and shuffled anew in every epoch.

    Attributes:
        name: "train", "validation" or "test".
        images: uint8 of shape (n, 28, 28), read-only.
        labels: int64 of shape (n,), read-only.
        mirror, shift, held_out: as they were given.
        available: how many images there are, of which n were taken.
        batch_size: images in a batch; the last batch of an epoch may be smaller.
        size: height and width after resizing, in pixels.
        matrix: float32 of shape (size, 28), see `resize_matrix`.
        views: float32 of shape (2·(2·shift + 1), size, 28): `matrix` for every shift, then the same mirrored.
        seed, epoch: of the next call of `indices` or `draws`, the epochs from 0; `train_ch6` sets both.
        reduced: whether fewer images were asked for than the profile allows; a training may then take more epochs.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        resize: int | None = None,
        seed: int = 0,
        limit: int | None = None,
        mirror: bool = False,
        shift: int = 0,
        held_out: float = 0,
    ) -> None:
        """Takes the first `limit` images, or all there are.

        Args:
            split: "train" or "test".
            batch_size: images in a batch.
            resize: height and width in pixels; None leaves 28.
            seed: decides the order of "train", and what augmentation draws; "test" keeps its order.
            limit: the most images to take.
            mirror: whether each training image is mirrored with probability ½, anew in every epoch.
            shift: how many of its 28 pixels each training image moves at most, in either direction of both axes,
                anew in every epoch; what moves in repeats the edge.
            held_out: the last part of the training images, from 0 to less than 1. "train" then lacks it, and "test"
                is that part instead of the test images: validation.

        Raises:
            ValueError: `split` is neither "train" nor "test"; `batch_size`, `resize` or `limit` is not a whole number
                of at least 1, `shift` not one of at least 0; or `held_out` leaves nothing to train on or to measure.
        """
        size = 28 if resize is None else resize
        _at_least(1, batch_size=batch_size, resize=size, limit=1 if limit is None else limit)
        _at_least(0, shift=shift)
        images, labels = _part(split, held_out)
        # In Python's own numbers, which a checkpoint can write down.
        self.size, self.batch_size, self.shift = int(size), int(batch_size), int(shift)
        self.mirror, self.held_out = bool(mirror), float(held_out)
        self.name = "validation" if held_out and split == "test" else split
        self.available = len(labels)
        self.images, self.labels = images[:limit], labels[:limit]
        self.matrix = resize_matrix(self.size)
        moved = np.stack([resize_matrix(self.size, shift=step) for step in range(-shift, shift + 1)])
        self.views = np.concatenate([moved, moved[:, :, ::-1]])
        self._sides = 1 + self.mirror if split == "train" and (mirror or shift) else 0
        self.shuffle = split == "train"
        self.seed = seed
        self.epoch = 0
        self.reduced = False

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self.labels) // self.batch_size)

    def indices(self) -> Iterator[Positions]:
        """Starts an epoch, and gives the positions of each batch's images: every image once.

        The order depends on the seed and the epoch alone; it is fixed by this call, not by taking a batch.
        """
        order = np.arange(len(self.labels))
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.labels))
        self.epoch += 1
        return (order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size))

    def draws(self) -> Iterator[Draw]:
        """As `indices`, each batch with what makes its pictures: rows·X·columnsᵀ, out of `views`.

        Rows and columns are int64 of shape (batch,), drawn for each image: only columns may be mirrored. Without
        augmentation they are None, and both matrices are `matrix`.
        """
        random = np.random.default_rng([self.seed, self.epoch, 1])  # the third number keeps it apart from the order
        return ((index, *self._drawn(len(index), random)) for index in self.indices())

    def _drawn(self, count: int, random: np.random.Generator) -> tuple[Positions | None, Positions | None]:
        if not self._sides:
            return None, None
        shifts = len(self.views) // 2
        return random.integers(shifts, size=count), random.integers(self._sides * shifts, size=count)


def _part(split: Split, held_out: float) -> tuple[Images, Labels]:
    """That half of the data; with images held out, what they leave of "train", or they themselves as "test"."""
    half = load(split)
    if held_out == 0:
        return half
    images, labels = load("train")
    is_share = isinstance(held_out, int | float | np.number) and 0 < held_out < 1
    cut = round(len(labels) * (1 - held_out)) if is_share else 0
    if not 0 < cut < len(labels):
        raise ValueError(f"held_out must be a share of the {len(labels):,} images, such as 0.1, got {held_out!r}")
    kept = slice(cut) if split == "train" else slice(cut, None)
    return images[kept], labels[kept]


def _at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
