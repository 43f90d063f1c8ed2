"""Exercise 4.2: the multiply-adds of every layer."""

import math
from typing import Any

from alexbook.exercises._costs import BATCH, COLOUR, LARGER, MACS, apart, most, of, said, sums, there
from alexbook.exercises._layers import COUNTS, IMAGE, WEIGHTED
from alexbook.exercises._tables import Comparison, Mistake, scaled, table
from alexbook.exercises._verdict import Problem, Verdict, shown
from alexbook.exercises._words import Word


def work(answer: Any, verdict: Verdict) -> None:
    """4.2: the multiply-adds of every layer, for inference and for training."""
    if (word := said(answer)) is not None:
        if word == "fc":
            verdict.add("wrong", "4.2.fc-most", **sums(MACS))
        if word == "conv":
            verdict.add("right", "word-right")
        raise Problem("4.2.word-only", found=shown(answer), needs=Word("needs.4.2"))
    rows = table(answer, "needs.4.2")
    if not {"inference", "training"} & rows.keys() and set(WEIGHTED) & rows.keys():
        rows = {"inference": answer}
    for name, judge in {"inference": _forward, "training": _both_ways}.items():
        if there(rows, name, verdict):
            apart(judge, rows[name], verdict)
    _claims(rows.get("inference"), verdict)


def _forward(given: Any, verdict: Verdict) -> None:
    mistakes = [
        Mistake("4.2.operations", scaled(MACS, 2), whole=True),
        Mistake("4.2.millions", scaled(MACS, 1e-6), whole=True),
        Mistake("4.2.batch", scaled(MACS, BATCH), whole=True),
        Mistake("4.2.is-training", scaled(MACS, 3), whole=True),
        Mistake("4.2.parameters", of(COUNTS, lambda each: each.weights), whole=True),
        Mistake("4.2.parameters", of(COUNTS, lambda each: each.weights + each.biases), whole=True),
        Mistake("4.2.parameters", of(COUNTS, lambda each: each.weights)),
        Mistake("4.2.parameters", of(COUNTS, lambda each: each.weights + each.biases)),
        Mistake("4.2.input-side", {"conv1": COUNTS["conv1"].weights * IMAGE[1] ** 2}),
        Mistake("4.2.outputs", of(COUNTS, lambda each: each.written)),
        Mistake("maps-55", of(LARGER, lambda each: each.macs)),
        Mistake("three-channels", of(COLOUR, lambda each: each.macs)),
        Mistake("4.2.one-side", of(COUNTS, lambda each: each.weights * math.isqrt(each.positions))),
        Mistake("4.2.one-input", of(COUNTS, lambda each: each.written * each.layer.window**2)),
    ]
    Comparison(verdict, "what.inference", [MACS]).judge(given, mistakes)


def _both_ways(given: Any, verdict: Verdict) -> None:
    full = scaled(MACS, 3)
    saved = {**full, "conv1": 2 * MACS["conv1"]}  # nobody needs the gradient of the pixels
    mistakes = [
        Mistake("4.2.forward-only", MACS, whole=True),
        Mistake("4.2.one-product", scaled(MACS, 2), whole=True),
        Mistake("4.2.one-product", {**scaled(MACS, 2), "conv1": MACS["conv1"]}, whole=True),
        Mistake("4.2.operations", scaled(full, 2), whole=True),
        Mistake("4.2.operations", scaled(saved, 2), whole=True),
        Mistake("4.2.millions", scaled(full, 1e-6), whole=True),
        Mistake("4.2.millions", scaled(saved, 1e-6), whole=True),
        Mistake("4.2.batch", scaled(full, BATCH), whole=True),
        Mistake("4.2.batch", scaled(saved, BATCH), whole=True),
        Mistake("4.2.one-product", scaled(MACS, 2)),
        Mistake("4.2.forward-only", MACS),
    ]
    Comparison(verdict, "what.training", [full, saved]).judge(given, mistakes)


def _claims(given: Any, verdict: Verdict) -> None:
    """Who does most, by the answer's own numbers: the mistake of a well-known book of answers."""
    if most(given) == "fc":
        verdict.add("wrong", "4.2.fc-most", **sums(MACS))
    elif verdict.status == "passed":
        verdict.add("note", "4.2.summary", **sums(MACS))
