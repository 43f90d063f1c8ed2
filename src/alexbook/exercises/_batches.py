"""Exercise 3: accuracy and memory for several batch sizes."""

from collections.abc import Mapping
from typing import Any

from alexbook.exercises._costs import OUTPUTS, PARAMETERS, POOLED
from alexbook.exercises._runs import CHANCE, alike, read
from alexbook.exercises._verdict import Problem, Verdict, number, shown
from alexbook.exercises._words import Word
from alexbook.profiles import current_profile

CEILING = 0.95  # this network stays well below, on images that it has not seen


def sizes(answer: Any, verdict: Verdict) -> None:
    """3: accuracy and memory for several batch sizes."""
    if not isinstance(answer, Mapping):
        raise Problem("not-a-table", found=shown(answer), needs=Word("needs.3"))
    rows = {}
    for key, value in list(answer.items())[:1000]:
        batch = number(key)
        if batch is None or batch < 1 or batch != int(batch):
            raise Problem("3.no-batch", found=shown(key))
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise Problem("3.no-pair", batch=int(batch), found=shown(value))
        rows[int(batch)] = value
    if len(rows) < 3:
        raise Problem("3.few-sizes", count=len(rows), least=3)
    rows = dict(sorted(rows.items()))
    _accuracies({batch: accuracy for batch, (accuracy, _) in rows.items()}, verdict)
    _memories({batch: used for batch, (_, used) in rows.items()}, verdict)


def _accuracies(values: dict[int, Any], verdict: Verdict) -> None:
    runs = {
        batch: read(value, Word("net.batch", batch=batch))
        for batch, value in values.items()
        if hasattr(value, "test_acc")
    }
    found = {batch: runs[batch].accuracy if batch in runs else number(value) for batch, value in values.items()}
    accuracies = {batch: value for batch, value in found.items() if value is not None}
    if none := [batch for batch in found if batch not in accuracies]:
        verdict.add("wrong", "3.no-accuracy", batch=none[0], found=shown(values[none[0]]))
        return
    first, *others = runs.values() or [None]
    for run in others:
        if first and run:
            alike(first, run)
    largest = max(accuracies.values())
    if odd := [value for value in accuracies.values() if not 0 <= value <= 100]:
        verdict.add("wrong", "3.no-share", found=odd[0])
    elif largest > 1:
        verdict.add("wrong", "3.percent", largest=largest)
    elif largest > CEILING:
        verdict.add("wrong", "3.training-accuracy", largest=largest, ceiling=CEILING)
    elif (first.profile if first else current_profile_name()) == "smoke":
        verdict.add("open", "3.smoke", least=min(accuracies.values()), most=largest)
    elif largest < CHANCE:
        verdict.add("open", "3.plateau", most=largest)
    else:
        verdict.add(
            "right",
            "3.accuracies",
            pairs=[Word("3.pair", batch=each, accuracy=accuracies[each]) for each in list(accuracies)[:10]],
        )
        verdict.add("note", "3.steps")


def current_profile_name() -> str:
    """The profile that the environment names; "full" if it names none, or one that is unknown."""
    try:
        return current_profile(accelerator=True).name
    except ValueError:
        return "full"


def _memories(values: dict[int, Any], verdict: Verdict) -> None:
    found = {batch: number(value) for batch, value in values.items()}
    used = {batch: value for batch, value in found.items() if value is not None and value > 0}
    if odd := [batch for batch in found if batch not in used]:
        verdict.add("wrong", "3.no-memory", batch=odd[0], found=shown(values[odd[0]]))
        return
    (small, least), (large, most) = next(iter(used.items())), list(used.items())[-1]
    state = sum(PARAMETERS.values())
    image = sum(OUTPUTS.values()) + sum(POOLED.values())
    if max(used.values()) < 1e6:
        verdict.add("wrong", "3.mega", largest=max(used.values()))
    elif min(used.values()) < state <= 1024 * min(used.values()) < 5e10:
        verdict.add("wrong", "3.kilo", least=min(used.values()), state=state)
    elif most < least / 1.01:
        verdict.add("wrong", "3.falls", small=small, large=large, least=least / 1e6, most=most / 1e6)
    elif most < 1.01 * least and image * (large - small) < 0.08 * least:
        verdict.add("open", "3.close", small=small, large=large, least=least / 1e6, more=image * (large - small) / 1e6)
    elif most < 1.01 * least:
        verdict.add("wrong", "3.constant", small=small, large=large, image=image / 1e6)
    elif min(used.values()) < state:
        verdict.add("wrong", "3.too-little", least=min(used.values()) / 1e6, state=state / 1e6)
    else:
        verdict.add("right", "3.memories", each=(most - least) / (large - small) / 1e6, image=image / 1e6)
