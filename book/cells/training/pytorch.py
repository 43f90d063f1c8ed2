# %% imports
import math

from alexbook import data
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

# %% untrained
X, y = next(iter(test_iter))
with torch.no_grad():
    loss = nn.functional.cross_entropy(net.to(X.device)(X), y).item()
print(f"loss {loss:.2f}, ln 10 = {math.log(10):.2f}")
assert abs(loss - math.log(10)) < 0.2

# %% predict
X, y = next(iter(test_iter))
with torch.no_grad():
    guesses = history.net.eval()(X[:18]).argmax(dim=1).tolist()
labels = y[:18].tolist()
images = X[:18, 0].cpu().numpy()  # (18, 224, 224)
