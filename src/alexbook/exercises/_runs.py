"""Trainings as answers: reading a history, and how much of a difference may be luck."""

import inspect
import math
import re
import statistics
from dataclasses import dataclass
from typing import Any

from alexbook.exercises._verdict import Problem, Verdict, number, shown
from alexbook.exercises._words import Word
from alexbook.profiles import PROFILES

CHANCE = 0.2  # ten classes: guessing gives 0.1, and a network that is still on its plateau not much more
LISTS = ("train_loss", "train_acc", "test_acc", "seconds")


@dataclass(frozen=True)
class Run:
    """A history, read and found sound: see `alexbook.training.History`."""

    name: Word
    train_loss: list[float]
    train_acc: list[float]
    test_acc: list[float]
    seconds: list[float]
    images: int
    size: int  # of the training images, in pixels; 0: not told
    tests: int  # images that the accuracy is measured on
    profile: str
    precision: str
    tested_on: str
    net: Any

    @property
    def epochs(self) -> int:
        """Complete epochs."""
        return len(self.test_acc)

    @property
    def accuracy(self) -> float:
        """On the test images, after the last epoch."""
        return self.test_acc[-1]

    @property
    def speed(self) -> float:
        """Training images a second, in an epoch of median length: the first one compiles."""
        return self.images / statistics.median(self.seconds)

    @property
    def learned(self) -> bool:
        """Whether the network has come off the plateau of guessing."""
        return self.accuracy >= CHANCE

    def same(self, other: "Run") -> bool:
        """Whether both are one training; seconds tell two trainings apart, even of the same seed."""
        return self.learned_like(other) and self.seconds == other.seconds

    def learned_like(self, other: "Run") -> bool:
        """Whether both took the same way to the digit, as only the same network does with the same seed."""
        return all(getattr(self, name) == getattr(other, name) for name in LISTS[:-1])


def read(value: Any, name: Word) -> Run:
    """The run of a history; raises Problem if it is none, or has no complete epoch, or went wrong."""
    lists = {each: getattr(value, each, None) for each in LISTS}
    if not all(isinstance(each, list | tuple) for each in lists.values()):
        raise Problem("run.no-history", name=name, found=shown(value))
    columns = {each: [number(entry) for entry in list(values or [])[:100_000]] for each, values in lists.items()}
    epochs = len(columns["test_acc"])
    if any(len(column) != epochs for column in columns.values()):
        raise Problem("run.uneven", name=name)
    if not epochs:
        raise Problem("run.no-epoch", name=name)
    if any(entry is None for column in columns.values() for entry in column):
        raise Problem("run.not-finite", name=name)
    sound = {each: [entry for entry in column if entry is not None] for each, column in columns.items()}
    if not all(0 <= entry <= 1 for each in ("train_acc", "test_acc") for entry in sound[each]):
        raise Problem("run.no-share", name=name)
    images = number(getattr(value, "images", None))
    if images is None or images < 1 or min(sound["seconds"]) <= 0:
        raise Problem("run.no-clock", name=name)
    words = {each: getattr(value, each, None) for each in ("profile", "precision", "tested_on")}
    profile = words["profile"] if words["profile"] in tuple(PROFILES) else "full"
    precision, tested_on = (str(words[each])[:20] for each in ("precision", "tested_on"))
    tests = int(number(getattr(value, "tested", None)) or 0)
    return Run(
        name,
        **sound,
        images=int(images),
        size=int(number(getattr(value, "size", None)) or 0),
        tests=tests if tests > 0 else PROFILES[profile].test,
        profile=profile,
        precision=precision,
        tested_on=tested_on,
        net=getattr(value, "net", None),
    )


def pair(answer: Any, one: str, other: str, images: bool = True) -> tuple[Run, Run]:
    """Two trainings under the same conditions, `images` among them; raises Problem if they are not to be compared."""
    names = Word(f"net.{one}"), Word(f"net.{other}")
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        raise Problem("run.no-pair", one=names[0], other=names[1], found=shown(answer))
    first, second = (read(value, name) for value, name in zip(answer, names, strict=True))
    alike(first, second, images)
    return first, second


def alike(first: Run, second: Run, images: bool = True) -> None:
    """Raises Problem for one training given twice, or two that differ in more than the network."""
    names: dict[str, Any] = {"one": first.name, "other": second.name}
    if first.same(second):
        raise Problem("run.twice", **names)
    for what in ("profile", "tested_on"):
        if getattr(first, what) != getattr(second, what):
            raise Problem(f"run.other-{what}", **names, first=getattr(first, what), second=getattr(second, what))
    if images and first.images != second.images:
        raise Problem("run.other-images", **names, first=first.images, second=second.images)


def luck(first: Run, second: Run) -> float:
    """Two standard errors of the difference of both accuracies: less than that may be luck."""
    shares = ((run.accuracy, run.tests) for run in (first, second))
    return 2 * math.sqrt(sum(max(share * (1 - share), 1e-4) / tests for share, tests in shares))


def smoke(runs: list[Run], verdict: Verdict) -> bool:
    """Whether the profile is too small for any claim; then the verdict says so."""
    found = runs[0].profile == "smoke"
    if found:
        verdict.add("open", "run.smoke", images=runs[0].images, tests=runs[0].tests)
    return found


def stuck(run: Run, verdict: Verdict) -> bool:
    """Whether a network still guesses; in full that is a mistake, in a short profile it may only need more epochs."""
    if not run.learned:
        kind, key = ("wrong", "run.stuck") if run.profile == "full" else ("open", "run.plateau")
        verdict.add(kind, key, name=run.name, accuracy=run.accuracy, epochs=run.epochs)
    return not run.learned


def parameters(net: Any) -> int | None:
    """The number of parameters of a network of any framework; None where that cannot be known."""
    try:
        if hasattr(net, "count_params"):
            return int(net.count_params())
        if hasattr(net, "collect_params"):
            return int(sum(math.prod(each.shape) for each in net.collect_params().values()))
        return sum(int(each.numel()) for each in net.parameters())
    except Exception:  # no network, or none that is built
        return None


def described(net: Any) -> str:
    """The layers of a network in its framework's own words, in lower case; "" where that cannot be known."""
    try:
        words = str(net.get_config()) if hasattr(net, "get_config") else repr(net)
    except Exception:  # no network
        return ""
    return words.lower()[:100_000] if net is not None else ""


def spelled(net: Any) -> str:
    """The forward passes that the reader wrote, in lower case, without comments: a layer may be called there, too."""
    try:
        parts = {type(each) for each in (net.modules() if hasattr(net, "modules") else [net])}
        own = [each for each in parts if each.__module__.partition(".")[0] not in ("torch", "mxnet", "keras")]
        calls = [getattr(each, name, None) for each in own for name in ("forward", "hybrid_forward", "call")]
        code = "\n".join(inspect.getsource(each) for each in calls if inspect.isfunction(each))
    except Exception:  # no network, or one whose code cannot be read
        return ""
    return re.sub("#.*", "", code).lower()[:100_000]
