"""What the three backends share: handing names through to d2l, and cutting the data to the profile."""

import contextlib
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from alexbook import provenance
from alexbook._cpu import keep_memory
from alexbook._probe import D2L, D2L_IMPORTS, FRAMEWORKS, absent_reason, install
from alexbook.data import SPLITS, Batches
from alexbook.profiles import announce, current_profile

Loader = TypeVar("Loader", bound=Batches)

# d2l, like MXNet, pins a NumPy of 2022 and runs on today's: --no-deps keeps pip from taking today's away.
_INSTALL = {each.module: each.install for each in FRAMEWORKS}
_INSTALL |= D2L_IMPORTS | {"d2l": f"--no-deps d2l=={D2L}", "distutils": "setuptools"}


@contextlib.contextmanager
def needs(module: str) -> Iterator[None]:
    """Turns a missing package, or a file in its place, into an ImportError that says what to do for `module`."""
    try:
        yield
    except ImportError as error:
        package, _, part = (error.name or "").partition(".")
        if file := _file_in_the_way(package, error.path):
            advice = "rename that file, or start Python in another folder"
            raise ImportError(f"{module} needs {package}, but got {file}: {advice}", name=package) from None
        if not isinstance(error, ModuleNotFoundError):
            raise
        absent = [reason for each in FRAMEWORKS if each.module == package and (reason := absent_reason(each))]
        line = absent[0] if absent else install(_INSTALL.get(package, package), again=bool(part))
        raise ImportError(f"{module} needs {error.name}, which is not installed: {line}", name=error.name) from None


def _file_in_the_way(package: str, path: str | None) -> str | None:
    """A reader's file with the name of a package that we need: those are all folders."""
    with contextlib.suppress(ValueError):  # a module made by hand
        if path is None and package and (found := find_spec(package)):
            path = found.origin
    return path if path and package in _INSTALL and Path(path).name == f"{package}.py" else None


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Drops what C++ writes to file descriptor 2: Python cannot filter it, and a notebook would keep it."""
    with open(os.devnull, "wb") as nothing:
        kept = os.dup(2)
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def hand_through(d2l: ModuleType, name: str, module: str) -> Any:
    """What `module` does not define itself, from d2l.

    Raises:
        AttributeError: d2l has no such name either; the message names both modules.
    """
    try:
        return getattr(d2l, name)
    except AttributeError:
        message = f"module {module!r} has no attribute {name!r}, and neither has {d2l.__name__!r}"
        raise AttributeError(message, name=name) from None


def loaders(
    make: Callable[..., Loader], accelerator: bool, images: tuple[int, int] | None = None, **options: Any
) -> tuple[Loader, Loader]:
    """The training loader and the test loader (see `Batches`), each with as many images as the profile allows.

    Args:
        make: the backend's loader.
        accelerator: whether there is a GPU.
        images: at most so many training images and test images; None is no limit beyond the profile's.
        **options: handed on to `make`.

    Raises:
        DataError: the folder named by ALEXBOOK_DATA has no usable data.
        ValueError: `images` is not two whole numbers of at least 1, or ALEXBOOK_PROFILE names no profile.
    """
    if images is not None and not _two_amounts(images):
        expected = "two whole numbers of at least 1, of training and of test images"
        raise ValueError(f"images must be {expected}, got {images!r}")
    if not accelerator:
        keep_memory()  # a batch at 224 by 224 is 26 MB, and its pages are dearer than its numbers
    profile = current_profile(accelerator)
    provenance.log(profile=profile.name)
    allowed = (profile.train, profile.test)
    limits = allowed if images is None else tuple(map(min, allowed, images))
    train, test = (make(split, limit=limit, **options) for split, limit in zip(SPLITS, limits, strict=True))
    wanted = (train.available, test.available) if images is None else images
    train.reduced = wanted[0] < min(train.available, profile.train)
    announce(profile, train=min(train.available, wanted[0]), **{test.name: min(test.available, wanted[1])})
    return train, test


def _two_amounts(images: object) -> bool:
    """Whether that can be numbers of training and of test images."""
    if not isinstance(images, tuple | list) or len(images) != len(SPLITS):
        return False
    return all(isinstance(amount, int | np.integer) and amount >= 1 for amount in images)
