"""`make bench`: the speed of d2l 1.0.3 and of alexbook on this machine, side by side.

    python scripts/bench.py [--repeats 5] [--output FILE]

Loaders, steps and epochs are measured several times, d2l and alexbook in turn, so that whatever else the machine does
meets both; one framework after the other, since the processes of all three would need more than 24 GB. Nothing is
discarded. Prints medians and spreads, and writes every single value as JSON. On a machine with a GPU it takes all
images, looks at what a step consists of instead of at the processor's memory, and trains once in either precision, to
see what the faster one costs in accuracy.
"""

import argparse
import itertools
import json
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import bench_subjects as subjects
from tqdm import tqdm

from alexbook import bench
from alexbook._files import replaced

CODES = ("d2l", "alexbook")
LOADED = (10_240, 128)  # training and test images for the loaders
TRAINED = (1_280, 256)  # and for whole epochs: in proportion as in the real ones, nearly
ALL = (60_000, 10_000)
STEPS, STEPS_ON_GPU = 10, 200  # training steps that are timed at once


def main() -> None:
    """Measures, prints the table, and writes the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often each speed is measured (default: 5)")
    default = f"{bench.FILE}, or with a GPU {bench.GPU_FILE.name} beside it"
    parser.add_argument("--output", type=Path, help=f"where to write (default: {default})")
    options = parser.parse_args()
    if options.repeats < 1:
        parser.error(f"--repeats must be at least 1, got {options.repeats}")
    if "pytorch" not in (installed := subjects.installed()):
        parser.error("PyTorch, which measures the machine's limit, is not installed: alexbook doctor says more")
    with_gpu = subjects.with_gpu()  # where PyTorch has one, what has none is left out: it would be slow for hours
    gpu = "pytorch" in with_gpu
    output = options.output or (bench.GPU_FILE if gpu else bench.FILE)
    results = measure(options.repeats, gpu, with_gpu if gpu else installed)
    with replaced(output) as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    bench.table(results)
    print(f"wrote {output}")


def measure(repeats: int, gpu: bool, backends: list[str]) -> dict:
    """All values: loaders first, then, in fresh processes, steps, epochs, memory and the machine's limits."""
    loaded, images, steps = (ALL, ALL, STEPS_ON_GPU) if gpu else (LOADED, TRAINED, STEPS)
    total = len(backends) * len(CODES) * (3 * repeats + (not gpu)) + 2 * repeats + 3 * gpu
    with tqdm(total=total, desc="measuring", unit="value") as bar:
        values, _ = rounds(repeats, loaded, backends, {"loader": ()}, bar)
        trained, facts = rounds(repeats, images, backends, {"step": (steps,), "epoch": ()}, bar)
        more = on_gpu(steps, bar) if gpu else memory(images, backends, bar)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "device": facts["pytorch"]["device"],
        "devices": {name: each["device"] for name, each in facts.items()},
        "precision": {name: each["precision"] for name, each in facts.items()},
        "python": facts["pytorch"]["python"],
        "versions": subjects.versions(),
        "images": {"loader": loaded[0], "step": steps * subjects.BATCH, "epoch": images[0]},
        "batch size": subjects.BATCH,
        "values": values | trained | more,
    }


def rounds(repeats: int, images: tuple[int, int], backends: list[str], measures: dict[str, tuple], bar: tqdm):
    """The values of each measure, given with its arguments, by backend and code; and what each backend ran on."""
    values = {name: {backend: {code: [] for code in CODES} for backend in backends} for name in measures}
    facts = {}
    with tempfile.TemporaryDirectory() as folder:
        subjects.write_images(Path(folder), *images)
        for backend in backends:
            pools = {code: one_process(backend, code, Path(folder), *images) for code in CODES}
            for _ in range(repeats):
                for name, arguments in measures.items():
                    for code, pool in pools.items():
                        value = pool.submit(getattr(subjects, name), *arguments).result()
                        values[name][backend][code].append(value)
                        bar.update()
                if backend == "pytorch" and "step" in measures:
                    for precision in ("fp32", "bf16"):
                        limit = pools["alexbook"].submit(subjects.limit, precision).result()
                        values.setdefault("limit", {}).setdefault(precision, []).append(limit)
                        bar.update()
            facts[backend] = pools["alexbook"].submit(subjects.facts).result()
            for pool in pools.values():
                pool.shutdown()
    return values, facts


def memory(images: tuple[int, int], backends: list[str], bar: tqdm):
    """The peak of each backend and code in one training, in a process that has done nothing else."""
    peaks = {backend: {} for backend in backends}
    with tempfile.TemporaryDirectory() as folder:
        subjects.write_images(Path(folder), *images)
        for backend, code in itertools.product(backends, CODES):
            with one_process(backend, code, Path(folder), *images) as pool:
                peaks[backend][code] = pool.submit(subjects.memory).result()
            bar.update()
    return {"memory": peaks}


def on_gpu(steps: int, bar: tqdm):
    """Of PyTorch's AlexNet: the accuracy after the document's run in both precisions, and what a step consists of."""
    with tempfile.TemporaryDirectory() as folder:
        subjects.write_images(Path(folder), *ALL)

        def ask(function, argument):
            with one_process("pytorch", "alexbook", Path(folder), *ALL) as pool:
                value = pool.submit(function, argument).result()
            bar.update()
            return value

        found = {precision: ask(subjects.accuracy, precision) for precision in ("fp32", "bf16")}
        return {"operations": ask(subjects.operations, steps), "accuracy": found}


def one_process(*subject) -> ProcessPoolExecutor:
    """A pool of one process, which is that subject from start to end."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=spawn, initializer=subjects.start, initargs=subject)


if __name__ == "__main__":
    main()
