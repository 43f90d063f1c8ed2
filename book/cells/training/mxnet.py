# %% imports
import math

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data
from alexbook import mxnet as d2l
from mxnet import gluon, init, npx
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

# %% untrained
X, y = next(iter(test_iter))
net.initialize(init.Xavier(), ctx=X.ctx)
loss = gluon.loss.SoftmaxCrossEntropyLoss()(net(X), y).mean().item()
print(f"loss {loss:.2f}, ln 10 = {math.log(10):.2f}")
assert abs(loss - math.log(10)) < 0.2

# %% predict
X, y = next(iter(test_iter))
guesses = history.net(X[:18]).argmax(axis=1).astype(int).tolist()
labels = y[:18].astype(int).tolist()
images = X[:18, 0].asnumpy()  # (18, 224, 224)
