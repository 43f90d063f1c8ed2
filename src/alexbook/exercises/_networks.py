"""Exercises 6 and 7: the layer with another padding, and weights that travelled by hand."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from alexbook import weights
from alexbook.exercises import _forward
from alexbook.exercises._layers import STRANGER
from alexbook.exercises._tables import short
from alexbook.exercises._verdict import Problem, Verdict, shown

CLOSE, ROUNDED = 5e-3, 1e-4  # of the largest logit: GPUs may round the factors of a product, see the same answer


def padding(answer: Any, verdict: Verdict) -> None:
    """6: the name of the layer."""
    name = answer.strip().lower() if isinstance(answer, str) else None
    names = [layer.name for layer in STRANGER]
    if name is None:
        raise Problem("6.no-name", found=shown(answer), names=names)
    secret = _forward.stranger()[0]
    if name == secret:
        verdict.add("right", "6.found", name=name)
    elif name not in names:
        raise Problem("6.unknown", found=shown(answer), names=names)
    elif STRANGER[names.index(name)].kind == "fc":
        verdict.add("wrong", "6.no-window", name=name)
    elif names.index(name) > names.index(secret):
        verdict.add("wrong", "6.later", name=name)
    else:
        verdict.add("wrong", "6.first" if name == names[0] else "6.earlier", name=name)


def travelled(answer: Any, verdict: Verdict) -> None:
    """7: a network with the right weights, or a function that asks one."""
    roots = [base.__module__.partition(".")[0] for base in type(answer).__mro__]
    ask = next((ask for root, ask in ASKED.items() if root in roots), None)
    given = _answers(answer, ask)
    expected = _forward.logits(_forward.narrow())
    if given.shape != expected.shape:
        raise Problem("7.shape", found=str(given.shape)[:60], expected=str(expected.shape))
    if not np.isfinite(given).all():
        raise Problem("7.not-finite")
    far = _distance(given, expected)
    if far < CLOSE:
        verdict.add("right", "7.same", far=far)
        if far > ROUNDED:
            verdict.add("note", "7.rounded", far=far)
        return
    nearest, key = min((_distance(given, each), key) for key, each in _forward.mistaken())
    if nearest < CLOSE:
        verdict.add("wrong", key)
    elif _distance(given, _answers(answer, ask)) > CLOSE:
        verdict.add("wrong", "7.random")
    elif np.ptp(given, axis=0).max() < 1e-6 * (np.abs(given).max() + 1e-30):
        verdict.add("wrong", "7.one-answer")
    else:
        _inspect(answer if ask else None, far, verdict)


def _distance(one: Any, other: Any) -> float:
    return float(np.abs(one - other).max() / (np.abs(other).max() + 1e-30))


def _answers(answer: Any, ask: Any) -> Any:
    """What the answer says to the questions, in float64; raises Problem if it cannot be asked."""
    if not callable(answer):
        raise Problem("7.no-network", found=shown(answer))
    if not ask and _takes_nothing(answer):
        raise Problem("7.maker")
    try:
        found = ask(answer, _forward.questions()) if ask else answer(_forward.questions())
    except Exception as error:
        key = "7.raised-network" if ask else "7.raised"
        raise Problem(key, error=type(error).__name__, message=_first_line(error)) from None
    if found is None or found is Ellipsis:
        raise Problem("7.nothing", kind="missing" if found is Ellipsis else "wrong")
    try:
        if hasattr(found, "asnumpy"):
            found = found.asnumpy()
        elif hasattr(found, "detach"):
            found = found.detach().cpu()
        return np.asarray(found, np.float64)
    except Exception:
        raise Problem("7.no-array", found=shown(found)) from None


def _takes_nothing(answer: Any) -> bool:
    try:
        return not inspect.signature(answer).parameters
    except (TypeError, ValueError):
        return False


def _first_line(error: Exception) -> str:
    try:
        return (str(error).strip().splitlines() or [""])[0][:200]
    except Exception:  # even that may go wrong
        return ""


def _inspect(net: Any, far: float, verdict: Verdict) -> None:
    """Which arrays of a network are not what they should be; without a network, how far off it answers."""
    try:
        held = {name: each.get() for name, each in weights._parameters(net).items()}
    except Exception:  # a function, a network of other layers, or one that is not built
        raise Problem("7.far", far=far) from None
    expected = _forward.narrow()
    shapes = [name for name, array in expected.items() if name not in held or held[name].shape != array.shape]
    if shapes:
        raise Problem("7.structure", names=short(shapes, 6))
    off = [name for name, array in expected.items() if np.abs(held[name] - array).max() > 1e-6]
    if len(off) == len(expected):
        raise Problem("7.nothing-loaded")
    if off:
        raise Problem("7.arrays", names=short(off, 6))
    raise Problem("7.layers", far=far)


@contextmanager
def _evaluating(net: Any) -> Iterator[None]:
    """PyTorch's network as in use, and then as it was, module by module."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _ask_torch(net: Any, images: Any) -> Any:
    torch = sys.modules["torch"]
    first = next(net.parameters(), torch.zeros(1))
    with _evaluating(net), torch.no_grad():
        return net(torch.tensor(images).to(first.device, first.dtype)).float()


def _ask_gluon(net: Any, images: Any) -> Any:
    place = next(iter(net.collect_params().values())).list_ctx()[0]
    return net(sys.modules["mxnet"].np.array(images, ctx=place))


def _ask_keras(net: Any, images: Any) -> Any:
    return net(np.ascontiguousarray(images.transpose(0, 2, 3, 1)), training=False)


ASKED = {"torch": _ask_torch, "mxnet": _ask_gluon, "keras": _ask_keras}
