# %% imports
import math
import time

# First alexbook, then mxnet: it gives MXNet the names that NumPy has dropped
from alexbook import profiles
from alexbook import mxnet as d2l
from mxnet import autograd, gluon, init, np, npx
from mxnet.gluon import nn

npx.set_np()

# %% model
net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
net.add(
    # A padding of 2 around a window of 5 keeps height and width
    nn.Conv2D(6, kernel_size=5, padding=2, activation="sigmoid"),
    # The mean of each square of four numbers: nothing to learn here
    nn.AvgPool2D(pool_size=2, strides=2),
    nn.Conv2D(16, kernel_size=5, activation="sigmoid"),
    nn.AvgPool2D(pool_size=2, strides=2),
    nn.Dense(120, activation="sigmoid"),  # flattens its input
    nn.Dense(84, activation="sigmoid"),
    # Ten numbers without a sigmoid: the loss makes probabilities of them
    nn.Dense(10),
)

# %% shapes tags=["nbval-check-output"]
net.initialize()
X = np.random.uniform(size=(1, 1, 28, 28))  # (batch, channels, height, width)
shapes = []
for layer in net:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<10}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "fc3", "fc4", "fc5"])
table = {}  # name: parameters, multiply-adds
for layer, shape in zip(net, shapes, strict=True):
    if hasattr(layer, "weight"):
        weights, biases = math.prod(layer.weight.shape), math.prod(layer.bias.shape)
        table[next(names)] = weights + biases, math.prod(shape) * weights // biases
for name, (parameters, products) in table.items():
    print(f"{name:<5}{parameters:>8,}{products:>10,}")

# %% start
device = d2l.try_gpu()
npx.random.seed(0)
net.initialize(init.Xavier(), ctx=device, force_reinit=True)  # biases: 0

# %% untrained
X, y = next(iter(test_iter))
cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss()
with autograd.record():
    mean = cross_entropy(net(X), y).mean()
mean.backward()
gradients = [layer.weight.grad() for layer in net if hasattr(layer, "weight")]
loss, sizes = mean.item(), [np.abs(gradient).mean().item() for gradient in gradients]
print(f"loss {loss:.3f}, ln 10 = {math.log(10):.3f}")
for name, size in zip(table, sizes, strict=True):
    print(f"{name:<5}{size:10.6f}")
assert abs(loss - math.log(10)) < 1 and sizes[0] < sizes[-1] / 10

# %% step
lr = 0.9
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr})


def step(X, y):
    with autograd.record():  # watches, and switches training mode on
        outputs = net(X)  # (batch, 10)
        losses = cross_entropy(outputs, y)  # (batch,): one for each image
    losses.backward()  # gradients of their sum, in place of the last ones
    trainer.step(len(y))  # parameter - lr * gradient / batch size
    return losses.sum(), (outputs.argmax(axis=1).astype("int32") == y).sum()


# %% count-correct
def count_correct(X, y):  # nobody records: as in use, and nothing is kept
    return (net(X).argmax(axis=1).astype("int32") == y).sum()
