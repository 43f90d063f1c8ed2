# %% imports
import itertools
import time

# First alexbook, then mxnet: see the chapter on the network
from alexbook import mxnet as d2l
from alexbook import roofline
from mxnet import np, npx

npx.set_np()

# %% device
device = d2l.try_gpu()
dtypes = ["float32"]
print("MXNet multiplies no arrays in bfloat16: all measurements are in float32.")


def wait(result):
    result.wait_to_read()  # MXNet returns at once, and works on


# %% product
def numbers(dtype, *shape):
    return np.random.uniform(size=shape, dtype=dtype, ctx=device)


def product(n, dtype):
    A = numbers(dtype, n, n)  # the fully connected layer, MXNet's fastest product, is A times Aᵀ
    return lambda: npx.fully_connected(A, A, num_hidden=n, no_bias=True, flatten=False)


# %% addition
def addition(count):
    a, b = np.zeros(count, ctx=device), np.ones(count, ctx=device)
    return lambda: np.add(a, b, out=a)  # in place


# %% layers
def convolution(dtype, batch, k, n, m, side):
    X, W = numbers(dtype, batch, n, side, side), numbers(dtype, m, n, k, k)
    window = {"kernel": (k, k), "pad": (k // 2, k // 2), "num_filter": m}
    return lambda: npx.convolution(X, W, no_bias=True, **window)


def connected(dtype, batch, n, m):
    X, W = numbers(dtype, batch, n), numbers(dtype, m, n)
    return lambda: npx.fully_connected(X, W, num_hidden=m, no_bias=True, flatten=False)
