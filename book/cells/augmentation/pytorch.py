# %% imports
import numpy

from alexbook import data, profiles
from alexbook import torch as d2l
import torch
from torch import nn
from torchvision.transforms import v2

device = d2l.try_gpu()

# %% framework
F = v2.functional
image = torch.tensor(boot)[None]  # (1, 28, 28)
large = torch.tensor(padded)[None]  # (1, 32, 32)
by_framework = {
    "mirror": F.hflip(image),
    "crop": F.crop(large, top=1, left=0, height=28, width=28),
    "contrast": F.adjust_contrast(image, 0.4),
}
by_framework = {name: each[0].numpy() for name, each in by_framework.items()}

# %% brightness
brighter = F.adjust_brightness(image, 1.5)[0].numpy()
assert numpy.allclose(brighter, numpy.clip(1.5 * boot, 0, 1))
for name, place in (("black", boot.argmin()), ("lightest", boot.argmax())):
    print(f"{name}: {boot.flat[place]:.2f} becomes {brighter.flat[place]:.2f}")

# %% random
torch.manual_seed(1)
flip = v2.RandomHorizontalFlip(p=0.5)
boots = image.repeat(128, 1, 1, 1)  # (128, 1, 28, 28)
one_by_one = torch.stack([flip(each) for each in boots])
changed = (one_by_one != boots).flatten(1).any(dim=1)
print("one by one:", changed.sum().item(), "of 128 mirrored")

# %% batch
for _ in range(4):
    at_once = flip(boots)
    changed = (at_once != boots).flatten(1).any(dim=1)
    print("the batch:", changed.sum().item(), "of 128 mirrored")


# %% model
def network(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(  # takes (batch, 1, 28, 28)
        nn.Conv2d(1, 16, kernel_size=3, padding=1),
        nn.MaxPool2d(kernel_size=2, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, kernel_size=3, padding=1),
        nn.MaxPool2d(kernel_size=2, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1568, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    return net.to(device)


# %% learner
def learner(net):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

    def step(X, y, rate):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        outputs = net(torch.tensor(X[:, None], device=device))
        loss = nn.functional.cross_entropy(outputs, torch.tensor(y, device=device))
        loss.backward()
        optimizer.step()

    return step


# %% answers
@torch.no_grad()
def answers(net, X):
    X = X[:, None].copy()  # PyTorch takes no array that runs backwards
    return net(torch.tensor(X, device=device)).cpu().numpy()
