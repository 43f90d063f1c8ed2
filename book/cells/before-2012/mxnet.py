# %% imports
import itertools
import time

import numpy as np
from skimage.feature import SIFT, hog
from skimage.transform import rescale
from sklearn.cluster import MiniBatchKMeans
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.svm import SVC

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data, profiles
from alexbook import mxnet as d2l
import mxnet as mx
from mxnet import autograd, gluon, init, npx
from mxnet.gluon import nn

npx.set_np()

# %% lenet
mx.random.seed(0)
net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
net.add(
    nn.Conv2D(6, kernel_size=5, padding=2, activation="relu"),
    nn.MaxPool2D(pool_size=2),  # (batch, 6, 14, 14)
    nn.Conv2D(16, kernel_size=5, activation="relu"),
    nn.MaxPool2D(pool_size=2),  # (batch, 16, 5, 5)
    nn.Dense(120, activation="relu"),  # flattens its input
    nn.Dense(84, activation="relu"),
    nn.Dense(10),
)
net.initialize(init.Xavier())


# %% train
def pictures(pixels):
    return mx.np.array(pixels, dtype="float32").reshape(-1, 1, 28, 28)


def train_lenet(epochs):
    X, y = pictures(features["pixels"][:train]), mx.np.array(labels)
    batches = data.Batches("train", batch_size=64, limit=train)
    optimizer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.001})
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    for _ in range(epochs):
        for index in batches.indices():  # a new order in every epoch
            with autograd.record():
                losses = loss(net(X[index]), y[index])
            losses.backward()
            optimizer.step(len(index))


def answers(pixels):
    return net(pictures(pixels)).argmax(axis=1).asnumpy()
