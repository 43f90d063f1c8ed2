# %% imports
import statistics

import numpy as np

from alexbook import data, profiles
from alexbook import torch as d2l
import torch
from torch import nn

# %% model
net = nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 224, 224)
    nn.Conv2d(1, 96, kernel_size=11, stride=4),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Conv2d(96, 256, kernel_size=5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Conv2d(256, 384, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.Conv2d(384, 384, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.Conv2d(384, 256, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Flatten(),
    nn.Linear(6400, 4096),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(4096, 4096),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(4096, 10),
)

# %% size
gpu = d2l.num_gpus() > 0
full, quick, smoke = ((60_000, 10_000), 128, 10, 20), ((1_024, 512), 16, 2, 4), ((128, 64), 16, 1, 1)
images, batch_size, trial, epochs = profiles.pick(full=full, quick=quick, smoke=smoke, accelerator=gpu)


# %% answers
@torch.no_grad()
def probabilities(net):  # of each class, for each test image: (images, 10)
    return np.concatenate([net.eval()(X).softmax(dim=1).cpu().numpy() for X, _ in test_iter])
