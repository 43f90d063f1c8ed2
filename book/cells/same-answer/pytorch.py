# %% imports
import filecmp
import math
import tempfile

from alexbook import torch as d2l
from alexbook import weights
import numpy
from safetensors.numpy import save_file
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

# %% load
net.eval()  # no dropout
weights.load(net, path)


# %% logits tags=["nbval-check-output"]
def answers(images):
    with torch.no_grad():
        return net(torch.tensor(images)).numpy()


print(answers(images)[0])

# %% gradients
loss = nn.functional.cross_entropy(net(torch.tensor(images)), torch.tensor(labels))
loss.backward()
gradients = [layer.weight.grad.numpy() for layer in net if hasattr(layer, "weight")]
for name, gradient in zip(shapes, gradients, strict=True):
    print(f"{name:<5} {numpy.linalg.norm(gradient.astype('float64')):#.3g}")
