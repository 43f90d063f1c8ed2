"""Exercise 5: LeNet with ReLU, with dropout, and on standardized pixels."""

import re
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from alexbook.exercises._runs import Run, alike, described, luck, read, smoke, spelled, stuck
from alexbook.exercises._tables import short
from alexbook.exercises._verdict import Problem, Verdict, shown
from alexbook.exercises._words import Word

KINDS = {"sigmoid": "sigmoid", "relu": "relu", "reluanddropout": "dropout", "standardized": "standardized"}
ALIASES = {"reludropout": "reluanddropout", "dropout": "reluanddropout", "standardised": "standardized"}


def lenets(answer: Any, verdict: Verdict) -> None:
    """5: LeNet with ReLU, with dropout, and on standardized pixels."""
    if not isinstance(answer, Mapping):
        raise Problem("not-a-table", found=shown(answer), needs=Word("needs.5"))
    values: dict[str, Any] = {}
    unknown = []
    for key, value in list(answer.items())[:100]:
        plain = "".join(each for each in key.lower() if each.isalnum()) if isinstance(key, str) else ""
        plain = ALIASES.get(plain, plain)
        if plain in KINDS:
            values[KINDS[plain]] = value
        else:
            unknown.append(shown(key))
    if unknown:
        verdict.add("note", "5.unknown", names=short(unknown))
    if lacking := [Word(f"net.{kind}") for kind in KINDS.values() if kind not in values]:
        raise Problem("5.lacking", names=lacking)
    runs = {kind: read(values[kind], Word(f"net.{kind}")) for kind in KINDS.values()}
    first, *others = runs.values()
    for number_, run in enumerate(others, 1):
        for other in list(runs.values())[:number_]:
            alike(other, run)
        if run.epochs != first.epochs:
            raise Problem("5.other-epochs", one=first.name, other=run.name, first=first.epochs, second=run.epochs)
    _layers(runs, verdict)
    if not smoke(list(runs.values()), verdict):
        _compare(runs, verdict)


def _layers(runs: dict[str, Run], verdict: Verdict) -> None:
    """Whether the networks are what their names say, as far as they tell."""
    layers = {kind: described(run.net) for kind, run in runs.items()}
    calls = {kind: spelled(run.net) for kind, run in runs.items()}
    for kind in ("relu", "dropout", "standardized"):
        if "relu" not in layers[kind] + calls[kind] and "sigmoid" in layers[kind]:
            verdict.add("wrong", "5.no-relu", name=runs[kind].name)
    if "sigmoid" not in layers["sigmoid"] + calls["sigmoid"] and "relu" in layers["sigmoid"]:
        verdict.add("wrong", "5.no-sigmoid")
    known = any(each in layers["dropout"] for each in ("relu", "sigmoid", "conv"))
    if known and not _drops(layers["dropout"]) and "dropout" not in calls["dropout"]:
        verdict.add("wrong", "5.no-dropout")
    if _drops(layers["relu"]):
        verdict.add("wrong", "5.dropout-in-relu")


def _drops(layers: str) -> bool:
    """Whether there is a dropout layer, and one whose rate is not 0 where the framework tells rates."""
    rates = re.findall(r"dropout\(p ?= ?([\d.e-]+)|'rate': ([\d.e-]+)", layers)
    return "dropout" in layers and (not rates or any(float(one or other) > 0 for one, other in rates))


def _compare(runs: dict[str, Run], verdict: Verdict) -> None:
    sigmoid, relu = runs["sigmoid"], runs["relu"]
    for one, other in combinations([relu, runs["dropout"], runs["standardized"]], 2):
        if one.learned_like(other):
            plain = (one, other) == (relu, runs["standardized"])
            verdict.add("wrong", "5.not-standardized" if plain else "5.one-network", one=one.name, other=other.name)
    if not sigmoid.learned:
        verdict.add("note", "5.sigmoid-plateau", accuracy=sigmoid.accuracy)
    if any([stuck(run, verdict) for kind, run in runs.items() if kind != "sigmoid"]):
        return
    lead, allowance = relu.accuracy - sigmoid.accuracy, luck(relu, sigmoid)
    values = {"first": sigmoid.accuracy, "second": relu.accuracy, "luck": 100 * allowance}
    if lead < -allowance:
        verdict.add("wrong", "5.relu-worse", **values)
    else:
        verdict.add("right", "5.relu" if lead > allowance else "5.relu-luck", lead=100 * lead, **values)
    for kind in ("dropout", "standardized"):
        gain, allowance = runs[kind].accuracy - relu.accuracy, luck(runs[kind], relu)
        key = "5.within-luck" if abs(gain) <= allowance else "5.more" if gain > 0 else "5.less"
        verdict.add("note", key, name=runs[kind].name, gain=100 * abs(gain), luck=100 * allowance)
    gap = {kind: 100 * (runs[kind].train_acc[-1] - runs[kind].accuracy) for kind in ("relu", "dropout")}
    verdict.add("note", "5.gap", first=gap["relu"], second=gap["dropout"])
