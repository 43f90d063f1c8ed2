# %% imports
import numpy as np
from skimage.feature import hog
from sklearn.svm import SVC

from alexbook import data, profiles
from alexbook import torch as d2l
import torch
from torch import nn
from torch.nn import functional as F


# %% model
def network():
    return nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
        nn.Conv2d(1, 16, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=2),  # (batch, 16, 14, 14)
        nn.Conv2d(16, 32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=2),  # (batch, 32, 7, 7)
        nn.Flatten(),
        nn.Linear(1568, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


# %% train
device = d2l.try_gpu()
X = torch.tensor(images[: max(sizes)] / 255, device=device).float()[:, None]
y = torch.tensor(labels[: max(sizes)], device=device)


def train(chosen, seed):
    torch.manual_seed(seed)
    net = network().to(device)
    optimizer = torch.optim.Adam(net.parameters())
    for rate, batch in plan(chosen, seed):
        optimizer.param_groups[0]["lr"] = rate
        loss = F.cross_entropy(net(X[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


# %% accuracy
X_test = torch.tensor(test_images / 255, device=device).float()[:, None]


def accuracy(net):
    # The test images in pieces, which fit into memory
    with torch.no_grad():
        guesses = torch.cat([net.eval()(X).argmax(dim=1) for X in X_test.split(1000)])
    return (guesses.cpu().numpy() == test_labels).mean()
