"""`from alexbook import mxnet as d2l`: d2l.mxnet, with another data loader and another `train_ch6`.

Every name that is not defined here is d2l's own. The same import makes `from mxnet import np, npx` work.
"""

import itertools
import os
from collections.abc import Iterator
from typing import Any

from alexbook import provenance, training
from alexbook._backend import hand_through, loaders, needs
from alexbook._checkpoint import Weights
from alexbook._cpu import cpu_name, has_avx512, is_faster_in_bf16, keep_memory
from alexbook._layers import gluon_leaves
from alexbook._mxnet_numpy import import_mxnet
from alexbook.data import Batches
from alexbook.training import PLAIN, Recipe

_mx = import_mxnet()
with needs("alexbook.mxnet"):
    from d2l import mxnet as _d2l
    from mxnet.contrib import amp as _amp

_np, _npx, _gluon = _mx.np, _mx.npx, _mx.gluon
_ACCELERATOR = _npx.num_gpus() > 0


def _facts(device: Any) -> dict[str, str]:
    name = cpu_name() if device.device_type == "cpu" else "NVIDIA GPU"
    return {"backend": "mxnet", "version": _mx.__version__, "device": name}


provenance.log(**_facts(_d2l.try_gpu()))


def __getattr__(name: str) -> Any:
    return hand_through(_d2l, name, __name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_d2l)})


class _Loader(Batches):
    """Batches on the device: uint8 images go there once, and are resized there."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._device = _d2l.try_gpu()
        self._pixels = self._put(self.images, "uint8")
        self._targets = self._put(self.labels, "int32")
        self._matrix, self._views = self._put(self.matrix, "float32"), self._put(self.views, "float32")
        # MXNet's products of two batches take no single matrix, and are faster than those that do.
        self._rows = _np.tile(self._matrix, (min(self.batch_size, len(self.labels)), 1, 1))

    def _put(self, array: Any, dtype: str) -> Any:
        return _np.array(array, dtype=dtype, ctx=self._device)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return itertools.starmap(self._batch, self.draws())

    def _batch(self, index: Any, rows: Any, columns: Any) -> tuple[Any, Any]:
        chosen = self._put(index, "int32")
        pixels = self._pixels.take(chosen, axis=0).astype("float32") / 255
        left = self._rows[: len(index)] if rows is None else self._views.take(self._put(rows, "int32"), axis=0)
        halfway = _npx.batch_dot(left, pixels)
        if columns is None:
            # A fully connected layer multiplies by the transposed matrix, and is MXNet's fastest product by far.
            halfway = _np.expand_dims(halfway, 1)
            resized = _npx.fully_connected(halfway, self._matrix, num_hidden=self.size, no_bias=True, flatten=False)
        else:
            right = self._views.take(self._put(columns, "int32"), axis=0)
            resized = _np.expand_dims(_npx.batch_dot(halfway, right, transpose_b=True), 1)
        return resized, self._targets.take(chosen)


def load_data_fashion_mnist(
    batch_size: int,
    resize: int | None = None,
    *,
    mirror: bool = False,
    shift: int = 0,
    held_out: float = 0,
    images: tuple[int, int] | None = None,
) -> tuple[_Loader, _Loader]:
    """The training and the test batches of Fashion-MNIST, as many images as the profile allows.

    Args:
        batch_size: images in a batch.
        resize: height and width in pixels; None leaves 28.
        mirror: whether each training image is mirrored with probability ½, anew in every epoch.
        shift: how many of its 28 pixels each training image moves at most, along both axes, anew in every epoch.
        held_out: the share of the training images, its end, that is kept for validation and takes the place of
            the test images.
        images: at most so many training images and test images; with fewer than the profile allows, `train_ch6`
            may take more epochs, up to as many images in all.

    Returns:
        Two loaders. Each batch is X, float32 of shape (batch, 1, height, width) in [0, 1], and y, int32 of
        shape (batch,). The training batches are shuffled anew in every epoch.

    Raises:
        DataError: the folder named by ALEXBOOK_DATA has no usable data.
        ValueError: `batch_size` or `resize` is not a whole number of at least 1, `shift` not one of at least 0,
            or `held_out` not such a share; `images` is not two whole numbers of at least 1; or ALEXBOOK_PROFILE names
            no profile.
    """
    options = {"batch_size": batch_size, "resize": resize, "mirror": mirror, "shift": shift, "held_out": held_out}
    return loaders(_Loader, _ACCELERATOR, images, **options)


def train_ch6(
    net: Any,
    train_iter: Any,
    test_iter: Any,
    num_epochs: int,
    lr: float,
    device: Any,
    *,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    precision: str = "auto",
    recipe: Recipe = PLAIN,
    quiet: bool = False,
) -> training.History:
    """Trains `net` from fresh weights by gradient descent, and prints d2l's two last lines.

    Args:
        net: a Gluon block; its weights become Xavier-uniform, its biases zero, unless a layer was made with an
            initializer of its own.
        train_iter: batches (X, y) to learn from.
        test_iter: batches to measure the accuracy on after each epoch.
        num_epochs: how often to go through `train_iter`; the profile may allow fewer.
        lr: the learning rate; the highest one, if `recipe` has it climb and fall.
        device: where to train, such as `d2l.try_gpu()`.
        seed: decides the weights, the dropout and, with the loaders of this module, the order of the batches and what
            augmentation draws.
        checkpoint: a file to keep after each epoch, and to go on from when it is there.
        precision: "fp32"; "bf16", products in bfloat16 and weights in float32, for networks of HybridBlocks (your own
            ones: hybridized) on a processor with AVX-512; "auto", the faster one on `device`.
        recipe: a falling rate, momentum, label smoothing; by default none of them.
        quiet: shows progress while it trains, but leaves no plot and prints no result.

    Returns:
        The history; after Ctrl-C, so far.

    Raises:
        TypeError: `net` is not a network of this framework, `device` no context of MXNet, `recipe` no Recipe, or
            batches can be taken only once or do not know how many they are.
        ValueError: a number or a precision that cannot be, no batch, a checkpoint that is damaged or of another run,
            or an ALEXBOOK_PROFILE that names no profile.
        OSError: the checkpoint cannot be written.
        FloatingPointError: the loss is no longer finite.
    """
    if not isinstance(net, _gluon.Block):
        raise TypeError(f"net must be a gluon Block, got {net!r}")
    if not isinstance(device, _mx.Context):
        raise TypeError(f"device must be a context of MXNet, such as d2l.try_gpu(), got {device!r}")
    plan = training.Plan(num_epochs, lr, seed, checkpoint, _ACCELERATOR, precision, recipe, quiet)
    return training.train(_Learner(net, plan, device), train_iter, test_iter, plan)


class _Learner:
    """A Gluon network, in the verbs of the training loop."""

    backend = "mxnet"

    def __init__(self, net: Any, plan: training.Plan, device: Any) -> None:
        self.net, self._plan, self._ctx = net, plan, device
        self.device, self.facts = str(device), _facts(device)
        able = _graph(net) is not None and device.device_type == "cpu" and has_avx512()
        if plan.precision == "bf16" and not able:
            raise ValueError(
                'in MXNet, precision "bf16" needs a network of HybridBlocks (your own ones: hybridized) '
                "and a processor with AVX-512; "
                f'got {type(net).__name__} on {self.device}: use "fp32", or "auto", which asks for nothing'
            )
        self.precision = plan.choose(able and is_faster_in_bf16())
        if device.device_type == "cpu":
            keep_memory()
        self._loss = _gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=not plan.recipe.label_smoothing)

    def is_built(self) -> bool:
        return all(parameter._data is not None for parameter in self.net.collect_params().values())

    def initialize(self, X: Any, seed: int) -> None:
        _mx.random.seed(seed)
        self.net.initialize(_mx.init.Xavier(), ctx=self._ctx, force_reinit=True)
        self.net(X[:1].as_in_ctx(self._ctx))  # the layers learn their shapes
        self._forward = _compiled(self.net, self.precision)
        self._parameters = self.net._collect_params_with_prefix()  # names as save_parameters gives them
        rule = _Descent(learning_rate=self._plan.lr, momentum=self._plan.recipe.momentum)
        self._trainer = _gluon.Trainer(self.net.collect_params(), rule)
        self._kept = self._steps_kept() if self._plan.recipe.momentum else {}

    def _steps_kept(self) -> dict[str, Any]:
        """What momentum keeps, by name. The trainer would make it in the first step, after a checkpoint is read."""
        updater, kept = self._trainer._updaters[0], {}
        for name, parameter in self._parameters.items():
            if parameter.grad_req != "null":  # batch normalization counts, and learns nothing by that
                index = self._trainer._param2idx[parameter.name]
                kept[f"momentum {name}"] = updater.states[index] = _mx.nd.zeros(parameter.shape, ctx=self._ctx)
                updater.states_synced[index] = True
        return kept

    def set_seed(self, seed: int) -> None:
        _mx.random.seed(seed)

    def set_rate(self, lr: float) -> None:
        self._trainer.set_learning_rate(lr)

    def step(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = X.as_in_ctx(self._ctx), y.as_in_ctx(self._ctx).reshape(-1)  # labels may be of shape (images, 1)
        with _mx.autograd.record():
            outputs = self._forward(X)
            losses = self._loss(outputs, self._targets(y, outputs.shape[1]))
        losses.backward()
        self._trainer.step(len(y))
        return losses.sum(), _correct(outputs, y)

    def _targets(self, y: Any, classes: int) -> Any:
        smoothing = self._plan.recipe.label_smoothing
        return _npx.one_hot(y, classes) * (1 - smoothing) + smoothing / classes if smoothing else y

    def evaluate(self, X: Any, y: Any) -> Any:
        return _correct(self._forward(X.as_in_ctx(self._ctx)), y.as_in_ctx(self._ctx).reshape(-1))

    def describe(self) -> list[str]:
        return [repr(layer) for layer in gluon_leaves(self.net)]

    def get_weights(self) -> Weights:
        arrays = {name: parameter.data(self._ctx) for name, parameter in self._parameters.items()}
        return {name: array.asnumpy() for name, array in (arrays | self._kept).items()}

    def set_weights(self, weights: Weights) -> None:
        for name, parameter in self._parameters.items():
            parameter.set_data(_np.array(weights[name], dtype=parameter.dtype))
        for name, step in self._kept.items():
            step[:] = weights[name]

    def synchronize(self) -> None:
        _mx.nd.waitall()


class _Descent(_mx.optimizer.SGD):  # type: ignore[misc, name-defined]  # mypy sees no MXNet
    """MXNet's own rule, by its operators for one array: those for several take a third to two thirds more time."""

    def __init__(self, **rule: float) -> None:
        super().__init__(**rule)
        self.aggregate_num = 0  # hands over one array at a time

    def update_multi_precision(self, index: int, weight: Any, grad: Any, state: Any) -> None:
        self._update_count(index)
        rule = {"lr": self._get_lr(index), "wd": self._get_wd(index), "rescale_grad": self.rescale_grad}
        if state is None:
            _mx.nd.sgd_update(weight, grad, out=weight, lazy_update=False, **rule)
        else:
            _mx.nd.sgd_mom_update(weight, grad, state, out=weight, momentum=self.momentum, lazy_update=False, **rule)


def _correct(outputs: Any, y: Any) -> Any:
    return (outputs.argmax(axis=1).astype("int32") == y.astype("int32")).sum()


def _compiled(net: Any, precision: str) -> Any:
    """The network as one graph that keeps its memory; where it is none, `net` itself."""
    graph = _graph(net)
    if precision == "bf16":
        graph = _in_bf16(graph)
    if graph is None:
        return net
    graph.hybridize(static_alloc=True)
    return graph


def _graph(net: Any) -> Any:
    """A block that can be one graph and shares the layers of `net`, and with them the weights; or None."""
    if isinstance(net, _gluon.HybridBlock):
        return net if _can_be_traced(net) else None
    if type(net) is _gluon.nn.Sequential and None not in (parts := [_graph(layer) for layer in net]):
        graph = _gluon.nn.HybridSequential()
        graph.add(*parts)
        return graph
    return None


def _can_be_traced(block: Any) -> bool:
    """Whether one look at its code says it all: so with Gluon's own blocks, and with those hybridized by the reader."""
    hybridized = block._active and type(block).forward is _gluon.HybridBlock.forward
    known = hybridized or type(block).__module__.startswith(_gluon.__name__)
    return known and all(map(_can_be_traced, block._children.values()))


def _in_bf16(graph: Any) -> Any:
    """The same network and weights, with convolutions and products in bfloat16 and all else in float32."""
    X = _mx.sym.var("data", dtype="float32").as_np_ndarray()
    outputs = graph(X)
    # MXNet takes what has a declared type for already converted: naming the inputs as data has them all cast.
    cast = _amp.convert_symbol(outputs, "bfloat16", data_names=outputs.list_inputs())
    return _gluon.SymbolBlock([cast.as_np_ndarray()], [X], params=graph.collect_params())
