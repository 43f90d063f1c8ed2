"""Writes the sample that alexbook ships: 2,000 training and 1,000 test images of the real Fashion-MNIST.

    python scripts/make_sample.py [FOLDER]      (default: src/alexbook/sample)

Takes the first 200 and the first 100 images of each class, in the order of the file, and prints the SHA-256
of each uncompressed file: those stand in SAMPLE of src/alexbook/_idx.py. The same bytes every time: the gzip
header carries neither a name nor a date.
"""

import gzip
import hashlib
import os
import sys
from pathlib import Path

import numpy as np

from alexbook import _idx, _sources

PER_CLASS = (200, 100)
FOLDER = Path(__file__).parents[1] / "src" / "alexbook" / "sample"


def first_of_each_class(labels: _idx.Array, count: int) -> np.ndarray:
    """The positions of the first `count` images of each class, ascending."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(10)]))


def write(folder: Path, name: str, array: _idx.Array) -> None:
    """Writes one IDX file, gzipped, and prints the hash of its content."""
    header = np.array([0x0800 + array.ndim, *array.shape], ">u4")
    content = header.tobytes() + array.tobytes()
    path = folder / f"{name}.gz"
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(gzip.compress(content, 9, mtime=0))
    os.replace(temporary, path)
    print(hashlib.sha256(content).hexdigest(), path, f"{path.stat().st_size:,} bytes")


def main(folder: Path = FOLDER) -> None:
    """Writes the four files from the real data; stops if only the sample itself is at hand."""
    source, arrays = _sources.find()
    if len(arrays[_idx.NAMES[1]]) != _idx.REAL[1].shape[0]:
        sys.exit(f"expected the real Fashion-MNIST, got: {source}. Set ALEXBOOK_DATA to its folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for images, labels, count in zip(_idx.NAMES[::2], _idx.NAMES[1::2], PER_CLASS, strict=True):
        chosen = first_of_each_class(arrays[labels], count)
        write(folder, images, arrays[images][chosen])
        write(folder, labels, arrays[labels][chosen])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
