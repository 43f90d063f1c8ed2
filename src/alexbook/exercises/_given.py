"""What exercises 6, 7 and 8 start from; fresh copies, so that nobody spoils the arrays that answers are judged by."""

import copy
from collections.abc import Callable
from typing import Any

from alexbook.exercises import _forward
from alexbook.exercises._layers import OBLONG, OBLONG_IMAGE


def _stranger() -> dict[str, Any]:
    return copy.deepcopy(_forward.stranger()[1])


def _weights() -> dict[str, Any]:
    ours = copy.deepcopy(_forward.narrow())
    return {"pytorch": ours, "tensorflow": copy.deepcopy(_forward.keras(ours))}


def _oblong() -> dict[str, Any]:
    return {"input": OBLONG_IMAGE, "layers": [layer._asdict() for layer in OBLONG]}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {"6": _stranger, "7": _weights, "8": _oblong}
