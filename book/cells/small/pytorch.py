# %% imports
import statistics

from alexbook import data
from alexbook import torch as d2l
import torch
from torch import nn


# %% model
def block(inputs, outputs):
    return [
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
        nn.MaxPool2d(kernel_size=2, stride=2),  # first: then the others have a quarter of the work
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


net = nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
    *block(1, 32),  # (batch, 32, 14, 14)
    *block(32, 64),  # (batch, 64, 7, 7)
    *block(64, 128),  # (batch, 128, 3, 3)
    nn.Flatten(),
    nn.Linear(1152, 256),
    nn.ReLU(),
    nn.Dropout(0.3),
    nn.Linear(256, 10),
)

# %% guess
with torch.no_grad():
    guesses, labels = zip(*((runs[-1].net.eval()(X).argmax(dim=1), y) for X, y in test_iter), strict=True)
guesses, labels = (torch.cat(batches).cpu().numpy() for batches in (guesses, labels))  # (10000,) each
