# %% imports
import math
import time

from alexbook import profiles
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers


# %% model
def net():  # takes (batch, height, width, channels) = (batch, 28, 28, 1)
    stack = [
        # "same" keeps height and width: a padding of 2 around a window of 5
        layers.Conv2D(6, kernel_size=5, padding="same", activation="sigmoid"),
        # The mean of each square of four numbers: nothing to learn here
        layers.AvgPool2D(pool_size=2, strides=2),
        layers.Conv2D(16, kernel_size=5, activation="sigmoid"),
        layers.AvgPool2D(pool_size=2, strides=2),
        layers.Flatten(),
        layers.Dense(120, activation="sigmoid"),
        layers.Dense(84, activation="sigmoid"),
        # Ten numbers without a sigmoid: the loss makes probabilities of them
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% shapes tags=["nbval-check-output"]
X = tf.random.uniform((1, 28, 28, 1))  # (batch, height, width, channels)
network, shapes = net(), []
for layer in network.layers:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<17}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "fc3", "fc4", "fc5"])
table = {}  # name: parameters, multiply-adds
for layer, shape in zip(network.layers, shapes, strict=True):
    if layer.weights:
        weights, biases = math.prod(layer.kernel.shape), math.prod(layer.bias.shape)
        table[next(names)] = weights + biases, math.prod(shape) * weights // biases
for name, (parameters, products) in table.items():
    print(f"{name:<5}{parameters:>8,}{products:>10,}")

# %% start
seeds = tf.keras.random.SeedGenerator(0)
xavier = tf.keras.initializers.GlorotUniform(seeds)  # named after Xavier Glorot
for layer in network.layers:
    if layer.weights:
        layer.kernel.assign(xavier(layer.kernel.shape))
        layer.bias.assign(tf.zeros(layer.bias.shape))

# %% untrained
X, y = next(iter(test_iter))
cross_entropy = tf.keras.losses.sparse_categorical_crossentropy
kernels = [layer.kernel for layer in network.layers if layer.weights]
with tf.GradientTape() as tape:
    mean = tf.reduce_mean(cross_entropy(y, network(X), from_logits=True))
gradients = tape.gradient(mean, kernels)
loss, sizes = mean.numpy(), [abs(gradient.numpy()).mean() for gradient in gradients]
print(f"loss {loss:.3f}, ln 10 = {math.log(10):.3f}")
for name, size in zip(table, sizes, strict=True):
    print(f"{name:<5}{size:10.6f}")
assert abs(loss - math.log(10)) < 1 and sizes[0] < sizes[-1] / 10

# %% step
lr = 0.9
optimizer = tf.keras.optimizers.SGD(lr)


@tf.function  # one graph, made at the first call
def step(X, y):
    with tf.GradientTape() as tape:  # watches what is done with the parameters
        outputs = network(X, training=True)  # (batch, 10)
        losses = cross_entropy(y, outputs, from_logits=True)  # (batch,)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, network.trainable_variables)
    # parameter - lr * gradient, for each of them
    optimizer.apply(gradients, network.trainable_variables)
    hits = tf.argmax(outputs, axis=1, output_type=tf.int32) == y
    return tf.reduce_sum(losses), tf.math.count_nonzero(hits)


# %% count-correct
@tf.function
def count_correct(X, y):
    outputs = network(X, training=False)  # as in use
    hits = tf.argmax(outputs, axis=1, output_type=tf.int32) == y
    return tf.math.count_nonzero(hits)
