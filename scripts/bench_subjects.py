"""What `make bench` measures: d2l's own code and ours, in three frameworks, on the same images.

Each subject lives in a process of its own, so that neither the threads nor the memory of one reach another. d2l reads
its data from where it always looks, and finds there the first images of the real Fashion-MNIST.
"""

import contextlib
import functools
import gzip
import io
import multiprocessing
import os
import struct
import threading
import time
import warnings
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import jupytext
import numpy as np
import psutil

from alexbook import data, profiles
from alexbook._idx import NAMES
from alexbook._probe import FRAMEWORKS, probe

BATCH, SIZE = 128, 224  # images in a batch, pixels of a side
MODELS = Path(__file__).parents[1] / "book" / "cells" / "alexnet"
MODULES = {"mxnet": "mxnet", "pytorch": "torch", "tensorflow": "tensorflow"}

_state = {}  # of this process: the module d2l, the network, the device, the number of training images


def installed() -> list[str]:
    """The backends whose framework this machine has."""
    return [backend for backend, module in MODULES.items() if find_spec(module)]


def with_gpu() -> list[str]:
    """The backends whose framework sees a GPU."""
    seeing = {package.module for package in FRAMEWORKS if probe(package)[1]}
    return [backend for backend, module in MODULES.items() if module in seeing]


def write_images(folder: Path, train: int, test: int) -> None:
    """The first images of both halves, in the folders and formats where d2l's three loaders look for them."""
    for split, count, names in (("train", train, NAMES[:2]), ("test", test, NAMES[2:])):
        for name, array in zip(names, data.load(split), strict=True):
            array = array[:count].astype(np.uint8)
            content = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()
            _write(folder / "data" / "FashionMNIST" / "raw" / name, content)
            for cache in ("keras", "mxnet"):
                _write(folder / cache / "datasets" / "fashion-mnist" / f"{name}.gz", gzip.compress(content, 1))
    (folder / "work").mkdir()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def start(backend: str, code: str, folder: Path, train: int, test: int) -> None:
    """Makes this process the subject `code`, "d2l" or "alexbook", in one framework."""
    multiprocessing.set_start_method(None, force=True)  # as in a program of its own: d2l's loaders start processes
    os.chdir(folder / "work")
    os.environ |= {"KERAS_HOME": str(folder / "keras"), "MXNET_HOME": str(folder / "mxnet"), "MPLBACKEND": "Agg"}
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "ALEXBOOK_PROFILE": "bench"}
    profiles.PROFILES["bench"] = profiles.Profile("bench", train, test, None)
    with _quiet():
        if backend == "mxnet" and code == "d2l":
            _prepare_mxnet()
        names = {"d2l": import_module(f"{code}.{MODULES[backend]}")}
        cells = jupytext.read(MODELS / f"{backend}.py").cells
        source = {cell.metadata["title"]: cell.source for cell in cells}
        exec(source["imports"].replace("from alexbook import", f"from {code} import"), names)
        exec(source["model"], names)
    _state.update(names, backend=backend, images=min(train, len(data.load("train")[1])), device=names["d2l"].try_gpu())


def _prepare_mxnet() -> None:
    """Only what d2l's MXNet needs to run at all: the names NumPy has lost, and no look at the hash of our files."""
    from alexbook._mxnet_numpy import give_names_back

    give_names_back()
    import_module("mxnet.gluon.utils").check_sha1 = lambda *_: True
    import_module("mxnet").npx.set_np()


@contextlib.contextmanager
def _quiet():
    """d2l draws, prints and warns."""
    silent = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with silent[0], silent[1], warnings.catch_warnings(action="ignore"):
        yield


def loader() -> float:
    """Images a second that the training loader gives, at 224 by 224, in one epoch."""
    with _quiet():
        batches, _ = _state["d2l"].load_data_fashion_mnist(BATCH, resize=SIZE)
        began = time.perf_counter()
        images = sum(len(_computed(X)) for X, _ in batches)
        return images / (time.perf_counter() - began)


def _computed(X):
    """The images, once they are computed: MXNet, and any GPU, answers before it has done its work."""
    float(X[0, 0, 0, 0])
    return X


def step(more: int) -> float:
    """Images a second of the training steps alone: so many more batches, ready on the device, and what they add."""
    _train_once()
    short, long = (_train([_batch()] * count) for count in (5, 5 + more))
    return more * BATCH / (long - short)


@functools.cache
def _train_once() -> None:
    """What only the first training of a process does would make the short one longer, and so the steps faster."""
    _train([_batch()] * 5)  # d2l's MXNet takes no fewer


def epoch() -> float:
    """Images a second of one epoch from end to end: loading, training, the test, all that `train_ch6` does."""
    began = time.perf_counter()
    with _quiet():
        train_iter, test_iter = _state["d2l"].load_data_fashion_mnist(BATCH, resize=SIZE)
    _train(train_iter, test_iter)
    return _state["images"] / (time.perf_counter() - began)


def memory() -> float:
    """The most memory that this process and those it starts hold at one time in an epoch, in GB: 20 looks a second."""
    held, done = [], threading.Event()

    def watch():
        while not done.wait(0.05):
            held.append(_held())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        epoch()
    finally:
        done.set()
        watcher.join()
    return max(held) / 1e9


def _held() -> int:
    """Bytes. On Linux, what processes share counts once in all (PSS); elsewhere in each of them."""
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            found = process.memory_full_info()
            total += getattr(found, "pss", found.rss)
    return total


def _batch():
    with _quiet():
        return next(iter(_state["d2l"].load_data_fashion_mnist(BATCH, resize=SIZE)[0]))


def _train(batches, test=None) -> float:
    """Seconds of one epoch of `train_ch6`."""
    if isinstance(batches, list):
        X, y = batches[0]
        test = [(X[:1], y[:1])]
        if _state["backend"] == "tensorflow":  # Keras takes no lists of batches
            dataset = _state["tf"].data.Dataset
            batches, test = dataset.from_tensors((X, y)).repeat(len(batches)), dataset.from_tensors(test[0])
    began = time.perf_counter()
    with _quiet():
        _state["d2l"].train_ch6(_state["net"], batches, test, 1, 0.01, _state["device"])
    return time.perf_counter() - began


def limit(precision: str) -> float:
    """Operations a second of PyTorch's product of two square matrices that are large for the device, in GFLOP/s."""
    import torch

    device, count = _state["device"], 100
    size = 8192 if device.type == "cuda" else 2048
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    one, other = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    for repeat in (2, count):  # the first are not timed
        began = time.perf_counter()
        for _ in range(repeat):
            product = one @ other
        product[0, 0].item()  # waits for the device
    return count * 2 * size**3 / (time.perf_counter() - began) / 1e9


def operations(steps: int) -> dict[str, float]:
    """Milliseconds that a GPU spends on each of PyTorch's operations in one training step, by PyTorch's profiler."""
    from torch.profiler import profile

    _state["d2l"].record = lambda *_: None  # of a recorded step it would see no single operation
    with _quiet():
        profiler = profile()
        _train(_Watched([_batch()] * (5 + steps), profiler))
        found = {each.key.removeprefix("aten::"): each for each in profiler.key_averages() if "aten::" in each.key}
    times = {name: each.self_device_time_total / steps / 1000 for name, each in found.items()}
    return {name: time for name, time in times.items() if time}


class _Watched(list):
    """Batches, all but the first five watched by a profiler: not what is done before them, and after."""

    def __init__(self, batches, profiler):
        super().__init__(batches)
        self._profiler = profiler

    def __iter__(self):
        for number, batch in enumerate(super().__iter__()):
            if number == 5:
                self._profiler.start()
            yield batch
        float(batch[0].sum())  # waits for the device
        self._profiler.stop()


def accuracy(precision: str) -> float:
    """The share of the test images that are recognized after ten epochs at the document's rate."""
    with _quiet():
        loaders = _state["d2l"].load_data_fashion_mnist(BATCH, resize=SIZE)
        history = _state["d2l"].train_ch6(_state["net"], *loaders, 10, 0.01, _state["device"], precision=precision)
    return history.test_acc[-1]


def module() -> str:
    """The module whose loader and training loop this process measures."""
    return _state["d2l"].train_ch6.__module__


def facts() -> dict[str, str]:
    """What this process ran on, by alexbook's own record."""
    from alexbook import provenance

    return provenance.record()


def versions() -> dict[str, str]:
    """The versions of what is compared, as far as it is installed."""
    found = {}
    for name in ("alexbook", "d2l", "mxnet", "torch", "tensorflow", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
