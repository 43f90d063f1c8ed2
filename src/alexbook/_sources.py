"""Finds Fashion-MNIST: in the folder that is named, in other programs' folders, by a download, or the sample.

Folders of other programs are only read. Our own download cache is the one place where a file is ever moved,
and even there a damaged file is kept, under another name.
"""

import contextlib
import functools
import itertools
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pooch

from alexbook._idx import NAMES, REAL, SAMPLE, Array, Arrays, DataError, Spec, read, read_folder

SERVERS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # the official source
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",  # TensorFlow's mirror
)
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
SAMPLE_FOLDER = Path(__file__).parent / "sample"
PATIENCE = 4.0  # seconds in all for the servers to answer: a train without network should still get the sample soon


class Found(NamedTuple):
    """Where the data came from, in words, and the arrays by file name."""

    source: str
    arrays: Arrays


def known_folders() -> Iterator[tuple[str, Path]]:
    """The folders where other programs put Fashion-MNIST, each with its name."""
    home = Path(os.path.expanduser("~"))  # unlike Path.home(), this never fails
    yield "Debian package dataset-fashion-mnist", DEBIAN
    for root in (Path("data"), Path("../data"), home / "data"):  # torchvision's usual root, d2l's, Colab's
        yield "torchvision's folder", root / "FashionMNIST" / "raw"
    keras = os.environ.get("KERAS_HOME") or home / ".keras"
    yield "Keras's cache", Path(keras) / "datasets" / "fashion-mnist"
    mxnet = os.environ.get("MXNET_HOME") or home / ".mxnet"
    yield "MXNet's cache", Path(mxnet) / "datasets" / "fashion-mnist"


def find() -> Found:
    """The first source that holds the data, all of it verified.

    Raises:
        DataError: the folder named by ALEXBOOK_DATA has no usable data.
    """
    named = os.environ.get("ALEXBOOK_DATA")
    if named:
        return Found("folder named by ALEXBOOK_DATA", _named(Path(named).expanduser()))
    for source, search in _searches():
        try:
            arrays = search()
        except (DataError, OSError) as error:
            warnings.warn(f"{error}. It is left as it is, and the search goes on.", stacklevel=2)
        else:
            if arrays is not None:
                return Found(source, arrays)
    return _sample()


def _searches() -> Iterator[tuple[str, Callable[[], Arrays | None]]]:
    for source, folder in known_folders():
        yield source, functools.partial(read_folder, folder, REAL)
    yield "download from the official source or its mirror", cached


def _named(folder: Path) -> Arrays:
    wanted = f"expected the four files {', '.join(NAMES)} (gzipped, with .gz, or not)"
    advice = "Correct ALEXBOOK_DATA, or unset it and the data is searched for and downloaded."
    try:
        arrays = read_folder(folder, REAL)
    except DataError as error:
        raise DataError(f"ALEXBOOK_DATA names {folder}: {wanted}, got: {error}. {advice}") from error
    if arrays is None:
        got = "none of them in it" if folder.is_dir() else "no such folder"
        raise DataError(f"ALEXBOOK_DATA names {folder}: {wanted}, got {got}. {advice}")
    return arrays


def _sample() -> Found:
    arrays = read_folder(SAMPLE_FOLDER, SAMPLE)
    if arrays is None:
        raise DataError(f"{SAMPLE_FOLDER}: expected the sample shipped with alexbook, got nothing. Reinstall alexbook.")
    print(
        "Fashion-MNIST was not found and not downloaded: using a sample of 3,000 real images shipped with "
        "alexbook (2,000 for training, 1,000 for testing). Set ALEXBOOK_DATA to a folder that has all of it."
    )
    return Found("sample of 3,000 images shipped with alexbook", arrays)


def cached() -> Arrays | None:
    """The data from our own cache, after a download of what it lacks; None if that is impossible."""
    folder = Path(pooch.os_cache("alexbook"))
    arrays = {spec.name: array for spec in REAL if (array := _cached_file(folder, spec)) is not None}
    missing = [spec for spec in REAL if spec.name not in arrays]
    if missing and not _offline():
        arrays |= _download(folder, missing)
    return arrays if len(arrays) == len(REAL) else None


def _cached_file(folder: Path, spec: Spec) -> Array | None:
    path = folder / f"{spec.name}.gz"
    if not os.path.lexists(path):
        return None
    try:
        return read(path, spec)
    except DataError as error:
        new = "" if _offline() else ", and asked for anew"
        warnings.warn(f"{error}. It is kept as {_set_aside(path)}{new}.", stacklevel=2)
        return None


def _offline() -> bool:
    return os.environ.get("ALEXBOOK_OFFLINE", "0") not in ("", "0")


def _set_aside(path: Path) -> str:
    names = (f"{path.name}.damaged{number or ''}" for number in itertools.count())
    kept = next(kept for kept in map(path.with_name, names) if not os.path.lexists(kept))
    os.replace(path, kept)
    return kept.name


def _download(folder: Path, specs: Sequence[Spec]) -> Arrays:
    """What the servers give: every file is asked of the first that answers, then of the next."""
    arrays: Arrays = {}
    for server in _answering(SERVERS):
        for spec in [spec for spec in specs if spec.name not in arrays]:
            try:
                arrays[spec.name] = _fetch(server, folder, spec)
            except (DataError, OSError) as error:  # what requests raises is an OSError
                warnings.warn(f"Download failed: {error}", stacklevel=2)
                break
    return arrays


def _fetch(server: str, folder: Path, spec: Spec) -> Array:
    """Downloads one file; pooch moves it into place after the downloader returned: once verified."""
    name = f"{spec.name}.gz"

    def download(url: str, output_file: str, pooch_: pooch.Pooch) -> None:
        pooch.HTTPDownloader(progressbar=True, timeout=10)(url, output_file, pooch_)
        read(Path(output_file), spec, where=url)

    cache = pooch.create(folder, server, registry={name: None})
    return read(Path(cache.fetch(name, downloader=download)), spec)


def _answering(servers: Sequence[str]) -> list[str]:
    """The servers that answer within PATIENCE; threads, as nothing else bounds a look-up of a name."""
    answers: list[str] = []

    def probe(server: str) -> None:
        with contextlib.suppress(OSError):
            if pooch.HTTPDownloader(timeout=PATIENCE)(f"{server}{NAMES[1]}.gz", "", None, check_only=True):
                answers.append(server)

    threads = [threading.Thread(target=probe, args=(server,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [server for server in servers if server in answers]
