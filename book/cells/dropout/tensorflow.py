# %% imports
import numpy

from alexbook import data, profiles
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers


# %% by-hand
def draw_mask(shape, p):
    keep = tf.random.uniform(shape) >= p
    return tf.cast(keep, tf.float32)  # 1 with probability 1 - p, else 0


def dropout(x, mask, p):
    return x * mask / (1 - p)


# %% moments
tf.random.set_seed(1)
x = tf.fill((1_000_000,), 3.0)
for p in 0.2, 0.5, 0.8:
    y = dropout(x, draw_mask(x.shape, p), p).numpy()
    mean, variance, predicted = y.mean(), y.var(), 9 * p / (1 - p)
    print(f"p {p}: mean {mean:.2f}, variance {variance:.2f}, predicted {predicted:.2f}")
    assert abs(mean - 3) < 0.05 and abs(variance / predicted - 1) < 0.02

# %% layer tags=["nbval-check-output"]
x = tf.random.uniform((1000, 1000), 0.5, 1.5)  # no number is 0
layer = layers.Dropout(0.2)
y = layer(x, training=True)
kept = tf.cast(y != 0, tf.float32)
assert numpy.allclose(y, dropout(x, kept, 0.2))
assert numpy.array_equal(layer(x, training=False), x)
print(f"kept {tf.reduce_mean(kept):.2f}, and by hand the same with the same mask")

# %% gradient tags=["nbval-check-output"]
with tf.GradientTape() as tape:
    tape.watch(x)
    y = layer(x, training=True)
gradient, kept = tape.gradient(y, x).numpy(), y.numpy() != 0
print("gradients where it kept:   ", set(gradient[kept].tolist()))
print("gradients where it dropped:", set(gradient[~kept].tolist()))


# %% model
def network(p, seed):
    tf.keras.utils.set_random_seed(seed)  # decides the weights and the masks
    stack = [
        layers.Input((784,)),
        layers.Dense(512, activation="relu"),
        layers.Dropout(p),
        layers.Dense(512, activation="relu"),
        layers.Dropout(p),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% learner
def learner(net):
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer, cross_entropy)

    def step(X, y, rate):
        optimizer.learning_rate = rate
        net.train_on_batch(X, y)  # training mode

    return step


# %% answers
def answers(net, X, training=False):
    return net(X, training=training).numpy()
