# %% imports
import math

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

# %% shapes tags=["nbval-check-output"]
X = torch.rand(1, 1, 224, 224)  # (batch, channels, height, width)
shapes = []
for layer in net:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<13}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"])
table = {}  # name: number of weights, of biases, of values in the output
for layer, shape in zip(net, shapes, strict=True):
    if hasattr(layer, "weight"):
        name = next(names)
        weights, biases = layer.weight.numel(), layer.bias.numel()
        table[name] = weights, biases, math.prod(shape)
        print(f"{name:<5}{weights + biases:>12,}")
print(f"total{sum(p.numel() for p in net.parameters()):>12,}")

# %% slopes tags=["nbval-check-output"]
x = torch.arange(-8, 8.1, 0.25, requires_grad=True)
slopes = {}
for name, function in (("sigmoid", torch.sigmoid), ("ReLU", torch.relu)):
    (slope,) = torch.autograd.grad(function(x).sum(), x)
    slopes[name] = slope.numpy()
    at_points = [f"{value:.4f}" for value in slope[::16]]  # x = -8, -4, 0, 4, 8
    print(f"{name:<8}", *at_points, f" largest {slope.max():.4f}")

# %% slope-curves
curves = list(slopes.values())
d2l.plot(x.detach(), curves, xlabel="x", ylabel="slope", legend=list(slopes))

# %% gradients
train_iter, _ = d2l.load_data_fashion_mnist(batch_size=32, resize=224)
X, y = next(iter(train_iter))
torch.manual_seed(0)
for weight in net.parameters():  # as in MXNet and Keras: Xavier's weights, biases of 0
    nn.init.xavier_uniform_(weight) if weight.dim() > 1 else nn.init.zeros_(weight)
squashing = [nn.Sigmoid() if isinstance(layer, nn.ReLU) else layer for layer in net]
gradients = {}  # activation: mean size of the gradient in each layer's weights
for name, network in ("ReLU", net), ("sigmoid", nn.Sequential(*squashing)):
    loss = nn.functional.cross_entropy(network.to(X.device)(X), y)
    slopes = torch.autograd.grad(loss, [p for p in net.parameters() if p.dim() > 1])
    gradients[name] = [slope.abs().mean().item() for slope in slopes]


# %% lenet
def lenet(activation):
    return nn.Sequential(  # takes (batch, 1, 28, 28)
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        activation(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5),
        activation(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(400, 120),
        activation(),
        nn.Linear(120, 84),
        activation(),
        nn.Linear(84, 10),
    )


networks = {"sigmoid": lenet(nn.Sigmoid), "ReLU": lenet(nn.ReLU)}

# %% dropout
torch.manual_seed(1)
dropout, ones = nn.Dropout(0.5), torch.ones(16)
training, evaluation = dropout.train()(ones), dropout.eval()(ones)
print("training  ", training.int().tolist())
print("evaluation", evaluation.int().tolist())
assert set(training.tolist()) <= {0, 2} and set(evaluation.tolist()) == {1}
