"""What ran: the facts that a notebook's metadata keeps, so that a reader can judge its numbers."""

import platform
from typing import Any

Fact = str | int | float | bool | None

_facts: dict[str, Fact] = {}
_trainings: dict[str, dict[str, Any]] = {}


def log(**facts: Fact) -> None:
    """Notes facts of this process; a later value of the same name replaces the earlier one.

    Raises:
        TypeError: a value is not a JSON string, number, boolean or null.
    """
    for name, value in facts.items():
        if not (value is None or isinstance(value, str | int | float)):
            raise TypeError(f"provenance.log({name}=…): expected a string, number, bool or None, got {value!r}")
    _facts.update(facts)


def log_training(checkpoint: str | None, **facts: Fact) -> None:
    """Notes one training: seed, images, epochs, seconds, and its accuracy on the test images or None.

    The next one with the same checkpoint is its continuation, and takes its place.
    """
    _trainings[checkpoint or f"training {len(_trainings)}"] = facts


def record() -> dict[str, Fact]:
    """All that was noted so far, ready for `json.dumps`.

    Always there: backend, version (the backend's), python, device; None while no backend has been imported.
    Noted by those who do it: profile, precision, data (its source), seed, images (seen in training in all), epochs,
    seconds (of training), accuracy (on the test images). Where there were several trainings, the amounts are their
    sums, seed is a list in words, and accuracy is absent.
    """
    facts = {"backend": None, "version": None, "python": platform.python_version(), "device": None} | _facts
    if _trainings:
        seeds = list(dict.fromkeys(training["seed"] for training in _trainings.values()))
        facts["seed"] = seeds[0] if len(seeds) == 1 else ", ".join(map(str, seeds))
        for amount in ("images", "epochs", "seconds"):
            facts[amount] = round(sum(training[amount] for training in _trainings.values()), 3)
        if len(_trainings) == 1 and (accuracy := next(iter(_trainings.values()))["accuracy"]) is not None:
            facts["accuracy"] = round(accuracy, 4)
    return facts
