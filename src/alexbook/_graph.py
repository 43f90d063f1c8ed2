"""A network on a GPU, recorded once and replayed: for Python two calls instead of a hundred.

A recording repeats what the GPU did, and nothing of Python: what a network decides, counts or prints would happen while
it is recorded, and then no more. So only PyTorch's own layers are recorded, of those only the ones that do nothing of
the kind, and only while nobody watches them.
"""

import gc
import threading
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.func import functional_call
from torch.nn import Module, Sequential
from torch.nn.modules import activation, conv, dropout, flatten, linear, module, normalization, pooling
from torch.utils._python_dispatch import _get_current_dispatch_mode

Answer = Callable[[Any], Any]

_FILES = {file.__name__ for file in (activation, conv, dropout, flatten, linear, normalization, pooling)}
_WATCHES = (  # of layers
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_pre_hooks",
    "_backward_hooks",
    "_compiled_call_impl",
)


def record(net: Module, within: Callable[[Answer, Any], Any], X: torch.Tensor) -> Answer | None:
    """Records what `net` answers, and the gradients of its weights, as two CUDA graphs.

    Args:
        net: the network, in the mode that it is to be recorded in. It stays as it is; random numbers are drawn.
        within: calls what it gets first with what it gets second, say under autocast.
        X: inputs on the GPU. They stay as they are.

    Returns:
        What gives the same as `within(net, X)` for other inputs of that shape and type; None if the network cannot be
        recorded, or memory is short.
    """
    if torch.version.hip or X.get_device() > 0 or not _can_be_recorded(net):
        return None  # tried on one GPU of NVIDIA's; PyTorch 2.11 records all in a stream of the first it recorded on
    names, weights = zip(*net.named_parameters(), strict=True)

    def answer(X: torch.Tensor, *weights: torch.Tensor) -> Any:
        state = dict(zip(names, weights, strict=True))
        return within(lambda X: functional_call(net, state, (X,)), X)

    # Tensors of their own in the same memory: what gradients flow to in the recording, by a stream of its own.
    recorded = [weight.detach().requires_grad_(weight.requires_grad) for weight in weights]
    with torch.cuda.device(X.get_device()), warnings.catch_warnings():
        # PyTorch 2.11 tries the work in one stream and records it in another, and warns of itself.
        warnings.filterwarnings("ignore", "The AccumulateGrad node's stream does not match")
        torch.cuda.empty_cache()
        before, _ = torch.cuda.mem_get_info()
        try:
            replay = torch.cuda.make_graphed_callables(answer, (X.clone(), *recorded), allow_unused_input=True)
        except torch.OutOfMemoryError:
            return None
        after, _ = torch.cuda.mem_get_info()
    if after < before - after:  # a smaller last batch, which is not replayed, wants as much once more
        del replay
        gc.collect()  # it hangs in a circle of objects
        return None
    return lambda X: replay(X, *weights)


def _can_be_recorded(net: Module) -> bool:
    hooked = module._has_any_global_hook()  # type: ignore[no-untyped-call]  # PyTorch gives it no types
    watched = hooked or torch.is_anomaly_enabled() or torch.is_autocast_enabled("cuda") or _is_mode_on()
    shared = len([*net.parameters()]) < len([*net.named_parameters(remove_duplicate=False)])
    heard = any(weight._backward_hooks or weight._post_accumulate_grad_hooks for weight in net.parameters())
    # A DataLoader with pin_memory asks CUDA for memory in a thread of its own, which breaks off any recording.
    pinning = any("pin_memory" in thread.name for thread in threading.enumerate())
    return not (watched or shared or heard or pinning) and all(map(_only_computes, net.modules()))


def _is_mode_on() -> bool:
    """Whether operations, or the tensors that the backward pass wants, go through somebody's Python first."""
    saved = torch._C._autograd._top_saved_tensors_default_hooks(True)
    return saved is not None or _get_current_dispatch_mode() is not None


def _only_computes(layer: Module) -> bool:
    known = type(layer) is Sequential or type(layer).__module__ in _FILES
    return known and "forward" not in vars(layer) and not any(getattr(layer, name) for name in _WATCHES)
