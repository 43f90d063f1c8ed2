# %% imports
import itertools
from collections import defaultdict

import numpy as np
from skimage.filters import gabor_kernel
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from alexbook import data, profiles
from alexbook import torch as d2l
import torch
from torch import nn

# %% model
net = nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 224, 224)
    # Objects fill many pixels: a wide window. Steps of 4 pixels: small maps from here on
    nn.Conv2d(1, 96, kernel_size=11, stride=4),
    nn.ReLU(),
    # Windows of 3 at every second position: neighbours overlap
    nn.MaxPool2d(kernel_size=3, stride=2),
    # A padding of 2 around a window of 5 keeps height and width
    nn.Conv2d(96, 256, kernel_size=5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    # Three convolutions with no pooling between them: more depth at the same resolution
    nn.Conv2d(256, 384, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.Conv2d(384, 384, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.Conv2d(384, 256, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Flatten(),
    # Most of the parameters stand here, and so does dropout
    nn.Linear(6400, 4096),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(4096, 4096),
    nn.ReLU(),
    nn.Dropout(0.5),
    # Ten kinds of clothing; the paper's network names 1000 kinds of objects
    nn.Linear(4096, 10),
)


# %% start
def xavier(layer):
    if hasattr(layer, "weight"):
        layer.reset_parameters()  # train_ch6 draws PyTorch's own start first, too
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


torch.manual_seed(0)
fresh = net.cpu().apply(xavier).to(d2l.try_gpu())


# %% first-layer
def filters(net):  # of the first layer: (96, 11, 11)
    return net[0].weight.detach().cpu().numpy()[:, 0].copy()


# %% look
wanted = {1: "conv1", 7: "conv3", 11: "conv5", 12: "pool5", 18: "hidden"}  # with its ReLU


@torch.no_grad()
def look(net, X):  # what these layers say to the images X
    said = {}
    for place, layer in enumerate(net.eval()):
        X = layer(X)
        if place in wanted:
            said[wanted[place]] = X.cpu().numpy()
    return said
