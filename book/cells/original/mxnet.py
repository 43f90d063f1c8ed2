# %% imports
import math
import tempfile

# First alexbook, then mxnet: see the chapter on the network
from alexbook import mxnet as d2l
from alexbook import weights
import mxnet
from mxnet import init, np, npx
from mxnet.gluon import nn
import numpy
from safetensors.numpy import save_file
import skimage

npx.set_np()

# %% groups tags=["nbval-check-output"]
npx.random.seed(0)
X = np.random.normal(size=(1, 4, 8, 8))  # (batch, channels, height, width)
whole = nn.Conv2D(6, kernel_size=3, use_bias=False, in_channels=4)
grouped = nn.Conv2D(6, kernel_size=3, groups=2, use_bias=False, in_channels=4)
grouped.initialize()
W = grouped.weight.data()  # (6, 2, 3, 3): an output looks at two channels of the four
size = {"kernel": (3, 3), "num_filter": 3, "no_bias": True}
left = npx.convolution(X[:, :2], W[:3], **size)  # (1, 3, 6, 6)
right = npx.convolution(X[:, 2:], W[3:], **size)
assert np.allclose(grouped(X), np.concatenate([left, right], axis=1), atol=1e-5)
print(f"one group {math.prod(whole.weight.shape)} weights, two groups {W.size}")


# %% lrn tags=["nbval-check-output"]
def response_norm(X, alpha):  # only MXNet's older interface has it
    X = X.as_nd_ndarray()
    return mxnet.nd.LRN(X, nsize=5, alpha=alpha, beta=0.75, knorm=2).as_np_ndarray()


X = np.array(a).reshape(1, 9, 1, 1)  # (batch, channels, height, width)
row("the paper", b)
row("copied", response_norm(X, 1e-4).asnumpy().flatten())
row("meant", response_norm(X, 5 * 1e-4).asnumpy().flatten())
assert numpy.allclose(response_norm(X, 5 * 1e-4).asnumpy().flatten(), b, rtol=1e-4)

# %% model
net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 3, 227, 227)
net.add(
    nn.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
    nn.Lambda(lambda X: response_norm(X, 5 * 1e-4)),
    nn.MaxPool2D(pool_size=3, strides=2),
    # Two groups: each half of the channels sees one half
    nn.Conv2D(256, kernel_size=5, padding=2, groups=2, activation="relu"),
    nn.Lambda(lambda X: response_norm(X, 5 * 1e-4)),
    nn.MaxPool2D(pool_size=3, strides=2),
    # One group: here both halves see all
    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
    nn.Conv2D(384, kernel_size=3, padding=1, groups=2, activation="relu"),
    nn.Conv2D(256, kernel_size=3, padding=1, groups=2, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    nn.Dense(1000),
)

# %% shapes tags=["nbval-check-output"]
net.initialize()
X = np.random.normal(size=(1, 3, 227, 227))  # (batch, channels, height, width)
shapes = []
for layer in net:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<19}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"])
named, table = {}, {}  # table: weights, biases, values in the output
for layer, shape in zip(net, shapes, strict=True):
    if hasattr(layer, "weight"):
        name = next(names)
        named[name] = layer
        sizes = layer.weight.shape, layer.bias.shape, shape
        table[name] = tuple(math.prod(size) for size in sizes)
        print(f"{name:<5}{sum(table[name][:2]):>12,}{table[name][2]:>10,}")
total = sum(math.prod(parameter.shape) for parameter in net.collect_params().values())
print(f"total{total:>12,}{sum(values for *_, values in table.values()):>10,}")
assert total == 60_965_224


# %% initialize
def set_biases(with_ones):
    for name, layer in named.items():
        layer.bias.set_data(np.full(layer.bias.shape, 1 if name in with_ones else 0))


npx.random.seed(0)
for layer in named.values():
    layer.weight.initialize(init.Normal(0.01), force_reinit=True)
paper = ["conv2", "conv4", "conv5", "fc6", "fc7"]
set_biases(paper)

# %% alive
for label, with_ones in {"biases 0": [], "biases 1": paper}.items():
    set_biases(with_ones)
    X, shares = np.array(image), []
    for layer in net:  # nothing is recorded: no dropout
        X = layer(X)
        if getattr(layer, "act", None):
            shares.append((X > 0).astype("float32").mean().item())
    print(label, *(f"{share:6.1%}" for share in shares))
assert min(shares[number] for number in (1, 3, 4, 5, 6)) > 0.6

# %% answer tags=["nbval-check-output"]
weights.load(net, f"{folder.name}/original.safetensors")
logits = net(np.array(image)).asnumpy()  # (1, 1000)
row("five logits", logits[0, :5])
