# %% imports
from collections import defaultdict
import time

from alexbook import bench
from alexbook import torch as d2l
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

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

# %% limit
limits = {}
for dtype in [torch.float32] + [torch.bfloat16] * d2l.has_bf16():
    A = torch.rand(2048, 2048).to(X.device, dtype)
    for count in 2, 60:  # the first two warm up
        start = time.perf_counter()
        for _ in range(count):
            B = A @ A
        B[0, 0].item()  # a GPU answers when it is done
    name = str(dtype).removeprefix("torch.")
    limits[name] = 2 * 2048**3 * count / (time.perf_counter() - start)
    print(f"{name:<9}{limits[name] / 1e9:6.0f} GFLOP/s: {limits[name] / operations:4.0f} images/s")


# %% plain
def step(X, y):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(X), y)
    loss.backward()
    optimizer.step()
    return loss.item()


net.to(X.device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
d2l.keep_memory(False)  # as a program starts; the loader has changed it
report("plain", step)

# %% graph tags=["absent"]

# %% layout
net.to(memory_format=torch.channels_last)
report("channels last", step)


# %% precision
def step(X, y):
    optimizer.zero_grad()
    with torch.autocast(X.device.type, torch.bfloat16, enabled=d2l.has_bf16()):
        logits = net(X)
    loss = nn.functional.cross_entropy(logits.float(), y)
    loss.backward()
    optimizer.step()
    return loss.item()


if d2l.has_bf16():
    report("bfloat16", step)

# %% memory
d2l.keep_memory()
report("memory kept", step)

# %% stopwatch
repeats = 3
milliseconds = defaultdict(float)  # that a step spends on each operation


class Stopwatch(TorchDispatchMode):  # PyTorch gives it every operation instead of running it
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        start = time.perf_counter()
        result = operation(*args, **(kwargs or {}))
        if X.is_cuda:
            torch.cuda.synchronize()  # a GPU answers before it is done
        name = operation.overloadpacket.__name__
        if any(getattr(each, "shape", None) == X.shape for each in args):  # the images
            name = name.replace("convolution", "conv1")
        milliseconds[name] += (time.perf_counter() - start) * 1000 / repeats
        return result


with Stopwatch():
    for _ in range(repeats):
        step(X, y)

# %% profile
total = sum(milliseconds.values())
for name, took in sorted(milliseconds.items(), key=lambda each: -each[1]):
    if took > total / 100:
        print(f"{name:<33}{took:6.1f} ms {took / total:4.0%}")

# %% products
# Operations for an image: forward, and backward twice. The first layer spares the pixels their gradient
work = {
    ("conv1", "conv1_backward"): 4 * 33_872_256,
    ("convolution", "convolution_backward"): 6 * 861_241_344,
    ("mm", "addmm"): 6 * 43_032_576,
}
for names, count in work.items():
    took = sum(milliseconds[name] for name in names)
    speed = count * len(y) / took / 1e6
    print(f"{names[0]:<12}{speed:5.0f} GFLOP/s, {took / total:4.0%} of the time")

# %% fold
conv1 = net[0]


def fold(X):  # conv1, in blocks of 4 x 4 pixels
    blocks = nn.functional.pixel_unshuffle(X, 4)  # (128, 16, 56, 56)
    wider = nn.functional.pad(conv1.weight, (0, 1, 0, 1))  # (96, 1, 12, 12)
    window = nn.functional.pixel_unshuffle(wider, 4)  # (96, 16, 3, 3)
    return nn.functional.conv2d(blocks, window, conv1.bias)


with torch.no_grad():
    difference = (fold(X) - conv1(X)).abs().max().item()
    print(f"{tuple(fold(X).shape)}, the largest difference: {difference:.1e}")
assert difference < 1e-2  # sums in another order; on a GPU, of rounded factors

# %% gain
report("memory kept, again", step)
conv1.forward = fold  # what net calls from now on
report("first layer folded", step)
del conv1.forward  # as it was
