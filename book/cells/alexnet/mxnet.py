# %% imports
import math

# MXNet 1.9.1 is the last release: Apache retired the project in 2023. It still runs, because
# alexbook, imported before it, gives it the names that NumPy has dropped since.
from alexbook import mxnet as d2l
import mxnet as mx
from mxnet import autograd, gluon, init, np, npx
from mxnet.gluon import nn

npx.set_np()

# %% model
net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 224, 224)
net.add(
    # Objects fill many pixels: a wide window. Steps of 4 pixels: small maps from here on
    nn.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
    # Windows of 3 at every second position: neighbours overlap
    nn.MaxPool2D(pool_size=3, strides=2),
    # A padding of 2 around a window of 5 keeps height and width
    nn.Conv2D(256, kernel_size=5, padding=2, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    # Three convolutions with no pooling between them: more depth at the same resolution
    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
    nn.Conv2D(256, kernel_size=3, padding=1, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    # Most of the parameters stand here, and so does dropout. The first Dense flattens its input
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    # Ten kinds of clothing; the paper's network names 1000 kinds of objects
    nn.Dense(10),
)

# %% shapes tags=["nbval-check-output"]
net.initialize()
X = np.random.uniform(size=(1, 1, 224, 224))  # (batch, channels, height, width)
shapes = []
for layer in net:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<13}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"])
table = {}  # name: number of weights, of biases, of values in the output
for layer, shape in zip(net, shapes, strict=True):
    if hasattr(layer, "weight"):
        name = next(names)
        weights, biases = math.prod(layer.weight.shape), math.prod(layer.bias.shape)
        table[name] = weights, biases, math.prod(shape)
        print(f"{name:<5}{weights + biases:>12,}")
print(f"total{sum(math.prod(p.shape) for p in net.collect_params().values()):>12,}")

# %% slopes tags=["nbval-check-output"]
x = np.arange(-8, 8.1, 0.25)
x.attach_grad()
slopes = {}
for name, function in (("sigmoid", npx.sigmoid), ("ReLU", npx.relu)):
    with autograd.record():
        y = function(x)
    y.backward()
    slope = slopes[name] = x.grad.asnumpy()
    at_points = [f"{value:.4f}" for value in slope[::16]]  # x = -8, -4, 0, 4, 8
    print(f"{name:<8}", *at_points, f" largest {slope.max():.4f}")

# %% slope-curves
curves = list(slopes.values())
d2l.plot(x.asnumpy(), curves, xlabel="x", ylabel="slope", legend=list(slopes))

# %% gradients
train_iter, _ = d2l.load_data_fashion_mnist(batch_size=32, resize=224)
X, y = next(iter(train_iter))
mx.random.seed(0)
net.initialize(init.Xavier(), ctx=X.ctx, force_reinit=True)
gradients = {}  # activation: mean size of the gradient in each layer's weights
for name, activation in ("ReLU", "relu"), ("sigmoid", "sigmoid"):
    for layer in net:
        if getattr(layer, "act", None):
            layer.act = nn.Activation(activation)
    with autograd.record():
        loss = gluon.loss.SoftmaxCrossEntropyLoss()(net(X), y).mean()
    loss.backward()
    slopes = [layer.weight.grad() for layer in net if hasattr(layer, "weight")]
    gradients[name] = [abs(slope).mean().item() for slope in slopes]


# %% lenet
def lenet(activation):
    network = nn.Sequential()  # takes (batch, 1, 28, 28)
    network.add(
        nn.Conv2D(6, kernel_size=5, padding=2, activation=activation),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Conv2D(16, kernel_size=5, activation=activation),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation=activation),
        nn.Dense(84, activation=activation),
        nn.Dense(10),
    )
    return network


networks = {"sigmoid": lenet("sigmoid"), "ReLU": lenet("relu")}

# %% dropout
npx.random.seed(1)
dropout, ones = nn.Dropout(0.5), np.ones(16)
with autograd.record():  # recording switches training mode on
    training = dropout(ones)
evaluation = dropout(ones)
print("training  ", training.astype(int).tolist())
print("evaluation", evaluation.astype(int).tolist())
assert set(training.tolist()) <= {0, 2} and set(evaluation.tolist()) == {1}
