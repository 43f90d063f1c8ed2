"""What exercise 4 is judged by, all computed from the sizes of the layers, and how its tables are read."""

from collections.abc import Callable, Mapping
from typing import Any

from alexbook.exercises._layers import ALEXNET, COUNTS, IMAGE, WEIGHTED, count
from alexbook.exercises._tables import Table, table
from alexbook.exercises._verdict import Problem, Verdict, number

BATCH = 128
BATCHES = (1, BATCH)
POOLS = tuple(layer.name for layer in ALEXNET if layer.kind == "pool")
COLOUR = count(ALEXNET, (3, *IMAGE[1:]))
LARGER = count(ALEXNET, (1, 227, 227))  # the paper's maps: a side of 55, and of 6 at the end


MEANINGS = {
    "parameters": ("parameter", "weight", "パラメータ", "重み"),
    "gradients": ("gradient", "勾配"),
    "activations": ("activation", "output", "feature map", "活性", "出力", "特徴マップ"),
    "conv": ("conv", "畳み込み"),
    "fc": ("fc", "full", "dense", "linear", "全結合"),
}


def of(counts: Mapping[str, Any], value: Callable[[Any], float], names: tuple[str, ...] = WEIGHTED) -> Table:
    """A number for each of these layers."""
    return {name: value(counts[name]) for name in names}


PARAMETERS = of(COUNTS, lambda each: 4 * (each.weights + each.biases))
OUTPUTS = of(COUNTS, lambda each: 4 * each.written)
POOLED = of(COUNTS, lambda each: 4 * each.written, POOLS)
MACS = of(COUNTS, lambda each: each.macs)


def parts(values: Table) -> tuple[float, float]:
    """The sums over the convolutions and over the fully connected layers."""
    conv = sum(value for name, value in values.items() if name.startswith("conv"))
    return conv, sum(value for name, value in values.items() if name.startswith("fc"))


def sums(values: Table) -> dict[str, float]:
    """Both sums and their shares, for a message."""
    conv, fc = parts(values)
    return {"conv": conv, "fc": fc, "conv_share": conv / (conv + fc), "fc_share": fc / (conv + fc)}


def said(value: Any) -> str | None:
    """What a word of either language means: "parameters", "gradients", "activations", "fc", "conv"; None: no word."""
    if not isinstance(value, str):
        return None
    lower = value.lower()
    places = {lower.find(word): meaning for meaning, words in MEANINGS.items() for word in words if word in lower}
    return places[min(places)] if places else "?"  # the first one: "convolutions, not fully connected layers"


def there(rows: Mapping[Any, Any], name: str, verdict: Verdict) -> bool:
    if name not in rows:
        verdict.add("wrong", "entry-missing", name=name)
    return name in rows


def apart(judge: Callable[[Any, Verdict], None], value: Any, verdict: Verdict) -> None:
    """One table of several: what is wrong with it says nothing of the others."""
    try:
        judge(value, verdict)
    except Problem as problem:
        verdict.remarks.append(problem.remark)


def most(given: Any) -> str | None:
    """Which kind of layer has the larger sum in a table of an answer; None if it is not whole."""
    rows = table(given, "needs.numbers") if isinstance(given, Mapping) else {}
    values = {name: value for name in WEIGHTED if (value := number(rows.get(name))) is not None}
    conv, fc = parts(values)
    return None if len(values) < len(WEIGHTED) else "conv" if conv > fc else "fc"
