"""Exercise 8: the shape that each layer gives, whatever order the reader's framework keeps the axes in."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from alexbook.exercises._layers import OBLONG, OBLONG_IMAGE, Layer, Shape, shapes
from alexbook.exercises._tables import short, table
from alexbook.exercises._verdict import Verdict, number, shown
from alexbook.exercises._words import Word

Side = Callable[[int, Layer], float]
SIDES: dict[str, Side] = {  # the formula with a mistake each
    "8.ceiling": lambda n, layer: -((layer.window - n - 2 * layer.padding) // layer.stride) + 1,
    "8.no-padding": lambda n, layer: (n - layer.window) // layer.stride + 1,
    "8.no-one": lambda n, layer: (n + 2 * layer.padding - layer.window) // layer.stride,
    "8.one-side": lambda n, layer: (n + layer.padding - layer.window) // layer.stride + 1,
    "8.no-stride": lambda n, layer: n + 2 * layer.padding - layer.window + 1,
    "8.stride-only": lambda n, layer: n // layer.stride,
    "8.stride-only.up": lambda n, layer: -(-n // layer.stride),
}
FORGOTTEN = ("8.no-padding", "8.one-side", "8.no-one")  # of which two may give one and the same shape


def predicted(answer: Any, verdict: Verdict) -> None:
    """8: the shapes, NCHW or NHWC, with or without the axis of the batch."""
    rows, expected = table(answer, "needs.8"), shapes(OBLONG, OBLONG_IMAGE)
    if missing := [name for name in expected if name not in rows]:
        verdict.add("wrong", "8.missing", names=missing)
    if unknown := [name for name in rows if name not in expected]:
        verdict.add("note", "8.unknown", names=short(unknown))
    keys: dict[str, list[str]] = {}
    before: set[Shape] = {OBLONG_IMAGE}
    for layer in OBLONG:
        if layer.name in rows:
            found = _shapes(rows[layer.name])
            keys[layer.name] = _judge(layer, found, before, expected[layer.name], rows[layer.name], verdict)
            before = found or {expected[layer.name]}
        else:
            before = {expected[layer.name]}
    often = Counter(key for each in keys.values() for key in each)  # one mistake is likelier than several
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, each in keys.items():
        likely = [key for key in each if often[key] == max(often[key] for key in each)]
        parts = tuple(key for key in FORGOTTEN if key in likely)
        groups.setdefault(parts if len(parts) == len(likely) else (likely[0],), []).append(name)
    for (key, *more), names in groups.items():
        if more:
            causes = [Word(f"part.{each}") for each in (key, *more)]
            verdict.add("wrong", "8.forgotten", names=names, parts=causes)
        elif key != "8.odd":
            verdict.add("right" if key == "8.right" else "wrong", key, names=names)


def _judge(
    layer: Layer, found: set[Shape], before: set[Shape], right: Shape, given: Any, verdict: Verdict
) -> list[str]:
    """The keys of what one layer's shape may come from; `before` are the readings of the reader's shape before it."""
    if not found:
        verdict.add("wrong", "8.odd", name=layer.name, found=shown(given))
        return ["8.odd"]
    if right in found:
        return ["8.right"]
    if any(each <= 0 or each != int(each) for shape in found for each in shape):
        return ["8.fraction"]
    if any(layer.shape(each) in found for each in before if layer.kind == "fc" or len(each) == 3):
        return ["8.follows"]
    if len(right) == 3 and all(len(shape) == 1 for shape in found):
        return ["8.incomplete"]
    if layer.kind == "fc":
        flat = {(math.prod(each),) for each in before}
        return ["8.flattened" if flat & found else "8.fully-connected"]
    return _faults(layer, found, {each for each in before if len(each) == 3}, right)


def _faults(layer: Layer, found: set[Shape], before: set[Shape], right: Shape) -> list[str]:
    channels, height, width = right
    if (channels, width, height) in found:
        return ["8.sides"]
    keys = [
        key.removesuffix(".up")
        for key, side in SIDES.items()
        if any((channels, *(side(n, layer) for n in sides)) in found for _, *sides in before)
    ]
    if not keys and any((given, height, width) in found for given, *_ in before):
        return ["8.channels"]
    return list(dict.fromkeys(keys)) or ["8.other"]


def _shapes(given: Any) -> set[Shape]:
    """All (channels, height, width) or (numbers,) that a shape may mean; none if it is no shape."""
    shape: Any = getattr(given, "shape", ())
    if len(shape) > 1 or (len(shape) == 1 and shape[0] not in (1, 2, 3, 4)):
        given = shape  # an array that a layer gave; a short one, or a number, is a shape itself
    single = number(given)
    if single is not None:
        return {(_whole(single),)}
    if isinstance(given, str | Mapping | set | frozenset):
        return set()
    try:
        entries = [given[place] for place in range(len(given))] if len(given) <= 4 else []
    except Exception:  # nothing that has a length and places
        return set()
    numbers = [number(each) for each in entries]
    if len(numbers) in (2, 4):
        numbers = numbers[1:]  # the batch, which may be anything
    if len(numbers) not in (1, 3) or any(each is None for each in numbers):
        return set()
    whole = tuple(_whole(each) for each in numbers if each is not None)
    return {whole} if len(whole) == 1 else {whole, (whole[2], *whole[:2])}


def _whole(value: float) -> Any:
    return int(value) if value == int(value) else value
