# %% imports
import itertools
import time

import numpy as np
from skimage.feature import SIFT, hog
from skimage.transform import rescale
from sklearn.cluster import MiniBatchKMeans
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.svm import SVC

from alexbook import data, profiles
from alexbook import torch as d2l
import torch
from torch import nn

# %% lenet
torch.manual_seed(0)
net = nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
    nn.Conv2d(1, 6, kernel_size=5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=2),  # (batch, 6, 14, 14)
    nn.Conv2d(6, 16, kernel_size=5),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=2),  # (batch, 16, 5, 5)
    nn.Flatten(),
    nn.Linear(400, 120),
    nn.ReLU(),
    nn.Linear(120, 84),
    nn.ReLU(),
    nn.Linear(84, 10),
)


# %% train
def pictures(pixels):
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 28, 28)


def train_lenet(epochs):
    X, y = pictures(features["pixels"][:train]), torch.tensor(labels)
    batches = data.Batches("train", batch_size=64, limit=train)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    for _ in range(epochs):
        for index in batches.indices():  # a new order in every epoch
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[index]), y[index]).backward()
            optimizer.step()


def answers(pixels):
    return net(pictures(pixels)).argmax(dim=1).numpy()
