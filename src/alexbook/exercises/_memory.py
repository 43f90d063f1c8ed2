"""Exercise 4.1: the bytes of the parameters and of the activations."""

import math
from typing import Any

from alexbook.exercises._costs import (
    BATCH,
    COLOUR,
    LARGER,
    OUTPUTS,
    PARAMETERS,
    POOLED,
    POOLS,
    apart,
    most,
    of,
    said,
    sums,
    there,
)
from alexbook.exercises._layers import COUNTS, WEIGHTED
from alexbook.exercises._tables import Comparison, Mistake, Table, scaled, table
from alexbook.exercises._verdict import Problem, Verdict, shown
from alexbook.exercises._words import Word


def memory(answer: Any, verdict: Verdict) -> None:
    """4.1: bytes of the parameters and of the outputs, and which of them dominate."""
    if (word := said(answer)) is not None:
        if word == "conv":
            verdict.add("wrong", "4.1.conv-most", **sums(PARAMETERS))
        if word == "fc":
            verdict.add("right", "word-right")
        raise Problem("4.1.word-only", found=shown(answer), needs=Word("needs.4.1"))
    rows = table(answer, "needs.4.1")
    for name, judge in {"parameters": _parameters, "activations": _activations}.items():
        if there(rows, name, verdict):
            apart(judge, rows[name], verdict)
    for name, judge in {"inference": _inference, "training": _training}.items():
        if there(rows, name, verdict):
            judge(rows[name], verdict)


def _units(values: Table) -> list[Mistake]:
    return [
        Mistake("bytes-numbers", scaled(values, 1 / 4), whole=True),
        Mistake("bytes-mega", scaled(values, 1e-6), whole=True),
        Mistake("bytes-mega", scaled(values, 2**-20), whole=True),
        Mistake("bytes-double", scaled(values, 2), whole=True),
    ]


def _parameters(given: Any, verdict: Verdict) -> None:
    mistakes = [
        *_units(PARAMETERS),
        *_units(of(COUNTS, lambda each: 4 * each.weights)),  # without the biases
        Mistake("4.1.state", scaled(PARAMETERS, 3), whole=True),
        Mistake("4.1.biases", of(COUNTS, lambda each: 4 * each.weights)),
        Mistake("fc6-paper", of(LARGER, lambda each: 4 * (each.weights + each.biases))),
        Mistake("three-channels", of(COLOUR, lambda each: 4 * (each.weights + each.biases))),
        Mistake("4.1.swapped", OUTPUTS),
    ]
    Comparison(verdict, "what.parameters", [PARAMETERS]).judge(given, mistakes)
    if most(given) == "conv":
        verdict.add("wrong", "4.1.conv-most", **sums(PARAMETERS))


def _activations(given: Any, verdict: Verdict) -> None:
    every = {**OUTPUTS, **POOLED}
    after = {f"conv{name[-1]}": value for name, value in POOLED.items()}
    mistakes = [
        *_units(every),
        Mistake("4.1.batch", scaled(every, BATCH), whole=True),
        Mistake("4.1.swapped", PARAMETERS),
        Mistake("4.1.pooled", after),
        Mistake("maps-55", of(LARGER, lambda each: 4 * each.written, WEIGHTED + POOLS)),
        Mistake("4.1.inputs", of(COUNTS, lambda each: 4 * each.read)),
    ]
    Comparison(verdict, "what.activations", [OUTPUTS]).judge(given, mistakes, optional=POOLED)


def _inference(given: Any, verdict: Verdict) -> None:
    parameters, outputs = sum(PARAMETERS.values()), sum(OUTPUTS.values()) + sum(POOLED.values())
    values = {"parameters": parameters / 1e6, "activations": outputs / 1e6}
    match said(given):
        case "parameters" | "fc":
            verdict.add("right", "4.1.inference", **values)
        case "activations":
            verdict.add("wrong", "4.1.inference-activations", **values)
        case "gradients":
            verdict.add("wrong", "4.1.inference-gradients")
        case "conv":
            verdict.add("wrong", "4.1.conv-most", **sums(PARAMETERS))
        case _:
            verdict.add("wrong", "4.1.word", name="inference", found=shown(given))


def _training(given: Any, verdict: Verdict) -> None:
    parameters, outputs = sum(PARAMETERS.values()), sum(OUTPUTS.values()) + sum(POOLED.values())
    values = {"parameters": parameters / 1e6, "activations": BATCH * outputs / 1e6, "batch": BATCH}
    match said(given):
        case "activations":
            verdict.add("right", "4.1.training", least=math.ceil(2 * parameters / outputs), **values)
        case "parameters" | "gradients" | "fc":
            verdict.add("wrong", "4.1.training-parameters", **values)
        case _:
            verdict.add("wrong", "4.1.word", name="training", found=shown(given))
