"""The checks of the exercises: right answers pass, each usual mistake has its message, and nothing makes them raise."""

import io
import itertools
import math
import os
import re
import string
import subprocess
import sys
from pathlib import Path

import backend_fixtures
import jupytext
import numpy as np
import pytest
from backend_fixtures import present
from safetensors.numpy import save_file

from alexbook import exercises, weights
from alexbook._probe import mxnet_absent_reason
from alexbook.exercises import _bandwidth, _costs, _forward, _judge, _layers, _sizes, _words
from alexbook.exercises._judge import judge
from alexbook.training import History

backend = backend_fixtures.backend

PARTS = tuple(_judge.PARTS)
PACKAGE = Path(exercises.__file__).parent
CELLS = Path(__file__).parents[1] / "book" / "cells"
MACS, WEIGHTED = _costs.MACS, _layers.WEIGHTED


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.delenv("ALEXBOOK_LANGUAGE", raising=False)
    monkeypatch.delenv("ALEXBOOK_PROFILE", raising=False)


def run(accuracy=0.88, epochs=10, seconds=100.0, images=60_000, train=None, **others):
    """A history that ends at this accuracy."""
    test = [0.5 + (accuracy - 0.5) * (each + 1) / epochs for each in range(epochs)]
    train_acc = [(train or accuracy) - 0.001 * each for each in range(epochs)][::-1]
    loss = [1 / (each + 1) for each in range(epochs)]
    return History(loss, train_acc, test, [seconds + 0.01 * each for each in range(epochs)], images, **others)


class Sized:
    """A network of so many parameters, and of these layers."""

    def __init__(self, parameters=0, layers=""):
        self.parameters, self.layers = lambda: [np.zeros(parameters)], layers

    def __repr__(self):
        return self.layers


class Spelled(Sized):
    """A network whose dropout is a call."""

    def forward(self, X):
        return dropout(X, 0.2)  # noqa: F821  # only read, never called


class Numel(np.ndarray):
    numel = property(lambda self: lambda: self.size)


def sized(parameters):
    net = Sized()
    net.parameters = lambda: [np.broadcast_to(np.zeros(1), (parameters,)).view(Numel)]
    return net


ROOF = (1e12, 2e10)
SMOKE = {"profile": "smoke", "images": 256, "epochs": 1}
QUICK = {"profile": "quick", "images": 10_240, "epochs": 3}


def waiting(ridge=ROOF[0] / ROOF[1]):
    found = _bandwidth.intensities()
    return {batch: [name for name in WEIGHTED if found[name, batch] < ridge] for batch in (1, 128)}


def memory(**changes):
    right = {"parameters": _costs.PARAMETERS, "activations": _costs.OUTPUTS}
    return {**right, "inference": "parameters", "training": "activations", **changes}


def work(forward=MACS, both=None):
    return {"inference": forward, "training": both or times(MACS, 3)}


def bandwidth(**changes):
    return {"roof": ROOF, "intensity": _bandwidth.intensities(), "memory": waiting(), **changes}


def lenets(**changes):
    made = {"sigmoid": run(0.82, seconds=5), "ReLU": run(0.89, seconds=5.5)}
    made |= {"ReLU and dropout": run(0.885, seconds=6), "standardized": run(0.9, seconds=5.6)}
    return made | changes


def times(table, factor):
    return {name: factor * value for name, value in table.items()}


def shapes(**changes):
    return {**_layers.shapes(_layers.OBLONG, _layers.OBLONG_IMAGE), **changes}


def batches(**changes):
    return {32: (0.88, 0.9e9), 64: (0.87, 1.1e9), 128: (0.86, 1.5e9), **changes}


def answering(arrays=None, plan=_layers.NARROW):
    return lambda images: _forward.forward(plan, arrays or _forward.narrow(), images)["fc8"]


LENET, ALEXNET = run(0.84, 20, 5.0), run(0.91, 20, 300.0, train=0.96)
RIGHT = {
    "1": lambda: (LENET, ALEXNET),
    "2.1": lambda: (run(0.88), run(0.875, seconds=40)),
    "2.2": lambda: (run(0.88), run(0.93, seconds=8)),
    "3": batches,
    "4.1": memory,
    "4.2": work,
    "4.3": bandwidth,
    "5": lenets,
    "6": lambda: _forward.stranger()[0],
    "7": answering,
    "8": shapes,
}


@pytest.mark.parametrize("part", PARTS)
def test_the_right_answer_passes(part, capsys):
    assert judge(part, RIGHT[part]()).status == "passed"
    assert exercises.check(part, RIGHT[part]()) is None
    printed = capsys.readouterr().out
    assert printed.startswith(f"Exercise {part}: right.")
    assert "Not right" not in printed and "Where to look" not in printed


ALSO_RIGHT = [
    ("1", lambda: [LENET, ALEXNET]),
    ("1", lambda: (run(0.6, 4, images=10_240, profile="quick"), run(0.7, 5, images=10_240, profile="quick"))),
    ("3", lambda: {size: (run(0.88, seconds=size), 1e9 + 1e7 * size) for size in (64, 256, 128)}),
    ("4.1", lambda: memory(activations={**_costs.OUTPUTS, **_costs.POOLED}, training="活性値")),
    ("4.1", lambda: memory(parameters={f" {name.upper()}": np.float32(v) for name, v in _costs.PARAMETERS.items()})),
    ("4.2", lambda: work(both={**times(MACS, 3), "conv1": 2 * MACS["conv1"]})),
    ("4.2", lambda: work({name: np.int64(value) for name, value in MACS.items()})),
    ("4.2", lambda: work({name: float(f"{value:.3g}") for name, value in MACS.items()})),
    ("4.3", lambda: bandwidth(intensity=_bandwidth.intensities(biases=True))),
    ("2.1", lambda: (run(0.88), run(0.87, seconds=40))),  # one point less, but for rounding
    ("4.3", lambda: bandwidth(roof=(3e12, 2e12), memory={"1": {"fc6", "fc7", "fc8"}, "128": ()})),
    ("5", lambda: {name.upper().replace(" ", "_"): value for name, value in lenets().items()}),
    ("5", lambda: lenets(sigmoid=run(0.1, seconds=7), standardized=run(0.87, seconds=8))),
    ("5", lambda: lenets(ReLU=run(0.89, seconds=9, net=Sized(0, "ReLU() Dropout(p=0, inplace=False)")))),
    ("5", lambda: lenets(**{"ReLU and dropout": run(0.885, seconds=9, net=Spelled(0, "Conv2d Linear"))})),
    ("2.2", lambda: (run(0.88), run(0.93, 20, seconds=4, images=30_000))),
    ("6", lambda: f" {_forward.stranger()[0].upper()} "),
    ("8", lambda: {name: (*shape[1:], shape[0]) if shape[1:] else shape[0] for name, shape in shapes().items()}),
    ("8", lambda: {name: (None, *shape) for name, shape in shapes().items()}),
    ("8", lambda: {name: np.zeros((2, *shape)) for name, shape in shapes().items()}),
    ("8", lambda: {name: list(map(np.int32, shape)) for name, shape in shapes().items()}),
    ("8", lambda: {name: np.array(shape) for name, shape in shapes().items()}),
    ("8", lambda: {name: np.prod(shape) if len(shape) == 1 else shape for name, shape in shapes().items()}),
]


@pytest.mark.parametrize(("part", "answer"), ALSO_RIGHT)
def test_what_is_right_in_other_words_passes_too(part, answer):
    verdict = judge(part, answer())
    assert verdict.status == "passed", verdict.text("en")


def changed(table, **values):
    return {**table, **values}


P, A = _costs.PARAMETERS, _costs.OUTPUTS
COUNTS = _layers.COUNTS
I = _bandwidth.intensities()  # noqa: E741  # as the roofline calls it


def one_fault(key):
    return next(answer for name, answer in _forward.mistaken() if name == key)


def noisy():
    drawn = np.random.default_rng(0)
    return lambda images: drawn.random((4, 10))


STRANGE_MEMORY = {"3": ((0.9, 10.0), (0.9, 20.0), (0.9, 30.0))}
WRONG = [
    ("1", "1.few-epochs", lambda: (run(0.82, seconds=5), run(0.88, seconds=200))),
    ("1", "run.twice", lambda: (LENET, LENET)),
    ("1", "1.swapped", lambda: (run(0.9, 20, net=sized(46_764_746)), run(0.85, 20, 5.0, net=sized(61_706)))),
    ("1", "1.same-network", lambda: (run(0.9, 20, net=sized(61_706)), run(0.85, 20, 5.0, net=sized(61_706)))),
    ("1", "run.stuck", lambda: (run(0.1, 20, 5.0), ALEXNET)),
    ("1", "run.other-images", lambda: (LENET, run(0.9, 20, images=10_240))),
    ("1", "run.other-profile", lambda: (LENET, run(0.9, 20, profile="quick"))),
    ("1", "run.other-tested_on", lambda: (LENET, run(0.9, 20, tested_on="validation"))),
    ("1", "run.not-finite", lambda: (LENET, History([math.nan], [0.1], [0.1], [1.0], 60_000))),
    ("1", "run.no-epoch", lambda: (LENET, History(images=60_000))),
    ("1", "run.uneven", lambda: (LENET, History([1.0], [0.1, 0.2], [0.1], [1.0], 60_000))),
    ("1", "run.no-share", lambda: (LENET, History([1.0], [0.1], [88.0], [1.0], 60_000))),
    ("1", "run.no-clock", lambda: (LENET, History([1.0], [0.1], [0.8], [0.0], 60_000))),
    ("1", "run.no-history", lambda: (LENET, 0.88)),
    ("1", "run.no-pair", lambda: LENET),
    ("2.1", "2.1.slow", lambda: (run(0.88), run(0.88, seconds=60))),
    ("2.1", "2.1.inaccurate", lambda: (run(0.88), run(0.80, seconds=20))),
    ("2.1", "2.1.swapped", lambda: (run(0.88, seconds=40), run(0.88))),
    ("2.1", "run.other-images", lambda: (run(0.88), run(0.88, seconds=20, images=30_000))),
    ("2.1", "run.other-precision", lambda: (run(0.88), run(0.88, seconds=20, precision="bf16"))),
    ("2.1", "2.1.other-size", lambda: (run(0.88, size=224), run(0.88, seconds=20, size=28))),
    ("2.1", "2.1.other-epochs", lambda: (run(0.88), run(0.88, 5, seconds=20))),
    ("2.1", "run.twice", lambda: (run(0.88), run(0.88))),
    ("2.1", "run.stuck", lambda: (run(0.88), run(0.1, seconds=20))),
    ("2.2", "2.2.worse", lambda: (run(0.88), run(0.80, seconds=8))),
    ("2.2", "2.2.slow", lambda: (run(0.88), run(0.93, seconds=60))),
    ("2.2", "2.2.more-images", lambda: (run(0.88), run(0.93, 20, seconds=4))),
    ("2.2", "2.2.swapped", lambda: (run(0.93, seconds=8), run(0.88))),
    ("2.2", "run.other-precision", lambda: (run(0.88), run(0.93, seconds=8, precision="bf16"))),
    ("3", "3.few-sizes", lambda: {32: (0.8, 1e9), 64: (0.8, 2e9)}),
    ("3", "3.percent", lambda: {size: (88.0, 1e9 + 1e7 * size) for size in (1, 2, 4)}),
    ("3", "3.no-share", lambda: {size: (-1.0, 1e9 + 1e7 * size) for size in (1, 2, 4)}),
    ("3", "3.training-accuracy", lambda: {size: (0.99, 1e9 + 1e7 * size) for size in (1, 2, 4)}),
    ("3", "3.constant", lambda: {size: (0.88, 3e9) for size in (32, 64, 128)}),
    ("3", "3.falls", lambda: {size: (0.88, 3e9 - 1e7 * size) for size in (32, 64, 128)}),
    ("3", "3.mega", lambda: {size: (0.88, 900.0 + size) for size in (32, 64, 128)}),
    ("3", "3.kilo", lambda: {size: (0.88, 1.8e6 + 1e4 * size) for size in (32, 64, 128)}),
    ("3", "3.too-little", lambda: {size: (0.88, 4e6 * size) for size in (16, 32, 64)}),
    ("3", "3.no-batch", lambda: {"large": (0.88, 3e9)}),
    ("3", "3.no-pair", lambda: {32: 0.88, 64: 0.87, 128: 0.86}),
    ("3", "3.no-accuracy", lambda: batches() | {32: ("high", 1e9)}),
    ("3", "3.no-memory", lambda: batches() | {32: (0.88, "1 GB")}),
    ("3", "run.twice", lambda: {size: (LENET, 1e9 + 1e7 * size) for size in (1, 2, 4)}),
    ("4.1", "4.1.conv-most", lambda: "convolutions"),
    ("4.1", "4.1.conv-most", lambda: memory(inference="畳み込み層")),
    ("4.1", "4.1.inference-activations", lambda: memory(inference="activations")),
    ("4.1", "4.1.inference-gradients", lambda: memory(inference="gradients")),
    ("4.1", "4.1.training-parameters", lambda: memory(training="parameters")),
    ("4.1", "4.1.word", lambda: memory(training="everything")),
    ("4.1", "bytes-numbers", lambda: memory(parameters=times(P, 1 / 4))),
    ("4.1", "bytes-mega", lambda: memory(parameters=times(P, 1e-6))),
    ("4.1", "bytes-mega", lambda: memory(activations=times(A, 2**-20))),
    ("4.1", "bytes-double", lambda: memory(parameters=times(P, 2))),
    ("4.1", "bytes-numbers", lambda: memory(parameters={name: COUNTS[name].weights for name in P})),
    ("4.1", "4.1.state", lambda: memory(parameters=times(P, 3))),
    ("4.1", "4.1.biases", lambda: memory(parameters={name: 4 * COUNTS[name].weights for name in P})),
    ("4.1", "fc6-paper", lambda: memory(parameters=changed(P, fc6=4 * (9216 * 4096 + 4096)))),
    ("4.1", "three-channels", lambda: memory(parameters=changed(P, conv1=4 * (96 * 3 * 121 + 96)))),
    ("4.1", "4.1.swapped", lambda: memory(parameters=A)),
    ("4.1", "4.1.batch", lambda: memory(activations=times(A, 128))),
    ("4.1", "4.1.pooled", lambda: memory(activations=changed(A, conv1=4 * 96 * 26**2, conv5=4 * 6400))),
    ("4.1", "maps-55", lambda: memory(activations=changed(A, conv1=4 * 96 * 55**2))),
    ("4.1", "4.1.inputs", lambda: memory(activations=changed(A, fc6=4 * 6400))),
    ("4.1", "rows-missing", lambda: memory(parameters={"conv1": P["conv1"]})),
    ("4.1", "entry-missing", lambda: {"parameters": P}),
    ("4.2", "4.2.fc-most", lambda: "the fully connected layers do most of the computation"),
    ("4.2", "4.2.fc-most", lambda: "全結合層"),
    ("4.2", "4.2.fc-most", lambda: work({name: COUNTS[name].weights for name in MACS})),
    ("4.2", "4.2.parameters", lambda: work({name: P[name] // 4 for name in MACS})),
    ("4.2", "4.2.parameters", lambda: work(changed(MACS, conv2=COUNTS["conv2"].weights))),
    ("4.2", "4.2.operations", lambda: work(times(MACS, 2))),
    ("4.2", "4.2.millions", lambda: work(times(MACS, 1e-6))),
    ("4.2", "4.2.batch", lambda: work(times(MACS, 128))),
    ("4.2", "4.2.is-training", lambda: work(times(MACS, 3))),
    ("4.2", "4.2.input-side", lambda: work(changed(MACS, conv1=96 * 121 * 224**2))),
    ("4.2", "4.2.outputs", lambda: work({name: COUNTS[name].written for name in MACS})),
    ("4.2", "4.2.one-side", lambda: work(changed(MACS, conv2=COUNTS["conv2"].weights * 26))),
    ("4.2", "4.2.one-input", lambda: work(changed(MACS, conv3=384 * 144 * 9))),
    ("4.2", "maps-55", lambda: work(changed(MACS, conv1=96 * 121 * 55**2))),
    ("4.2", "three-channels", lambda: work(changed(MACS, conv1=3 * MACS["conv1"]))),
    ("4.2", "4.2.forward-only", lambda: work(both=MACS)),
    ("4.2", "4.2.one-product", lambda: work(both=times(MACS, 2))),
    ("4.2", "4.2.one-product", lambda: work(both={**times(MACS, 2), "conv1": MACS["conv1"]})),
    ("4.2", "4.2.operations", lambda: work(both=times(MACS, 6))),
    ("4.2", "rows-high", lambda: work(changed(MACS, fc8=MACS["fc8"] + 999))),
    ("4.2", "rows-odd", lambda: work(changed(MACS, fc8=math.nan))),
    ("4.2", "entry-missing", lambda: MACS),
    ("4.3", "4.3.conv-wait", lambda: "the convolutions"),
    ("4.3", "4.3.multiply-adds", lambda: bandwidth(intensity=times(I, 1 / 2))),
    ("4.3", "4.3.numbers", lambda: bandwidth(intensity=times(I, 4))),
    ("4.3", "4.3.half", lambda: bandwidth(intensity=times(I, 2))),
    ("4.3", "4.3.upside-down", lambda: bandwidth(intensity={key: 1 / value for key, value in I.items()})),
    ("4.3", "4.3.same-batch", lambda: bandwidth(intensity={(name, batch): I[name, 1] for name, batch in I})),
    ("4.3", "4.3.weights-only", lambda: bandwidth(intensity=changed(I, **{}) | {("fc6", 128): 64.0})),
    ("4.3", "4.3.one-image", lambda: bandwidth(intensity=I | {("fc6", 128): I["fc6", 128] / 128})),
    ("4.3", "4.3.no-weights", lambda: bandwidth(intensity=I | {("conv3", 1): no_weights("conv3")})),
    ("4.3", "4.3.one-image-moved", lambda: bandwidth(intensity={key: key[1] * I[key[0], 1] for key in I})),
    ("4.3", "4.3.no-roof", lambda: bandwidth(roof=1e12)),
    ("4.3", "4.3.odd-roof", lambda: bandwidth(roof=(500.0, 20.0))),
    ("4.3", "4.3.odd-roof", lambda: bandwidth(roof=ROOF[::-1])),
    ("4.3", "4.3.reversed", lambda: bandwidth(memory=reversed_waiting())),
    ("4.3", "4.3.extra", lambda: bandwidth(memory={1: WEIGHTED, 128: waiting()[128]})),
    ("4.3", "4.3.lacking", lambda: bandwidth(memory={1: ["fc6"], 128: waiting()[128]})),
    ("4.3", "4.3.no-list", lambda: bandwidth(memory={1: "fc6", 128: waiting()[128]})),
    ("5", "5.lacking", lambda: {"sigmoid": run(0.82)}),
    ("5", "5.relu-worse", lambda: lenets(ReLU=run(0.7, seconds=9))),
    ("5", "run.twice", lambda: lenets(standardized=lenets()["ReLU"])),
    ("5", "5.other-epochs", lambda: lenets(ReLU=run(0.89, 12))),
    ("5", "run.stuck", lambda: lenets(ReLU=run(0.1))),
    ("5", "5.no-dropout", lambda: lenets(**{"ReLU and dropout": run(0.88, seconds=9, net=Sized(0, "Conv2d ReLU()"))})),
    ("5", "5.no-relu", lambda: lenets(ReLU=run(0.88, seconds=9, net=Sized(0, "Conv2d Sigmoid()")))),
    ("5", "5.no-relu", lambda: lenets(standardized=run(0.9, seconds=9, net=Sized(0, "Conv2d Sigmoid()")))),
    ("5", "5.not-standardized", lambda: lenets(standardized=run(0.89, seconds=9))),
    ("5", "5.one-network", lambda: lenets(**{"ReLU and dropout": run(0.89, seconds=9)})),
    ("5", "5.one-network", lambda: lenets(standardized=run(0.885, seconds=9))),
    ("5", "5.no-dropout", lambda: lenets(**{"ReLU and dropout": run(0.88, net=Sized(0, "ReLU() Dropout(p=0.0)"))})),
    ("5", "5.no-sigmoid", lambda: lenets(sigmoid=run(0.8, seconds=9, net=Sized(0, "Conv2d ReLU()")))),
    ("5", "5.dropout-in-relu", lambda: lenets(ReLU=run(0.88, seconds=9, net=Sized(0, "ReLU() Dropout(p=0.5)")))),
    ("5", "run.other-images", lambda: lenets(ReLU=run(0.89, images=1000))),
    ("6", "6.first", lambda: "conv1"),
    ("6", "6.no-window", lambda: "fc5"),
    ("6", "6.later", lambda: after_the_stranger()),
    ("6", "6.earlier", lambda: before_the_stranger()),
    ("6", "6.unknown", lambda: "pool1"),
    ("6", "6.no-name", lambda: 3),
    ("6", "6.no-name", lambda: ["conv1", "conv2", "conv3"]),
    *(("7", key, lambda found=found: lambda images: found) for key, found in _forward.mistaken()),
    ("7", "7.random", noisy),
    ("7", "7.one-answer", lambda: lambda images: np.tile(np.arange(10.0), (4, 1))),
    ("7", "7.far", lambda: lambda images: np.outer(np.arange(4.0), np.arange(10.0))),
    ("7", "7.shape", lambda: lambda images: np.zeros((10, 4))),
    ("7", "7.not-finite", lambda: lambda images: np.full((4, 10), np.nan)),
    ("7", "7.maker", lambda: lambda: None),
    ("7", "7.nothing", lambda: lambda images: None),
    ("7", "7.raised", lambda: lambda images: images["conv1"]),
    ("7", "7.no-array", lambda: lambda images: "ten numbers"),
    ("7", "7.no-network", lambda: _forward.narrow()),
    ("8", "8.ceiling", lambda: shapes(conv1=(32, 34, 47))),
    ("8", "8.no-padding", lambda: shapes(conv2=(64, 12, 18))),
    ("8", "8.no-one", lambda: shapes(pool2=(64, 6, 9))),
    ("8", "8.one-side", lambda: shapes(conv1=(32, 32, 46))),
    ("8", "8.forgotten", lambda: shapes(conv3=(48, 3, 4), fc4=100)),
    ("8", "8.no-stride", lambda: shapes(conv1=(32, 98, 138))),
    ("8", "8.stride-only", lambda: shapes(conv1=(32, 33, 46), pool1=(32, 17, 23), conv3=(48, 3, 5))),
    ("8", "8.channels", lambda: shapes(conv2=(32, 14, 20))),
    ("8", "8.sides", lambda: shapes(conv2=(20, 14, 64), pool2=(64, 10, 7))),
    ("8", "8.fraction", lambda: shapes(conv1=(32, 33.33, 46.67))),
    ("8", "8.follows", lambda: shapes(conv1=(32, 34, 47), pool1=(32, 16, 23))),
    ("8", "8.flattened", lambda: shapes(fc4=960)),
    ("8", "8.fully-connected", lambda: shapes(fc4=(48, 4, 5))),
    ("8", "8.incomplete", lambda: shapes(conv1=(33, 46))),
    ("8", "8.other", lambda: shapes(conv1=(1, 2, 3))),
    ("8", "8.odd", lambda: shapes(conv1="32, 33, 46")),
    ("8", "8.missing", lambda: {"conv1": (32, 33, 46)}),
]


def through(side):
    """The shapes of an answer with one mistake in its formula, each layer from the shape before."""
    found, before = {}, _layers.OBLONG_IMAGE
    for layer in _layers.OBLONG:
        right = layer.shape(before)
        before = found[layer.name] = right if layer.kind == "fc" else (right[0], *(side(n, layer) for n in before[1:]))
    return found


def test_two_mistakes_of_the_same_shape_are_both_told():
    assert "conv3: one of these is forgotten: the padding, the 1." in judge("8", shapes(conv3=(48, 3, 4))).text("en")


@pytest.mark.parametrize("name", ["mxnet", "pytorch"])
def test_a_layer_that_drops_nothing_is_no_dropout(name):
    if (backend := present().get(name)) is None:
        pytest.skip(mxnet_absent_reason())
    net = backend.network("dense 3", "relu", "dropout 0.0", "dense 3")
    verdict = judge("5", lenets(**{"ReLU and dropout": run(0.885, seconds=9, net=net)}))
    assert "5.no-dropout" in verdict.keys


@pytest.mark.parametrize("key", ["8.no-padding", "8.no-one", "8.one-side"])
def test_a_mistake_made_everywhere_is_told_once(key):
    verdict = judge("8", through(_sizes.SIDES[key]))
    assert key in verdict.keys and not (set(_sizes.FORGOTTEN) - {key}) & set(verdict.keys)


def test_bytes_of_one_image_are_told_of_every_layer_alike():
    verdict = judge("4.3", bandwidth(intensity={key: key[1] * I[key[0], 1] for key in I}))
    assert verdict.keys.count("4.3.one-image-moved") == 1 and "4.3.weights-only" not in verdict.keys


def no_weights(name):
    return COUNTS[name].macs / (2 * (COUNTS[name].read + COUNTS[name].written))


def reversed_waiting():
    return {batch: [name for name in WEIGHTED if name not in names] for batch, names in waiting().items()}


def around_the_stranger():
    names = [layer.name for layer in _layers.STRANGER]
    return names, names.index(_forward.stranger()[0])


def after_the_stranger():
    names, place = around_the_stranger()
    return names[place + 1]


def before_the_stranger():
    names, place = around_the_stranger()
    return names[place - 1]


@pytest.mark.parametrize(("part", "key", "answer"), WRONG, ids=[f"{part} {key}" for part, key, _ in WRONG])
def test_a_usual_mistake_has_its_own_message(part, key, answer):
    verdict = judge(part, answer())
    assert key in verdict.keys, verdict.text("en")
    assert verdict.status == "failed"
    assert "strange" not in verdict.keys
    assert re.search(r"Where to look: .* exercises.hint\(", verdict.text("en"))
    assert verdict.text("ja") != verdict.text("en")


@pytest.mark.parametrize(
    ("part", "word"), [("4.1", "fully connected, not conv"), ("4.2", "畳み込み層"), ("4.3", "fc6 and fc7")]
)
def test_the_right_word_is_not_enough(part, word):
    verdict = judge(part, word)
    assert verdict.keys == ["word-right", f"{part}.word-only"] and verdict.status == "failed"


def test_japanese_has_no_spaces_around_japanese():
    assert "オブジェクトです" in judge("1", object()).text("ja")


def test_every_part_knows_three_mistakes_or_more():
    for part in PARTS:
        assert len({key for each, key, _ in WRONG if each == part}) >= 3


def test_the_two_sums_are_shown_to_whoever_takes_the_parameters_for_the_work():
    shown = judge("4.2", "fully connected").text("en")
    assert f"{sum(MACS[name] for name in WEIGHTED[:5]):,}" in shown
    assert f"{sum(MACS[name] for name in WEIGHTED[5:]):,}" in shown
    assert "95.4%" in shown and "4.6%" in shown


OPEN = [
    ("1", lambda: (run(0.1, **SMOKE), run(0.12, **SMOKE)), "run.smoke"),
    ("1", lambda: (run(0.6, **QUICK), run(0.65, **QUICK)), "1.profile-stops"),
    (
        "1",
        lambda: (run(0.1, 4, images=9_000, profile="quick"), run(0.6, 5, images=9_000, profile="quick")),
        "run.plateau",
    ),
    ("2.1", lambda: (run(0.1, **SMOKE), run(0.1, seconds=200, **SMOKE)), "run.smoke"),
    ("2.1", lambda: (run(0.88), run(0.865, seconds=20)), "2.1.luck"),
    ("2.1", lambda: (run(0.6, **QUICK), run(0.58, seconds=20, **QUICK)), "2.1.luck"),
    ("2.1", lambda: (run(0.1, **QUICK), run(0.58, seconds=20, **QUICK)), "run.plateau"),
    ("3", lambda: {size: (0.88, 1.87e9) for size in (8, 16, 32)}, "3.close"),
    ("2.2", lambda: (run(0.1, **SMOKE), run(0.1, seconds=200, **SMOKE)), "run.smoke"),
    ("2.2", lambda: (run(0.88), run(0.885, seconds=8)), "2.2.luck"),
    ("2.2", lambda: (run(0.88), run(0.875, seconds=8)), "2.2.luck"),
    ("3", lambda: {size: (run(0.1, **SMOKE, seconds=size), 1e9 + 1e7 * size) for size in (1, 2, 4)}, "3.smoke"),
    ("3", lambda: {size: (0.1, 1e9 + 1e7 * size) for size in (1, 2, 4)}, "3.plateau"),
    ("5", lambda: {name: run(0.1, seconds=at, **SMOKE) for at, name in enumerate(lenets(), 1)}, "run.smoke"),
]


@pytest.mark.parametrize(("part", "answer", "key"), OPEN)
def test_what_a_run_is_too_short_for_stays_undecided(part, answer, key):
    verdict = judge(part, answer())
    assert verdict.status == "open", verdict.text("en")
    assert key in verdict.keys


def test_plain_accuracies_are_judged_by_the_profile_of_the_environment(monkeypatch):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    assert judge("3", batches()).keys[0] == "3.smoke"
    monkeypatch.setenv("ALEXBOOK_PROFILE", "none of them")
    assert judge("3", batches()).status == "passed"


def test_luck_shrinks_with_the_number_of_test_images():
    pair = [run(0.88), run(0.865, seconds=20)]
    assert judge("2.1", pair).status == "open"
    for history in pair:
        history.tested = 100_000
    assert judge("2.1", pair).status == "failed"


class Hostile:
    """Raises whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __len__ = __iter__ = __float__ = __eq__ = __bool__ = __call__ = __getitem__ = __repr__
    __hash__ = object.__hash__


class HostileDict(dict):
    def items(self):
        raise RuntimeError("no")

    __getitem__ = __iter__ = __contains__ = keys = __len__ = items


class HostileText(str):
    __slots__ = ()

    def __repr__(self):
        raise RuntimeError("no")

    lower = strip = __str__ = __repr__


def cyclic():
    found = [1]
    found.append(found)
    return found


GARBAGE = {
    "None": None,
    "true": True,
    "empty text": "",
    "text": "forty-two",
    "bytes": b"\xff",
    "nan": math.nan,
    "inf": -math.inf,
    "number": 42,
    "huge number": 10**5000,
    "complex": 1j,
    "list": [],
    "dict": {},
    "set": {1, 2},
    "huge list": [0.5] * 1_000_000,
    "huge dict": {number: number for number in range(100_000)},
    "long text": "x" * 1_000_000,
    "cyclic": cyclic(),
    "hostile": Hostile(),
    "hostile dict": HostileDict(conv1=1),
    "hostile text": HostileText("conv1"),
    "hostile inside": {"conv1": Hostile(), "inference": Hostile(), 32: (Hostile(), Hostile())},
    "hostile pair": (Hostile(), Hostile()),
    "nan inside": {name: math.nan for name in (*WEIGHTED, "inference", "training")},
    "wrong shapes": {name: np.zeros((3, 3)) for name in (*WEIGHTED, "conv1")},
    "tables of text": {name: {layer: "many" for layer in WEIGHTED} for name in ("inference", "training", "parameters")},
    "deep": [[[[[[[[[[[[1]]]]]]]]]]]],
    "class": int,
    "module": math,
    "error": ValueError("no"),
    "function": lambda *answer: answer,
    "raising": lambda images: 1 / 0,
    "array": np.full((4, 10), np.nan),
    "objects": np.array([None, "many", object()], dtype=object),
    "generator": (number for number in ()),
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("part", PARTS)
def test_garbage_gets_a_clear_message(part, name, capsys):
    verdict = judge(part, GARBAGE[name])
    assert verdict.status == "failed"
    exercises.check(part, GARBAGE[name])
    printed = capsys.readouterr().out
    assert printed.startswith(f"Exercise {part}: not yet.")
    assert printed.count("Not right") <= 30 and len(printed) < 4000


NO_PARTS = {"9": "9", "nothing": None, "hostile": Hostile(), "share": 1.5, "true": True, "longer": "4.2.1"}
NO_PARTS |= {"empty": "", "list": [1], "huge": 10**5000, "long": "x" * 10**6, "hostile text": HostileText("1")}


@pytest.mark.parametrize("name", NO_PARTS)
def test_an_unknown_part_is_named(name, capsys):
    part = NO_PARTS[name]
    for call in (lambda: exercises.check(part, 1), lambda: exercises.hint(part), lambda: exercises.given(part)):
        call()
        printed = capsys.readouterr().out
        assert "There is no exercise" in printed and "4.2" in printed and len(printed) < 200


@pytest.mark.parametrize("part", [4.2, "4.2", " 4.2 ", "４．２", "4.2\n"])  # noqa: RUF001
def test_a_part_is_known_however_it_is_written(part, capsys):
    exercises.check(part, work())
    assert capsys.readouterr().out.startswith("Exercise 4.2: right.")


def leaves(value, build=lambda inner: inner):
    """The answer with `...` in each of its places, one after the other."""
    yield build(...)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, lambda new, key=key: build({**value, key: new}))
    elif isinstance(value, tuple | list):
        for place, inner in enumerate(value):
            yield from leaves(inner, lambda new, place=place: build((*value[:place], new, *value[place + 1 :])))


@pytest.mark.parametrize("part", [part for part in PARTS if part != "7"])
def test_a_blank_anywhere_is_missing_not_wrong(part):
    for answer in itertools.islice(leaves(RIGHT[part]()), 60):
        verdict = judge(part, answer)
        assert verdict.status == "missing"
        assert "..." in verdict.text("en") and "..." in verdict.text("ja")


def test_the_place_of_a_blank_is_told():
    missing = judge("4.2", work(changed(MACS, conv2=...))).text("en")
    assert "answer['inference']['conv2']" in missing
    many = work(dict.fromkeys(MACS, ...), dict.fromkeys(MACS, ...))
    assert "['conv3'], 13 more. Replace" in judge("4.2", many).text("en")
    assert "answer[...]" in judge("8", {...: (1, 2)}).text("en")
    assert "answer[0].test_acc[1]" in judge("1", (History(test_acc=[0.1, ...]), ALEXNET)).text("en")
    assert judge("7", lambda images: ...).status == "missing"
    assert judge("4.3", bandwidth(memory={1: {"fc6", ...}, 128: []})).status == "missing"


def test_hints_come_one_after_the_other(capsys, monkeypatch):
    monkeypatch.setattr(exercises, "_asked", exercises.Counter())
    for _ in range(5):
        exercises.hint("4.2")
    exercises.hint("8")
    lines = capsys.readouterr().out.splitlines()
    assert [line[:27] for line in lines[:3]] == [f"Exercise 4.2, hint {number} of 3: " for number in (1, 2, 3)]
    assert len(set(lines)) == 5 and lines[3] == lines[4] and "solutions" in lines[3]
    assert lines[5].startswith("Exercise 8, hint 1 of 3")


@pytest.mark.parametrize(("wanted", "begins"), [("ja", "演習 8"), ("en", "Exercise 8: right"), ("", "Exercise 8")])
def test_the_language_is_that_of_the_environment(wanted, begins, monkeypatch, capsys):
    monkeypatch.setenv("ALEXBOOK_LANGUAGE", wanted)
    exercises.check("8", shapes())
    assert capsys.readouterr().out.startswith(begins)


def test_a_terminal_without_the_letters_is_no_reason_to_raise(monkeypatch):
    monkeypatch.setenv("ALEXBOOK_LANGUAGE", "ja")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    exercises.check("8", shapes())
    sys.stdout.flush()
    assert b"8" in written.getvalue()


def fields(message):
    """The placeholders of a message, and how each is written."""
    return {(name, form) for _, name, form, _ in string.Formatter().parse(message) if name is not None}


@pytest.mark.parametrize("key", _words.words())
def test_every_message_is_there_in_both_languages(key):
    message = _words.words()[key]
    assert tuple(message) == _words.LANGUAGES
    assert all(each.strip() == each for each in message.values() if not key.startswith(("kind.", "comma")))
    assert fields(message["en"]) == fields(message["ja"])
    assert message["en"] != message["ja"] or key.startswith(("net.", "needs."))


def test_every_part_has_hints_a_place_to_look_and_a_form():
    for part in PARTS:
        assert {f"hint.{part}.{number}" for number in (1, 2, 3)} <= _words.words().keys()
        assert {f"where.{part}", f"needs.{part}"} <= _words.words().keys()


def test_every_message_is_used():
    """A key stands in the code, or is put together there from one of these beginnings."""
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py"))
    made = ("kind.", "verdict.", "where.", "needs.", "hint.", "net.", "part.", "run.other-")
    assert [key for key in _words.words() if f'"{key}"' not in code and not key.startswith(made)] == []


def titles(language):
    return [path.read_text(encoding="utf-8").splitlines()[0] for path in (CELLS.parent / language).glob("*.md")]


@pytest.mark.parametrize("part", PARTS)
def test_chapters_and_cells_that_are_named_exist(part):
    where = _words.words()[f"where.{part}"]
    for language, quoted in (("en", '"([^"]+)"'), ("ja", "「([^」]+)」")):
        named = re.findall(quoted, where[language])
        assert named and all(any(each.startswith(f"# {title}") for each in titles(language)) for title in named)
    found = [re.findall(r"^# %% ([a-z0-9-]+)", path.read_text(encoding="utf-8"), re.M) for path in CELLS.glob("*/*.py")]
    cells = re.findall(r"cells? ([a-z-]+)(?: and ([a-z-]+))?", where["en"])
    assert {name for pair in cells for name in pair if name} <= {name for names in found for name in names}
    assert all(name in where["ja"] for pair in cells for name in pair)


def test_the_answers_are_not_in_plain_sight():
    texts = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.iterdir() if path.is_file())
    texts = texts.replace(",", "").replace("_", "")
    numbers = {*MACS.values(), *_costs.PARAMETERS.values(), *_costs.OUTPUTS.values(), 938_146_176, 46_764_746}
    assert [number for number in numbers if number > 1000 and str(int(number)) in texts] == []
    assert f'"{_forward.stranger()[0]}"' not in (PACKAGE / "_networks.py").read_text(encoding="utf-8")


def test_nobody_spoils_the_material():
    first = exercises.given("6")
    first["image"][:] = 0
    first["outputs"].clear()
    exercises.given("7")["pytorch"]["fc6.weight"][:] = 0
    assert exercises.given("6")["image"].any() and exercises.given("6")["outputs"]
    assert judge("7", answering()).status == "passed"
    assert exercises.given("7")["pytorch"]["fc6.weight"].any()


def test_there_is_no_material_for_the_others(capsys):
    assert exercises.given("1") == {}
    assert "6, 7, 8" in capsys.readouterr().out


NO_FRAMEWORK = """
import sys, numpy
from alexbook import exercises
from alexbook.exercises._judge import PARTS
for part in PARTS:
    exercises.hint(part)
    exercises.given(part)
    for answer in (..., None, {}, "conv1", lambda images: numpy.zeros((4, 10)), numpy.zeros(3)):
        exercises.check(part, answer)
found = {"torch", "mxnet", "tensorflow", "keras", "IPython", "matplotlib"} & sys.modules.keys()
sys.exit(f"imported {found}" if found else 0)
"""


def test_no_framework_is_imported_before_an_answer_is_of_one():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "ALEXBOOK_LANGUAGE": "ja", "PYTHONUTF8": "1"}
    subprocess.run([sys.executable, "-c", NO_FRAMEWORK], env=environment, check=True, stdout=subprocess.DEVNULL)


# What the layers' sizes say, against the networks of the chapters


def chapter_network():
    """PyTorch's network of the chapter AlexNet."""
    source = {cell.metadata["title"]: cell.source for cell in jupytext.read(CELLS / "alexnet" / "pytorch.py").cells}
    names = {}
    exec(source["imports"], names)
    exec(source["model"], names)
    return names["net"].eval()


def test_the_counts_are_those_of_the_network_of_the_chapter():
    torch = present()["pytorch"].d2l.torch
    from torch.utils.flop_counter import FlopCounterMode

    X, rows = torch.zeros(1, 1, 224, 224), iter(_layers.ALEXNET)
    for layer in chapter_network():
        shape = X.shape[1:]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            X = layer(X)
        if not isinstance(layer, torch.nn.ReLU | torch.nn.Dropout | torch.nn.Flatten):
            row = next(rows)
            counts = _layers.COUNTS[row.name]
            assert counter.get_total_flops() == 2 * counts.macs
            assert sum(each.numel() for each in layer.parameters()) == counts.weights + counts.biases
            assert (math.prod(shape), math.prod(X.shape)) == (counts.read, counts.written)
    assert next(rows, None) is None


def test_training_takes_two_more_products_of_each_layer():
    torch = present()["pytorch"].d2l.torch
    from torch.utils.flop_counter import FlopCounterMode

    net = chapter_network()
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 1, 224, 224)).sum().backward()
    assert counter.get_total_flops() == 2 * (3 * sum(MACS.values()) - MACS["conv1"])


def test_the_intensities_are_those_of_the_chapter():
    source = {cell.metadata["title"]: cell.source for cell in jupytext.read(CELLS / "hardware" / "all.py").cells}
    names = {}
    exec(source["intensity"], names)
    assert names["intensity"].keys() == I.keys()
    assert all(math.isclose(names["intensity"][key], I[key]) for key in I)


def test_the_oblong_network_has_these_shapes():
    nn, torch = present()["pytorch"].d2l.nn, present()["pytorch"].d2l.torch
    X = torch.zeros(1, *exercises.given("8")["input"])
    for row in exercises.given("8")["layers"]:
        sizes = {"kernel_size": row["window"], "stride": row["stride"], "padding": row["padding"]}
        if row["kind"] == "fc":
            X = nn.LazyLinear(row["outputs"])(X.flatten(1))
        else:
            X = nn.LazyConv2d(row["outputs"], **sizes)(X) if row["kind"] == "conv" else nn.MaxPool2d(**sizes)(X)
        assert tuple(X.shape[1:]) == shapes()[row["name"]]


def test_the_stranger_is_found_by_comparing_layer_by_layer():
    torch = present()["pytorch"].d2l.torch
    given, X, agree = exercises.given("6"), None, {}
    for row in given["layers"]:
        weight, bias = (torch.tensor(given["weights"][f"{row['name']}.{what}"]) for what in ("weight", "bias"))
        X = torch.tensor(given["image"]) if X is None else X
        if row["kind"] == "fc":
            X = X.flatten(1) @ weight.T + bias
        else:
            X = torch.conv2d(X, weight, bias, row["stride"], row["padding"]).relu()
        assert X.shape == given["outputs"][row["name"]].shape
        agree[row["name"]] = np.allclose(X, given["outputs"][row["name"]], atol=1e-4)
    answer = next(name for name, same in agree.items() if not same)
    assert judge("6", answer).status == "passed"
    assert list(agree.values()).count(False) >= 2  # what follows differs, too


WORDS = ["conv 6 11 4", "relu", "pool 3 2", "conv 16 5 1 2", "relu", "pool 3 2", "conv 24 3 1 1", "relu"]
WORDS += ["conv 24 3 1 1", "relu", "conv 16 3 1 1", "relu", "pool 3 2", "flatten"]
WORDS += ["dense 256", "relu", "dropout 0.5", "dense 256", "relu", "dropout 0.5", "dense 10"]


def narrow(backend, words=WORDS):
    """The narrow network of exercise 7, with weights of its own."""
    net = backend.network(*words)
    net = net() if backend.name == "tensorflow" else net
    if backend.name == "mxnet":
        net.initialize()
    ((X, _),) = backend.batches(_forward.questions()[:, 0], np.zeros(4, np.int64), 4)
    net(X)
    return net


def loaded(backend, folder, words=WORDS, **changes):
    net = narrow(backend, words)
    arrays = {name: np.ascontiguousarray(array) for name, array in (exercises.given("7")["pytorch"] | changes).items()}
    save_file(arrays, folder / "narrow.safetensors")
    weights.load(net, folder / "narrow.safetensors")
    return net


def test_a_network_of_any_framework_passes(backend, tmp_path):
    net = loaded(backend, tmp_path)
    if backend.name == "pytorch":
        net.train()
        net[0].eval()
    verdict = judge("7", net)
    assert verdict.status == "passed", verdict.text("en")
    if backend.name == "pytorch":
        assert net.training and net[-2].training and not net[0].training  # as it was


def test_weights_moved_by_hand_pass_in_keras():
    net = narrow(present()["tensorflow"])
    net.set_weights(list(exercises.given("7")["tensorflow"].values()))
    assert judge("7", net).status == "passed"
    for layer in net.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(exercises.given("7")["pytorch"][next(names_of(layer, net))].T)
    assert judge("7", net).keys == ["7.fc6-order-turned"]


def names_of(layer, net):
    """The name of a layer's weights in the file."""
    held = [each for each in net.layers if hasattr(each, "kernel")]
    number = held.index(layer) + 1
    yield f"{'conv' if number < 6 else 'fc'}{number}.weight"


def test_what_is_wrong_with_a_network_is_found(backend, tmp_path):
    ours = _forward.narrow()
    assert judge("7", narrow(backend)).keys == ["7.nothing-loaded"]
    assert judge("7", narrow(backend, ["flatten", "dense 10"])).keys == ["7.structure"]
    altered = loaded(backend, tmp_path, **{"conv3.weight": ours["conv3.weight"][::-1]})
    assert judge("7", altered).remarks[0].values["names"] == ["conv3.weight"]
    linear = [word for number, word in enumerate(WORDS) if number != 7]
    assert judge("7", loaded(backend, tmp_path, linear)).keys == ["7.layers"]
    turned = {name: array.swapaxes(2, 3) for name, array in ours.items() if array.ndim == 4}
    assert judge("7", loaded(backend, tmp_path, **turned)).keys == ["7.turned"]


def test_a_network_of_a_framework_is_no_answer_elsewhere(backend):
    net = narrow(backend, ["flatten", "dense 10"])
    for part in PARTS:
        verdict = judge(part, net)
        assert verdict.status == "failed" and len(verdict.text("en")) < 2000
        assert judge(part, (net, net)).status == "failed"
        assert judge(part, {"conv1": net, 32: (net, net)}).status == "failed"


def test_the_sizes_of_networks_are_known(backend):
    from alexbook.exercises._runs import described, parameters

    net = narrow(backend)
    assert parameters(net) == sum(array.size for array in _forward.narrow().values())
    assert "dropout" in described(net) and "relu" in described(net) and "sigmoid" not in described(net)
