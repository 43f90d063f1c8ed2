# %% imports
import math
import tempfile

from alexbook import torch as d2l
from alexbook import weights
import numpy
from safetensors.numpy import save_file
import skimage
import torch
from torch import nn

# %% groups tags=["nbval-check-output"]
torch.manual_seed(0)
X = torch.randn(1, 4, 8, 8)  # (batch, channels, height, width)
whole = nn.Conv2d(4, 6, kernel_size=3, bias=False)
grouped = nn.Conv2d(4, 6, kernel_size=3, groups=2, bias=False)
W = grouped.weight  # (6, 2, 3, 3): an output looks at two channels of the four
left = nn.functional.conv2d(X[:, :2], W[:3])  # (1, 3, 6, 6)
right = nn.functional.conv2d(X[:, 2:], W[3:])
assert torch.allclose(grouped(X), torch.cat([left, right], dim=1), atol=1e-5)
print(f"one group {whole.weight.numel()} weights, two groups {W.numel()}")

# %% lrn tags=["nbval-check-output"]
X = torch.tensor(a).reshape(1, 9, 1, 1)  # (batch, channels, height, width)
copied = nn.LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2)
meant = nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2)
row("the paper", b)
row("copied", copied(X).flatten())
row("meant", meant(X).flatten())
assert numpy.allclose(meant(X).flatten(), b, rtol=1e-4)

# %% model
net = nn.Sequential(  # takes (batch, channels, height, width) = (batch, 3, 227, 227)
    nn.Conv2d(3, 96, kernel_size=11, stride=4),
    nn.ReLU(),
    nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2),
    nn.MaxPool2d(kernel_size=3, stride=2),
    # Two groups: each half of the channels sees one half
    nn.Conv2d(96, 256, kernel_size=5, padding=2, groups=2),
    nn.ReLU(),
    nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2),
    nn.MaxPool2d(kernel_size=3, stride=2),
    # One group: here both halves see all
    nn.Conv2d(256, 384, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.Conv2d(384, 384, kernel_size=3, padding=1, groups=2),
    nn.ReLU(),
    nn.Conv2d(384, 256, kernel_size=3, padding=1, groups=2),
    nn.ReLU(),
    nn.MaxPool2d(kernel_size=3, stride=2),
    nn.Flatten(),
    nn.Linear(9216, 4096),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(4096, 4096),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(4096, 1000),
)

# %% shapes tags=["nbval-check-output"]
X = torch.randn(1, 3, 227, 227)  # (batch, channels, height, width)
shapes = []
for layer in net:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<19}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"])
named, table = {}, {}  # table: weights, biases, values in the output
for layer, shape in zip(net, shapes, strict=True):
    if hasattr(layer, "weight"):
        name = next(names)
        named[name] = layer
        table[name] = layer.weight.numel(), layer.bias.numel(), math.prod(shape)
        print(f"{name:<5}{sum(table[name][:2]):>12,}{table[name][2]:>10,}")
total = sum(parameter.numel() for parameter in net.parameters())
print(f"total{total:>12,}{sum(values for *_, values in table.values()):>10,}")
assert total == 60_965_224


# %% initialize
def set_biases(with_ones):
    for name, layer in named.items():
        nn.init.constant_(layer.bias, 1 if name in with_ones else 0)


torch.manual_seed(0)
for layer in named.values():
    nn.init.normal_(layer.weight, std=0.01)
paper = ["conv2", "conv4", "conv5", "fc6", "fc7"]
set_biases(paper)

# %% alive
net.eval()  # no dropout
for label, with_ones in {"biases 0": [], "biases 1": paper}.items():
    set_biases(with_ones)
    X, shares = torch.tensor(image), []
    for layer in net:
        X = layer(X)
        if isinstance(layer, nn.ReLU):
            shares.append((X > 0).float().mean().item())
    print(label, *(f"{share:6.1%}" for share in shares))
assert min(shares[number] for number in (1, 3, 4, 5, 6)) > 0.6

# %% answer tags=["nbval-check-output"]
weights.load(net, f"{folder.name}/original.safetensors")
with torch.no_grad():
    logits = net(torch.tensor(image)).numpy()  # (1, 1000)
row("five logits", logits[0, :5])
