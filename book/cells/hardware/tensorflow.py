# %% imports
import itertools
import time

from alexbook import roofline
from alexbook import tensorflow as d2l
import tensorflow as tf

tf.config.experimental.enable_tensor_float_32_execution(False)  # or newer GPUs round float32

# %% device
dtypes = ["float32"]
if d2l.has_bf16():
    dtypes.append("bfloat16")
else:
    print("This device has no arithmetic for bfloat16: all measurements are in float32.")


def wait(result):
    tf.reshape(result, [-1])[0].numpy()  # a GPU has finished when it answers


# %% product
def numbers(dtype, *shape):
    return tf.cast(tf.random.uniform(shape), dtype)


def product(n, dtype):
    A = numbers(dtype, n, n)
    return lambda: tf.matmul(A, A, transpose_b=True)


# %% addition
def addition(count):
    a, b = tf.Variable(tf.zeros(count)), tf.ones(count)
    return lambda: a.assign_add(b)  # in place


# %% layers
def convolution(dtype, batch, k, n, m, side):
    X, W = numbers(dtype, batch, side, side, n), numbers(dtype, k, k, n, m)
    return lambda: tf.nn.conv2d(X, W, strides=1, padding="SAME")


def connected(dtype, batch, n, m):
    X, W = numbers(dtype, batch, n), numbers(dtype, n, m)
    return lambda: X @ W
