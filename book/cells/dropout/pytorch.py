# %% imports
import numpy

from alexbook import data, profiles
from alexbook import torch as d2l
import torch
from torch import nn

device = d2l.try_gpu()


# %% by-hand
def draw_mask(shape, p):
    return (torch.rand(shape) >= p).float()  # 1 with probability 1 - p, else 0


def dropout(x, mask, p):
    return x * mask / (1 - p)


# %% moments
torch.manual_seed(1)
x = torch.full((1_000_000,), 3.0)
for p in 0.2, 0.5, 0.8:
    y = dropout(x, draw_mask(x.shape, p), p)
    mean, variance, predicted = y.mean().item(), y.var().item(), 9 * p / (1 - p)
    print(f"p {p}: mean {mean:.2f}, variance {variance:.2f}, predicted {predicted:.2f}")
    assert abs(mean - 3) < 0.05 and abs(variance / predicted - 1) < 0.02

# %% layer tags=["nbval-check-output"]
layer, x = nn.Dropout(0.2), torch.rand(1000, 1000) + 0.5  # no number of x is 0
y = layer.train()(x)
kept = y != 0
assert torch.allclose(y, dropout(x, kept, 0.2))
assert torch.equal(layer.eval()(x), x)
print(f"kept {kept.float().mean():.2f}, and by hand the same with the same mask")

# %% gradient tags=["nbval-check-output"]
x.requires_grad_()
y = layer.train()(x)
y.sum().backward()
gradient, kept = x.grad.numpy(), (y != 0).numpy()
print("gradients where it kept:   ", set(gradient[kept].tolist()))
print("gradients where it dropped:", set(gradient[~kept].tolist()))


# %% model
def network(p, seed):
    torch.manual_seed(seed)  # decides the weights and the masks
    net = nn.Sequential(
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Dropout(p),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Dropout(p),
        nn.Linear(512, 10),
    )
    return net.to(device)


# %% learner
def learner(net):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

    def step(X, y, rate):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        outputs = net.train()(torch.tensor(X, device=device))
        loss = nn.functional.cross_entropy(outputs, torch.tensor(y, device=device))
        loss.backward()
        optimizer.step()

    return step


# %% answers
@torch.no_grad()
def answers(net, X, training=False):
    net.train(training)  # False: evaluation mode
    return net(torch.tensor(X, device=device)).cpu().numpy()
