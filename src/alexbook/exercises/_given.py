"""What exercises 6, 7 and 8 start from; fresh copies, so that nobody spoils the arrays that answers are judged by."""

from collections.abc import Callable
from typing import Any

from alexbook.exercises import _forward
from alexbook.exercises._layers import OBLONG, OBLONG_IMAGE


def _stranger() -> dict[str, Any]:
    return {name: _copied(value) for name, value in _forward.stranger()[1].items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value.copy() if hasattr(value, "copy") else value


def _weights() -> dict[str, Any]:
    ours = _copied(_forward.narrow())
    return {"pytorch": ours, "tensorflow": _copied(_forward.keras(ours))}


def _oblong() -> dict[str, Any]:
    return {"input": OBLONG_IMAGE, "layers": [layer._asdict() for layer in OBLONG]}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {"6": _stranger, "7": _weights, "8": _oblong}
