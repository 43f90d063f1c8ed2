# %% imports
import inspect
import itertools
import os
import subprocess
import sys
import time

os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # else this process would take all of a GPU's memory
from alexbook import exercises, profiles, roofline
from alexbook import tensorflow as d2l
import numpy
import tensorflow as tf
from tensorflow.keras import layers


# %% lenet
def lenet():
    stack = [  # takes (batch, height, width, channels) = (batch, 28, 28, 1)
        layers.Conv2D(6, kernel_size=5, padding="same", activation="sigmoid"),
        layers.AvgPool2D(pool_size=2, strides=2),
        layers.Conv2D(16, kernel_size=5, activation="sigmoid"),
        layers.AvgPool2D(pool_size=2, strides=2),
        layers.Flatten(),
        layers.Dense(120, activation="sigmoid"),
        layers.Dense(84, activation="sigmoid"),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% alexnet
def alexnet(c1=96, c2=256, c3=384, c4=384, c5=256, hidden=4096):
    stack = [  # takes (batch, height, width, channels) = (batch, 224, 224, 1)
        layers.Conv2D(c1, kernel_size=11, strides=4, activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        layers.Conv2D(c2, kernel_size=5, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        layers.Conv2D(c3, kernel_size=3, padding="same", activation="relu"),
        layers.Conv2D(c4, kernel_size=3, padding="same", activation="relu"),
        layers.Conv2D(c5, kernel_size=3, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        layers.Flatten(),
        layers.Dense(hidden, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(hidden, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% train
def train(network, loaders, epochs, lr, momentum=0.9, seed=0, **more):
    if network is ...:
        return ...  # a blank: there is nothing to train yet
    recipe, device = d2l.Recipe(momentum=momentum, **more), d2l.try_gpu()
    return d2l.train_ch6(network, *loaders, epochs, lr, device, seed=seed, recipe=recipe, quiet=True)


# %% simpler
#| blank: simpler = ...  # a function that returns your network, as alexnet does
def simpler():
    stack = [  # takes (batch, 224, 224, 1)
        layers.Conv2D(32, kernel_size=11, strides=4, activation="relu"),  # (batch, 54, 54, 32)
        layers.MaxPool2D(pool_size=3, strides=2),  # (batch, 26, 26, 32)
        layers.Conv2D(64, kernel_size=5, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),  # (batch, 12, 12, 64)
        layers.Conv2D(96, kernel_size=3, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),  # (batch, 5, 5, 96)
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


#| end


# %% native
#| blank: native = ...  # a function that returns a network for (batch, 28, 28, 1)
def block(outputs):
    window = layers.Conv2D(outputs, kernel_size=3, padding="same", use_bias=False)
    norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)  # as in PyTorch and MXNet
    return [window, layers.MaxPool2D(pool_size=2, strides=2), norm, layers.ReLU()]


def native():
    stack = [  # takes (batch, 28, 28, 1)
        *block(32),  # (batch, 14, 14, 32)
        *block(64),  # (batch, 7, 7, 64)
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


#| end


# %% peak
imports = "import sys\nfrom alexbook import tensorflow as d2l\nimport tensorflow as tf"
imports += "\nfrom tensorflow.keras import layers"


def peak():  # bytes: of the GPU where there is one, else of this process
    if tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    import resource  # Windows has none: use Colab or WSL there

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes, Linux in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# %% machine
length, count = 2048, 2**25
A = tf.random.uniform((length, length))
a, b = tf.Variable(tf.ones(count)), tf.ones(count)


def product():
    return tf.matmul(A, A, transpose_b=True)


def addition():
    return a.assign_add(b)  # reads a and b, writes a


def wait(result):
    tf.reshape(result, [-1])[0].numpy()  # a GPU has finished when it answers


# %% modern-lenets
#| blank: networks = dict.fromkeys(["sigmoid", "ReLU", "ReLU and dropout", "standardized"], ...)
def modern(*first, p=0):
    window, pool = {"kernel_size": 5, "activation": "relu"}, {"pool_size": 2, "strides": 2}
    stack = [*first, layers.Conv2D(6, padding="same", **window), layers.AvgPool2D(**pool)]
    stack += [layers.Conv2D(16, **window), layers.AvgPool2D(**pool), layers.Flatten()]
    for outputs in 120, 84:
        stack += [layers.Dense(outputs, activation="relu"), *([layers.Dropout(p)] if p else [])]
    return tf.keras.Sequential([*stack, layers.Dense(10)])


networks = {"sigmoid": lenet, "ReLU": modern}
networks["ReLU and dropout"] = lambda: modern(p=0.2)
# Mean and standard deviation of the training pixels are 0.2860 and 0.3530
networks["standardized"] = lambda: modern(layers.Rescaling(1 / 0.3530, offset=-0.2860 / 0.3530))
#| end


# %% convolve
def convolve(X, weight, bias, stride, padding):  # NumPy arrays in and out: (batch, channels, height, width)
    X = numpy.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    Y = tf.nn.conv2d(X.transpose(0, 2, 3, 1), weight.transpose(2, 3, 1, 0), stride, "VALID")
    return tf.nn.relu(Y + bias).numpy().transpose(0, 3, 1, 2)


# %% narrow tags=["nbval-check-output"]
net = alexnet(6, 16, 24, 24, 16, hidden=256)
arrays = exercises.given("7")["pytorch"]  # axes in the order of PyTorch
for name, array in arrays.items():
    print(name, array.shape)

# %% load
#| blank: loaded = ...  # net, when each of its layers has its arrays
_ = net(tf.zeros((1, 224, 224, 1)))  # the first batch decides the shapes
for layer, name in zip([layer for layer in net.layers if layer.weights], sizes, strict=True):
    weight = arrays[f"{name}.weight"]
    if name == "fc6":  # its columns: channel, height, width; ours: height, width, channel
        weight = weight.reshape(256, 16, 5, 5).transpose(0, 2, 3, 1).reshape(256, 400)
    layer.kernel.assign(weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T)
    layer.bias.assign(arrays[f"{name}.bias"])
loaded = net
#| end
