# %% imports
import inspect
import itertools
import subprocess
import sys
import time

from alexbook import exercises, profiles, roofline
from alexbook import torch as d2l
import torch
from torch import nn
from torch.nn import functional


# %% lenet
def lenet():
    return nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, 10),
    )


# %% alexnet
def alexnet(c1=96, c2=256, c3=384, c4=384, c5=256, hidden=4096):
    return nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 224, 224)
        nn.Conv2d(1, c1, kernel_size=11, stride=4),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(c1, c2, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(c2, c3, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(c3, c4, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(c4, c5, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Flatten(),
        nn.Linear(25 * c5, hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, 10),
    )


# %% train
def train(network, loaders, epochs, lr, momentum=0.9, seed=0, **more):
    if network is ...:
        return ...  # a blank: there is nothing to train yet
    recipe, device = d2l.Recipe(momentum=momentum, **more), d2l.try_gpu()
    return d2l.train_ch6(network(), *loaders, epochs, lr, device, seed=seed, recipe=recipe, quiet=True)


# %% simpler
#| blank: simpler = ...  # a function that returns your network, as alexnet does
def simpler():
    return nn.Sequential(  # takes (batch, 1, 224, 224)
        nn.Conv2d(1, 32, kernel_size=11, stride=4),  # (batch, 32, 54, 54)
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),  # (batch, 32, 26, 26)
        nn.Conv2d(32, 64, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),  # (batch, 64, 12, 12)
        nn.Conv2d(64, 96, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),  # (batch, 96, 5, 5)
        nn.Flatten(),
        nn.Linear(2400, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 10),
    )


#| end


# %% native
#| blank: native = ...  # a function that returns a network for (batch, 1, 28, 28)
def block(inputs, outputs):
    window = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)
    return [window, nn.MaxPool2d(kernel_size=2, stride=2), nn.BatchNorm2d(outputs), nn.ReLU()]


def native():
    return nn.Sequential(  # takes (batch, 1, 28, 28)
        *block(1, 32),  # (batch, 32, 14, 14)
        *block(32, 64),  # (batch, 64, 7, 7)
        nn.Flatten(),
        nn.Linear(3136, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


#| end


# %% peak
imports = "import sys\nfrom alexbook import torch as d2l\nimport torch\nfrom torch import nn"


def peak():  # bytes: of the GPU where there is one, else of this process
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    import resource  # Windows has none: use Colab or WSL there

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes, Linux in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# %% machine
device, length, count = d2l.try_gpu(), 2048, 2**25
A = torch.rand(length, length, device=device)
a, b = (torch.ones(count, device=device) for _ in range(2))


def product():
    return A @ A.T


def addition():
    return a.add_(b)  # reads a and b, writes a


def wait(result):
    result.reshape(-1)[0].item()  # a GPU has finished when it answers


# %% modern-lenets
#| blank: networks = dict.fromkeys(["sigmoid", "ReLU", "ReLU and dropout", "standardized"], ...)
class Standardize(nn.Module):
    def forward(self, X):
        return (X - 0.2860) / 0.3530  # mean and standard deviation of the training pixels


def modern(*first, p=0):
    drop = [nn.Dropout(p)] if p else []
    return nn.Sequential(
        *[*first, nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.ReLU(), nn.AvgPool2d(kernel_size=2, stride=2)],
        *[nn.Conv2d(6, 16, kernel_size=5), nn.ReLU(), nn.AvgPool2d(kernel_size=2, stride=2), nn.Flatten()],
        *[nn.Linear(400, 120), nn.ReLU(), *drop, nn.Linear(120, 84), nn.ReLU(), *drop, nn.Linear(84, 10)],
    )


networks = {"sigmoid": lenet, "ReLU": modern}
networks["ReLU and dropout"] = lambda: modern(p=0.2)
networks["standardized"] = lambda: modern(Standardize())
#| end


# %% convolve
def convolve(X, weight, bias, stride, padding):  # NumPy arrays in and out: (batch, channels, height, width)
    X, weight, bias = map(torch.from_numpy, (X, weight, bias))
    return functional.relu(functional.conv2d(X, weight, bias, stride, padding)).numpy()


# %% narrow tags=["nbval-check-output"]
net = alexnet(6, 16, 24, 24, 16, hidden=256)
arrays = exercises.given("7")["tensorflow"]  # axes in the order of TensorFlow
for name, array in arrays.items():
    print(name, array.shape)

# %% load
#| blank: loaded = ...  # net, when each of its layers has its arrays
for layer, name in zip([layer for layer in net if hasattr(layer, "weight")], sizes, strict=True):
    weight = torch.tensor(arrays[f"{name}.weight"])
    if name == "fc6":  # its rows: height, width, channel; ours: channel, height, width
        weight = weight.reshape(5, 5, 16, 256).permute(2, 0, 1, 3).reshape(400, 256)
    weight = weight.permute(3, 2, 0, 1) if weight.ndim == 4 else weight.T
    layer.weight.data.copy_(weight)
    layer.bias.data.copy_(torch.tensor(arrays[f"{name}.bias"]))
loaded = net
#| end
