"""AlexNet on ImageNet, or on any folder of images, in TensorFlow.

The network and the recipe of Krizhevsky, Sutskever and Hinton (2012): two groups of maps and response normalization
(section 3), random crops, mirroring and shifts of colour (4.1), dropout (4.2), momentum, weight decay and a learning
rate that falls to a tenth when the validation error stops falling (5). FOLDER/train/CLASS and FOLDER/val/CLASS hold the
images; there are as many outputs as classes. One middle crop is tested where the paper averages over ten.

    python scripts/imagenet/train_tensorflow.py FOLDER --checkpoint alexnet.npz
    python scripts/imagenet/train_tensorflow.py FOLDER --checkpoint alexnet.npz --devices 2

It trains on all GPUs that it finds, which share each batch, by MirroredStrategy. The second line is for trying that
without any: two devices on the processor. Either goes on from its checkpoint, with the result of a run that was never
interrupted: what an epoch draws depends on the seed, the epoch and the image, not on what was drawn before. An image
that cannot be read is named, counted and left out.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors; not what it lacks here, nor that a data set has ended

import common
import numpy as np
from tqdm import tqdm

from alexbook.tensorflow import tf  # without the lines about GPUs that are not there

layers = tf.keras.layers
SHAPE = common.SIDE, common.SIDE, 3


def network(classes, width=1, dropout=0.5, seed=0):
    """Section 3.5, from images of shape (227, 227, 3) in grey levels from the mean, with the weights of section 5."""
    c96, c256, c384, c4096 = (int(size * width) for size in (96, 256, 384, 4096))
    numbers = iter(range(1, 9))
    # The gradient of l · w² is 2 l w. Keras's own weight_decay would pass the momentum by.
    decay = tf.keras.regularizers.L2(5e-4 / 2)

    def weights():
        number = next(numbers)
        normal = tf.keras.initializers.RandomNormal(0, common.deviation(width), common.seed(seed, number))
        return {
            "kernel_initializer": normal,
            "bias_initializer": "ones" if number in common.ONES else "zeros",
            "kernel_regularizer": decay,
            "bias_regularizer": decay,
        }

    def conv(*arguments, **options):
        return layers.Conv2D(*arguments, activation="relu", **options, **weights())

    def norm():
        return layers.Lambda(lambda X: tf.nn.local_response_normalization(X, 2, bias=2, alpha=1e-4, beta=0.75))

    return tf.keras.Sequential(
        [
            layers.Input((common.CROP, common.CROP, 3)),
            *(conv(c96, 11, strides=4), norm(), layers.MaxPool2D(3, 2)),  # maps of 55 by 55, pooled 27 by 27
            *(conv(c256, 5, padding="same", groups=2), norm(), layers.MaxPool2D(3, 2)),  # pooled 13 by 13
            conv(c384, 3, padding="same"),
            conv(c384, 3, padding="same", groups=2),
            *(conv(c256, 3, padding="same", groups=2), layers.MaxPool2D(3, 2)),  # pooled 6 by 6
            *(layers.Flatten(), layers.Dense(c4096, "relu", **weights()), layers.Dropout(dropout)),
            *(layers.Dense(c4096, "relu", **weights()), layers.Dropout(dropout)),
            layers.Dense(classes, **weights()),
        ]
    )


def images(samples, unreadable, workers, order):
    """Pictures, labels, weights and numbers of the samples in this order. One that cannot be read weighs nothing."""
    labels = tf.constant([label for _, label in samples])

    def read(index):  # in Python, where what cannot be read has a name
        picture = unreadable.picture(samples[index][0])
        return (np.zeros(SHAPE, np.uint8), 0.0) if picture is None else (picture, 1.0)

    def sample(index):
        picture, weight = tf.numpy_function(read, [index], (tf.uint8, tf.float64))
        return tf.ensure_shape(picture, SHAPE), labels[index], tf.ensure_shape(weight, ()), index

    return tf.data.Dataset.from_tensor_slices(order).map(sample, max(workers, 1))


def varied(seed, epoch, mean, directions):
    """What turns a picture into a training image. It draws the same for the same seed, epoch and image."""

    def vary(picture, label, weight, index):
        first = tf.constant(common.seed(seed, epoch), tf.int64)
        crop, mirror, colour = tf.unstack(tf.random.split([first, index], 3))
        picture = tf.image.stateless_random_crop(picture, (common.CROP, common.CROP, 3), crop)
        picture = tf.image.stateless_random_flip_left_right(picture, mirror)
        shift = 0.1 * tf.linalg.matvec(directions, tf.random.stateless_normal((3,), colour), transpose_a=True)
        return tf.cast(picture, tf.float32) + (shift - mean), label, weight

    return vary


def middle(mean):
    """What turns a picture into a validation image."""

    def crop(picture, label, weight, _):
        picture = tf.image.resize_with_crop_or_pad(picture, common.CROP, common.CROP)
        return tf.cast(picture, tf.float32) - mean, label, weight

    return crop


def compiled(args):
    """The network with its loss, its measures, and the momentum of all weights."""
    net = network(len(args.classes), args.width, args.dropout, args.seed)
    metrics, loss = tf.keras.metrics, tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    shown = [metrics.SparseCategoricalCrossentropy("crossentropy", from_logits=True)]  # the loss without the decay
    shown += [metrics.SparseTopKCategoricalAccuracy(1, "top1"), metrics.SparseTopKCategoricalAccuracy(5, "top5")]
    net.compile(tf.keras.optimizers.SGD(args.lr, momentum=0.9), loss, weighted_metrics=shown)
    net.optimizer.build(net.trainable_variables)
    return net, {variable.path: variable for variable in [*net.variables, *net.optimizer.variables]}


def strategy(devices):
    """All GPUs; without any, that many devices on the processor."""
    if gpus := tf.config.list_logical_devices("GPU"):
        return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus])
    if devices == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(devices)])


def main():
    """Trains, and prints a line for each epoch."""
    parser = common.parser(__doc__)
    parser.add_argument("--devices", type=common.whole(1), default=1, help="on a processor without GPUs (default: 1)")
    args = common.parse(parser)
    cpu = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [cpu] * args.devices)
    saved = common.checkpoint(args, common.read_arrays)
    mirrored = strategy(args.devices)
    train, val = common.samples(args, "train"), common.samples(args, "val")
    common.share(args, len(train), mirrored.num_replicas_in_sync)
    unreadable = common.Unreadable()
    mean, directions = common.colours([path for path, _ in train], unreadable)
    val_data = images(val, unreadable, args.workers, np.arange(len(val))).map(middle(mean)).batch(args.batch_size)

    tf.keras.utils.set_random_seed(args.seed)
    with mirrored.scope():
        net, variables = compiled(args)
    errors = []
    if saved:
        errors = saved["errors"]
        for path, array in saved["arrays"].items():
            variables[path].assign(array)

    for epoch in range(len(errors) + 1, args.epochs + 1):
        rate = net.optimizer.learning_rate = common.learning_rate(args.lr, errors)
        order = np.random.default_rng((args.seed, epoch)).permutation(len(train))
        data = images(train, unreadable, args.workers, order)
        data = data.map(varied(args.seed, epoch, mean, directions), tf.data.AUTOTUNE)
        data = data.batch(args.batch_size, drop_remainder=True).prefetch(2)
        with tqdm(total=len(train) // args.batch_size, desc=f"epoch {epoch}", leave=False, disable=None) as bar:
            advance = tf.keras.callbacks.LambdaCallback(
                on_train_batch_begin=lambda batch, logs: common.heed(),
                on_train_batch_end=lambda batch, logs: bar.update(),
            )
            found = net.fit(data, validation_data=val_data, shuffle=False, verbose=0, callbacks=[advance]).history
        loss, top1, top5 = (found[name][0] for name in ("crossentropy", "val_top1", "val_top5"))
        trained, tested = (sum(path not in unreadable for path, _ in each) for each in (train, val))
        sums = loss * trained, trained, (1 - top1) * tested, (1 - top5) * tested, tested
        error, line = common.outcome(epoch, args, rate, *sums)
        errors.append(error)
        if args.checkpoint:
            arrays = {path: variable.numpy() for path, variable in variables.items()}
            common.write_arrays(args.checkpoint, {"run": args.run, "epoch": epoch, "errors": errors}, arrays)
        print(line, flush=True)
        unreadable.count(len(train) + len(val))


if __name__ == "__main__":
    common.start(main)
