"""Exercise 4.3: operations a byte, and the layers that wait for the memory."""

from collections.abc import Callable, Mapping
from typing import Any

from alexbook.exercises._costs import BATCHES, apart, said, there
from alexbook.exercises._layers import COUNTS, WEIGHTED
from alexbook.exercises._tables import Comparison, Mistake, Table, plain, scaled, table
from alexbook.exercises._verdict import Problem, Verdict, number, shown
from alexbook.exercises._words import Word


def bandwidth(answer: Any, verdict: Verdict) -> None:
    """4.3: operations a byte, and which layers wait for the memory of the reader's machine."""
    if (word := said(answer)) is not None:
        if word == "conv":
            verdict.add("wrong", "4.3.conv-wait", **_two(1))
        if word == "fc":
            verdict.add("right", "word-right")
        raise Problem("4.3.word-only", found=shown(answer), needs=Word("needs.4.3"))
    rows = table(answer, "needs.4.3")
    if there(rows, "intensity", verdict):
        apart(_intensity, rows["intensity"], verdict)
    ridge = _ridge(rows["roof"], verdict) if there(rows, "roof", verdict) else None
    if there(rows, "memory", verdict) and ridge:
        apart(lambda given, verdict: _waiting(given, ridge, verdict), rows["memory"], verdict)
    if verdict.status == "passed":
        verdict.add("note", "4.3.training")


def _two(batch: int) -> dict[str, float]:
    """A convolution and a fully connected layer, for a message."""
    return {"conv": COUNTS["conv2"].intensity(batch), "fc": COUNTS["fc6"].intensity(batch)}


def intensities(biases: bool = False) -> Table:
    """Operations a byte of every layer and batch size."""
    return {(name, batch): COUNTS[name].intensity(batch, biases) for name in WEIGHTED for batch in BATCHES}


def _intensity(given: Any, verdict: Verdict) -> None:
    right = intensities()

    def each(value: Callable[[Any, int], float]) -> Table:
        return {(name, batch): value(COUNTS[name], batch) for name, batch in right}

    mistakes = [
        Mistake("4.3.multiply-adds", scaled(right, 1 / 2), whole=True),
        Mistake("4.3.numbers", scaled(right, 4), whole=True),
        Mistake("4.3.half", scaled(right, 2), whole=True),
        Mistake("4.3.upside-down", {key: 1 / value for key, value in right.items()}, whole=True),
        Mistake("4.3.same-batch", each(lambda counts, _: counts.intensity(1)), whole=True),
        Mistake("4.3.weights-only", each(lambda counts, batch: batch * counts.macs / (2 * counts.weights))),
        Mistake("4.3.one-image-moved", each(lambda counts, batch: batch * counts.intensity(1))),
        Mistake("4.3.no-weights", each(lambda counts, _: counts.macs / (2 * (counts.read + counts.written)))),
        Mistake("4.3.same-batch", each(lambda counts, _: counts.intensity(1))),
        Mistake("4.3.one-image", each(lambda counts, batch: counts.intensity(batch) / batch)),
    ]
    Comparison(verdict, "what.intensity", [right, intensities(biases=True)], 0.02).judge(given, mistakes)


def _ridge(given: Any, verdict: Verdict) -> float | None:
    """Where the slope meets the roof, in operations a byte; None, and a remark, if the roof is none."""
    values = [number(each) for each in given] if isinstance(given, list | tuple) and len(given) == 2 else []
    peak, moved = values if len(values) == 2 else (None, None)
    if peak is None or moved is None or peak <= 0 or moved <= 0:
        verdict.add("wrong", "4.3.no-roof", found=shown(given))
        return None
    if not 0.5 <= peak / moved <= 5000 or peak < 1e8 or moved < 1e8:
        verdict.add("wrong", "4.3.odd-roof", peak=peak, bandwidth=moved, ridge=peak / moved)
        return None
    verdict.add("right", "4.3.roof", ridge=peak / moved)
    return peak / moved


def _waiting(given: Any, ridge: float, verdict: Verdict) -> None:
    rows = table(given, "needs.memory")
    rows = {batch: rows.get(batch, rows.get(str(batch))) for batch in BATCHES if {batch, str(batch)} & rows.keys()}
    for batch in BATCHES:
        if batch not in rows:
            verdict.add("wrong", "entry-missing", name=f'"memory"][{batch}')
        elif not isinstance(rows[batch], list | tuple | set | frozenset | Mapping):
            verdict.add("wrong", "4.3.no-list", batch=batch, found=shown(rows[batch]))
        else:
            _waiting_in({str(plain(name)) for name in list(rows[batch])[:100]}, batch, ridge, verdict)


def _waiting_in(listed: set[str], batch: int, ridge: float, verdict: Verdict) -> None:
    values = {name: COUNTS[name].intensity(batch) for name in WEIGHTED}
    waiting = {name for name, value in values.items() if value < ridge}
    near = {name for name, value in values.items() if abs(value / ridge - 1) < 0.1}
    extra, lacking = (sorted(each - near) for each in (listed - waiting, waiting - listed))
    if not extra and not lacking:
        verdict.add("right", "4.3.waiting", batch=batch, names=sorted(waiting) or [Word("nothing")])
    elif listed and listed == set(WEIGHTED) - waiting:
        verdict.add("wrong", "4.3.reversed", batch=batch, ridge=ridge)
    else:
        if extra:
            verdict.add("wrong", "4.3.extra", batch=batch, names=extra[:8], ridge=ridge)
        if lacking:
            verdict.add("wrong", "4.3.lacking", batch=batch, names=lacking, ridge=ridge)
