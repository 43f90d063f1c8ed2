# %% imports
import inspect
import itertools
import subprocess
import sys
import time

# First alexbook, then mxnet: see the chapter on the network
from alexbook import exercises, profiles, roofline
from alexbook import mxnet as d2l
import mxnet as mx
from mxnet import np, npx
from mxnet.gluon import nn

npx.set_np()


# %% lenet
def lenet():
    net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
    net.add(
        nn.Conv2D(6, kernel_size=5, padding=2, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Conv2D(16, kernel_size=5, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation="sigmoid"),  # flattens its input
        nn.Dense(84, activation="sigmoid"),
        nn.Dense(10),
    )
    return net


# %% alexnet
def alexnet(c1=96, c2=256, c3=384, c4=384, c5=256, hidden=4096):
    net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 224, 224)
    net.add(
        nn.Conv2D(c1, kernel_size=11, strides=4, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),
        nn.Conv2D(c2, kernel_size=5, padding=2, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),
        nn.Conv2D(c3, kernel_size=3, padding=1, activation="relu"),
        nn.Conv2D(c4, kernel_size=3, padding=1, activation="relu"),
        nn.Conv2D(c5, kernel_size=3, padding=1, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),
        nn.Dense(hidden, activation="relu"),  # flattens its input
        nn.Dropout(0.5),
        nn.Dense(hidden, activation="relu"),
        nn.Dropout(0.5),
        nn.Dense(10),
    )
    return net


# %% train
def train(network, loaders, epochs, lr, momentum=0.9, seed=0, **more):
    if network is ...:
        return ...  # a blank: there is nothing to train yet
    recipe, device = d2l.Recipe(momentum=momentum, **more), d2l.try_gpu()
    return d2l.train_ch6(network(), *loaders, epochs, lr, device, seed=seed, recipe=recipe, quiet=True)


# %% simpler
#| blank: simpler = ...  # a function that returns your network, as alexnet does
def simpler():
    net = nn.Sequential()  # takes (batch, 1, 224, 224)
    net.add(
        nn.Conv2D(32, kernel_size=11, strides=4, activation="relu"),  # (batch, 32, 54, 54)
        nn.MaxPool2D(pool_size=3, strides=2),  # (batch, 32, 26, 26)
        nn.Conv2D(64, kernel_size=5, padding=2, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),  # (batch, 64, 12, 12)
        nn.Conv2D(96, kernel_size=3, padding=1, activation="relu"),
        nn.MaxPool2D(pool_size=3, strides=2),  # (batch, 96, 5, 5)
        nn.Dense(256, activation="relu"),
        nn.Dropout(0.5),
        nn.Dense(10),
    )
    return net


#| end


# %% native
#| blank: native = ...  # a function that returns a network for (batch, 1, 28, 28)
def block(outputs):
    window = nn.Conv2D(outputs, kernel_size=3, padding=1, use_bias=False)
    return [window, nn.MaxPool2D(pool_size=2, strides=2), nn.BatchNorm(), nn.Activation("relu")]


def native():
    net = nn.Sequential()  # takes (batch, 1, 28, 28)
    net.add(
        *block(32),  # (batch, 32, 14, 14)
        *block(64),  # (batch, 64, 7, 7)
        nn.Dense(128, activation="relu"),
        nn.Dense(10),
    )
    return net


#| end


# %% peak
imports = "import sys\nfrom alexbook import mxnet as d2l\nimport mxnet as mx\nfrom mxnet import npx"
imports += "\nfrom mxnet.gluon import nn\nnpx.set_np()"


def peak():  # bytes: of the GPU where there is one, else of this process
    if mx.context.num_gpus():
        free, total = mx.context.gpu_memory_info()
        return total - free  # MXNet keeps what it has once taken
    import resource  # Windows has none: use Colab or WSL there

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes, Linux in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# %% machine
device, length, count = d2l.try_gpu(), 2048, 2**25
A = np.random.uniform(size=(length, length), ctx=device)
a, b = (np.ones(count, ctx=device) for _ in range(2))


def product():  # A times A transposed: MXNet's fastest product
    return npx.fully_connected(A, A, num_hidden=length, no_bias=True, flatten=False)


def addition():
    return np.add(a, b, out=a)  # reads a and b, writes a


def wait(result):
    result.wait_to_read()


# %% modern-lenets
#| blank: networks = dict.fromkeys(["sigmoid", "ReLU", "ReLU and dropout", "standardized"], ...)
def standardize(F, X):
    return (X - 0.2860) / 0.3530  # mean and standard deviation of the training pixels


def modern(*first, p=0):
    net, pool = nn.Sequential(), {"pool_size": 2, "strides": 2}
    drop = [nn.Dropout(p)] if p else []
    net.add(
        *[*first, nn.Conv2D(6, kernel_size=5, padding=2, activation="relu"), nn.AvgPool2D(**pool)],
        *[nn.Conv2D(16, kernel_size=5, activation="relu"), nn.AvgPool2D(**pool)],
        *[nn.Dense(120, activation="relu"), *drop, nn.Dense(84, activation="relu"), *drop, nn.Dense(10)],
    )
    return net


networks = {"sigmoid": lenet, "ReLU": modern}
networks["ReLU and dropout"] = lambda: modern(p=0.2)
networks["standardized"] = lambda: modern(nn.HybridLambda(standardize))
#| end


# %% convolve
def convolve(X, weight, bias, stride, padding):  # NumPy arrays in and out: (batch, channels, height, width)
    X, weight, bias = map(np.array, (X, weight, bias))
    window = {"kernel": weight.shape[2:], "stride": (stride, stride), "pad": (padding, padding)}
    return npx.relu(npx.convolution(X, weight, bias, num_filter=len(bias), **window)).asnumpy()


# %% narrow tags=["nbval-check-output"]
net = alexnet(6, 16, 24, 24, 16, hidden=256)
arrays = exercises.given("7")["pytorch"]  # axes in the order of PyTorch
for name, array in arrays.items():
    print(name, array.shape)

# %% load
#| blank: loaded = ...  # net, when each of its layers has its arrays
net.initialize()
net(np.zeros((1, 1, 224, 224)))  # the first batch decides the shapes
for layer, name in zip([layer for layer in net if hasattr(layer, "weight")], sizes, strict=True):
    # Outputs first, then inputs, height, width; maps are flattened channel by channel: all as in PyTorch
    layer.weight.set_data(np.array(arrays[f"{name}.weight"]))
    layer.bias.set_data(np.array(arrays[f"{name}.bias"]))
loaded = net
#| end
