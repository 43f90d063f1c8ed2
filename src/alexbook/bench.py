"""The speeds that `make bench` measured: every value, a table and a chart of them.

The files bench.json (a processor with a matrix unit), bench-amd.json (one without) and bench-gpu.json (a GPU) beside
this module hold the runs; their numbers are of those machines, and of those days.
"""

import json
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from alexbook._display import show

_FILES = ("bench.json", "bench-amd.json", "bench-gpu.json")
FILE, AMD_FILE, GPU_FILE = map(Path(__file__).with_name, _FILES)
# For one image: forward, and backward twice, but for the gradient of the pixels, which nobody needs. A multiply-add is
# two operations.
OPERATIONS = 6 * 938_146_176 - 2 * 33_872_256

_NAMES = {"mxnet": "MXNet", "pytorch": "PyTorch", "tensorflow": "TensorFlow"}
_MEASURES = ("loader", "step", "epoch")
_KINDS = {  # of PyTorch's operations, by what stands in their names
    "convolutions and products": ("conv", "mm"),
    "pooling": ("pool",),
    "update of the weights": ("_foreach",),
    "biases": ("add_", "sum"),
    "ReLU": ("clamp", "threshold"),
    "copies": ("copy_",),
}


def results(file: Path = FILE) -> dict[str, Any]:
    """What is in bench.json, or in another file."""
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def table(run: dict[str, Any]) -> None:
    """Prints the median and the spread, lowest to highest, of every measure, and what they come to."""
    print(f"{run['device']}, {run['date']}; images/s: median (lowest to highest)")
    print(f"{'':<19}{'d2l':>26}{'alexbook':>32}{'ratio':>8}")
    for measure in _MEASURES:
        for backend, codes in run["values"][measure].items():
            before, after = codes["d2l"], codes["alexbook"]
            ratio = statistics.median(after) / statistics.median(before)
            print(f"{measure:<8}{_NAMES[backend]:<11}{_spread(before):>26}{_spread(after):>32}{ratio:>7.1f}x")
    limits = {precision: statistics.median(values) for precision, values in run["values"]["limit"].items()}
    print(f"matrix product: {', '.join(f'{name} {value:,.0f} GFLOP/s' for name, value in limits.items())}")
    memory = run["values"].get("memory")
    for backend, share in shares(run).items():
        peak = f"; peak {memory[backend]['alexbook']:.2f} GB" if memory else ""
        print(f"{_NAMES[backend]:<11}{run['precision'][backend]}: {share:.0%} of that limit{peak}")
    if operations := run["values"].get("operations"):
        _operations(operations, run["batch size"] * OPERATIONS / 1e6 / limits[run["precision"]["pytorch"]])
    if accuracies := run["values"].get("accuracy"):
        found = ", ".join(f"{name} {accuracy:.4f}" for name, accuracy in accuracies.items())
        print(f"test accuracy after ten epochs: {found}")


def _operations(operations: dict[str, float], shortest: float) -> None:
    """Prints the kinds of a training step's operations; `shortest` is its time at the limit, in milliseconds."""
    kinds: defaultdict[str, float] = defaultdict(float)
    for name, took in operations.items():
        found = [kind for kind, parts in _KINDS.items() if any(part in name for part in parts)]
        kinds[found[0] if found else "all else"] += took
    print(f"a step of PyTorch, by the profiler (at the limit, {shortest:.2f} ms in all):")
    for kind, took in sorted(kinds.items(), key=lambda each: -each[1]):
        print(f"{took:6.2f} ms  {kind}")


def shares(run: dict[str, Any]) -> dict[str, float]:
    """How much of the machine's matrix product, in the precision of the training, our training steps reach."""
    return {
        backend: statistics.median(codes["alexbook"])
        * OPERATIONS
        / 1e9
        / statistics.median(run["values"]["limit"][run["precision"][backend]])
        for backend, codes in run["values"]["step"].items()
    }


def chart(run: dict[str, Any]) -> None:
    """Shows `figure` in a notebook."""
    show(figure(run), "Bars of images/s: loader, step and epoch of d2l and alexbook in each framework")


def figure(run: dict[str, Any]) -> Any:
    """Draws d2l and alexbook beside each other, a panel for each measure; the lines show the spread."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(4.8, 5.4), layout="constrained")  # narrow enough for a phone
    for axes, measure in zip(drawn.subplots(len(_MEASURES)), _MEASURES, strict=True):
        values = run["values"][measure]
        for offset, code, color in ((-0.2, "d2l", "#9aa5b1"), (0.2, "alexbook", "#1f6299")):
            places = [row + offset for row in range(len(values))]
            medians = [statistics.median(codes[code]) for codes in values.values()]
            axes.barh(places, medians, 0.38, color=color, label=code)
            for place, codes in zip(places, values.values(), strict=True):
                axes.plot([min(codes[code]), max(codes[code])], [place, place], "k-", linewidth=1)
        axes.set(title=f"{measure}, images/s", yticks=range(len(values)))
        axes.set_yticklabels([_NAMES[name] for name in values])
        axes.invert_yaxis()
    drawn.axes[0].legend(fontsize="small")
    return drawn


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
