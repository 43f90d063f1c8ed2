"""`from alexbook import tensorflow as d2l`: d2l.tensorflow, with another data loader and another `train_ch6`.

Every name that is not defined here is d2l's own.
"""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

from alexbook import _cpu, provenance, training
from alexbook._backend import hand_through, loaders, needs, silent_stderr
from alexbook._checkpoint import Weights
from alexbook._cpu import cpu_name, is_faster_in_bf16
from alexbook._layers import keras_leaves
from alexbook.data import Batches, Draw
from alexbook.training import PLAIN, Recipe

with needs("alexbook.tensorflow"), silent_stderr():
    import tensorflow as _tf
    from d2l import tensorflow as _d2l

    _GPUS = _tf.config.list_physical_devices("GPU")

_ACCELERATOR = bool(_GPUS)


def _details(device: str) -> dict[str, Any]:
    """What TensorFlow knows of a GPU; nothing of a processor, nor of a GPU that is not there."""
    _, gpu, number = device.upper().rpartition("GPU")
    place = int(number.strip(":") or 0) if gpu else len(_GPUS)
    return dict(_tf.config.experimental.get_device_details(_GPUS[place])) if place < len(_GPUS) else {}


def _facts(device: str) -> dict[str, str]:
    name = _details(device).get("device_name") or cpu_name()
    return {"backend": "tensorflow", "version": _tf.__version__, "device": name}


provenance.log(**_facts("GPU"))


def __getattr__(name: str) -> Any:
    return hand_through(_d2l, name, __name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_d2l)})


class _Loader(Batches, _tf.keras.utils.PyDataset):  # type: ignore[misc]  # TensorFlow has no types
    """Batches on the device: uint8 images go there once, and are resized there. `model.fit` takes it too."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        Batches.__init__(self, *arguments, **options)
        _tf.keras.utils.PyDataset.__init__(self)
        self._order: list[Draw] = []
        # TensorFlow has GPUs round float32 to 10-bit fractions (TF32) before a product; float64 stays whole.
        self._type = _tf.float64 if _ACCELERATOR else _tf.float32
        self._pixels, self._targets = _tf.constant(self.images), _tf.constant(self.labels, _tf.int32)
        self._matrix, self._views = (_tf.constant(array, self._type) for array in (self.matrix, self.views))

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return itertools.starmap(self._batch, self.draws())

    def __getitem__(self, position: int) -> tuple[Any, Any]:
        """One batch of the epoch that `model.fit` is in."""
        self._order = self._order or list(self.draws())
        return self._batch(*self._order[position])

    def on_epoch_end(self) -> None:
        """Keras calls this: the next batch starts an epoch, in another order."""
        self._order = []

    def _batch(self, index: Any, rows: Any, columns: Any) -> tuple[Any, Any]:
        pixels = _tf.cast(_tf.gather(self._pixels, index), self._type) / 255
        if rows is None:  # one product for the whole batch
            resized = _tf.einsum("yr,nrc,xc->nyx", self._matrix, pixels, self._matrix)
        else:
            left, right = _tf.gather(self._views, rows), _tf.gather(self._views, columns)
            resized = _tf.einsum("nyr,nrc,nxc->nyx", left, pixels, right)
        return _tf.cast(resized, _tf.float32)[..., None], _tf.gather(self._targets, index)


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
        Two loaders. Each batch is X, float32 of shape (batch, height, width, 1) in [0, 1], and y, int32 of
        shape (batch,). The training batches are shuffled anew in every epoch. Keras's `model.fit` takes them.

    Raises:
        DataError: the folder named by ALEXBOOK_DATA has no usable data.
        ValueError: `batch_size` or `resize` is not a whole number of at least 1, `shift` not one of at least 0,
            or `held_out` not such a share; `images` is not two whole numbers of at least 1; or ALEXBOOK_PROFILE names
            no profile.
    """
    options = {"batch_size": batch_size, "resize": resize, "mirror": mirror, "shift": shift, "held_out": held_out}
    return loaders(_Loader, _ACCELERATOR, images, **options)


def has_bf16(device: str | None = None) -> bool:
    """Whether the device, by default the GPU if there is one, multiplies bfloat16 by itself.

    Where it does not, TensorFlow emulates it: slower than float32, up to minutes for a step.
    """
    device = device or ("GPU" if _GPUS else "CPU")
    if "GPU" not in device.upper():
        return _cpu.has_bf16()
    return bool(_details(device).get("compute_capability", (0, 0)) >= (8, 0))


def train_ch6(
    net_fn: Callable[[], Any],
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
    """Trains the network that `net_fn` returns by gradient descent, and prints d2l's two last lines.

    Args:
        net_fn: returns a new Keras model; what Keras calls `kernel` becomes Xavier-uniform, what it calls `bias` zero,
            and other weights stay as the function made them.
        train_iter: batches (X, y) to learn from.
        test_iter: batches to measure the accuracy on after each epoch.
        num_epochs: how often to go through `train_iter`; the profile may allow fewer.
        lr: the learning rate; the highest one, if `recipe` has it climb and fall.
        device: where to train, such as `d2l.try_gpu()` or "/GPU:0".
        seed: decides the weights, the dropout and, with the loaders of this module, the order of the batches and what
            augmentation draws.
        checkpoint: a file to keep after each epoch, and to go on from when it is there.
        precision: "fp32"; "bf16", products in bfloat16 and weights in float32, which takes minutes a step where the
            device only emulates it (see `has_bf16`); "auto", the faster one on `device`.
        recipe: a falling rate, momentum, label smoothing; by default none of them.
        quiet: shows progress while it trains, but leaves no plot and prints no result.

    Returns:
        The history, the trained network in it as `net`; after Ctrl-C, so far.

    Raises:
        TypeError: `net_fn` is not a function that returns a Keras model, `device` no device, `recipe` no Recipe, or
            batches can be taken only once or do not know how many they are.
        ValueError: a number that cannot be, a device that is not there, no batch, a checkpoint that is damaged or of
            another run, or an ALEXBOOK_PROFILE that names no profile.
        OSError: the checkpoint cannot be written.
        FloatingPointError: the loss is no longer finite.
    """
    # PyTorch's and MXNet's networks are callable too, and have a method `forward`.
    if not callable(net_fn) or isinstance(net_fn, _tf.keras.Layer) or hasattr(net_fn, "forward"):
        raise TypeError(
            "TensorFlow builds the network on the device, so train_ch6 needs a function that returns it: "
            f"def net(): return tf.keras.Sequential([...]); got {net_fn!r}"
        )
    if not isinstance(device, str) and not hasattr(device, "_device_name"):
        raise TypeError(f"device must be d2l.try_gpu(), or a name such as '/GPU:0', got {device!r}")
    _check_device(device if isinstance(device, str) else device._device_name)
    plan = training.Plan(num_epochs, lr, seed, checkpoint, _ACCELERATOR, precision, recipe, quiet)
    return training.train(_Learner(net_fn, plan, device), train_iter, test_iter, plan)


def _check_device(name: str) -> None:
    """TensorFlow itself would train on the processor, and not say so."""
    asked = _tf.DeviceSpec.from_string(name)
    there = [each.name for each in _tf.config.list_logical_devices()]
    known = [_tf.DeviceSpec.from_string(each) for each in there]
    if (asked.device_type, asked.device_index or 0) not in [(each.device_type, each.device_index) for each in known]:
        raise ValueError(f"device must be one of {', '.join(there)}, got {name!r}")


@contextlib.contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    """Layers made in here multiply in that precision; their weights are float32 in either."""
    before = _tf.keras.config.dtype_policy()
    if precision == "bf16":
        _tf.keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        _tf.keras.config.set_dtype_policy(before)


class _Learner:
    """A Keras network, in the verbs of the training loop."""

    backend = "tensorflow"

    def __init__(self, net_fn: Callable[[], Any], plan: training.Plan, device: Any) -> None:
        # d2l.try_gpu returns a context that knows its name, and may be entered only where it was made.
        self.device = device if isinstance(device, str) else device._device_name
        self.facts = _facts(self.device)
        self.precision = plan.choose(has_bf16(self.device) if "GPU" in self.device.upper() else is_faster_in_bf16())
        with _tf.device(self.device), _computing_in(self.precision):
            self.net = net_fn()
            self._optimizer = _tf.keras.optimizers.SGD(plan.lr, momentum=plan.recipe.momentum)
        self._smoothing = plan.recipe.label_smoothing
        if not isinstance(self.net, _tf.keras.Model):
            raise TypeError(f"the function net must return a Keras model, it returned {self.net!r}")
        self._check_precision(plan.precision)
        self._step, self._answer = (
            _tf.function(verb, reduce_retracing=True) for verb in (self._descend, self._count_correct)
        )

    def _check_precision(self, asked: str) -> None:
        """Layers keep the precision that they were made in, which is not ours if the function only copies them."""
        layers = [each for each in keras_leaves(self.net) if not isinstance(each, _tf.keras.layers.InputLayer)]
        if self.precision == "bf16" and layers and not any(each.compute_dtype == "bfloat16" for each in layers):
            if asked == "bf16":
                raise ValueError(
                    'in TensorFlow, precision "bf16" needs a function net that makes its layers itself; '
                    f'got a network whose layers compute in {layers[0].compute_dtype}: use "fp32"'
                )
            self.precision = "fp32"

    def is_built(self) -> bool:
        return bool(self.net.built)

    def initialize(self, X: Any, seed: int) -> None:
        seeds = _tf.keras.random.SeedGenerator(seed)
        with _tf.device(self.device), _computing_in(self.precision):
            self.net(X[:1])  # builds the layers
            for weight in self.net.weights:
                if weight.name == "kernel":
                    weight.assign(_tf.keras.initializers.GlorotUniform(seeds)(weight.shape))
                elif weight.name == "bias":
                    weight.assign(_tf.zeros(weight.shape))
            self._optimizer.build(self.net.trainable_variables)

    def set_seed(self, seed: int) -> None:
        """Each layer with randomness has a state of two numbers: a seed, and how often it was used."""
        states = (v for v in self.net.non_trainable_variables if v.name == "seed_generator_state")
        for position, state in enumerate(states):
            state.assign([seed, position << 32])  # far enough apart never to meet

    def set_rate(self, lr: float) -> None:
        self._optimizer.learning_rate.assign(lr)

    def step(self, X: Any, y: Any) -> tuple[Any, Any]:
        with _tf.device(self.device):
            return self._step(X, y)  # type: ignore[no-any-return]  # TensorFlow has no types

    def evaluate(self, X: Any, y: Any) -> Any:
        with _tf.device(self.device):
            return self._answer(X, y)

    def describe(self) -> list[str]:
        return [f"{type(layer).__name__} {_options(layer)}" for layer in keras_leaves(self.net)]

    def get_weights(self) -> Weights:
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def set_weights(self, weights: Weights) -> None:
        for name, variable in self._variables().items():
            variable.assign(weights[name])

    def _variables(self) -> dict[str, Any]:
        """Numbered, because Keras numbers its layers anew for every network of a process."""
        named = [(each.name, each) for each in self.net.weights]
        named += [("momentum", each) for each in self._optimizer.momentums]
        return {f"{number:04} {name}": variable for number, (name, variable) in enumerate(named)}

    def synchronize(self) -> None:
        _tf.test.experimental.sync_devices()

    def _descend(self, X: Any, y: Any) -> tuple[Any, Any]:
        y = _tf.reshape(y, [-1])  # Keras's own data sets have labels of shape (images, 1)
        with _tf.GradientTape() as tape:
            outputs = _tf.cast(self.net(X, training=True), _tf.float32)
            losses = self._losses(outputs, y)
            objective = _tf.reduce_mean(losses) + sum(self.net.losses)
        variables = self.net.trainable_variables
        self._optimizer.apply(tape.gradient(objective, variables), variables)
        return _tf.reduce_sum(losses), _correct(outputs, y)

    def _losses(self, outputs: Any, y: Any) -> Any:
        if not self._smoothing:
            return _tf.keras.losses.sparse_categorical_crossentropy(y, outputs, from_logits=True)
        targets = _tf.one_hot(_tf.cast(y, _tf.int64), outputs.shape[-1])
        return _tf.keras.losses.categorical_crossentropy(targets, outputs, True, self._smoothing)

    def _count_correct(self, X: Any, y: Any) -> Any:
        return _correct(self.net(X, training=False), _tf.reshape(y, [-1]))


def _options(layer: Any) -> dict[str, Any]:
    """What a layer was made with, but for its name, which Keras numbers, and for what are objects of their own."""
    try:
        config = layer.get_config()
    except NotImplementedError:  # a layer of the reader's that cannot be saved
        return {}
    return {key: value for key, value in config.items() if key != "name" and not isinstance(value, dict)}


def _correct(outputs: Any, y: Any) -> Any:
    hits = _tf.argmax(outputs, axis=1, output_type=_tf.int64) == _tf.cast(y, _tf.int64)
    return _tf.math.count_nonzero(hits)
