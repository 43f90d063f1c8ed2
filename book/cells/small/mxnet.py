# %% imports
import statistics

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data
from alexbook import mxnet as d2l
from mxnet import np, npx
from mxnet.gluon import nn

npx.set_np()


# %% model
def block(outputs):
    return [
        nn.Conv2D(outputs, kernel_size=3, padding=1, use_bias=False),
        nn.MaxPool2D(pool_size=2, strides=2),  # first: then the others have a quarter of the work
        nn.BatchNorm(),
        nn.Activation("relu"),
    ]


net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
net.add(
    *block(32),  # (batch, 32, 14, 14)
    *block(64),  # (batch, 64, 7, 7)
    *block(128),  # (batch, 128, 3, 3)
    nn.Dense(256, activation="relu"),  # flattens its input
    nn.Dropout(0.3),
    nn.Dense(10),
)

# %% guess
guesses, labels = zip(*((runs[-1].net(X).argmax(axis=1), y) for X, y in test_iter), strict=True)
guesses, labels = (np.concatenate(batches).asnumpy() for batches in (guesses, labels))  # (10000,) each
