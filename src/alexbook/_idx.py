"""Reads the IDX files of Fashion-MNIST and trusts none of them before their content is verified.

A hash covers the *uncompressed* content, because people pack the same images anew: the ``.gz`` files of
Debian's package have other bytes than the official ones, and the same pixels.
"""

import gzip
import hashlib
import math
import os
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.uint8]
Arrays = dict[str, Array]


class DataError(ValueError):
    """A data file or folder is not what it should be: says where, what was expected and what came."""


@dataclass(frozen=True)
class Spec:
    """What a file must be: its name without ``.gz``, its array's shape, its content's SHA-256."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> tuple[int, ...]:
        """The magic number (8 for uint8, then the number of axes) and the length of each axis."""
        return (0x0800 + len(self.shape), *self.shape)


NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _specs(train: int, test: int, *hashes: str) -> tuple[Spec, ...]:
    shapes = ((train, 28, 28), (train,), (test, 28, 28), (test,))
    return tuple(Spec(*spec) for spec in zip(NAMES, shapes, hashes, strict=True))


REAL = _specs(
    60_000,
    10_000,
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)

# Written by scripts/make_sample.py, which prints these hashes.
SAMPLE = _specs(
    2_000,
    1_000,
    "a724cd72799a6b1c3a81c4263865a75a73bb6473673b3394e34adf222930f19e",
    "4738fd437c0f8d6498ae7f6f5c86f1cc3c878d4116ff169fc5635bd6847899cc",
    "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef",
    "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909",
)


def read(path: Path, spec: Spec, where: str = "") -> Array:
    """Reads one file, gzipped or not; `where` stands in errors for a path that is only temporary.

    Returns:
        Its array, uint8, of shape ``spec.shape``, read-only.

    Raises:
        DataError: the file cannot be read, or is not exactly what `spec` says.
    """
    where = where or str(path)
    content = _uncompressed(path, where)
    start = 4 * len(spec.header)
    header = tuple(np.frombuffer(content[:start].ljust(start, b"\0"), ">u4").tolist())
    _expect(where, "IDX magic number", spec.header[0], header[0])
    _expect(where, "array of shape", spec.shape, header[1:])
    _expect(where, "uncompressed size in bytes", start + math.prod(spec.shape), len(content))
    _expect(where, "SHA-256 of the uncompressed content", spec.sha256, hashlib.sha256(content).hexdigest())
    return np.frombuffer(content, np.uint8, offset=start).reshape(spec.shape)


def _expect(where: str, what: str, expected: object, got: object) -> None:
    if got != expected:
        raise DataError(f"{where}: expected {what} {expected}, got {got}")


def _uncompressed(path: Path, where: str) -> bytes:
    """The content; gzip is told by its first bytes, since browsers unpack files and keep the name."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{where}: expected a readable, whole file, got: {error}") from error


def read_folder(folder: Path, specs: Sequence[Spec]) -> Arrays | None:
    """Reads the files of `specs` from a folder and changes nothing in it.

    Returns:
        The arrays by file name; None if the folder does not exist or holds none of the files.

    Raises:
        DataError: the folder cannot be read, or a file is missing or damaged.
    """
    try:
        found = {name.removesuffix(".gz") for name in os.listdir(folder)}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"{folder}: expected a readable folder, got: {error}") from error
    missing = [spec.name for spec in specs if spec.name not in found]
    if len(missing) == len(specs):
        return None
    if missing:
        raise DataError(f"{folder}: expected four files, got no {' and no '.join(missing)} (with .gz or without)")
    return {spec.name: read_either(folder, spec) for spec in specs}


def read_either(folder: Path, spec: Spec) -> Array:
    """Reads ``NAME`` or ``NAME.gz``: torchvision keeps both, and a failed unpacking spoils one."""
    paths = [path for path in (folder / spec.name, folder / f"{spec.name}.gz") if os.path.lexists(path)]
    for path in paths[:-1]:
        try:
            return read(path, spec)
        except DataError as error:
            warnings.warn(f"{error}. It is left as it is; {paths[-1].name} is read instead.", stacklevel=2)
    return read(paths[-1], spec)
