# %% imports
import itertools
from collections import defaultdict

import numpy as np
from skimage.filters import gabor_kernel
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data, profiles
from alexbook import mxnet as d2l
from mxnet import init, npx
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

# %% start
npx.random.seed(0)
net.initialize(init.Xavier(), ctx=d2l.try_gpu(), force_reinit=True)  # biases: 0
fresh = net


# %% first-layer
def filters(net):  # of the first layer: (96, 11, 11)
    return net[0].weight.data().asnumpy()[:, 0]


# %% look
wanted = {0: "conv1", 4: "conv3", 6: "conv5", 7: "pool5", 10: "hidden"}


def look(net, X):  # what these layers say to the images X
    said = {}
    for place, layer in enumerate(net):
        X = layer(X)
        if place in wanted:
            said[wanted[place]] = X.asnumpy()
    return said
