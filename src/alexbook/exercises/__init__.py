"""The exercises: `check` says what is right, what is not and where to look; `hint` helps; `given` gives material.

Parts: "1", "2.1", "2.2", "3", "4.1", "4.2", "4.3" and "5" are those of the document, "6", "7" and "8" our own.
Language: the environment variable ALEXBOOK_LANGUAGE, "en" or "ja". Nothing here trains, downloads or sends anything.
"""

import sys
from collections import Counter
from typing import Any

from alexbook.exercises import _given
from alexbook.exercises._judge import PARTS, judge, known
from alexbook.exercises._verdict import language, shown
from alexbook.exercises._words import Word, text

__all__ = ["check", "given", "hint"]

HINTS = 3
_asked: Counter[str] = Counter()


def check(part: Any, answer: Any) -> None:
    """Prints what is right in the answer to a part of the exercises, what is not, and where to look.

    Args:
        part: such as "4.2".
        answer: what the exercise asks for; `...`, there or inside, is a blank that is not yet filled.
    """
    if name := _known(part):
        _print(judge(name, answer).text(language()))


def hint(part: Any) -> None:
    """Prints a hint for a part of the exercises: at each call the next of three, and then where the solution is."""
    if name := _known(part):
        _asked[name] += 1
        number = _asked[name]
        if number > HINTS:
            _print(text("hint.none", language(), part=name))
        else:
            words = Word(f"hint.{name}.{number}")
            _print(text("hint.head", language(), part=name, number=number, count=HINTS, hint=words))


def given(part: Any) -> dict[str, Any]:
    """What an exercise starts from, as NumPy arrays and plain lists; empty, and a message, where there is nothing.

    Returns:
        For "6", `layers`, `image` (1, 1, 245, 245), `weights` (outputs first) and `outputs`, (1, channels, height,
        width) or, of fc5, (1, 10). For "7", `pytorch` and `tensorflow`, the same weights in both layouts. For "8",
        `input`, (channels, height, width), and `layers`.
    """
    name = _known(part)
    if name and name not in _given.PARTS:
        _print(text("given.none", language(), part=name, parts=list(_given.PARTS)))
    return _given.PARTS[name]() if name in _given.PARTS else {}


def _known(part: Any) -> str | None:
    name = known(part)
    if name is None:
        _print(text("unknown-part", language(), found=shown(part), parts=list(PARTS)))
    return name


def _print(message: str) -> None:
    """Prints also where the output has no letters for the language."""
    try:
        print(message)
    except UnicodeEncodeError:
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        print(message.encode(encoding, "replace").decode(encoding))
