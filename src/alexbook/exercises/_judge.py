"""From a part and an answer to a verdict, whatever the answer is."""

import unicodedata
from collections.abc import Callable
from typing import Any

from alexbook.exercises import _bandwidth, _batches, _lenets, _memory, _networks, _sizes, _trainings, _work
from alexbook.exercises._tables import short
from alexbook.exercises._verdict import Problem, Verdict, blanks, shown
from alexbook.exercises._words import Word

PARTS: dict[str, Callable[[Any, Verdict], None]] = {
    "1": _trainings.epochs,
    "2.1": _trainings.simpler,
    "2.2": _trainings.native,
    "3": _batches.sizes,
    "4.1": _memory.memory,
    "4.2": _work.work,
    "4.3": _bandwidth.bandwidth,
    "5": _lenets.lenets,
    "6": _networks.padding,
    "7": _networks.travelled,
    "8": _sizes.predicted,
}


def known(part: Any) -> str | None:
    """The part that is meant by "4.2", 4.2, " 4.2 " or its full-width figures; None for none."""
    if isinstance(part, bool) or not isinstance(part, str | int | float):
        return None
    try:
        plain = unicodedata.normalize("NFKC", str(part)).strip().removesuffix(".0")
    except Exception:  # an int of too many digits, a string of an own kind
        return None
    return plain if plain in PARTS else None


def judge(part: str, answer: Any) -> Verdict:
    """The verdict on an answer to a part of `PARTS`; never raises, whatever the answer is."""
    verdict = Verdict(part)
    try:
        if places := blanks(answer):
            key = "all-blank" if places == [""] else "blank"
            verdict.add("missing", key, places=short([f"answer{place}" for place in places], most=3))
        else:
            PARTS[part](answer, verdict)
    except Problem as problem:
        verdict.remarks.append(problem.remark)
    except Exception as error:  # an answer may do anything when it is looked at
        name, needs = type(error).__name__[:40], Word(f"needs.{part}")
        verdict.add("wrong", "strange", error=name, found=shown(answer), needs=needs)
    return verdict
