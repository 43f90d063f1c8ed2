"""The training loop, once for all frameworks: progress, history, checkpoints, Ctrl-C, and a loss gone wrong.

A backend brings a `Learner`: one network in one framework, reduced to the few verbs that the loop needs.
"""

import itertools
import json
import math
import operator
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from alexbook import provenance
from alexbook._checkpoint import Checkpoint, State, Weights
from alexbook._display import Display
from alexbook._run import PLAIN, History, Plan, Recipe, Tally
from alexbook.data import Batches
from alexbook.profiles import Profile, announce, current_profile

__all__ = ["PLAIN", "History", "Learner", "Plan", "Recipe", "train"]

_calls = itertools.count(1)  # numbers the checkpoints of a process, for ALEXBOOK_CHECKPOINTS


class Learner(Protocol):
    """One network, its optimizer and its device. What `step` and `evaluate` return may stay on the device."""

    backend: str
    device: str  # as d2l prints it: cuda:0, gpu(0), /GPU:0
    precision: str  # what its products are computed in: fp32 or bf16
    facts: dict[str, str]  # for the record: backend, version, and the device's own name
    net: Any

    def initialize(self, X: Any, seed: int) -> None:
        """Builds the network on the device for inputs like X: Xavier-uniform weights, zero biases."""

    def set_seed(self, seed: int) -> None:
        """Seeds what is random while training, dropout above all."""

    def set_rate(self, lr: float) -> None:
        """Sets the learning rate of the next steps."""

    def step(self, X: Any, y: Any) -> tuple[Any, Any]:
        """One step of gradient descent; returns the loss summed over the batch, and the correct answers."""

    def evaluate(self, X: Any, y: Any) -> Any:
        """The number of correct answers, nothing learned, dropout off."""

    def is_built(self) -> bool:
        """Whether the network has weights already, which `initialize` would replace."""

    def describe(self) -> list[str]:
        """What each layer without layers of its own says of itself, in order: its kind and options, not its weights."""

    def get_weights(self) -> Weights:
        """Copies of all weights and of the steps that momentum keeps, under the same names in every process."""

    def set_weights(self, weights: Weights) -> None:
        """Puts back what `get_weights` returned."""

    def synchronize(self) -> None:
        """Waits until the device has done all it was asked."""


def train(learner: Learner, train_iter: Any, test_iter: Any, plan: Plan) -> History:
    """Trains `learner.net` from fresh weights, or from where `plan.checkpoint` stands.

    Raises:
        FloatingPointError: the loss is no longer finite.
        OSError: the checkpoint cannot be written.
        TypeError: batches can be taken only once, or do not know how many they are.
        ValueError: there is no batch, the checkpoint is damaged or belongs to another run, or ALEXBOOK_PROFILE names
            no profile.
    """
    X, _ = _first("train_iter", train_iter)
    _first("test_iter", test_iter)
    profile = current_profile(plan.accelerator)
    most = _most_epochs(profile, train_iter)
    announce(replace(profile, epochs=most), epochs=plan.num_epochs)
    epochs = min(plan.num_epochs, most or plan.num_epochs)
    history = History(seed=plan.seed, profile=profile.name, precision=learner.precision, net=learner.net)
    if isinstance(train_iter, Batches):
        history.size = train_iter.size
    if isinstance(test_iter, Batches):
        history.tested = len(test_iter.labels)
        history.tested_on = test_iter.name if test_iter.name == "validation" else "test"
    run = _Run(learner, train_iter, test_iter, plan, history, epochs)
    saved = run.read()  # what it refuses, it refuses before any weight is reset
    learner.initialize(X, plan.seed)
    run.resume(saved)
    run.go()
    if len(history):
        provenance.log(**learner.facts, profile=history.profile, precision=history.precision)
        provenance.log_training(
            str(run.checkpoint.path) if run.checkpoint else None,
            seed=history.seed,
            images=history.images * len(history),
            epochs=len(history),
            seconds=sum(history.seconds),
            accuracy=history.test_acc[-1] if history.tested_on == "test" else None,
        )
        if not plan.quiet:
            history.report(learner.device)
    return history


def _most_epochs(profile: Profile, train_iter: Any) -> int | None:
    """What a profile limits is the images seen in all: whoever asked for fewer may go through them more often."""
    if profile.epochs is None or not (isinstance(train_iter, Batches) and train_iter.reduced):
        return profile.epochs
    return profile.epochs * profile.train // len(train_iter.labels)


def _first(name: str, batches: Any) -> tuple[Any, Any]:
    if isinstance(batches, Iterator):
        raise TypeError(
            f"{name} must give its batches anew in every epoch, as a list or a loader does, got {batches!r}"
        )
    for X, y in batches:
        return X, y
    raise ValueError(f"{name} must give at least one batch (X, y), got none")


@dataclass
class _Run:
    """One call of `train`, and how far it is."""

    learner: Learner
    train_iter: Any
    test_iter: Any
    plan: Plan
    history: History
    epochs: int
    step: int = 0
    saved: int = 0  # the epochs that the checkpoint holds

    def __post_init__(self) -> None:
        try:
            self.steps = len(self.train_iter)
        except TypeError as error:
            expected = "train_iter must know how many batches it has, as a list or a loader does"
            raise TypeError(f"{expected}, got {self.train_iter!r} ({error})") from None
        path = self.plan.checkpoint
        if path is None and (folder := os.environ.get("ALEXBOOK_CHECKPOINTS")):
            path = Path(folder, f"{self.learner.backend}-{next(_calls)}.npz")
        self.checkpoint = self._open_checkpoint(Path(path).expanduser()) if path is not None else None

    def _open_checkpoint(self, path: Path) -> Checkpoint:
        run: dict[str, Any] = {"backend": self.learner.backend, "precision": self.learner.precision}
        run |= {"seed": self.plan.seed, "lr": self.plan.lr, **asdict(self.plan.recipe)}
        if self.plan.recipe.warmup is not None:
            run["epochs"] = self.epochs  # the rate of every step depends on them
        run["tested on"] = self.history.tested_on
        if isinstance(self.train_iter, Batches):
            run |= {name: getattr(self.train_iter, name) for name in ("size", "mirror", "shift", "held_out")}
            run |= {"images": len(self.train_iter.labels), "images tested": self.history.tested}
        run |= {"batch size": getattr(self.train_iter, "batch_size", None), "batches per epoch": self.steps}
        return Checkpoint(path, json.loads(json.dumps(run, default=str)))  # as they will be read

    def read(self) -> State | None:
        """Takes the history and the network's state from the checkpoint, if there is one; no weight is touched yet."""
        if self.checkpoint is None:
            return None
        saved = self.checkpoint.read(self.history)
        if len(self.history) > self.epochs:
            cut = self.epochs < self.plan.num_epochs
            limit = f"that the profile {self.history.profile} allows" if cut else "asked for"
            advice = "set ALEXBOOK_PROFILE=full" if cut else "ask for as many"
            raise ValueError(
                f"{self.checkpoint.path}: holds {len(self.history)} epochs, more than the {self.epochs} {limit}. "
                f"It was left as it is: {advice}, or give another path"
            )
        if saved is not None and self.learner.is_built():
            self.checkpoint.compare(saved._replace(weights={}), State({}, self._layers()))
        self.saved = len(self.history)
        return saved

    def resume(self, saved: State | None) -> None:
        """Gives the network the weights of the checkpoint, if there were any."""
        if self.checkpoint and saved is not None:
            self.checkpoint.compare(saved, self._state())
            self.learner.set_weights(saved.weights)

    def _state(self) -> State:
        return State(self.learner.get_weights(), self._layers())

    def _layers(self) -> list[str]:
        # What has no better name is described by its address, which is another in every process.
        return [re.sub(" at 0x[0-9a-fA-F]+", "", layer) for layer in self.learner.describe()]

    def go(self) -> None:
        """Trains epoch after epoch; Ctrl-C ends it, with the network as it then is."""
        past = zip(self.history.train_loss, self.history.train_acc, self.history.test_acc, strict=True)
        tested_on = self.history.tested_on
        with Display(self.epochs, self.steps, len(self.history), tested_on, self.plan.quiet) as self.display:
            for epoch, values in enumerate(past, 1):
                self.display.plot(epoch, *values)
            try:
                for epoch in range(len(self.history), self.epochs):
                    self._epoch(epoch)
            except KeyboardInterrupt:
                self.display.close()
                print(self._stopped())

    def _epoch(self, epoch: int) -> None:
        self._seed(epoch)
        start = time.perf_counter()
        loss, accuracy = self._train(epoch)
        self.learner.synchronize()
        seconds = time.perf_counter() - start
        test_acc = self._test()
        self.display.plot(epoch + 1, loss, accuracy, test_acc)
        self._append(loss, accuracy, test_acc, seconds)

    def _seed(self, epoch: int) -> None:
        """All that is random follows from the seed and the epoch: a resumed run is like an unbroken one."""
        self.step = 0
        self.learner.set_seed(int(np.random.SeedSequence([self.plan.seed, epoch]).generate_state(1)[0] >> 1))
        if isinstance(self.train_iter, Batches):
            self.train_iter.seed, self.train_iter.epoch = self.plan.seed, epoch

    def _train(self, epoch: int) -> list[float]:
        tally = Tally()
        every = max(1, min(10, self.steps // 5))
        # Whoever knows a length and no end, as a class with __getitem__ may, is not asked for more.
        for step, (X, y) in enumerate(itertools.islice(self.train_iter, self.steps), 1):
            done = (epoch + (step - 1) / self.steps) / self.epochs
            self.learner.set_rate(self.plan.recipe.rate(self.plan.lr, done))
            tally.add(len(y), *self.learner.step(X, y))
            self.step = step
            self.display.advance()
            if step % every == 0 or step == self.steps:
                self._check(tally.means()[0], epoch, every)
                self.display.plot(epoch + step / self.steps, *tally.means())
        self.history.images = tally.images
        return tally.means()

    def _check(self, loss: float, epoch: int, every: int) -> None:
        if not math.isfinite(loss):
            first = max(1, self.step - every + 1)
            raise FloatingPointError(
                f"the loss became {loss} in epoch {epoch + 1}, between steps {first} and {self.step} of "
                f"{self.steps}, with lr = {self.plan.lr:g}. Try a lower lr, such as {self.plan.lr / 10:g}; "
                "if that does not help, look for inputs that are not finite or far outside [0, 1]"
            )

    def _test(self) -> float:
        tally, batches = Tally(), self.test_iter
        if not hasattr(batches, "__iter__"):  # a class with __getitem__ may know its length, and no end
            batches = itertools.islice(batches, operator.length_hint(batches, sys.maxsize))
        for X, y in batches:
            tally.add(len(y), self.learner.evaluate(X, y))
        return tally.means()[0]

    def _append(self, loss: float, accuracy: float, test_acc: float, seconds: float) -> None:
        lists = (self.history.train_loss, self.history.train_acc, self.history.test_acc, self.history.seconds)
        for values, value in zip(lists, (loss, accuracy, test_acc, seconds), strict=True):
            values.append(value)
        self.step = 0
        if self.checkpoint:
            self.checkpoint.save(self._state(), self.history)
            self.saved = len(self.history)

    def _stopped(self) -> str:
        where = f"Stopped after {len(self.history)} of {self.epochs} epochs and {self.step} of {self.steps} steps"
        if self.checkpoint is None:
            again = 'train_ch6 starts anew; with checkpoint="file.npz" it can go on'
        elif not self.saved:
            again = "the same call starts anew, as no epoch was complete"
        else:
            again = f"the same call goes on from the last epoch in {self.checkpoint.path}"
        return f"{where}; the network keeps its weights. To continue: {again}."
