# %% imports
import statistics

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data, profiles
from alexbook import mxnet as d2l
from mxnet import np, npx
from mxnet.gluon import nn

npx.set_np()

# %% model
net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 224, 224)
net.add(
    nn.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    nn.Conv2D(256, kernel_size=5, padding=2, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
    nn.Conv2D(256, kernel_size=3, padding=1, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    nn.Dense(10),
)

# %% size
gpu = d2l.num_gpus() > 0
full, quick, smoke = ((60_000, 10_000), 128, 10, 20), ((768, 256), 16, 2, 4), ((128, 64), 16, 1, 1)
images, batch_size, trial, epochs = profiles.pick(full=full, quick=quick, smoke=smoke, accelerator=gpu)


# %% answers
def probabilities(net):  # of each class, for each test image: (images, 10)
    return np.concatenate([npx.softmax(net(X)) for X, _ in test_iter]).asnumpy()
