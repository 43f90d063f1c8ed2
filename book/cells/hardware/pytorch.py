# %% imports
import itertools
import time

from alexbook import roofline
from alexbook import torch as d2l
import torch
from torch.nn import functional

torch.backends.cudnn.allow_tf32 = False  # or newer GPUs round float32 before they convolve

# %% device
device = d2l.try_gpu()
dtypes = ["float32"]
if d2l.has_bf16():
    dtypes.append("bfloat16")
else:
    print("This device has no arithmetic for bfloat16: all measurements are in float32.")


def wait(result):
    result.reshape(-1)[0].item()  # a GPU has finished when it answers


# %% product
def numbers(dtype, *shape):
    return torch.rand(shape, device=device).to(getattr(torch, dtype))


def product(n, dtype):
    A = numbers(dtype, n, n)
    return lambda: A @ A.T


# %% addition
def addition(count):
    a, b = torch.zeros(count, device=device), torch.ones(count, device=device)
    return lambda: a.add_(b)  # in place


# %% layers
def convolution(dtype, batch, k, n, m, side):
    X, W = numbers(dtype, batch, n, side, side), numbers(dtype, m, n, k, k)
    return lambda: functional.conv2d(X, W, padding=k // 2)


def connected(dtype, batch, n, m):
    X, W = numbers(dtype, batch, n), numbers(dtype, m, n)
    return lambda: functional.linear(X, W)
