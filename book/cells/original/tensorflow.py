# %% imports
import math
import os
import tempfile

# XLA compiles grouped convolutions, here at every call: no messages about that
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

from alexbook import tensorflow as d2l
from alexbook import weights
import numpy
from safetensors.numpy import save_file
import skimage
import tensorflow as tf
from tensorflow.keras import layers

# Else newer GPUs would keep three digits of the seven that float32 has
tf.config.experimental.enable_tensor_float_32_execution(False)
tf.get_logger().setLevel("ERROR")  # the rest of those messages

# %% groups tags=["nbval-check-output"]
tf.random.set_seed(0)
X = tf.random.normal((1, 8, 8, 4))  # (batch, height, width, channels)
whole = layers.Conv2D(6, kernel_size=3, use_bias=False)
grouped = layers.Conv2D(6, kernel_size=3, groups=2, use_bias=False)
whole(X), grouped(X)  # the first batch decides the shapes
W = grouped.kernel  # (3, 3, 2, 6): an output looks at two channels of the four
left = tf.nn.conv2d(X[..., :2], W[..., :3], 1, "VALID")  # (1, 6, 6, 3)
right = tf.nn.conv2d(X[..., 2:], W[..., 3:], 1, "VALID")
assert numpy.allclose(grouped(X), tf.concat([left, right], axis=-1), atol=1e-5)
counts = [math.prod(kernel.shape) for kernel in (whole.kernel, W)]
print(f"one group {counts[0]} weights, two groups {counts[1]}")


# %% lrn tags=["nbval-check-output"]
def response_norm(X, radius):
    return tf.nn.local_response_normalization(X, radius, bias=2, alpha=1e-4, beta=0.75)


X = a.reshape(1, 1, 1, 9)  # (batch, height, width, channels)
row("the paper", b)
row("copied", response_norm(X, 5).numpy().flatten())
row("meant", response_norm(X, 2).numpy().flatten())
assert numpy.allclose(response_norm(X, 2).numpy().flatten(), b, rtol=1e-4)

# %% model
stack = [  # takes (batch, height, width, channels) = (batch, 227, 227, 3)
    layers.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
    layers.Lambda(lambda X: response_norm(X, 2)),
    layers.MaxPool2D(pool_size=3, strides=2),
    # Two groups: each half of the channels sees one half
    layers.Conv2D(256, kernel_size=5, padding="same", groups=2, activation="relu"),
    layers.Lambda(lambda X: response_norm(X, 2)),
    layers.MaxPool2D(pool_size=3, strides=2),
    # One group: here both halves see all
    layers.Conv2D(384, kernel_size=3, padding="same", activation="relu"),
    layers.Conv2D(384, kernel_size=3, padding="same", groups=2, activation="relu"),
    layers.Conv2D(256, kernel_size=3, padding="same", groups=2, activation="relu"),
    layers.MaxPool2D(pool_size=3, strides=2),
    layers.Flatten(),
    layers.Dense(4096, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(4096, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(1000),
]
net = tf.keras.Sequential(stack)

# %% shapes tags=["nbval-check-output"]
X = tf.random.normal((1, 227, 227, 3))  # (batch, height, width, channels)
net(X)
shapes = []
for layer in net.layers:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<19}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"])
named, table = {}, {}  # table: weights, biases, values in the output
for layer, shape in zip(net.layers, shapes, strict=True):
    if layer.weights:
        name = next(names)
        named[name] = layer
        sizes = layer.kernel.shape, layer.bias.shape, shape
        table[name] = tuple(math.prod(size) for size in sizes)
        print(f"{name:<5}{sum(table[name][:2]):>12,}{table[name][2]:>10,}")
total = net.count_params()
print(f"total{total:>12,}{sum(values for *_, values in table.values()):>10,}")
assert total == 60_965_224


# %% initialize
def set_biases(with_ones):
    for name, layer in named.items():
        layer.bias.assign(tf.fill(layer.bias.shape, 1.0 if name in with_ones else 0.0))


tf.random.set_seed(0)
for layer in named.values():
    layer.kernel.assign(tf.random.normal(layer.kernel.shape, stddev=0.01))
paper = ["conv2", "conv4", "conv5", "fc6", "fc7"]
set_biases(paper)

# %% alive
for label, with_ones in {"biases 0": [], "biases 1": paper}.items():
    set_biases(with_ones)
    X, shares = image.transpose(0, 2, 3, 1), []
    for layer in net.layers:  # Keras drops nothing unless it is told to train
        X = layer(X)
        if getattr(layer, "activation", None) is tf.keras.activations.relu:
            shares.append((X.numpy() > 0).mean())
    print(label, *(f"{share:6.1%}" for share in shares))
assert min(shares[number] for number in (1, 3, 4, 5, 6)) > 0.6

# %% answer tags=["nbval-check-output"]
weights.load(net, f"{folder.name}/original.safetensors")
logits = net(image.transpose(0, 2, 3, 1), training=False).numpy()  # (1, 1000)
row("five logits", logits[0, :5])
