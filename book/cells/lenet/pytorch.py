# %% imports
import math
import time

from alexbook import profiles
from alexbook import torch as d2l
import torch
from torch import nn

# %% model
net = nn.Sequential(  # takes (batch, channels, height, width) = (batch, 1, 28, 28)
    # A padding of 2 around a window of 5 keeps height and width
    nn.Conv2d(1, 6, kernel_size=5, padding=2),
    nn.Sigmoid(),
    # The mean of each square of four numbers: nothing to learn here
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Conv2d(6, 16, kernel_size=5),
    nn.Sigmoid(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Flatten(),
    nn.Linear(400, 120),
    nn.Sigmoid(),
    nn.Linear(120, 84),
    nn.Sigmoid(),
    # Ten numbers without a sigmoid: the loss makes probabilities of them
    nn.Linear(84, 10),
)

# %% shapes tags=["nbval-check-output"]
X = torch.rand(1, 1, 28, 28)  # (batch, channels, height, width)
shapes = []
for layer in net:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<10}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "fc3", "fc4", "fc5"])
table = {}  # name: parameters, multiply-adds
for layer, shape in zip(net, shapes, strict=True):
    if hasattr(layer, "weight"):
        weights, biases = layer.weight.numel(), layer.bias.numel()
        table[next(names)] = weights + biases, math.prod(shape) * weights // biases
for name, (parameters, products) in table.items():
    print(f"{name:<5}{parameters:>8,}{products:>10,}")


# %% start
def start(layer):
    if hasattr(layer, "weight"):
        layer.reset_parameters()  # PyTorch's own start, replaced at once: see below
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


device = d2l.try_gpu()
torch.manual_seed(0)
_ = net.cpu().apply(start).to(device)

# %% untrained
X, y = next(iter(test_iter))
mean = nn.functional.cross_entropy(net(X), y)
kernels = [layer.weight for layer in net if hasattr(layer, "weight")]
gradients = torch.autograd.grad(mean, kernels)
loss, sizes = mean.item(), [gradient.abs().mean().item() for gradient in gradients]
print(f"loss {loss:.3f}, ln 10 = {math.log(10):.3f}")
for name, size in zip(table, sizes, strict=True):
    print(f"{name:<5}{size:10.6f}")
assert abs(loss - math.log(10)) < 1 and sizes[0] < sizes[-1] / 10

# %% step
lr = 0.9
optimizer = torch.optim.SGD(net.parameters(), lr=lr)


def step(X, y):
    net.train()  # some layers work differently while training
    optimizer.zero_grad()  # backward adds to what is there
    outputs = net(X)  # (batch, 10)
    loss = nn.functional.cross_entropy(outputs, y)  # the mean over the batch
    loss.backward()  # now each parameter has its gradient
    optimizer.step()  # parameter - lr * gradient
    return loss.detach() * len(y), (outputs.argmax(dim=1) == y).sum()


# %% count-correct
@torch.no_grad()  # keep nothing for gradients that nobody will ask for
def count_correct(X, y):
    net.eval()  # and now as in use
    return (net(X).argmax(dim=1) == y).sum()
